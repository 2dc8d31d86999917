//! A call of a driver, and what it stated: what it frees, or how it unmaps or syncs. What it allocates or maps is a
//! [`DebugEntry`], and what it unmaps or syncs a [`MappedBuffer`](crate::additions::streaming::MappedBuffer).

use super::entry::{DebugEntry, HeldMapping, Kind, MappedBy};
use crate::dropin::map_ops::MapOps;
use crate::flags::Flags;
use crate::kernel::{Device, Handle, PAGE_SIZE, Va};

/// A call of a driver.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// The device that the driver passed.
    pub device: Device,
    /// The address to which the call returns.
    pub caller: usize,
    /// When it is made, in milliseconds.
    pub made_at_ms: usize,
    /// Returns whether the device still has no map operations. `None` if the device had some when the call began, so
    /// that it is not new. A new device may lie at the address of an earlier one.
    ///
    /// The check is repeated with the lock held: another call may have given the device its operations meanwhile, and
    /// what is recorded may then be this device's.
    pub recheck_new: Option<fn(Device) -> bool>,
    /// The first byte of the calling thread's stack.
    pub stack: Va,
    /// Bytes of that stack; 0 if it is not known.
    pub stack_size: usize,
}

impl Call {
    /// Returns a call for a device of which nothing else is known.
    pub fn of(device: Device) -> Self {
        Call { device, caller: 0, made_at_ms: 0, recheck_new: None, stack: 0, stack_size: 0 }
    }

    /// Returns whether the device was new when the call began, and is so now.
    pub(super) fn is_new(&self) -> bool {
        self.recheck_new.is_some_and(|is_still_new| is_still_new(self.device))
    }

    /// Returns whether the address lies on the stack of the calling thread.
    pub(super) fn has_on_stack(&self, address: Va) -> bool {
        address.wrapping_sub(self.stack) < self.stack_size
    }
}

/// A function that frees memory.
#[derive(Clone, Copy, Debug)]
pub enum FreedBy {
    /// `rt_dma_free`
    Free {
        /// The library's operations by which it frees; `None` if an operation of the BSP does.
        ops: Option<MapOps>,
    },
    /// `rt_dmam_free`
    ManagedFree,
    /// `rt_dma_block_pool_free`
    BlockFree {
        /// The address of the pool.
        pool: Va,
    },
}

impl FreedBy {
    /// Returns whether the function is for this kind of memory.
    pub(super) fn may_free(self, entry: &DebugEntry) -> bool {
        match self {
            FreedBy::Free { .. } => matches!(entry.kind, Kind::Buffer { .. }),
            FreedBy::ManagedFree => matches!(entry.kind, Kind::Buffer { .. }) && entry.is_managed,
            FreedBy::BlockFree { .. } => matches!(entry.kind, Kind::Block { .. }),
        }
    }
}

/// A buffer or a block as a driver frees it.
#[derive(Clone, Copy, Debug)]
pub struct FreedMemory {
    /// The function that the driver called.
    pub by: FreedBy,
    /// The address for the processor.
    pub va: Va,
    /// Bytes; 0 of a block, because the call does not state it.
    pub size: usize,
    /// The handle; 0 if the caller did not ask for it.
    pub handle: Handle,
}

impl FreedMemory {
    /// Returns whether the library carries out this free for `device` if `entry` is what lies at the address. The
    /// caller has checked the handle.
    pub(super) fn fits(&self, entry: &DebugEntry, device: Device) -> bool {
        let pages = |size: usize| size.div_ceil(PAGE_SIZE);
        self.by.may_free(entry)
            && match self.by {
                FreedBy::Free { .. } => pages(self.size) == pages(entry.size),
                FreedBy::ManagedFree => self.size == entry.size && entry.device == device,
                FreedBy::BlockFree { pool } => entry.is_block_of(pool),
            }
    }
}

/// A function that unmaps.
#[derive(Clone, Copy, Debug)]
pub enum UnmappedBy {
    /// `rt_dma_unmap_single`
    Single,
    /// `rt_dma_unmap_page`
    Page,
    /// `rt_dma_unmap_single_attrs`, by which a driver with Linux's names ends single and page mappings.
    SingleOrPage,
    /// `rt_dmam_unmap_single`
    ManagedSingle,
    /// `rt_dma_unmap_sg`, or a call with `RT_DMA_ATTR_LIST_ENTRY`, for one entry of the list.
    List {
        /// The number of entries of the list; 0 if the call does not state it.
        entries: usize,
    },
}

impl UnmappedBy {
    /// Returns whether the function is for this kind of mapping.
    pub(super) fn may_unmap(self, mapping: &HeldMapping, is_managed: bool) -> bool {
        match self {
            UnmappedBy::Single => mapping.by == MappedBy::Single,
            UnmappedBy::Page => mapping.by == MappedBy::Page,
            UnmappedBy::SingleOrPage => mapping.by != MappedBy::List,
            UnmappedBy::ManagedSingle => mapping.by == MappedBy::Single && is_managed,
            UnmappedBy::List { .. } => mapping.by == MappedBy::List,
        }
    }
}

/// What a driver gives to `rt_dma_sync_out_data` or `rt_dma_sync_in_data`.
#[derive(Clone, Copy, Debug)]
pub struct SyncedData {
    /// The address for the processor.
    pub va: Va,
    /// Bytes.
    pub size: usize,
    /// As the call states them; the buffer may have been allocated with others.
    pub flags: Flags,
}
