//! The checks: what the debug mode does at each call of a driver. It asks the kernel about the memory first, and then
//! takes the lock and judges the call ([`judge`](super::judge)).

use super::calls::{FreedBy, FreedMemory, MappedPart, SyncedData, UnmappedBy};
use super::holding::{Holding, Kind, MappedBy};
use super::judge::FirstByte;
use super::mistake::Mistake;
use super::{Call, Debug};
use crate::additions::streaming::MAPPING_ERROR;
use crate::dropin::registry::Dma;
use crate::dropin::translate::MapOps;
use crate::kernel::{Device, Handle, Kernel, Va};

impl<K: Kernel> Debug<K> {
    /// Records memory that was allocated for the device, or a block pool that was created.
    pub fn allocated(&'static self, call: &Call, new: Holding) {
        self.with(call, |judge| judge.record_allocation(new));
    }

    /// Notes that a block pool is about to be destroyed.
    pub fn destroying(&self, pool: Va) {
        if let Some(held) = self.state.lock(self.kernel).table.held_pool(pool) {
            held.is_leaving = true;
        }
    }

    /// Forgets a block pool that was destroyed, and its blocks, unless a later pool has its address already. If the
    /// pool was not destroyed, it stays in the table.
    pub fn destroyed(&self, pool: Va, is_gone: bool) {
        let table = &mut self.state.lock(self.kernel).table;
        match table.held_pool(pool) {
            Some(held) if held.is_leaving && is_gone => table.forget_pool(pool),
            Some(held) => held.is_leaving = false,
            None => {}
        }
    }

    /// Returns the entry of a block pool; `None` if the pool is not in the table.
    pub fn block_pool(&self, pool: Va) -> Option<Holding> {
        self.state.lock(self.kernel).table.block_pool(pool).copied()
    }

    /// Checks a free, and forgets what it frees. `ops` are those by which `rt_dma_free` frees for the device; `None` if
    /// an operation of the BSP does, and for other functions. Returns false if the table does not have the memory: then
    /// the caller calls [`free_refused`](Self::free_refused) if the library refuses the free.
    ///
    /// Outside of a thread, a free that needs one is not checked, and true is returned: the library refuses it and logs
    /// that, and a thread may repeat it.
    pub fn freeing(&'static self, dma: &Dma<K>, call: &Call, freed: &FreedMemory, ops: Option<MapOps>) -> bool {
        let needs_thread = match freed.by {
            FreedBy::Free => dma.pools().any(|pool| pool.own_mappings.find(freed.va).is_some()),
            FreedBy::ManagedFree => true,
            FreedBy::BlockFree { .. } => false,
        };
        if needs_thread && !self.kernel.can_sleep() {
            return true;
        }
        let is_handle = match freed.by {
            FreedBy::Free if self.accepts_handle(dma, call.device, freed, ops) => Some(true),
            // `rt_dma_free` will refuse it.
            FreedBy::Free if ops.is_some() => Some(false),
            // For an operation of the BSP, and for other functions, it must be that of the allocation, or 0.
            _ => None,
        };
        self.with(call, |judge| judge.free(freed, is_handle))
    }

    /// Returns whether `rt_dma_free` accepts the handle: it is 0, the physical address of the memory, or one that leads
    /// the device to it.
    fn accepts_handle(&self, dma: &Dma<K>, device: Device, freed: &FreedMemory, ops: Option<MapOps>) -> bool {
        let FreedMemory { va, handle, .. } = *freed;
        let leads_to = |pa| pa == handle || ops.is_some_and(|ops| dma.bus(ops, device).is_handle(pa, handle));
        // A buffer without a mapping is freed by its physical address.
        let is_pa = || dma.pools().any(|pool| pool.buffer_without_mapping(va).is_some());
        handle == 0 || self.kernel.v2p(va).is_some_and(leads_to) || is_pa() && leads_to(va)
    }

    /// Reports that the library refused the free of memory that the table does not have.
    pub fn free_refused(&'static self, call: &Call, va: Va, size: usize) {
        self.with(call, |judge| judge.report(Mistake::FreeUnknown, [va, size, 0]));
    }

    /// Checks a map, and records the mapping unless it failed: then its handle is [`MAPPING_ERROR`]. The caller need
    /// not know the physical address of a buffer that is no page.
    pub fn mapped(&'static self, call: &Call, mut new: Holding) {
        let mistake = match &mut new.kind {
            Kind::Mapping(mapping) if mapping.by != MappedBy::Page => {
                let last = new.va.wrapping_add(new.size.saturating_sub(1));
                let (first_pa, last_pa) = (self.kernel.v2p(new.va), self.kernel.v2p(last));
                mapping.pa = first_pa.unwrap_or(0);
                if first_pa.is_none() || last_pa.is_none() {
                    Some(Mistake::Unmapped)
                } else {
                    call.has_on_stack(new.va).then_some(Mistake::Stack)
                }
            }
            _ => None,
        };
        let line = self.kernel.cache_line_max();
        self.with(call, |judge| {
            if let Some(mistake) = mistake {
                judge.report(mistake, [new.va, new.size, 0]);
            }
            if new.handle != MAPPING_ERROR {
                judge.map(new, line);
            }
        });
    }

    /// Notes that the driver checked whether a map failed.
    pub fn mapping_checked(&'static self, call: &Call, handle: Handle) {
        self.with(call, |judge| {
            let is_this_mapping = |entry: &&mut Holding| entry.handle == handle && entry.device == call.device;
            for entry in judge.state.table.live_mut().iter_mut().filter(is_this_mapping) {
                if let Kind::Mapping(mapping) = &mut entry.kind {
                    mapping.is_checked = true;
                }
            }
        });
    }

    /// Checks an unmap, and forgets the mapping. Outside of a thread, an unmap that needs one is not checked, for the
    /// reason that [`freeing`](Self::freeing) states.
    pub fn unmapping(&'static self, call: &Call, by: UnmappedBy, given: MappedPart) {
        if !matches!(by, UnmappedBy::ManagedSingle) || self.kernel.can_sleep() {
            self.with(call, |judge| judge.unmap(by, given));
        }
    }

    /// Checks a sync of a mapping or a part of it.
    pub fn syncing(&'static self, call: &Call, given: MappedPart) {
        if given.size != 0 {
            self.with(call, |judge| judge.sync(given));
        }
    }

    /// Checks a call of `rt_dma_sync_out_data` or `rt_dma_sync_in_data`. Such a call needs no mapping: it is one
    /// itself.
    pub fn syncing_data(&'static self, dma: &Dma<K>, call: &Call, data: &SyncedData) {
        let first_byte = self.byte_at(dma, data.va);
        let line = self.kernel.cache_line_max();
        self.with(call, |judge| judge.sync_data(data, first_byte, line));
    }

    /// Returns how the byte at an address is mapped and used; `None` if it is not mapped.
    fn byte_at(&self, dma: &Dma<K>, va: Va) -> Option<FirstByte> {
        let pa = self.kernel.v2p(va)?;
        Some(match dma.pool_in(pa, pa.saturating_add(1)) {
            Some(pool) => {
                let is_cached = pool.address_info(va, pa).is_some_and(|info| info.is_cached);
                FirstByte { is_cached, is_free: !pool.is_in_use(pa) }
            }
            // Outside of the pools only the linear map is known to be cached.
            None => FirstByte { is_cached: self.kernel.linear(pa) == va, is_free: false },
        })
    }

    /// Notes that the driver released its managed resources, because it is removed, and reports what the device still
    /// holds.
    pub fn managed_released(&'static self, call: &Call) {
        self.with(call, |judge| judge.release());
    }

    /// Reports what the device holds, because its driver is removed.
    pub fn driver_removed(&'static self, call: &Call) {
        self.with(call, |judge| judge.state.report_held(call.device, |_| true));
    }
}
