//! Bounce buffers: memory that a device reaches. One takes the place of a driver's buffer that the device does not
//! reach, or that shares a cache line with other data.
//!
//! They come from the pools, in whole pages, and are cached where the pool is. A copy to cached memory runs at the
//! cache's speed, whatever the driver's alignment is, and the cache is flushed in one sweep; every word of an uncached
//! buffer would be a bus cycle of its own. Only a pool that is uncached as a whole gives uncached ones.

use crate::additions::streaming::bus_master::Memory;
use crate::additions::streaming::locate::address_info;
use crate::additions::streaming::{BusMaster, Ops};
use crate::dropin::registry::Dma;
use crate::dropin::translate::{BufferRequest, MapOps};
use crate::flags::Flags;
use crate::kernel::{Device, Handle, Kernel, Va};
use crate::mem::hook::Hook;

/// Returns the low bits of a buffer's address that its bounce buffer keeps. `rt_dma_set_min_align_mask` sets the
/// function; an image that never calls it has none, and does not contain the code that keeps limits.
pub static KEPT_BITS: Hook<KeptBits> = Hook::new();

/// See [`KEPT_BITS`].
pub struct KeptBits {
    /// Returns a mask of bits within a page, 0 for most devices.
    ///
    /// Context: any.
    pub of: fn(Device) -> usize,
}

/// A bounce buffer. No other data lies in its cache lines.
#[derive(Clone, Copy, Debug)]
pub struct Bounce {
    /// The allocation: its first byte, its handle and its size.
    start: Va,
    handle: Handle,
    size: usize,
    /// Whether it lies in a view, so that it can be freed in any context.
    in_view: bool,
}

impl Bounce {
    /// Allocates a bounce buffer for the `size` bytes at `from`, copies them to it, and returns it, the copy and the
    /// handle of the copy. The copy begins at the start of the allocation, or after it where low bits of the address
    /// are kept.
    ///
    /// The bytes are copied whatever the direction of the mapping is. So what the device leaves out keeps the driver's
    /// bytes, as it would without a bounce buffer, and bytes that an earlier owner of the memory left are never shown.
    ///
    /// The library's operations have not maintained the cache yet when this returns; a BSP's own have.
    ///
    /// Context: any where a pool's view is mapped, else thread.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming). The bytes are mapped, and no code writes them during the call.
    pub(crate) unsafe fn new<K: Kernel>(
        dma: &Dma<K>,
        master: &BusMaster,
        from: Va,
        size: usize,
    ) -> Option<(Self, Memory, Handle)> {
        let kept_bits = KEPT_BITS.get().map_or(0, |kept| (kept.of)(master.device));
        let skipped = from & kept_bits;
        let whole_size = size.checked_add(skipped)?;
        // SAFETY: the caller guarantees that the device exists.
        let (start, start_handle) = unsafe { allocate(dma, master, whole_size) }?;
        let va = start.wrapping_add(skipped);
        let pa = dma.kernel.v2p(va);
        let info = address_info(dma, va, pa.unwrap_or(va));
        let in_view = info.is_in_view && matches!(master.ops, Ops::Library(_));
        let bounce = Bounce { start, handle: start_handle, size: whole_size, in_view };
        // Memory that is not mapped, or that a BSP allocated out of reach, cannot be used.
        let reached = pa.and_then(|pa| {
            // SAFETY: the buffer is the new one, which no other code uses; the caller guarantees the rest.
            unsafe { dma.kernel.copy(va, from, size) };
            let copy =
                Memory { va, pa, size, maintain: info.is_cached && master.snooping(dma.kernel).needs_maintenance() };
            // SAFETY: the caller guarantees that the device exists; the buffer was allocated for it.
            unsafe { master.reach(dma, &copy) }.map(|handle| (copy, handle))
        });
        match reached {
            Some((copy, handle)) if (handle ^ from) & kept_bits == 0 => Some((bounce, copy, handle)),
            // Out of reach, or a translation moved the bits to be kept.
            _ => {
                bounce.free(dma, master);
                None
            }
        }
    }

    /// Allocates a bounce buffer and frees it. After that, the pool from which it came is mapped, so that an interrupt
    /// gets bounce buffers from that pool. Returns false if there is none within the device's reach.
    ///
    /// Context: thread.
    pub(crate) unsafe fn prepare<K: Kernel>(dma: &Dma<K>, master: &BusMaster) -> bool {
        let size = 1;
        // SAFETY: the caller guarantees that the device exists.
        let allocated = unsafe { allocate(dma, master, size) };
        allocated.map(|(start, handle)| free(dma, master, size, start, handle)).is_some()
    }

    /// Returns whether [`free`](Bounce::free) may be called here.
    pub(crate) fn can_be_freed<K: Kernel>(&self, kernel: K) -> bool {
        self.in_view || kernel.can_sleep()
    }

    /// Frees it.
    ///
    /// Context: thread, or any if [`can_be_freed`](Bounce::can_be_freed).
    pub(crate) fn free<K: Kernel>(self, dma: &Dma<K>, master: &BusMaster) {
        free(dma, master, self.size, self.start, self.handle);
    }
}

/// Allocates memory that the device reaches, and returns its address and its handle.
unsafe fn allocate<K: Kernel>(dma: &Dma<K>, master: &BusMaster, size: usize) -> Option<(Va, Handle)> {
    match master.ops {
        Ops::Library(ops) => {
            let request = BufferRequest::new(ops, master.device, size, Flags::empty());
            dma.allocate_in_order(&BufferRequest { mask: master.mask as u64, ..request }).ok()
        }
        // SAFETY: the caller guarantees that the device exists.
        Ops::Own(own) => unsafe { (own.alloc)(master.device, size) },
    }
}

/// Frees memory that [`allocate`] returned.
fn free<K: Kernel>(dma: &Dma<K>, master: &BusMaster, size: usize, start: Va, handle: Handle) {
    match master.ops {
        Ops::Library(_) => {
            // It cannot be refused: it is freed as it was allocated. Without a handle to check, the device is not read:
            // one whose buffer an interrupt left to a thread may be removed by now.
            let _ = dma.free(master.device, size, start, 0, Flags::empty(), MapOps::UNTRANSLATED);
        }
        // SAFETY: the caller of `map` guarantees that the device exists until its bounce buffers are freed. `forget`
        // frees none of a device that is gone.
        Ops::Own(own) => unsafe { (own.free)(master.device, size, start, handle) },
    }
}
