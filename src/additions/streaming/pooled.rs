//! The short path of mappings of pool memory: one view of a pool contains the buffer, and it needs no bounce buffer.
//!
//! It serves the devices of the [short path of direct mappings](super::quick), and makes and ends the same records as the
//! general path, which takes every other mapping and every call that is wrong. `benches/maps.c` counts it: "pool".

use super::mapping::Mapping;
use super::quick::surely_fills_lines;
use super::records::Query;
use super::{Attributes, Buffer, Direction, Master, Ops, Streaming};
use crate::dropin::registry::Dma;
use crate::dropin::translate::MapOps;
use crate::kernel::{Device, Kernel};
use crate::mem::cache;

impl<K: Kernel> Streaming<K> {
    /// Maps a buffer of pool memory and returns its handle; `None`, and nothing has changed, if the general path has to do it.
    /// The device's handles are physical addresses, and it has no mask. `is_coherent`: it snoops the cache. Context: any.
    #[inline(always)]
    pub(super) fn quick_map_pooled(
        &self,
        dma: &Dma<K>,
        device: Device,
        is_coherent: bool,
        buffer: &Buffer,
    ) -> Option<usize> {
        let kernel = dma.kernel;
        let &Buffer { va, size, direction, attributes } = buffer;
        if size == 0 || direction == Direction::Neither || self.stock.needs_thread() {
            return None;
        }
        let (pa, is_cached) = dma.pools().find_map(|pool| pool.shown_at(va, size))?;
        let maintain = is_cached && !is_coherent;
        let is_alone =
            !maintain || !direction.device_writes() || attributes.own_lines || surely_fills_lines(kernel, va, size);
        if !is_alone {
            return None;
        }
        let mut record = self.stock.take(kernel)?;
        let ops = if is_coherent { MapOps::Coherent } else { MapOps::NonCoherent };
        let master = Master { device, ops: Ops::Library(ops), mask: usize::MAX };
        record.mapping =
            Some(Mapping { master, handle: pa, size, direction, va, maintain, bounce: None, taken_in: None });
        if maintain {
            cache::flush(kernel, va, size);
        }
        // The driver tells the device next: that comes after the bytes, also where no cache is maintained.
        kernel.device_barrier();
        self.records.insert(kernel, record, false);
        // The record that this mapping took is replaced here.
        self.tidy(dma);
        Some(pa)
    }

    /// Ends a mapping that has a record and no bounce buffer, and returns true; false, and nothing has changed, if the general
    /// path has to do it. Context: any.
    #[inline(always)]
    pub(super) fn quick_unmap_pooled(&self, dma: &Dma<K>, query: &Query, attributes: Attributes) -> bool {
        let kernel = dma.kernel;
        if self.stock.needs_thread() {
            return false;
        }
        let Some(record) = self.records.take_plain(kernel, query) else { return false };
        if let Some(mapping) = &record.mapping
            && !attributes.skip_cpu_sync
            && query.direction.device_writes()
        {
            // The device has just reported that it is done: no byte, and no line, may have been fetched before that.
            kernel.device_barrier();
            if mapping.maintain {
                // SAFETY: the driver lent the buffer: it has written nothing to it since it was flushed.
                unsafe { cache::invalidate(kernel, mapping.va, mapping.size) }
            }
        }
        self.stock.put(kernel, record);
        true
    }
}
