//! What a driver's call stated: the memory that it got, frees, maps, unmaps or syncs.

use super::entry::{Entry, Kind};
use crate::additions::streaming::Direction;
use crate::flags::Flags;
use crate::kernel::{Handle, Va};

/// Memory, or a block pool, that a device was given.
#[derive(Clone, Copy, Debug)]
pub struct Allocated {
    /// What it is.
    pub kind: Kind,
    /// The address for the processor.
    pub va: Va,
    /// The address for the device; 0 of a block pool.
    pub handle: Handle,
    /// Bytes; of a block pool those of a block.
    pub size: usize,
    /// The flags of the allocation.
    pub flags: usize,
    /// The block pool of a block; else 0.
    pub pool: usize,
    /// `rt_dmam_release` gives it back.
    pub is_managed: bool,
}

/// A buffer or a block as a driver frees it.
#[derive(Clone, Copy, Debug)]
pub struct FreedMemory {
    /// What the call frees.
    pub kind: Kind,
    /// The address for the processor.
    pub va: Va,
    /// Bytes; 0 if the call does not state it.
    pub size: usize,
    /// The handle; 0 if the caller did not ask for it.
    pub handle: Handle,
    /// The block pool of a block; else 0.
    pub pool: usize,
    /// The call is for managed resources only.
    pub is_managed: bool,
}

/// What a driver gives to an unmap or a sync: a mapping, or a part of it.
#[derive(Clone, Copy, Debug)]
pub struct GivenMapping {
    /// What the call is for; `None` if it is for single and page mappings.
    pub kind: Option<Kind>,
    /// The handle.
    pub handle: Handle,
    /// Bytes.
    pub size: usize,
    /// The direction.
    pub direction: Direction,
    /// Entries of the list; 0 if it is none.
    pub count: usize,
    /// The call is for managed resources only.
    pub is_managed: bool,
}

/// A buffer as a driver maps it.
#[derive(Clone, Copy, Debug)]
pub struct MappedBuffer {
    /// What the call makes.
    pub kind: Kind,
    /// The address for the processor; of a page the physical address.
    pub address: usize,
    /// Bytes.
    pub size: usize,
    /// The direction.
    pub direction: Direction,
    /// Entries of the list; 0 if it is none.
    pub count: usize,
    /// The driver owns the cache lines of the buffer.
    pub has_own_lines: bool,
    /// `rt_dmam_release` ends the mapping.
    pub is_managed: bool,
}

/// What a driver gives to `rt_dma_sync_out_data` or `rt_dma_sync_in_data`.
#[derive(Clone, Copy, Debug)]
pub struct SyncedData {
    /// The address for the processor.
    pub va: Va,
    /// Bytes.
    pub size: usize,
    /// The flags.
    pub flags: Flags,
}

impl GivenMapping {
    /// Returns whether the call is for this kind of mapping.
    pub(super) fn is_for(&self, entry: &Entry) -> bool {
        let is_kind = self.kind.map_or(entry.kind != Kind::List, |own| own == entry.kind);
        is_kind && (entry.is_managed || !self.is_managed)
    }
}
