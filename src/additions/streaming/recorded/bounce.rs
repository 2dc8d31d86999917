//! Bounce buffers: memory that a device reaches. One takes the place of a driver's buffer that the device does not
//! reach, or that shares a cache line with other data.
//!
//! They come from the pools, in whole pages, and are cached where the pool is. A copy to cached memory runs at the
//! cache's speed, whatever the driver's alignment is, and the cache is flushed in one sweep; every word of an uncached
//! buffer would be a bus cycle of its own. Only a pool that is uncached as a whole gives uncached ones.

use crate::additions::streaming::buffer::LocatedBuffer;
use crate::additions::streaming::cache_sync::cache_sync_for_cpu;
use crate::additions::streaming::locate::address_info;
use crate::additions::streaming::{BusMaster, Direction, Ops};
use crate::dropin::buffer_request::BufferRequest;
use crate::dropin::map_ops::MapOps;
use crate::dropin::registry::Dma;
use crate::flags::Flags;
use crate::kernel::{Device, Handle, Kernel, Va};
use crate::mem::hook::Hook;

/// The function that returns which low bits of a buffer's address its bounce buffer keeps: a mask of bits within a
/// page, 0 for most devices. It may be called in any context. `rt_dma_set_min_align_mask` sets the hook. An image that
/// never calls that function has none, and does not contain the code that keeps limits.
pub static KEPT_BITS: Hook<fn(Device) -> usize> = Hook::new();

/// A bounce buffer. No other data lies in its cache lines.
#[derive(Clone, Copy, Debug)]
pub struct Bounce {
    allocation: Allocation,
    /// Whether it can be freed in any context: it lies in a view, and the library's operations allocated it.
    frees_in_any_context: bool,
}

/// Memory that was allocated for a device.
#[derive(Clone, Copy, Debug)]
struct Allocation {
    /// The address of its first byte.
    start: Va,
    /// The handle of its first byte.
    handle: Handle,
    /// Bytes.
    size: usize,
}

/// A new bounce buffer, and the copy of the driver's bytes in it.
pub(crate) struct FilledBounce {
    pub(crate) bounce: Bounce,
    pub(crate) copy: LocatedBuffer,
    /// The handle of the copy.
    pub(crate) handle: Handle,
}

/// Which bytes a bounce buffer gets, where in it they lie, and what is demanded of their handle.
struct CopyPlan {
    /// The driver's address.
    from: Va,
    /// Bytes.
    size: usize,
    /// The distance of the copy from the start of the allocation.
    offset: usize,
    /// The bits that must be equal in the handle and in the driver's address.
    kept_bits: usize,
}

impl CopyPlan {
    /// Plans the copy of the `size` bytes at `from`. The copy begins at the start of the allocation, or after it where
    /// low bits of the address are kept.
    ///
    /// In a bidirectional mapping these are also the bits within a cache line, so that a part that begins on a line of
    /// the driver's buffer begins on one of the copy. For example, a line has 64 bytes, the buffer begins at 0x1020,
    /// and the allocation at 0x8000. Then the copy begins at 0x8020. A sync for the device of the part from 0x1040 on
    /// flushes the lines from 0x8040 on. If the copy began at 0x8000, the part would begin at 0x8020. The flush would
    /// write the whole line, so also the 32 bytes before the part, where memory may hold newer bytes of the device.
    fn new<K: Kernel>(dma: &Dma<K>, master: &BusMaster, from: Va, size: usize, direction: Direction) -> Self {
        let kept_bits = KEPT_BITS.get().map_or(0, |kept_bits_of| kept_bits_of(master.device));
        let syncs_lines = direction == Direction::Bidirectional && master.needs_maintenance(dma.kernel);
        // Not `Kernel::line_offset_mask`, which is all ones if lines have different sizes.
        let largest_line_mask = if syncs_lines { dma.kernel.cache_line_max() - 1 } else { 0 };
        CopyPlan { from, size, offset: from & (kept_bits | largest_line_mask), kept_bits }
    }
}

impl FilledBounce {
    /// Allocates a bounce buffer for the `size` bytes at `from`, and copies them to it.
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
        direction: Direction,
    ) -> Option<Self> {
        let plan = CopyPlan::new(dma, master, from, size, direction);
        // SAFETY: the caller guarantees that the device exists.
        let allocation = unsafe { Allocation::new(dma, master, size.checked_add(plan.offset)?) }?;
        // SAFETY: the caller guarantees that the device exists and that the bytes are mapped; the memory is new.
        let filled = unsafe { copy_and_sync_for_device(dma, master, allocation, &plan) };
        if filled.is_none() {
            // SAFETY: the caller guarantees that the device exists; the memory was allocated here, and no bounce buffer
            // has it.
            unsafe { allocation.free(dma, master) };
        }
        filled
    }
}

impl Bounce {
    /// Allocates a bounce buffer and frees it. After that, the pool from which it came is mapped, so that an interrupt
    /// gets bounce buffers from that pool. Returns false if there is none within the device's reach.
    ///
    /// Context: thread.
    ///
    /// # Safety
    /// The device exists.
    pub(crate) unsafe fn prepare<K: Kernel>(dma: &Dma<K>, master: &BusMaster) -> bool {
        // SAFETY: the caller guarantees that the device exists.
        let Some(allocation) = (unsafe { Allocation::new(dma, master, 1) }) else { return false };
        // SAFETY: the caller guarantees that the device exists; the memory was allocated here, and is not used.
        unsafe { allocation.free(dma, master) };
        true
    }

    /// Returns whether [`free`](Bounce::free) may be called here.
    pub(crate) fn can_be_freed<K: Kernel>(&self, kernel: K) -> bool {
        self.frees_in_any_context || kernel.can_sleep()
    }

    /// Frees the bounce buffer. `master` is the device for which it was allocated.
    ///
    /// Context: thread, or any if [`can_be_freed`](Bounce::can_be_freed).
    ///
    /// # Safety
    /// A device with operations of a BSP's own exists. The bounce buffer is not used any more, and is freed once:
    /// neither this value nor a copy of it was or will be freed.
    pub(crate) unsafe fn free<K: Kernel>(self, dma: &Dma<K>, master: &BusMaster) {
        // SAFETY: the caller keeps to the duties; `FilledBounce::new` allocated the memory for the device.
        unsafe { self.allocation.free(dma, master) };
    }
}

impl Allocation {
    /// Allocates memory that the device reaches.
    ///
    /// # Safety
    /// The device exists.
    // As a function of its own it takes 29 instructions more of a bounced map (`ci/bench`, rows "aligned").
    #[inline(always)]
    unsafe fn new<K: Kernel>(dma: &Dma<K>, master: &BusMaster, size: usize) -> Option<Self> {
        let (start, handle) = match master.ops {
            Ops::Library(ops) => {
                let request = BufferRequest::new(ops, master.device, size, Flags::empty());
                dma.allocate_in_order(&BufferRequest { mask: master.mask as u64, ..request }).ok()
            }
            // SAFETY: the caller guarantees that the device exists.
            Ops::Bsp(bsp) => unsafe { (bsp.alloc)(master.device, size) },
        }?;
        Some(Allocation { start, handle, size })
    }

    /// Frees the memory. `master` is the device for which it was allocated.
    ///
    /// # Safety
    /// A device with operations of a BSP's own exists. The memory is not used any more, and is freed once.
    unsafe fn free<K: Kernel>(self, dma: &Dma<K>, master: &BusMaster) {
        let Allocation { start, handle, size } = self;
        match master.ops {
            Ops::Library(_) => {
                // It cannot be refused: it is freed as it was allocated. Without a handle to check, the device is not
                // read: one whose buffer an interrupt left to a thread may be removed by now.
                let _ = dma.free(master.device, size, start, 0, Flags::empty(), MapOps::UNTRANSLATED);
            }
            // SAFETY: the caller keeps to the duties.
            Ops::Bsp(bsp) => unsafe { (bsp.free)(master.device, size, start, handle) },
        }
    }
}

/// Copies the bytes to a new allocation, which becomes the bounce buffer, and returns it with the handle of the copy.
/// With operations of a BSP's own, the copy is handed to the device. Returns `None` if the memory is not mapped, if the
/// device does not reach it (a BSP may have allocated it), or if a translation changes the bits to be kept. The device
/// does not have the copy then.
///
/// # Safety
/// As for [`FilledBounce::new`]. The allocation has room for the bytes after their offset, and no other code uses it.
unsafe fn copy_and_sync_for_device<K: Kernel>(
    dma: &Dma<K>,
    master: &BusMaster,
    allocation: Allocation,
    plan: &CopyPlan,
) -> Option<FilledBounce> {
    let &CopyPlan { from, size, offset, kept_bits } = plan;
    let va = allocation.start.wrapping_add(offset);
    let pa = dma.kernel.v2p(va)?;
    let info = address_info(dma, va, pa);
    // SAFETY: the caller guarantees that both are mapped, and that no other code writes them.
    unsafe { copy_from_driver(dma, va, from, size) };
    let needs_maintenance = info.is_cached && master.needs_maintenance(dma.kernel);
    let copy = LocatedBuffer { va, pa, size, needs_maintenance };
    // SAFETY: the caller guarantees that the device exists; the memory was allocated for it.
    let handle = unsafe { master.acquire_handle_with_bits(dma, &copy, from & kept_bits, kept_bits) }?;
    let frees_in_any_context = info.is_in_view && matches!(master.ops, Ops::Library(_));
    Some(FilledBounce { bounce: Bounce { allocation, frees_in_any_context }, copy, handle })
}

/// Copies the `size` bytes of a driver's buffer at `from` to a bounce buffer, at `to`.
///
/// A page that was mapped by its physical address is read through an address that its driver may never have used
/// ([`Pool::va_of`](crate::dropin::pool::Pool::va_of)). In the write-through view, the cache may then hold lines that
/// are older than memory, left by an earlier copy. They are removed first.
///
/// # Safety
/// Both are mapped, and no other code writes them during the call.
pub(super) unsafe fn copy_from_driver<K: Kernel>(dma: &Dma<K>, to: Va, from: Va, size: usize) {
    if dma.kernel.caches_write_through() && dma.pools().any(|pool| pool.write_through_view_contains(from, size)) {
        // SAFETY: no line is dirty, because what is written through that view is in memory at once.
        unsafe { cache_sync_for_cpu(dma.kernel, from, size, true) }
    }
    // SAFETY: the caller guarantees it.
    unsafe { dma.kernel.copy(to, from, size) }
}
