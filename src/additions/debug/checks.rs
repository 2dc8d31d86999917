//! The checks: what the debug mode does at each call of a driver. It asks the kernel about the memory first, and then
//! takes the lock and judges the call ([`judge`](super::judge)).

use super::calls::{Allocated, FreedMemory, GivenMapping, MappedBuffer, SyncedData};
use super::entry::{Entry, Kind};
use super::judge::Memory;
use super::mistake::Mistake;
use super::{Call, Debug};
use crate::additions::streaming::MAPPING_ERROR;
use crate::dropin::registry::Dma;
use crate::kernel::{Handle, Kernel, Va};

impl<K: Kernel> Debug<K> {
    /// Records memory that was allocated for the device, or a block pool that was created.
    pub fn allocated(&'static self, call: &Call, new: &Allocated) {
        let pa = if new.kind == Kind::Buffer { self.kernel.v2p(new.va).unwrap_or(0) } else { new.pool };
        self.with(call, |judge| judge.allocation(new, pa));
    }

    /// Forgets a block pool, and its blocks.
    pub fn destroyed(&self, pool: usize) {
        let is_its = |entry: &Entry| match entry.kind {
            Kind::Pool => entry.va == pool,
            Kind::Block => entry.pa == pool,
            _ => false,
        };
        self.state.lock(self.kernel).table.forget(is_its);
    }

    /// Returns the device of a block pool; `None` if the pool is not in the table.
    pub fn device_of_pool(&self, pool: usize) -> Option<usize> {
        self.state.lock(self.kernel).table.pool(pool).map(|entry| entry.device)
    }

    /// Returns the size of the blocks of a pool, in bytes; 0 if the pool is not in the table.
    pub fn block_size(&self, pool: usize) -> usize {
        let state = self.state.lock(self.kernel);
        state.table.pool(pool).map_or(0, |entry| entry.size)
    }

    /// Checks a free, and forgets what it frees. Returns false if the table does not have it: then the caller calls
    /// [`refused`](Self::refused) if the library refuses the free.
    pub fn freeing(&'static self, call: &Call, freed: &FreedMemory) -> bool {
        self.with(call, |judge| judge.free(freed))
    }

    /// Reports that the library refused the free of memory that the table does not have.
    pub fn refused(&'static self, call: &Call, va: Va, size: usize) {
        self.with(call, |judge| judge.report(Mistake::FreeUnknown, [va, size, 0]));
    }

    /// Checks a map, and records the mapping unless it failed: then `handle` is [`MAPPING_ERROR`].
    pub fn mapped(&'static self, call: &Call, buffer: &MappedBuffer, handle: Handle) {
        let (address, size) = (buffer.address, buffer.size);
        let is_page = buffer.kind == Kind::Page;
        let pa = if is_page { Some(address) } else { self.kernel.v2p(address) };
        let last = address.wrapping_add(size.wrapping_sub(1));
        let mistake = if is_page {
            None
        } else if pa.is_none() || self.kernel.v2p(last).is_none() {
            Some(Mistake::Unmapped)
        } else {
            call.has_on_stack(address).then_some(Mistake::Stack)
        };
        let line = self.kernel.cache_line_max();
        self.with(call, |judge| {
            if let Some(mistake) = mistake {
                judge.report(mistake, [address, size, 0]);
            }
            if handle != MAPPING_ERROR {
                judge.map(buffer, handle, pa.unwrap_or(0), line);
            }
        });
    }

    /// Notes that the driver checked whether a map failed.
    pub fn checked(&'static self, call: &Call, handle: Handle) {
        self.with(call, |judge| {
            let is_it = |entry: &&mut Entry| entry.handle == handle && entry.device == call.device.0;
            for entry in judge.state.table.live_mut().iter_mut().filter(is_it) {
                entry.is_checked = true;
            }
        });
    }

    /// Checks an unmap, and forgets the mapping.
    pub fn unmapping(&'static self, call: &Call, given: &GivenMapping) {
        self.with(call, |judge| judge.unmap(given));
    }

    /// Checks a sync of a mapping.
    pub fn syncing(&'static self, call: &Call, given: &GivenMapping) {
        if given.size != 0 {
            self.with(call, |judge| judge.sync(given));
        }
    }

    /// Checks a call of `rt_dma_sync_out_data` or `rt_dma_sync_in_data`. Such a call needs no mapping: it is one
    /// itself.
    pub fn syncing_data(&'static self, dma: &Dma<K>, call: &Call, data: &SyncedData) {
        let memory = self.memory_at(dma, data.va);
        let line = self.kernel.cache_line_max();
        self.with(call, |judge| judge.sync_data(data, memory, line));
    }

    /// Returns how the byte at an address is mapped and used; `None` if it is not mapped.
    fn memory_at(&self, dma: &Dma<K>, va: Va) -> Option<Memory> {
        let pa = self.kernel.v2p(va)?;
        Some(match dma.pool_in(pa, pa.saturating_add(1)) {
            Some(pool) => {
                let is_cached = pool.address_info(va, pa).is_some_and(|info| info.is_cached);
                Memory { is_cached, is_free: !pool.is_in_use(pa) }
            }
            // Outside of the pools only the linear map is known to be cached.
            None => Memory { is_cached: self.kernel.linear(pa) == va, is_free: false },
        })
    }

    /// Notes that the driver released its managed resources, because it is removed, and reports what the device still
    /// holds.
    pub fn released(&'static self, call: &Call) {
        self.with(call, |judge| judge.release());
    }
}
