//! The checks: what the debug mode does at each call of a driver. It asks the kernel about the memory first, and then
//! takes the lock and compares the call with the table ([`checker`](super::checker)).

use super::calls::{FreedBy, FreedMemory, SyncedData, UnmappedBy};
use super::checker::{AfterFree, FirstByte, HandleRule};
use super::entry::{DebugEntry, Kind, MappedBy};
use super::finding::Finding;
use super::{Call, Watch};
use crate::additions::streaming::{MAPPING_ERROR, MappedBuffer};
use crate::dropin::map_ops::MapOps;
use crate::dropin::registry::Dma;
use crate::kernel::{Device, Handle, Kernel, Pa, Va};

impl<K: Kernel> Watch<K> {
    /// Records memory that was allocated for the device, or a block pool that was created.
    pub fn record_allocation(&'static self, call: &Call, new: DebugEntry) {
        let is_identity = self.kernel.v2p(new.va) == Some(new.va);
        self.with_checker(call, |checker| checker.record_allocation(new, is_identity));
    }

    /// Notes that a block pool is about to be destroyed.
    pub fn note_destroy_begin(&self, pool: Va) {
        if let Some(held) = self.state.lock(self.kernel).table.held_pool(pool) {
            held.is_being_destroyed = true;
        }
    }

    /// Forgets a block pool that was destroyed, and its blocks, unless a later pool has its address already. If the
    /// pool was not destroyed, it stays in the table.
    pub fn note_destroy_end(&self, pool: Va, was_destroyed: bool) {
        let table = &mut self.state.lock(self.kernel).table;
        match table.held_pool(pool) {
            Some(held) if held.is_being_destroyed && was_destroyed => table.forget_pool(pool),
            Some(held) => held.is_being_destroyed = false,
            None => {}
        }
    }

    /// Returns the entry of a block pool; `None` if the pool is not in the table.
    pub fn block_pool(&self, pool: Va) -> Option<DebugEntry> {
        self.state.lock(self.kernel).table.block_pool(pool).copied()
    }

    /// Checks a free, and forgets what it frees.
    ///
    /// A free that needs a thread is checked in a thread only. Elsewhere the library refuses it and logs that, and a
    /// thread may repeat it.
    pub fn check_free(&'static self, dma: &Dma<K>, call: &Call, freed: &FreedMemory) -> AfterFree {
        let needs_thread = match freed.by {
            FreedBy::Free { .. } => dma.pools().any(|pool| pool.own_mappings.find(freed.va).is_some()),
            FreedBy::ManagedFree => true,
            FreedBy::BlockFree { .. } => false,
        };
        if needs_thread && !self.kernel.can_sleep() {
            return AfterFree::Nothing;
        }
        let rule = self.handle_rule(dma, call.device, freed);
        self.with_checker(call, |checker| checker.free(freed, rule))
    }

    /// Returns the rule for the handle of a free.
    fn handle_rule(&self, dma: &Dma<K>, device: Device, freed: &FreedMemory) -> HandleRule {
        let FreedBy::Free { ops } = freed.by else { return HandleRule::AsAllocated };
        if self.accepts_handle(dma, device, freed, ops) {
            HandleRule::Accepted
        } else if ops.is_some() {
            HandleRule::Refused
        } else {
            // An operation of the BSP frees, and the library does not know which handles it accepts.
            HandleRule::AsAllocated
        }
    }

    /// Returns whether `rt_dma_free` accepts the handle: it is 0, the physical address of the memory, or one that leads
    /// the device to it.
    fn accepts_handle(&self, dma: &Dma<K>, device: Device, freed: &FreedMemory, ops: Option<MapOps>) -> bool {
        let FreedMemory { va, handle, .. } = *freed;
        let leads_to = |pa| pa == handle || ops.is_some_and(|ops| dma.bus(ops, device).is_handle_of(pa, handle));
        // A buffer without a mapping is freed by its physical address.
        let is_unmapped_buffer = || dma.pools().any(|pool| pool.buffer_without_mapping(va).is_some());
        handle == 0 || self.kernel.v2p(va).is_some_and(leads_to) || (is_unmapped_buffer() && leads_to(va))
    }

    /// Reports that the library refused the free of memory that the table does not have.
    pub fn report_refused_free(&'static self, call: &Call, va: Va, size: usize) {
        self.with_checker(call, |checker| checker.report(Finding::FreeUnknown, va, size, 0));
    }

    /// Checks a map, and records the mapping unless it failed: then its handle is [`MAPPING_ERROR`]. The caller states
    /// the physical address of a page mapping only: of other buffers it is found out here.
    pub fn check_map(&'static self, call: &Call, mut new: DebugEntry) {
        let mut mistake = None;
        if let Kind::Mapping(mapping) = &mut new.kind
            && mapping.by != MappedBy::Page
        {
            (mapping.pa, mistake) = self.locate_buffer(call, new.va, new.size);
        }
        let line = self.kernel.cache_line_max();
        self.with_checker(call, |checker| {
            if let Some(mistake) = mistake {
                checker.report(mistake, new.va, new.size, 0);
            }
            if new.handle != MAPPING_ERROR {
                checker.map(new, line);
            }
        });
    }

    /// Returns the physical address of a driver's buffer, or 0 if it is not known or the pages are not contiguous, and
    /// the mistake if no driver may map such a buffer for a device.
    fn locate_buffer(&self, call: &Call, va: Va, size: usize) -> (Pa, Option<Finding>) {
        let last = va.checked_add(size.saturating_sub(1));
        let Some(memory) = last.and_then(|last| self.kernel.v2p_of_range(va, last)) else {
            return (0, Some(Finding::BadAddress));
        };
        let pa = if memory.is_contiguous { memory.first } else { 0 };
        (pa, call.has_on_stack(va).then_some(Finding::Stack))
    }

    /// Notes that the driver checked whether a map failed.
    pub fn mark_mapping_checked(&'static self, call: &Call, handle: Handle) {
        self.with_checker(call, |checker| checker.mark_checked(handle));
    }

    /// Checks an unmap, and forgets the mapping. An unmap that needs a thread is checked in a thread only, for the
    /// reason that [`check_free`](Self::check_free) states. `has_record` returns whether the library has a record of a
    /// mapping of the device; it is called with a lock held.
    pub fn check_unmap(
        &'static self,
        call: &Call,
        by: UnmappedBy,
        given: MappedBuffer,
        has_record: impl Fn(MappedBuffer) -> bool,
    ) {
        if !matches!(by, UnmappedBy::ManagedSingle) || self.kernel.can_sleep() {
            self.with_checker(call, |checker| checker.unmap(by, given, has_record));
        }
    }

    /// Checks a sync of a mapping or a part of it.
    pub fn check_sync(&'static self, call: &Call, given: MappedBuffer) {
        if given.size != 0 {
            self.with_checker(call, |checker| checker.sync(given));
        }
    }

    /// Checks a call of `rt_dma_sync_out_data` or `rt_dma_sync_in_data`. Such a call needs no mapping: it is one
    /// itself.
    pub fn check_sync_data(&'static self, dma: &Dma<K>, call: &Call, data: &SyncedData) {
        let first_byte = self.byte_at(dma, data.va);
        let line = self.kernel.cache_line_max();
        self.with_checker(call, |checker| checker.sync_data(data, first_byte, line));
    }

    /// Returns how the byte at an address is mapped and used; `None` if it is not mapped.
    fn byte_at(&self, dma: &Dma<K>, va: Va) -> Option<FirstByte> {
        let pa = self.kernel.v2p(va)?;
        let (is_cached, is_free) = match dma.pool_touching(pa, pa.saturating_add(1)) {
            Some(pool) => {
                let is_cached = pool.address_info(va, pa).is_some_and(|info| info.is_cached);
                (is_cached, !pool.is_in_use(pa))
            }
            // Outside of the pools only the linear map is known to be cached.
            None => (self.kernel.linear(pa) == va, false),
        };
        Some(FirstByte { is_identity: pa == va, is_cached, is_free })
    }

    /// Notes that the driver released its managed resources, because it is removed, and reports what the device still
    /// holds.
    pub fn note_managed_release(&'static self, call: &Call) {
        self.with_checker(call, |checker| checker.release());
    }

    /// Reports what the device holds, because its driver is removed.
    pub fn note_driver_removal(&'static self, call: &Call) {
        self.with_checker(call, |checker| checker.state.report_held(call.device, |_| true));
    }
}
