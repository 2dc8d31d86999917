//! What a driver states of a buffer, and whether the cache lines at its ends allow the device to have it.

use super::Direction;
use crate::kernel::{Kernel, Pa, Va};

/// What a driver states about a mapping beyond its buffer and direction.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Attributes {
    /// An unmap leaves the buffer's bytes as they are, because the driver has synced what it wants to see (Linux
    /// `DMA_ATTR_SKIP_CPU_SYNC`). A map ignores it.
    pub skip_cpu_sync: bool,
    /// From the map to the unmap, no code writes to a cache line that the buffer touches, the bytes of others in these lines
    /// included (Linux `DMA_ATTR_CPU_CACHE_CLEAN`). Then a buffer that the device writes needs no bounce buffer for its lines.
    /// The map and the unmap both have it.
    pub own_lines: bool,
}

impl Attributes {
    /// Nothing.
    pub const NONE: Self = Attributes { skip_cpu_sync: false, own_lines: false };
    /// [`skip_cpu_sync`](Attributes::skip_cpu_sync).
    pub const SKIP_CPU_SYNC: Self = Attributes { skip_cpu_sync: true, ..Self::NONE };
    /// [`own_lines`](Attributes::own_lines).
    pub const OWN_LINES: Self = Attributes { own_lines: true, ..Self::NONE };
}

/// What is to be mapped.
#[derive(Clone, Copy)]
pub struct Buffer {
    /// The driver's address.
    pub va: Va,
    /// Bytes.
    pub size: usize,
    /// In which direction bytes are transferred.
    pub direction: Direction,
    /// What else the driver states.
    pub attributes: Attributes,
}

impl Buffer {
    /// Whether a cache line of the buffer holds bytes of others that a mapping without a bounce buffer could lose. `maintain`:
    /// the lines are maintained for the device.
    ///
    /// Other code may write its byte of a shared line at any time. Whatever is done with the line after that, bytes of one side
    /// are lost.
    pub(crate) fn endangers_others<K: Kernel>(&self, kernel: K, maintain: bool) -> bool {
        self.needs_whole_lines(maintain) && !self.fills_lines(kernel)
    }

    /// Whether [`endangers_others`](Buffer::endangers_others) may be true. True may be wrong, until the general path has asked
    /// for the size of a line.
    pub(crate) fn may_endanger_others<K: Kernel>(&self, kernel: K, maintain: bool) -> bool {
        self.needs_whole_lines(maintain) && (self.va | self.size) & kernel.within_line() != 0
    }

    fn needs_whole_lines(&self, maintain: bool) -> bool {
        maintain && self.direction.device_writes() && !self.attributes.own_lines
    }

    /// Whether the buffer begins and ends on a cache line.
    fn fills_lines<K: Kernel>(&self, kernel: K) -> bool {
        let within_line = match kernel.within_line() {
            usize::MAX => kernel.cache_line_max() - 1,
            within_line => within_line,
        };
        (self.va | self.size) & within_line == 0
    }
}

/// Where the page tables show a buffer.
#[derive(Clone, Copy)]
pub struct Location {
    /// Its first byte.
    pub pa: Pa,
    /// Physical addresses rise with virtual ones from the first byte to the last.
    pub is_contiguous: bool,
}
