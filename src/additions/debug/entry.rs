//! What a device holds: memory that was allocated for it, and buffers that are mapped for it.

use crate::additions::streaming::Direction;
use crate::kernel::Handle;
use crate::log::Name;
use crate::text::apart;

/// A kind of memory that a device holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// A buffer of `rt_dma_alloc`, `rt_dmam_alloc` and their like.
    Buffer = 0,
    /// A block of a block pool.
    Block = 1,
    /// A block pool.
    Pool = 2,
    /// A mapping of `rt_dma_map_single`.
    Single = 3,
    /// A mapping of `rt_dma_map_page`.
    Page = 4,
    /// A mapping of one entry of `rt_dma_map_sg`.
    List = 5,
}

impl Kind {
    /// Returns whether it is a mapping of a driver's own buffer.
    pub fn is_mapping(self) -> bool {
        matches!(self, Kind::Single | Kind::Page | Kind::List)
    }

    /// Returns whether it is memory that was allocated.
    pub fn is_memory(self) -> bool {
        matches!(self, Kind::Buffer | Kind::Block)
    }

    /// Returns the words with which lines describe the kind.
    pub fn label(self) -> Name {
        Name::of(match self {
            Kind::Buffer => apart!("buffer"),
            Kind::Block => apart!("block"),
            Kind::Pool => apart!("block pool"),
            Kind::Single => apart!("single mapping"),
            Kind::Page => apart!("page mapping"),
            Kind::List => apart!("list mapping"),
        })
    }
}

/// Returns the words with which lines describe a direction.
pub fn direction_label(direction: Direction) -> Name {
    Name::of(match direction {
        Direction::Bidirectional => apart!("in both directions"),
        Direction::ToDevice => apart!("to the device"),
        Direction::FromDevice => apart!("from the device"),
        Direction::Neither => apart!("in no direction"),
    })
}

/// One thing that a device holds.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Entry {
    /// The address of the device; 0 if the device is gone and another one lies at its address.
    pub device: usize,
    /// The number of the device's name.
    pub name: usize,
    /// The address for the device; of a block pool 0.
    pub handle: Handle,
    /// The address for the processor; of a page mapping 0.
    pub va: usize,
    /// The physical address of the first byte; of a block its pool.
    pub pa: usize,
    /// Bytes.
    pub size: usize,
    /// The address after the call that made it.
    pub caller: usize,
    /// When it was made, in milliseconds.
    pub time: usize,
    /// The flags of an allocation; the number of entries of a list mapping.
    pub flags: usize,
    /// What it is.
    pub kind: Kind,
    /// The direction of a mapping.
    pub direction: Direction,
    /// The handle of the mapping was passed to `rt_dma_mapping_error`; a block of the pool was allocated.
    pub is_checked: bool,
    /// The driver owns the cache lines of the mapped buffer.
    pub has_own_lines: bool,
    /// `rt_dmam_release` ends it.
    pub is_managed: bool,
    /// It was reported as still held.
    pub is_reported: bool,
}

/// Returns whether `[start, start + size)` and `[other, other + other_size)` have a byte in common.
pub fn overlap(start: usize, size: usize, other: usize, other_size: usize) -> bool {
    start < other.saturating_add(other_size) && other < start.saturating_add(size)
}

impl Entry {
    /// An entry that stands for nothing.
    pub const EMPTY: Entry = Entry {
        device: 0,
        name: 0,
        handle: 0,
        va: 0,
        pa: 0,
        size: 0,
        caller: 0,
        time: 0,
        flags: 0,
        kind: Kind::Buffer,
        direction: Direction::Bidirectional,
        is_checked: false,
        has_own_lines: false,
        is_managed: false,
        is_reported: false,
    };

    /// Returns the address by which lines identify it: what its free or unmap takes.
    pub fn address(&self) -> usize {
        if self.kind.is_mapping() { self.handle } else { self.va }
    }

    /// Returns whether the handle lies in the mapping.
    pub fn has_handle(&self, handle: Handle) -> bool {
        self.kind.is_mapping() && overlap(handle, 1, self.handle, self.size)
    }

    /// Returns whether both are mappings of the same bytes, or of the same cache lines where one of the drivers owns
    /// its lines. `line` is the size of a cache line.
    pub fn shares_bytes(&self, other: &Entry, line: usize) -> bool {
        let line = if self.has_own_lines || other.has_own_lines { line } else { 1 };
        // `line` is a power of two.
        let first_byte = |address: usize| address & !line.wrapping_sub(1);
        let last_byte = |address: usize, size: usize| address.wrapping_add(size.wrapping_sub(1)) | line.wrapping_sub(1);
        let touches = |a: usize, b: usize| {
            a != 0 && b != 0 && first_byte(a) <= last_byte(b, other.size) && first_byte(b) <= last_byte(a, self.size)
        };
        touches(self.va, other.va) || touches(self.pa, other.pa)
    }
}
