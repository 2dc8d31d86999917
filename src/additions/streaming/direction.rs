//! The direction of a mapping, and its attributes.

use bitflags::bitflags;

/// The direction in which bytes are transferred (Linux Documentation/core-api/dma-api.rst, "enum dma_data_direction").
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// The device reads and writes.
    Bidirectional,
    /// The device reads.
    ToDevice,
    /// The device writes.
    FromDevice,
    /// No direction was given. No mapping has it.
    Neither,
}

impl Direction {
    /// Returns whether the device may write.
    pub fn device_writes(self) -> bool {
        matches!(self, Direction::FromDevice | Direction::Bidirectional)
    }

    /// Returns whether the device may read.
    pub fn device_reads(self) -> bool {
        matches!(self, Direction::ToDevice | Direction::Bidirectional)
    }

    /// Returns whether a mapping with this direction may be synced in `direction`: its own, or any if it is for both
    /// directions.
    pub fn allows_sync(self, direction: Direction) -> bool {
        self == direction || self == Direction::Bidirectional
    }
}

bitflags! {
    /// `RT_DMA_ATTR_*`: what a driver states about a mapping beyond its buffer and direction. Other bits are kept and
    /// ignored.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct Attributes: usize {
        /// An unmap leaves the buffer's bytes as they are, because the driver has synced what it wants to see (Linux
        /// `DMA_ATTR_SKIP_CPU_SYNC`). A map ignores it.
        const SKIP_CPU_SYNC = 1 << 0;
        /// From the map to the unmap, no code writes to a cache line that the buffer touches, the bytes of others in
        /// these lines included (Linux `DMA_ATTR_CPU_CACHE_CLEAN`). Then a buffer that the device writes needs no
        /// bounce buffer for its lines. The map and the unmap both have it.
        const OWN_LINES = 1 << 8;

        const _ = !0;
    }
}
