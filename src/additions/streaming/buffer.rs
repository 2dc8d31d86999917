//! What a driver states in its calls: the buffer that it maps, or the mapped buffer that it unmaps or syncs. And
//! [`LocatedBuffer`]: what the device gets.

use super::{Attributes, Direction};
use crate::kernel::{Handle, Kernel, Pa, Va};

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
    /// Makes a buffer without attributes.
    pub fn new(va: Va, size: usize, direction: Direction) -> Self {
        Buffer { va, size, direction, attributes: Attributes::empty() }
    }

    /// Returns whether a cache line of the buffer holds bytes of others that a mapping without a bounce buffer could
    /// lose, if the lines are maintained for the device.
    ///
    /// Other code may write its byte of a shared line at any time. Whatever is done with the line after that, bytes of
    /// one side are lost.
    pub(super) fn endangers_others<K: Kernel>(&self, kernel: K) -> bool {
        self.needs_whole_lines() && !self.fills_lines(kernel.cache_line_max() - 1)
    }

    /// Returns whether [`endangers_others`](Buffer::endangers_others) may return true, by fewer steps: true wherever
    /// that one returns true, and also while the size of a line is not known or if lines differ in size. It is for the
    /// fast path; where it returns true, the general path decides.
    pub(super) fn may_endanger_others<K: Kernel>(&self, kernel: K) -> bool {
        // The mask is all ones until the size of a line is known, or if lines have different sizes: then no buffer
        // fills its lines.
        self.needs_whole_lines() && !self.fills_lines(kernel.line_offset_mask())
    }

    /// Returns whether the buffer has to fill its cache lines, if it is mapped without a bounce buffer and its lines
    /// are maintained.
    fn needs_whole_lines(&self) -> bool {
        self.direction.device_writes() && !self.attributes.contains(Attributes::OWN_LINES)
    }

    /// Returns whether the buffer begins and ends on a cache line. `line_offset_mask` has the bits of an address that
    /// are its offset within a line.
    fn fills_lines(&self, line_offset_mask: usize) -> bool {
        self.va & line_offset_mask == 0 && self.size & line_offset_mask == 0
    }
}

/// A buffer whose place in memory is known: a driver's, or a bounce buffer. It is mapped for the processor.
pub(super) struct LocatedBuffer {
    pub va: Va,
    pub pa: Pa,
    /// Bytes.
    pub size: usize,
    /// Whether its cache lines are maintained.
    pub needs_maintenance: bool,
}

/// A mapped buffer as an unmap states it, or the part of one that a sync states.
#[derive(Clone, Copy)]
pub struct MappedBuffer {
    /// The handle of its first byte.
    pub handle: Handle,
    /// Bytes.
    pub size: usize,
    /// The direction of the mapping.
    pub direction: Direction,
    /// What else the driver states. A sync ignores it.
    pub attributes: Attributes,
}

impl MappedBuffer {
    /// Makes a mapped buffer without attributes.
    pub fn new(handle: Handle, size: usize, direction: Direction) -> Self {
        MappedBuffer { handle, size, direction, attributes: Attributes::empty() }
    }

    /// Returns the buffer as it was mapped, if it lies at `va`.
    pub(super) fn at(&self, va: Va) -> Buffer {
        Buffer { va, size: self.size, direction: self.direction, attributes: self.attributes }
    }

    /// Returns whether an unmap leaves the buffer's bytes as they are.
    pub(super) fn keeps_bytes(&self) -> bool {
        self.attributes.contains(Attributes::SKIP_CPU_SYNC) || self.direction == Direction::ToDevice
    }
}
