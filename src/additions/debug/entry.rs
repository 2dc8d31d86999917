//! What a device holds: memory that was allocated for it, and buffers that are mapped for it.

use core::ffi::CStr;

use crate::additions::streaming::Direction;
use crate::flags::Flags;
use crate::kernel::{Device, Handle, Pa, Va};
use crate::log::Name;
use crate::text::separate_cstr;

/// A kind of memory that a device holds, with what only this kind has.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A buffer of `rt_dma_alloc`, `rt_dmam_alloc` and their like.
    Buffer {
        /// The flags of the allocation.
        flags: Flags,
    },
    /// A block of a block pool.
    Block {
        /// The address of the pool.
        pool: Va,
    },
    /// A block pool.
    BlockPool(HeldPool),
    /// A buffer of the driver's own that is mapped.
    Mapping(HeldMapping),
}

impl Kind {
    /// A block pool that was created just now.
    pub const NEW_POOL: Kind = Kind::BlockPool(HeldPool { had_blocks: false, is_being_destroyed: false });

    /// Returns whether it is memory that was allocated.
    pub fn is_memory(&self) -> bool {
        matches!(self, Kind::Buffer { .. } | Kind::Block { .. })
    }

    /// Returns the words with which lines describe the kind.
    pub fn label(&self) -> Name<'static> {
        Name::of(match self {
            Kind::Buffer { .. } => separate_cstr!("buffer"),
            Kind::Block { .. } => separate_cstr!("block"),
            Kind::BlockPool(_) => separate_cstr!("block pool"),
            Kind::Mapping(mapping) => mapping.by.label(),
        })
    }
}

/// What only a block pool has.
#[derive(Clone, Copy, Debug)]
pub struct HeldPool {
    /// A block of the pool was allocated, now or earlier.
    pub had_blocks: bool,
    /// A call is destroying the pool. Another one may have its address before that call ends.
    pub is_being_destroyed: bool,
}

/// The function that mapped a buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MappedBy {
    /// `rt_dma_map_single`
    Single,
    /// `rt_dma_map_page`
    Page,
    /// `rt_dma_map_sg`, or a call with `RT_DMA_ATTR_LIST_ENTRY`, for one entry of the list.
    List,
}

impl MappedBy {
    /// Returns the words with which lines describe a mapping that this function made.
    fn label(self) -> &'static CStr {
        match self {
            MappedBy::Single => separate_cstr!("single mapping"),
            MappedBy::Page => separate_cstr!("page mapping"),
            MappedBy::List => separate_cstr!("list mapping"),
        }
    }
}

/// What only a mapping of a driver's own buffer has.
#[derive(Clone, Copy, Debug)]
pub struct HeldMapping {
    /// The function that made it.
    pub by: MappedBy,
    /// The number of entries of the list; 0 if the call does not state it.
    pub list_entries: usize,
    /// The physical address of the first byte; 0 if it is not known, or if the pages are not contiguous.
    pub pa: Pa,
    /// The handle is the physical address of what the device accesses.
    pub is_handle_pa: bool,
    /// The direction.
    pub direction: Direction,
    /// The handle was passed to `rt_dma_mapping_error`, or need not be.
    pub is_checked: bool,
    /// The driver owns the cache lines of the buffer.
    pub has_own_lines: bool,
}

impl HeldMapping {
    /// Makes a mapping by this function. The caller sets what else it knows.
    pub fn new(by: MappedBy, direction: Direction) -> Self {
        // The map of a list returns a count, not a handle, so `rt_dma_mapping_error` is not needed.
        let is_checked = by == MappedBy::List;
        HeldMapping { by, list_entries: 0, pa: 0, is_handle_pa: false, direction, is_checked, has_own_lines: false }
    }
}

/// One thing that a device holds.
#[derive(Clone, Copy, Debug)]
pub struct DebugEntry {
    /// What it is.
    pub kind: Kind,
    /// The address for the processor; of a page mapping 0.
    pub va: Va,
    /// The address for the device; of a block pool 0.
    pub handle: Handle,
    /// Bytes; of a block pool those of a block.
    pub size: usize,
    /// `rt_dmam_release` ends it.
    pub is_managed: bool,
    /// It was reported as still held.
    pub is_reported: bool,
    /// The device; [`Device::NONE`] if it is gone, and another one lies at its address.
    pub device: Device,
    /// The index of the device's name.
    pub name_index: usize,
    /// The address to which the call that made it returns.
    pub caller: usize,
    /// When it was made, in milliseconds.
    pub made_at_ms: usize,
}

impl DebugEntry {
    /// An entry of no device.
    pub const NONE: DebugEntry = DebugEntry {
        kind: Kind::Buffer { flags: Flags::empty() },
        va: 0,
        handle: 0,
        size: 0,
        is_managed: false,
        is_reported: false,
        device: Device::NONE,
        name_index: 0,
        caller: 0,
        made_at_ms: 0,
    };

    /// Returns what only a mapping of a driver's own buffer has; `None` if it is memory.
    pub fn mapping(&self) -> Option<HeldMapping> {
        match self.kind {
            Kind::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// Returns whether it is a mapping of a driver's own buffer.
    pub fn is_mapping(&self) -> bool {
        self.mapping().is_some()
    }

    /// Returns whether it is the block pool at this address.
    pub fn is_block_pool_at(&self, address: Va) -> bool {
        matches!(self.kind, Kind::BlockPool(_)) && self.va == address
    }

    /// Returns whether it is a block of this block pool.
    pub fn is_block_of(&self, block_pool: Va) -> bool {
        matches!(self.kind, Kind::Block { pool } if pool == block_pool)
    }

    /// Returns whether it is a buffer that is not mapped, so that its address is the physical one.
    pub fn is_unmapped_buffer(&self) -> bool {
        matches!(self.kind, Kind::Buffer { flags } if flags.contains(Flags::NOMAP))
    }

    /// Returns the address by which lines identify it: what its free or unmap takes.
    pub fn address(&self) -> usize {
        if self.is_mapping() { self.handle } else { self.va }
    }

    /// Returns the address of a mapped buffer that the driver passed to the map.
    pub fn mapped_address(&self) -> usize {
        match self.kind {
            Kind::Mapping(HeldMapping { by: MappedBy::Page, pa, .. }) => pa,
            _ => self.va,
        }
    }

    /// Returns whether the handle lies in the mapping.
    pub fn has_handle(&self, handle: Handle) -> bool {
        self.is_mapping() && overlap(handle, 1, self.handle, self.size)
    }

    /// Returns whether both are mappings with which devices write the same bytes, or the same cache lines where one of
    /// the drivers owns its lines. `line` is the size of a cache line.
    pub fn conflicts_with(&self, other: &DebugEntry, line: usize) -> bool {
        let (Some(first), Some(second)) = (self.mapping(), other.mapping()) else { return false };
        let line = if first.has_own_lines || second.has_own_lines { line } else { 1 };
        let touches = |a: usize, b: usize| a != 0 && b != 0 && share_lines(a, self.size, b, other.size, line);
        first.direction.device_writes()
            && second.direction.device_writes()
            && (touches(self.va, other.va) || touches(first.pa, second.pa))
    }
}

/// Returns the words with which lines describe a direction.
pub fn direction_label(direction: Direction) -> Name<'static> {
    Name::of(match direction {
        Direction::Bidirectional => separate_cstr!("in both directions"),
        Direction::ToDevice => separate_cstr!("to the device"),
        Direction::FromDevice => separate_cstr!("from the device"),
        Direction::Neither => separate_cstr!("in no direction"),
    })
}

/// Returns whether `[start, start + size)` and `[other, other + other_size)` have a byte in common.
pub fn overlap(start: usize, size: usize, other: usize, other_size: usize) -> bool {
    start < other.saturating_add(other_size) && other < start.saturating_add(size)
}

/// Returns whether `[start, start + size)` and `[other, other + other_size)` have a byte of a line of `line` bytes in
/// common. `line` is a power of two, and neither size is zero.
fn share_lines(start: usize, size: usize, other: usize, other_size: usize, line: usize) -> bool {
    let line_of = |address: usize| address & !line.wrapping_sub(1);
    let last_line = |address: usize, size: usize| line_of(address.saturating_add(size.saturating_sub(1)));
    line_of(start) <= last_line(other, other_size) && line_of(other) <= last_line(start, size)
}
