//! Mappings that have a record: of a pool's memory, of memory that is not at its linear address, with a bounce buffer, or
//! by operations of the BSP's own.

#[allow(unsafe_code)]
pub mod bounce;
#[allow(unsafe_code)]
mod fast;
#[allow(unsafe_code)]
pub mod mapping;
pub mod records;
mod size_class;
pub mod spares;

use super::arguments::Location;
use super::{Attributes, BadMapping, Buffer, BusMaster, MapError, Ops, Query, Streaming};
use crate::dropin::pool::{AddressInfo, Pool};
use crate::dropin::registry::Dma;
use crate::kernel::{Handle, Kernel, Pa, Va};
use bounce::Bounce;
use mapping::Mapping;
use spares::OwnedRecord;

impl<K: Kernel> Streaming<'_, K> {
    /// Maps a buffer, records the mapping, and returns its handle.
    ///
    /// Context: any.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    #[allow(unsafe_code)]
    #[inline(never)] // Not in the direct path, which would save registers for it.
    pub(crate) unsafe fn map_recorded(
        self,
        master: &BusMaster,
        buffer: &Buffer,
        location: Location,
        pool: Option<&Pool<K>>,
        is_coherent: bool,
    ) -> Result<Handle, MapError> {
        let kernel = self.dma.kernel;
        let &Buffer { va, size, direction, .. } = buffer;
        let maintain = !is_coherent && address_info(self.dma, va, location.pa).is_cached;
        // A pool that contains all of it: with a physical handle, that is what the device sees.
        let pool = pool.filter(|pool| pool.start() <= location.pa && location.pa + (size - 1) < pool.end());
        // The record is taken first: operations of a BSP's own need not be undone for want of one.
        let mut record = self.mappings.spares.take(kernel).ok_or(MapError::NoMemory)?;
        // SAFETY: the caller hands over the buffer, of which every page is mapped.
        let reached = unsafe { handle_or_bounce(self.dma, master, buffer, location, is_coherent, maintain) };
        let Some((handle, bounce)) = reached else {
            self.mappings.spares.put(kernel, record);
            return Err(MapError::NoBounce);
        };
        // Whether the device accesses a pool's bytes only. If it does, the record is not counted among those outside the pools.
        let is_physical = handle == location.pa && bounce.is_none();
        let is_inside = pool.is_some() && is_physical || is_in_pool(self.dma, master, handle, size);
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
        // The driver starts the device next: that comes after the bytes, also where no cache is maintained.
        kernel.device_barrier();
        self.mappings.records.insert(kernel, record, !is_inside);
        Ok(handle)
    }

    /// Ends a mapping that has a record, as it was recorded.
    ///
    /// Context: any.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    #[allow(unsafe_code)]
    pub(crate) unsafe fn unmap_recorded(self, query: &Query, attributes: Attributes) -> Result<(), BadMapping> {
        let kernel = self.dma.kernel;
        let record = self.mappings.records.take(kernel, query)?;
        let mapping = record.mapping.as_ref().ok_or(BadMapping::Unknown)?;
        // SAFETY: the mapping is live no more, and the caller has left its buffer to the device until now.
        unsafe { mapping.take_back(kernel, attributes) };
        let result = mapping.check(query);
        self.free_record(record);
        result
    }

    /// Frees the bounce buffer of a mapping that has ended, and makes its record a spare one. Where the bounce buffer cannot
    /// be freed in this context, both are left to the next thread.
    ///
    /// Context: any.
    pub(crate) fn free_record(self, record: OwnedRecord<K>) {
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
    is_coherent: bool,
    maintain: bool,
) -> Option<(Handle, Option<Bounce>)> {
    let &Buffer { va, size, .. } = buffer;
    if location.is_contiguous
        && !buffer.endangers_others(dma.kernel, maintain)
        // SAFETY: the caller guarantees that the device exists; every page of the buffer is mapped.
        && let Some(handle) = unsafe { master.reach(dma, va, location.pa, size, maintain) }
    {
        return Some((handle, None));
    }
    // SAFETY: the caller hands over the buffer, of which every page is mapped.
    let (bounce, handle) = unsafe { Bounce::new(dma, master, is_coherent, va, size) }?;
    Some((handle, Some(bounce)))
}

/// Whether one pool contains all of what the device calls `[handle, handle + size)`.
fn is_in_pool<K: Kernel>(dma: &Dma<K>, master: &BusMaster, handle: Handle, size: usize) -> bool {
    let Some(pa) = master.pa_of(dma, handle) else { return false };
    let end = pa.saturating_add(size);
    dma.pools().any(|pool| pool.start() <= pa && end <= pool.end())
}

/// Returns how the processor accesses the byte at `pa` through `va`. Memory outside the pools counts as cached.
fn address_info<K: Kernel>(dma: &Dma<K>, va: Va, pa: Pa) -> AddressInfo {
    dma.pools().find_map(|pool| pool.address_info(va, pa)).unwrap_or(AddressInfo { is_cached: true, is_in_view: false })
}
