//! The fast paths of map and unmap, which network and block drivers take for each buffer.
//!
//! They serve the devices of [`FastMaster`]. [`map`](Streaming::map) and [`unmap`](Streaming::unmap) take them for a call with a
//! direction, while the streaming mappings are [tidy](Streaming::is_tidy). Every other mapping, and every call that is wrong,
//! takes the general path, which decides the same and reports errors. There are two:
//!
//! * for direct mappings of a buffer in the known part of the linear map, away from the pools. There the physical address
//!   follows from the virtual one, and the other way round: nothing is looked up, locked or recorded (`benches/maps.c`,
//!   "linear");
//! * for recorded mappings of a buffer that one view of a pool contains, and of a contiguous buffer outside the pools that is
//!   not mapped linearly, if neither needs a bounce buffer ("pool" and "elsewhere"). They make and end the records that the
//!   general path would.

use super::hand_over::{barrier_from_device, hand_to_device};
use super::recorded::mapping::Mapping;
use super::{Buffer, BusMaster, Coherence, FastMaster, Query, Streaming, last_byte};
use crate::dropin::registry::Dma;
use crate::kernel::{Handle, Kernel, PAGE_SIZE, Pa, Va};
use crate::mem::cache;

impl<K: Kernel> Streaming<'_, K> {
    /// Makes a direct mapping; `None`, and nothing has changed, if the buffer is not in the known part of the linear map, or if
    /// it may need a bounce buffer.
    ///
    /// Context: any.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    #[inline(always)] // As functions of their own, a direct map and unmap take 41 instructions more ("linear").
    pub(super) unsafe fn map_direct_fast(self, master: FastMaster, buffer: &Buffer) -> Option<Handle> {
        let &Buffer { va, size, .. } = buffer;
        let kernel = self.dma.kernel;
        if va == 0 {
            return None;
        }
        let pa = va.wrapping_add(self.mappings.linear_range.offset()?);
        if !self.is_plain(va, pa, size) {
            return None;
        }
        let maintain = master.coherence == Coherence::NonCoherent;
        if maintain && buffer.may_endanger_others(kernel) {
            return None;
        }
        hand_to_device(kernel, va, size, maintain);
        Some(pa)
    }

    /// Ends a mapping that can only be a direct one, and returns true; otherwise returns false, and nothing has changed.
    ///
    /// Context: any.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    #[inline(always)] // As `map_direct_fast`.
    pub(super) unsafe fn unmap_direct_fast(self, master: FastMaster, query: &Query) -> bool {
        let &Query { handle, size, direction, attributes, .. } = query;
        let kernel = self.dma.kernel;
        let Some(offset) = self.mappings.linear_range.offset() else { return false };
        let va = handle.wrapping_sub(offset);
        if self.mappings.records.may_have_outside(handle) || !self.is_plain(va, handle, size) {
            return false;
        }
        let maintain = master.coherence == Coherence::NonCoherent;
        if maintain && (Buffer { va, size, direction, attributes }).may_endanger_others(kernel) {
            return false;
        }
        if query.keeps_bytes() {
            return true;
        }
        barrier_from_device(kernel);
        if maintain {
            // SAFETY: the caller guarantees that nothing was written to the buffer since it was flushed.
            unsafe { cache::invalidate(kernel, va, size) }
        }
        true
    }

    /// Whether the `size` bytes at `va`, which lie at `pa`, are in the known part of the linear map, and none is a pool's.
    fn is_plain(self, va: Va, pa: Pa, size: usize) -> bool {
        let Some(last) = last_byte(va, size) else { return false };
        self.mappings.linear_range.holds(va, last) && !self.dma.may_contain(pa, pa.wrapping_add(last - va))
    }

    /// Makes a recorded mapping; `None`, and nothing has changed, if it takes more than a record. [`map_direct_fast`] was tried
    /// before.
    ///
    /// Context: any.
    ///
    /// [`map_direct_fast`]: Self::map_direct_fast
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    pub(super) unsafe fn map_recorded_fast(self, master: FastMaster, buffer: &Buffer) -> Option<Handle> {
        let kernel = self.dma.kernel;
        let &Buffer { va, size, direction, .. } = buffer;
        if size == 0 {
            return None;
        }
        let is_non_coherent = master.coherence == Coherence::NonCoherent;
        let may_need_bounce = is_non_coherent && buffer.may_endanger_others(kernel);
        let (pa, is_cached, is_outside) = match self.dma.pools().find_map(|pool| pool.find_in_view(va, size)) {
            Some((pa, is_cached)) => (pa, is_cached, false),
            // The general path looks the buffer up.
            None if may_need_bounce => return None,
            // Memory outside the pools counts as cached.
            None => (find_elsewhere(self.dma, va, size)?, true, true),
        };
        if is_cached && may_need_bounce {
            return None;
        }
        let maintain = is_cached && is_non_coherent;
        let mut record = self.mappings.spares.take(kernel)?;
        let master = BusMaster::from(master);
        record.mapping =
            Some(Mapping { master, handle: pa, size, direction, va, maintain, bounce: None, synced_in: None });
        record.is_outside = is_outside;
        hand_to_device(kernel, va, size, maintain);
        self.mappings.records.insert(kernel, record);
        // The record that this mapping took is replaced here.
        self.tidy();
        Some(pa)
    }

    /// Ends a mapping that has a record and no bounce buffer, and returns true; otherwise returns false, and nothing has
    /// changed.
    ///
    /// Context: any.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    pub(super) unsafe fn unmap_recorded_fast(self, query: &Query) -> bool {
        let kernel = self.dma.kernel;
        let Some(record) = self.mappings.records.take_plain(kernel, query) else { return false };
        if let Some(mapping) = &record.mapping
            && !query.keeps_bytes()
        {
            barrier_from_device(kernel);
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
