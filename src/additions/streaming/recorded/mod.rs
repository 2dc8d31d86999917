//! Mappings that have a record: of a pool's memory, of memory that is not at its linear address, with a bounce buffer, or
//! by operations of the BSP's own.

#[allow(unsafe_code)]
pub mod bounce;
#[allow(unsafe_code)]
pub mod mapping;
pub mod record;
pub mod records;
mod size_class;
pub mod spares;

use super::bus_master::Memory;
use super::hand_over::barrier_to_device;
use super::locate::Location;
use super::{BadMapping, Buffer, BusMaster, Coherence, MapError, Ops, Query, Streaming};
use crate::dropin::pool::AddressInfo;
use crate::dropin::registry::Dma;
use crate::kernel::{Handle, Kernel, Pa, Va};
use bounce::Bounce;
use mapping::Mapping;
use record::OwnedRecord;

impl<K: Kernel> Streaming<'_, K> {
    /// Maps a buffer, records the mapping, and returns its handle.
    ///
    /// Context: any.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    #[allow(unsafe_code)]
    pub(super) unsafe fn map_recorded(
        self,
        master: &BusMaster,
        buffer: &Buffer,
        location: Location,
        coherence: Coherence,
    ) -> Result<Handle, MapError> {
        let (dma, kernel) = (self.dma, self.dma.kernel);
        let &Buffer { va, size, direction, .. } = buffer;
        let maintain = coherence == Coherence::NonCoherent && address_info(dma, va, location.pa).is_cached;
        // The record is taken first: operations of a BSP's own need not be undone for want of one.
        let mut record = self.mappings.spares.take(kernel).ok_or(MapError::NoMemory)?;
        // SAFETY: the caller hands over the buffer, of which every page is mapped.
        let reached = unsafe { handle_or_bounce(dma, master, buffer, location, coherence, maintain) };
        let Some((handle, bounce)) = reached else {
            self.mappings.spares.put(kernel, record);
            return Err(MapError::NoBounce);
        };
        // The physical address that the device accesses. Operations of a BSP's own do not convert a handle back.
        let is_physical = handle == location.pa && bounce.is_none();
        let pa = if is_physical { Some(handle) } else { master.pa_of(dma, handle) };
        record.is_outside = !pa.is_some_and(|pa| is_in_pool(dma, pa, size));
        let mapping = record.mapping.insert(Mapping {
            master: *master,
            handle,
            size,
            direction,
            va,
            maintain,
            bounce,
            synced_in: None,
        });
        if matches!(master.ops, Ops::Library(_)) {
            mapping.flush(kernel, mapping.whole());
        }
        barrier_to_device(kernel);
        self.mappings.records.insert(kernel, record);
        Ok(handle)
    }

    /// Ends a mapping that has a record, as it was recorded.
    ///
    /// Context: any.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    #[allow(unsafe_code)]
    pub(super) unsafe fn unmap_recorded(self, master: &BusMaster, query: &Query) -> Result<(), BadMapping> {
        let kernel = self.dma.kernel;
        if !self.may_have_record(master, query) {
            return Err(BadMapping::Unknown);
        }
        let record = self.mappings.records.take(kernel, query)?;
        let mapping = record.mapping.as_ref().ok_or(BadMapping::Unknown)?;
        // SAFETY: the mapping is live no more, and the caller has left its buffer to the device until now.
        unsafe { mapping.take_back(kernel, query.attributes) };
        let result = mapping.check(query);
        self.free_record(record);
        result
    }

    /// Returns the mapping with a record that the query of a sync is about all or part of.
    ///
    /// Context: any.
    pub(super) fn find_recorded(self, master: &BusMaster, query: &Query) -> Result<Mapping, BadMapping> {
        if !self.may_have_record(master, query) {
            return Err(BadMapping::Unknown);
        }
        self.mappings.records.find(self.dma.kernel, query, |mapping| *mapping)
    }

    /// Returns false if no mapping that has a record contains the bytes of a query. True may be wrong. Takes no lock.
    fn may_have_record(self, master: &BusMaster, query: &Query) -> bool {
        let &Query { handle, size, .. } = query;
        let is_pools = |pa: Pa| self.dma.pool_in(pa, pa.saturating_add(size.max(1))).is_some();
        self.mappings.records.may_have_outside(handle) || master.pa_of(self.dma, handle).is_none_or(is_pools)
    }

    /// Frees the bounce buffer of a mapping that has ended, and makes its record a spare one. Where the bounce buffer cannot
    /// be freed in this context, both are left to the next thread.
    ///
    /// Context: any.
    pub(super) fn free_record(self, record: OwnedRecord<K>) {
        let kernel = self.dma.kernel;
        if let Some(Mapping { master, bounce: Some(bounce), .. }) = &record.mapping {
            if !bounce.can_be_freed(kernel) {
                return self.mappings.spares.put_unfreed(kernel, record);
            }
            bounce.free(self.dma, master);
        }
        self.mappings.spares.put(kernel, record);
    }
}

/// Returns the handle by which the device reaches the buffer itself, or that of a new bounce buffer; `None` if there is no
/// memory for a bounce buffer.
///
/// # Safety
/// See [the module](crate::additions::streaming). Every page of the buffer is mapped.
#[allow(unsafe_code)]
unsafe fn handle_or_bounce<K: Kernel>(
    dma: &Dma<K>,
    master: &BusMaster,
    buffer: &Buffer,
    location: Location,
    coherence: Coherence,
    maintain: bool,
) -> Option<(Handle, Option<Bounce>)> {
    let &Buffer { va, size, .. } = buffer;
    if location.is_contiguous
        && !(maintain && buffer.endangers_others(dma.kernel))
        // SAFETY: the caller guarantees that the device exists; every page of the buffer is mapped.
        && let Some(handle) = unsafe { master.reach(dma, &Memory { va, pa: location.pa, size, maintain }) }
    {
        return Some((handle, None));
    }
    // SAFETY: the caller hands over the buffer, of which every page is mapped.
    let (bounce, handle) = unsafe { Bounce::new(dma, master, coherence, va, size) }?;
    Some((handle, Some(bounce)))
}

/// Whether one pool contains all of the `size` bytes at `pa`.
fn is_in_pool<K: Kernel>(dma: &Dma<K>, pa: Pa, size: usize) -> bool {
    let end = pa.saturating_add(size);
    dma.pools().any(|pool| pool.start() <= pa && end <= pool.end())
}

/// Returns how the processor accesses the byte at `pa` through `va`. Memory outside the pools counts as cached.
fn address_info<K: Kernel>(dma: &Dma<K>, va: Va, pa: Pa) -> AddressInfo {
    dma.pools().find_map(|pool| pool.address_info(va, pa)).unwrap_or(AddressInfo { is_cached: true, is_in_view: false })
}
