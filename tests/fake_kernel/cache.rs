//! A write-back data cache: a line stays until an operation drops it, and a dirty line reaches memory only when it is
//! flushed or [evicted](Cache::evict). Unlike a real one, it reads no line without an access, and evicts lines only
//! when a test demands it.
//!
//! A processor may have caches with lines of different lengths. Here one cache has both: memory is divided into blocks,
//! and every second block has lines of the longer kind. So code that assumes one length is wrong for some addresses.

use super::memory::Memory;
use rt_dma_pool::kernel::Pa;
use std::collections::BTreeMap;

/// Bytes in a line of the shorter kind. All lines have this length unless [`Cache::set_largest_line`] was called.
pub const LINE: usize = 64;

/// A cache operation of the processor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Maintenance {
    /// Writes dirty lines to memory. [`Cache::keeps_flushed`] decides whether the lines stay.
    Flush,
    /// Writes dirty lines to memory, and drops all lines.
    FlushAndInvalidate,
    /// Drops all lines. What a dirty line holds is lost.
    Invalidate,
}

/// One call of a cache operation, by physical address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CacheCall {
    pub operation: Maintenance,
    pub pa: Pa,
    pub size: usize,
}

struct CacheLine {
    bytes: Vec<u8>,
    /// Memory does not have the bytes yet.
    dirty: bool,
}

/// The data cache of all cores.
pub struct Cache {
    /// The lines in the cache, by the addresses of their first bytes.
    lines: BTreeMap<Pa, CacheLine>,
    /// Bytes in a line of the longer kind: a power of two, at least [`LINE`].
    largest_line: usize,
    /// What the kernel returns for the largest line. It may be any number, as a BSP may be wrong.
    pub reported_line: usize,
    /// Whether a plain flush leaves the lines in the cache, clean, as on 32-bit Arm. Otherwise it drops them, as on
    /// aarch64.
    pub keeps_flushed: bool,
    /// The cache operations of the processor, which a test may take.
    pub calls: Vec<CacheCall>,
}

impl Default for Cache {
    fn default() -> Self {
        Cache {
            lines: BTreeMap::new(),
            largest_line: LINE,
            reported_line: LINE,
            keeps_flushed: false,
            calls: Vec::new(),
        }
    }
}

impl Cache {
    /// Sets the length of the longer lines, in bytes, also as what the kernel reports. [Empties](Cache::evict) the cache
    /// first: lines of another length must not stay.
    pub fn set_largest_line(&mut self, memory: &Memory, bytes: usize) {
        self.evict(memory);
        assert!(bytes.is_power_of_two() && bytes >= LINE, "a line of {bytes} bytes");
        self.largest_line = bytes;
        self.reported_line = bytes;
    }

    /// Returns the number of bytes in the line that contains `pa`.
    fn line_size(&self, pa: Pa) -> usize {
        let block = self.largest_line.max(1024);
        if (pa / block).is_multiple_of(2) { LINE } else { self.largest_line }
    }

    /// Returns the address of the first byte of the line that contains `pa`.
    fn start_of_line(&self, pa: Pa) -> Pa {
        pa & !(self.line_size(pa) - 1)
    }

    /// Returns the line that contains `pa`, after reading it from memory if it is not in the cache.
    fn line(&mut self, memory: &Memory, pa: Pa) -> &mut CacheLine {
        let size = self.line_size(pa);
        self.lines.entry(self.start_of_line(pa)).or_insert_with_key(|start| {
            let mut bytes = vec![0; size];
            memory.device_read(*start, &mut bytes);
            CacheLine { bytes, dirty: false }
        })
    }

    /// Reads as the processor does, through the cache.
    pub fn read(&mut self, memory: &Memory, mut pa: Pa, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            let offset = pa - self.start_of_line(pa);
            let rest_of_line = &self.line(memory, pa).bytes[offset..];
            let (part, rest) = bytes.split_at_mut(rest_of_line.len().min(bytes.len()));
            part.copy_from_slice(&rest_of_line[..part.len()]);
            pa += part.len();
            bytes = rest;
        }
    }

    /// Writes as the processor does: to lines of the cache, which become dirty.
    pub fn write(&mut self, memory: &Memory, mut pa: Pa, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let offset = pa - self.start_of_line(pa);
            let line = self.line(memory, pa);
            line.dirty = true;
            let rest_of_line = &mut line.bytes[offset..];
            let (part, rest) = bytes.split_at(rest_of_line.len().min(bytes.len()));
            rest_of_line[..part.len()].copy_from_slice(part);
            pa += part.len();
            bytes = rest;
        }
    }

    /// Writes to memory, and to the lines that are in the cache.
    pub fn write_through(&mut self, memory: &Memory, pa: Pa, bytes: &[u8]) {
        memory.device_write(pa, bytes);
        for (offset, byte) in bytes.iter().enumerate() {
            let start = self.start_of_line(pa + offset);
            if let Some(line) = self.lines.get_mut(&start) {
                line.bytes[pa + offset - start] = *byte;
            }
        }
    }

    /// Returns whether the cache has a line that contains a byte of `[pa, pa + size)`.
    pub fn has_line(&self, pa: Pa, size: usize) -> bool {
        self.lines.range(self.start_of_line(pa)..pa + size).next().is_some()
    }

    /// Prepares an access of a device that snoops: writes the dirty lines of `[pa, pa + size)` to memory, and drops all
    /// lines of the range.
    pub fn snoop(&mut self, memory: &Memory, pa: Pa, size: usize) {
        self.apply(memory, CacheCall { operation: Maintenance::FlushAndInvalidate, pa, size });
    }

    /// Applies an operation to the lines that contain a byte of `[pa, pa + size)`.
    pub fn apply(&mut self, memory: &Memory, call: CacheCall) {
        assert_ne!(call.size, 0, "a cache operation without a byte");
        let lines = self.start_of_line(call.pa)..call.pa + call.size;
        let touched: Vec<_> = self.lines.range(lines).map(|(start, _)| *start).collect();
        for start in touched {
            let line = self.lines.get_mut(&start).expect("listed just now");
            if line.dirty && call.operation != Maintenance::Invalidate {
                memory.device_write(start, &line.bytes);
                line.dirty = false;
            }
            if call.operation != Maintenance::Flush || !self.keeps_flushed {
                self.lines.remove(&start);
            }
        }
    }

    /// Writes every dirty line over what memory contains, and drops all lines, as a processor may at any moment to make
    /// room.
    pub fn evict(&mut self, memory: &Memory) {
        for (start, line) in std::mem::take(&mut self.lines) {
            if line.dirty {
                memory.device_write(start, &line.bytes);
            }
        }
    }
}
