//! `rt_dma_zalloc`, `rt_dma_wc_flags`, `rt_dma_alloc_wc`, `rt_dma_alloc_aligned`.

use core::ffi::c_void;

use crate::abi::rt_device;
use crate::dropin::translate::MapOps;
use crate::ffi::additions::masks::{masks_of, unmasked};
use crate::ffi::dropin::buffer::{rt_dma_alloc, rt_dma_free, rt_dma_sync_out_data};
use crate::ffi::dropin::ops::{ops_of, table_of};
use crate::ffi::{DMA, device, pointer, write_if};
use crate::flags::Flags;
use crate::kernel::Device;
use crate::kernel::rtthread::RtThread;
use crate::mem::cache;
use crate::mem::words::DeviceMemory;

/// Allocates a buffer full of zeros: otherwise as `rt_dma_alloc`, and freed by `rt_dma_free` with the same flags.
///
/// The device may see the zeros at once, of whatever type the memory is: a cached buffer is flushed. Null also for
/// `RT_DMA_F_NOMAP`, since what is not mapped cannot be cleared. Context as `rt_dma_alloc`; the time grows with `size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_zalloc(
    dev: *mut rt_device,
    size: usize,
    dma_handle: *mut usize,
    flags: usize,
) -> *mut c_void {
    if Flags::from_bits_retain(flags).contains(Flags::NOMAP) {
        return core::ptr::null_mut();
    }
    let mut handle = 0;
    // SAFETY: the caller's device; the handle is ours.
    let buffer = unsafe { rt_dma_alloc(dev, size, &mut handle, flags) };
    if buffer.is_null() {
        return buffer;
    }
    // SAFETY: `size` bytes that were allocated just now, and are mapped.
    unsafe { DeviceMemory::new(RtThread, buffer.expose_provenance(), size) }.zero();
    if !Flags::from_bits_retain(flags).contains(Flags::NOCACHE) {
        // A pool of the device's own may be uncached, whatever the flags say; then this does nothing of use, nor of harm.
        if device(dev).is_some_and(allocates_here) {
            // Not by the device's operations: non-coherent ones leave the cache alone.
            cache::flush(DMA.kernel, buffer.expose_provenance(), size);
        } else {
            // SAFETY: as above.
            let _ = unsafe { rt_dma_sync_out_data(dev, buffer, size, core::ptr::null_mut(), flags) };
        }
    }
    // SAFETY: the caller's, or null.
    unsafe { write_if(dma_handle, handle) };
    buffer
}

/// The flags with which `rt_dma_alloc` and its like give a device write-combining memory: coherent, but the processor may
/// gather and reorder writes until the next barrier, access it unaligned, and clear it with `memset`.
///
/// On aarch64 this is `RT_DMA_F_WT`, which is Normal Non-cacheable memory there, as what Linux gives for coherent memory.
/// Elsewhere, for a device that the BSP's own operations serve, and for a null `dev`, it is what `rt_dma_alloc_coherent`
/// asks for: `RT_DMA_F_NOCACHE | RT_DMA_F_LINEAR`. The same for a device at every call. Any context, but a thread for a
/// device's first call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_wc_flags(dev: *mut rt_device) -> usize {
    let flags = if device(dev).is_some_and(allocates_here) { Flags::WRITE_COMBINING } else { Flags::COHERENT };
    flags.bits()
}

/// Whether the device's buffers come from the library, and not from an operation of the BSP's own.
fn allocates_here(device: Device) -> bool {
    let table = table_of(device).map(|table| unmasked(device, table));
    table.is_some_and(|table| table.alloc.is_none() || ops_of(table).is_some())
}

/// Allocates a write-combining buffer full of zeros: for what is written in long runs and seldom read, as a frame buffer.
///
/// As `rt_dma_zalloc` with `rt_dma_wc_flags`, and freed by `rt_dma_free` with these. Null also where such a mapping cannot
/// be had. Context as `rt_dma_alloc`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_alloc_wc(dev: *mut rt_device, size: usize, dma_handle: *mut usize) -> *mut c_void {
    // SAFETY: the caller's.
    unsafe { rt_dma_zalloc(dev, size, dma_handle, rt_dma_wc_flags(dev)) }
}

/// Allocates a buffer that begins at a multiple of `align` bytes: its physical address does, and so its handle, unless a
/// translation moves it by less.
///
/// `align` is a power of two; up to a page it asks for nothing more. Otherwise as `rt_dma_alloc`: the lowest such
/// address in the first pool that serves the request, freed by `rt_dma_free` with the same size and flags. Null also for
/// an `align` that is no power of two, or that no pool can meet; and where the BSP's own operation allocates for the
/// device and gives a handle that is not so aligned. Context as `rt_dma_alloc`; the time grows with the free runs that
/// are too short.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_alloc_aligned(
    dev: *mut rt_device,
    size: usize,
    align: usize,
    dma_handle: *mut usize,
    flags: usize,
) -> *mut c_void {
    let none = core::ptr::null_mut();
    let Some(known) = device(dev).filter(|_| align.is_power_of_two()) else { return none };
    let Some(table) = table_of(known).map(|table| unmasked(known, table)) else { return none };
    let (va, handle) = match ops_of(table).or(table.alloc.is_none().then_some(MapOps::NonCoherent)) {
        Some(ops) => {
            let mask = masks_of(known).coherent;
            let wanted = Flags::from_bits_retain(flags);
            let Some((va, handle)) = DMA.allocate_aligned(ops, known, size, align, wanted, mask) else { return none };
            (pointer(va), handle)
        }
        None => {
            let mut handle = 0;
            // SAFETY: the caller's device; the handle is ours.
            let va = unsafe { rt_dma_alloc(dev, size, &mut handle, flags) };
            if va.is_null() {
                return none;
            }
            if !handle.is_multiple_of(align) {
                // SAFETY: it was allocated just now.
                unsafe { rt_dma_free(dev, size, va, handle, flags) };
                return none;
            }
            (va, handle)
        }
    };
    // SAFETY: the caller's, or null.
    unsafe { write_if(dma_handle, handle) };
    va
}
