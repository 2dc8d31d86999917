//! A write-back data cache, as slow and as treacherous as it may be: a line stays until somebody drops it, and a dirty
//! one reaches memory only when it is flushed or [evicted](Cache::evict).
//!
//! Two caches with lines of unequal length are one here, in which lines of both lengths take turns: see
//! [`Cache::line_size`].

use super::memory::Memory;
use rt_dma_pool::kernel::Pa;
use std::collections::BTreeMap;

/// Bytes in a line of the shortest kind; of every line unless [`Cache::largest_line`] is longer.
pub const LINE: usize = 64;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Maintenance {
    Flush,
    FlushAndDrop,
    Invalidate,
}

/// One call of a cache operation, by physical address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CacheCall {
    pub what: Maintenance,
    pub pa: Pa,
    pub size: usize,
}

struct CacheLine {
    bytes: Vec<u8>,
    dirty: bool,
}

pub struct Cache {
    lines: BTreeMap<Pa, CacheLine>,
    /// Bytes in a line of the longest kind: a power of two, [`LINE`] or more.
    pub largest_line: usize,
    /// A plain flush leaves the lines in the cache, clean, as 32-bit Arm does; else it drops them, as aarch64 does.
    pub keeps_flushed: bool,
    pub calls: Vec<CacheCall>,
}

impl Default for Cache {
    fn default() -> Self {
        Cache { lines: BTreeMap::new(), largest_line: LINE, keeps_flushed: false, calls: Vec::new() }
    }
}

impl Cache {
    /// Bytes in the line that holds `pa`: one of the longest kind in every second block of memory, else of the shortest.
    fn line_size(&self, pa: Pa) -> usize {
        let block = self.largest_line.max(1024);
        if (pa / block).is_multiple_of(2) { LINE } else { self.largest_line }
    }

    /// First byte of the line that holds `pa`.
    fn start_of_line(&self, pa: Pa) -> Pa {
        pa & !(self.line_size(pa) - 1)
    }

    /// The line of `pa`, brought in if it is not there.
    fn line(&mut self, memory: &Memory, pa: Pa) -> &mut CacheLine {
        let size = self.line_size(pa);
        self.lines.entry(self.start_of_line(pa)).or_insert_with_key(|start| {
            let mut bytes = vec![0; size];
            memory.device_read(*start, &mut bytes);
            CacheLine { bytes, dirty: false }
        })
    }

    pub fn read(&mut self, memory: &Memory, mut pa: Pa, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            let offset = pa - self.start_of_line(pa);
            let here = &self.line(memory, pa).bytes[offset..];
            let (part, rest) = bytes.split_at_mut(here.len().min(bytes.len()));
            part.copy_from_slice(&here[..part.len()]);
            pa += part.len();
            bytes = rest;
        }
    }

    pub fn write(&mut self, memory: &Memory, mut pa: Pa, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let offset = pa - self.start_of_line(pa);
            let line = self.line(memory, pa);
            line.dirty = true;
            let here = &mut line.bytes[offset..];
            let (part, rest) = bytes.split_at(here.len().min(bytes.len()));
            here[..part.len()].copy_from_slice(part);
            pa += part.len();
            bytes = rest;
        }
    }

    /// To memory, and to the lines that are there.
    pub fn write_through(&mut self, memory: &Memory, pa: Pa, bytes: &[u8]) {
        memory.device_write(pa, bytes);
        for (offset, byte) in bytes.iter().enumerate() {
            let start = self.start_of_line(pa + offset);
            if let Some(line) = self.lines.get_mut(&start) {
                line.bytes[pa + offset - start] = *byte;
            }
        }
    }

    /// Does to the lines that `[pa, pa + size)` touches what the processor's operation does.
    pub fn maintain(&mut self, memory: &Memory, call: CacheCall) {
        self.calls.push(call);
        self.drop_lines(memory, call);
    }

    /// A coherent device reads or writes: what the cache has goes to memory first.
    pub fn snoop(&mut self, memory: &Memory, pa: Pa, size: usize) {
        self.drop_lines(memory, CacheCall { what: Maintenance::FlushAndDrop, pa, size });
    }

    fn drop_lines(&mut self, memory: &Memory, call: CacheCall) {
        let lines = self.start_of_line(call.pa)..call.pa + call.size;
        let touched: Vec<_> = self.lines.range(lines).map(|(start, _)| *start).collect();
        for start in touched {
            let line = self.lines.get_mut(&start).expect("listed just now");
            if line.dirty && call.what != Maintenance::Invalidate {
                memory.device_write(start, &line.bytes);
                line.dirty = false;
            }
            if call.what != Maintenance::Flush || !self.keeps_flushed {
                self.lines.remove(&start);
            }
        }
    }

    /// Makes room, as a processor may at any moment: every dirty line is written over what memory holds.
    pub fn evict(&mut self, memory: &Memory) {
        for (start, line) in std::mem::take(&mut self.lines) {
            if line.dirty {
                memory.device_write(start, &line.bytes);
            }
        }
    }
}
