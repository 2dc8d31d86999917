//! [`Kernel`] over RT-Thread: what little stands between the functions that `rtthread-port/` supplies and the trait.

#![allow(unsafe_code)]

mod barrier;
mod cache_line;
mod irq;
mod port;
mod reserved_memory;
mod translation;

pub use port::*;

use core::ffi::{CStr, c_int, c_void};
use core::mem::{MaybeUninit, offset_of};
use core::sync::atomic::{AtomicPtr, Ordering::Acquire};

use crate::abi::{rt_dma_map_ops, rt_region_t};
use crate::error::Error;

use super::{
    BootRegion, BusWindow, Device, Entry, Kernel, Level, Line, MemoryType, Name, NamedRegion, PAGE_SIZE, Pa,
    RegionList, Stretch, Va,
};

/// aarch64's `rt_hw_mmu_map` lays blocks of this many bytes where the virtual address and the length allow it, and
/// does not look at the physical address: the block then maps the wrong memory, and is never unmapped.
const BLOCK_SIZE: usize = 2 << 20;

/// The most bytes that one cache operation takes: its length is an `int`.
const CACHE_OP_MAX: usize = 1 << 30;

#[inline(always)]
fn configuration() -> &'static rt_dma_port_configuration {
    // SAFETY: the port's constant.
    unsafe { &rt_dma_port_configuration }
}

/// The BSP's error numbers, as C calls return them.
pub struct Errors {
    /// `RT_EOK`
    pub ok: isize,
    /// `-RT_EINVAL`
    pub inval: isize,
    /// `-RT_ENOSYS`
    pub nosys: isize,
    /// `-RT_EEMPTY`
    pub empty: isize,
    /// `-RT_ENOMEM`
    pub nomem: isize,
    /// `-RT_ERROR`
    pub error: isize,
    /// `-RT_EBUSY`
    pub busy: isize,
    /// `-RT_EIO`
    pub io: isize,
}

/// The BSP's error numbers.
#[inline(always)]
pub fn errors() -> Errors {
    let errors = &configuration().errors;
    Errors {
        ok: errors.ok.into(),
        inval: errors.inval.into(),
        nosys: errors.nosys.into(),
        empty: errors.empty.into(),
        nomem: errors.nomem.into(),
        error: errors.error.into(),
        busy: errors.busy.into(),
        io: errors.io.into(),
    }
}

/// The error number of what [`extract`](crate::dropin::extract) returns.
pub fn status(result: Result<(), Error>) -> isize {
    number_at(result.map_or_else(|error| error as usize, |()| 0))
}

/// Which of the error numbers: its place among them.
#[derive(Clone, Copy)]
#[repr(usize)]
pub enum Number {
    /// `RT_EOK`
    Ok = offset_of!(rt_dma_port_errors, ok) / size_of::<i16>(),
    /// `-RT_EINVAL`
    Inval = offset_of!(rt_dma_port_errors, inval) / size_of::<i16>(),
    /// `-RT_ERROR`
    Error = offset_of!(rt_dma_port_errors, error) / size_of::<i16>(),
}

/// That error number.
#[inline(always)]
pub fn number(which: Number) -> isize {
    number_at(which as usize)
}

#[inline(always)]
fn number_at(place: usize) -> isize {
    // SAFETY: one of a struct of eight numbers, of which a pointer to the whole is good for each.
    unsafe { *(&raw const configuration().errors).cast::<i16>().add(place % 8) }.into()
}

/// The revision of the interface that the BSP's headers declare.
pub fn revision() -> i16 {
    configuration().revision
}

/// `dev->dma_ops` of a device. Whatever was written before it was set is seen after this: the pools that the device owns,
/// their flags. `rt_dma_device_set_ops` is a plain store, but the port's is a release.
///
/// Not a function of the port: its call would cost each call of a driver about 20 instructions, most of them to save the
/// arguments.
#[inline(always)]
pub fn device_ops(device: Device) -> *const rt_dma_map_ops {
    let place = device.0.wrapping_add(configuration().ops_offset.into());
    // SAFETY: a device is a `struct rt_device` that a C caller handed in as such, and the port measured where in it the
    // pointer stands, which is written by atomic or single stores.
    unsafe { &*core::ptr::with_exposed_provenance::<AtomicPtr<rt_dma_map_ops>>(place) }.load(Acquire)
}

/// RT-Thread, through the port.
#[derive(Clone, Copy)]
pub struct RtThread;

/// Bytes of so many MiB, or `most` if these are more; none for a negative number.
const fn mib(count: i16, most: u64) -> u64 {
    let bytes = if count < 0 { 0 } else { (count as u64) << 20 };
    if bytes < most { bytes } else { most }
}

// The largest number of MiB is more bytes than 32 bits can count.
const _: () = assert!(mib(4_096, u32::MAX as u64) == u32::MAX as u64 && mib(i16::MAX, u32::MAX as u64) == u32::MAX as u64);

fn pointer(address: usize) -> *mut c_void {
    core::ptr::with_exposed_provenance_mut(address)
}

fn unless_unmapped(address: usize) -> Option<usize> {
    (address != RT_DMA_PORT_UNMAPPED).then_some(address)
}

/// Word `index` of those that a format asks for, as an argument of the port. Behind the last it is whatever is in the
/// register: nobody reads it.
#[inline(always)]
fn word(values: &[usize], index: usize) -> MaybeUninit<usize> {
    values.get(index).map_or(MaybeUninit::uninit(), |value| MaybeUninit::new(*value))
}

/// The error whose number the port answered.
fn error_of(number: usize) -> Error {
    match number as c_int {
        RT_DMA_PORT_INVALID => Error::BadSize,
        RT_DMA_PORT_ABSENT => Error::NoList,
        _ => Error::NoRegion,
    }
}

/// Maintains the cache, in pieces that an `int` can count.
#[inline(always)]
fn maintain(va: Va, size: usize, operation: c_int) {
    if size > CACHE_OP_MAX {
        return maintain_in_pieces(va, size, operation);
    }
    // SAFETY: the core hands over mapped memory; the operation changes no contents that a program can see but through the
    // device.
    unsafe { rt_dma_port_cache(operation, pointer(va), size as c_int) };
}

#[cold]
#[inline(never)]
fn maintain_in_pieces(mut va: Va, mut size: usize, operation: c_int) {
    while size != 0 {
        let piece = size.min(CACHE_OP_MAX);
        // SAFETY: as in `maintain`.
        unsafe { rt_dma_port_cache(operation, pointer(va), piece as c_int) };
        va = va.wrapping_add(piece);
        size -= piece;
    }
}

// SAFETY for every block below: the port keeps what its header says of each function, and takes any value of the types
// it declares; devices are pointers that a C caller handed in as such.
unsafe impl Kernel for RtThread {
    fn heap_alloc(&self, size: usize) -> *mut u8 {
        // SAFETY: see above.
        unsafe { rt_dma_port_heap_alloc(size).cast() }
    }

    unsafe fn heap_free(&self, memory: *mut u8) {
        // SAFETY: the caller says that it came from `heap_alloc` and is not used any more.
        unsafe { rt_dma_port_heap_free(memory.cast()) }
    }

    #[inline(always)]
    fn v2p(&self, va: Va) -> Option<Pa> {
        translation::v2p(va)
    }

    fn has_page_tables(&self) -> bool {
        // SAFETY: see above.
        unsafe { rt_dma_port_has_page_tables() != 0 }
    }

    fn linear(&self, pa: Pa) -> Va {
        // SAFETY: see above.
        pa.wrapping_sub(unsafe { rt_dma_port_pv_offset() })
    }

    fn is_every_pool_linear(&self) -> bool {
        revision() == 1
    }

    fn map_linear(&self, va: Va, pa: Pa, size: usize) {
        // SAFETY: see above.
        unsafe { rt_dma_port_map_linear(pointer(va), pa, size) }
    }

    fn map(&self, pa: Pa, size: usize, memory: MemoryType) -> Option<Va> {
        let has_blocks = cfg!(target_arch = "aarch64");
        let in_blocks = has_blocks && size.is_multiple_of(BLOCK_SIZE) && !pa.is_multiple_of(BLOCK_SIZE);
        let size = if in_blocks { size.checked_add(PAGE_SIZE)? } else { size };
        // SAFETY: see above.
        let va = unsafe { rt_dma_port_map(pa, size, memory as c_int) }.expose_provenance();
        (va != 0).then_some(va)
    }

    fn unmap(&self, va: Va) {
        // SAFETY: see above.
        unsafe { rt_dma_port_unmap(pointer(va)) }
    }

    fn copy(&self, to: Va, from: Va, size: usize) {
        // SAFETY: the core hands over mapped memory: a driver's, which the driver gave for this, and the library's own.
        unsafe { crate::kernel::copy::copy_aligned(pointer(to).cast(), pointer(from).cast(), size) }
        self.device_barrier();
    }

    #[inline(always)]
    fn device_barrier(&self) {
        barrier::device();
    }

    fn caches_write_through(&self) -> bool {
        !cfg!(target_arch = "aarch64")
    }

    fn view_limit(&self) -> usize {
        mib(configuration().view_limit, usize::MAX as u64) as usize
    }

    fn cache_flush(&self, va: Va, size: usize) {
        maintain(va, size, RT_DMA_PORT_FLUSH);
    }

    fn cache_flush_and_drop(&self, va: Va, size: usize) {
        maintain(va, size, RT_DMA_PORT_FLUSH_AND_DROP);
    }

    fn cache_invalidate(&self, va: Va, size: usize) {
        maintain(va, size, RT_DMA_PORT_INVALIDATE);
    }

    #[inline(always)]
    fn cache_line_max(&self) -> usize {
        cache_line::largest()
    }

    #[inline(always)]
    fn irq_save(&self) -> usize {
        irq::save()
    }

    #[inline(always)]
    fn irq_restore(&self, saved: usize) {
        irq::restore(saved)
    }

    fn can_sleep(&self) -> bool {
        // SAFETY: see above.
        unsafe { rt_dma_port_is_atomic() == 0 }
    }

    fn pause(&self) {
        // SAFETY: see above.
        unsafe { rt_dma_port_pause() }
    }

    fn region(&self, list: &RegionList, index: usize) -> Result<BootRegion, Error> {
        const {
            assert!(
                size_of::<RegionList>() == size_of::<rt_dma_port_list>()
                    && offset_of!(RegionList, length) == offset_of!(rt_dma_port_list, length)
            )
        }
        // SAFETY: see above; the list, which has the port's layout, is as long as `extract`'s caller says.
        let address = unsafe { rt_dma_port_reserved(core::ptr::from_ref(list).cast(), index) };
        if address <= RT_DMA_PORT_END as usize {
            return Err(error_of(address));
        }
        // SAFETY: the port's word for it that there is one, which nobody writes meanwhile.
        let rt_region_t { start, end, .. } = *unsafe { &*pointer(address).cast() };
        Ok(BootRegion { start, end, address })
    }

    fn consume(&self, region: BootRegion, end: Pa) {
        // SAFETY: see above; the region was found, and its list is that of `extract`'s caller, which nobody else uses
        // meanwhile, or is not written.
        unsafe { rt_dma_port_consume(pointer(region.address), region.start, end) }
    }

    fn device_name(&self, device: Device) -> Name {
        // SAFETY: see above.
        Name(unsafe { rt_dma_port_device_name(pointer(device.0)) })
    }

    fn is_coherent(&self, device: Device) -> bool {
        // SAFETY: see above.
        unsafe { rt_dma_port_device_is_coherent(pointer(device.0)) != 0 }
    }

    fn has_node(&self, device: Device) -> bool {
        // SAFETY: see above.
        unsafe { !rt_dma_port_node(pointer(device.0)).is_null() }
    }

    fn memory_region(&self, device: Device, index: usize) -> Entry<NamedRegion> {
        let mut region = rt_dma_port_named_region::default();
        // SAFETY: see above; the region is ours.
        let error = match unsafe { rt_dma_port_memory_region(pointer(device.0), index, &mut region) } {
            RT_DMA_PORT_FOUND => {
                let rt_dma_port_region { start, end } = region.place;
                let (no_map, reusable) = (region.no_map != 0, region.reusable != 0);
                return Entry::Found(NamedRegion { start, end, no_map, reusable });
            }
            RT_DMA_PORT_NO_NODE => Error::NoNode,
            RT_DMA_PORT_DISABLED => Error::Disabled,
            RT_DMA_PORT_NO_REG => Error::NotServed,
            RT_DMA_PORT_NOT_RESERVED => Error::NotReserved,
            RT_DMA_PORT_UNREADABLE => Error::BadReg,
            _ => return Entry::End,
        };
        Entry::Refused(error)
    }

    fn has_dma_ranges(&self, device: Device) -> bool {
        // SAFETY: see above.
        unsafe { !rt_dma_port_dma_ranges(pointer(device.0)).is_null() }
    }

    fn bus_address(&self, device: Device, pa: Pa) -> Stretch {
        let mut last = pa;
        // SAFETY: see above; `last` is ours.
        let handle = unless_unmapped(unsafe { rt_dma_port_bus_address(pointer(device.0), pa, &mut last) });
        Stretch { handle, last }
    }

    fn cpu_address(&self, device: Device, handle: usize) -> Option<Pa> {
        // SAFETY: see above.
        unless_unmapped(unsafe { rt_dma_port_cpu_address(pointer(device.0), handle) })
    }

    fn bus_window(&self, device: Device, index: usize) -> Entry<BusWindow> {
        // SAFETY: see above; nobody writes a bridge's windows any more.
        match unsafe { rt_dma_port_bus_window(pointer(device.0), index).as_ref() } {
            Some(&rt_dma_port_window { bus, cpu, size }) => Entry::Found(BusWindow { cpu, bus, size }),
            None => Entry::End,
        }
    }

    #[inline(always)]
    fn say(&self, level: Level, line: &Line) {
        let word = |index| word(line.values, index);
        // SAFETY: see above; each word is what the format asks for (see `Line`), and it asks for no other.
        unsafe {
            rt_dma_port_say(
                level as c_int,
                line.name.0,
                line.format.as_ptr(),
                word(0),
                word(1),
                word(2),
                word(3),
                line.device,
            )
        }
    }

    fn announce(&self, start: Pa, name: Name, size: usize) {
        // SAFETY: see above.
        unsafe { rt_dma_port_announce(start, name.0, size) }
    }

    #[inline(always)]
    fn print(&self, format: &'static CStr, values: &[usize]) {
        let word = |index| word(values, index);
        // SAFETY: as in `say`.
        unsafe { rt_dma_port_print(format.as_ptr(), word(0), word(1), word(2), word(3), word(4), word(5)) }
    }
}

struct EveryCore;
critical_section::set_impl!(EveryCore);

// SAFETY: `rt_hw_interrupt_disable` masks interrupts, and under SMP takes the kernel's global lock, which nests.
unsafe impl critical_section::Impl for EveryCore {
    unsafe fn acquire() -> critical_section::RawRestoreState {
        // SAFETY: see above.
        unsafe { rt_dma_port_critical_enter() }
    }

    unsafe fn release(saved: critical_section::RawRestoreState) {
        // SAFETY: see above.
        unsafe { rt_dma_port_critical_exit(saved) }
    }
}
