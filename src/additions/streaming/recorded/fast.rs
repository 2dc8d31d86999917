//! The fast path of recorded mappings. It serves a buffer that one view of a pool contains, and a contiguous buffer outside the
//! pools that is not mapped linearly. Neither needs a bounce buffer.
//!
//! It serves the devices of the fast path of direct mappings (`direct::fast`), and makes and ends the records that the general
//! path would. The general path takes every other mapping and every call that is wrong. `benches/maps.c` counts it: "pool" and
//! "elsewhere". Without the `inline(always)` of `records`, a map and unmap there take 53 instructions more.

use super::mapping::Mapping;
use crate::additions::streaming::{Attributes, Buffer, BusMaster, Direction, Ops, Query, Streaming, last_byte};
use crate::dropin::registry::Dma;
use crate::dropin::translate::MapOps;
use crate::kernel::{Device, Handle, Kernel, PAGE_SIZE, Pa, Va};
use crate::mem::cache;

impl<K: Kernel> Streaming<'_, K> {
    /// Maps a buffer as [`map`](Streaming::map) does; returns `None`, and nothing has changed, if it takes more than a record.
    /// The device is one of [`map_direct_fast`](Streaming::map_direct_fast), which was tried before.
    ///
    /// Context: any.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    #[inline(always)]
    pub unsafe fn map_recorded_fast(self, device: Device, is_coherent: bool, buffer: &Buffer) -> Option<Handle> {
        let kernel = self.dma.kernel;
        let &Buffer { va, size, direction, .. } = buffer;
        if size == 0 || direction == Direction::Neither || self.mappings.spares.needs_thread() {
            return None;
        }
        let (pa, is_cached, is_outside) = match self.dma.pools().find_map(|pool| pool.find_in_view(va, size)) {
            Some((pa, is_cached)) => (pa, is_cached, false),
            None if buffer.may_endanger_others(kernel, !is_coherent) => return None,
            // Memory outside the pools counts as cached.
            None => (find_elsewhere(self.dma, va, size)?, true, true),
        };
        let maintain = is_cached && !is_coherent;
        if buffer.may_endanger_others(kernel, maintain) {
            return None;
        }
        let mut record = self.mappings.spares.take(kernel)?;
        let ops = if is_coherent { MapOps::Coherent } else { MapOps::NonCoherent };
        let master = BusMaster { device, ops: Ops::Library(ops), mask: usize::MAX };
        record.mapping =
            Some(Mapping { master, handle: pa, size, direction, va, maintain, bounce: None, synced_in: None });
        if maintain {
            cache::flush(kernel, va, size);
        }
        // The driver starts the device next: that comes after the bytes, also where no cache is maintained.
        kernel.device_barrier();
        self.mappings.records.insert(kernel, record, is_outside);
        // The record that this mapping took is replaced here.
        self.tidy();
        Some(pa)
    }

    /// Ends a mapping that has a record and no bounce buffer as [`unmap`](Streaming::unmap) does, and returns true; else returns
    /// false, and nothing has changed. [`unmap_direct_fast`](Streaming::unmap_direct_fast) was tried before.
    ///
    /// Context: any.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    #[inline(always)]
    pub unsafe fn unmap_recorded_fast(self, query: &Query, attributes: Attributes) -> bool {
        let kernel = self.dma.kernel;
        if self.mappings.spares.needs_thread() {
            return false;
        }
        let Some(record) = self.mappings.records.take_plain(kernel, query) else { return false };
        if let Some(mapping) = &record.mapping
            && !attributes.skip_cpu_sync
            && query.direction.device_writes()
        {
            // The device has just reported that it is done: no byte, and no line, may have been fetched before that.
            kernel.device_barrier();
            if mapping.maintain {
                // SAFETY: the caller guarantees that nothing was written to the buffer since it was flushed.
                unsafe { cache::invalidate(kernel, mapping.va, mapping.size) }
            }
        }
        self.mappings.spares.put(kernel, record);
        true
    }
}

/// Returns the physical address of a contiguous buffer outside the pools that is not mapped linearly; `None` for every other
/// buffer.
fn find_elsewhere<K: Kernel>(dma: &Dma<K>, va: Va, size: usize) -> Option<Pa> {
    let kernel = dma.kernel;
    let pa = kernel.v2p(va).filter(|pa| va != 0 && kernel.linear(*pa) != va)?;
    let (last, end) = (last_byte(va, size)?, pa.checked_add(size)?);
    let further_pages = last / PAGE_SIZE - va / PAGE_SIZE;
    let next_page = |address: usize| (address | (PAGE_SIZE - 1)).wrapping_add(1);
    let is_contiguous = further_pages == 0 || kernel.leads_to(next_page(va), next_page(pa), further_pages);
    (is_contiguous && !dma.may_contain(pa, end - 1)).then_some(pa)
}
