//! Mappings that have a record: of a pool's memory, of other memory that is not mapped directly, with a bounce buffer,
//! or by operations of the BSP's own.
//!
//! | file | what it has |
//! | --- | --- |
//! | `mapping.rs` | What a record keeps, and what is copied and maintained when the buffer changes hands. |
//! | `bsp_syncs.rs` | The calls of a BSP's own operations for a mapping, in pairs. |
//! | `bounce.rs` | Bounce buffers. |
//! | `table.rs` | The table of records: finding one by a handle. |
//! | `spares.rs` | Spare records, so that a map in an interrupt finds one. |

#[allow(unsafe_code)]
pub mod bounce;
#[allow(unsafe_code)]
pub mod bsp_syncs;
#[allow(unsafe_code)]
pub mod mapping;
pub mod spares;
pub mod table;

use super::locate::{Location, is_within_one_pool};
use super::{Attributes, BadMapping, BusMaster, Direction, MapError, MappedBuffer, Ops, Streaming};
use crate::dropin::registry::Dma;
use crate::kernel::{Handle, Kernel, Pa};
use bounce::FilledBounce;
use bsp_syncs::Purpose;
use mapping::LiveMapping;
use table::Record;

impl<K: Kernel> Streaming<'_, K> {
    /// Maps a buffer, with a bounce buffer if `needs_bounce` or if the device does not reach the driver's, records the
    /// mapping, and returns its handle.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`NoMemory`](MapError::NoMemory) if there is no memory for the record, and [`NoBounce`](MapError::NoBounce) if
    /// there is no bounce buffer. Then nothing is recorded.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    #[allow(unsafe_code)]
    pub(super) unsafe fn map_with_record(
        self,
        master: &BusMaster,
        direction: Direction,
        location: &Location,
        needs_bounce: bool,
    ) -> Result<Handle, MapError> {
        let (dma, kernel) = (self.dma, self.dma.kernel);
        let buffer = &location.buffer;
        // The record is taken first. If there is none, no operation of a BSP's own has been called that must be undone.
        let mut record = self.mappings.spares.take(kernel).ok_or(MapError::NoMemory)?;
        *record = LiveMapping::of(master, location, direction);
        let mut handle = None;
        if !needs_bounce {
            // SAFETY: the caller guarantees that the device exists; every page of the buffer is mapped.
            handle = unsafe { master.acquire_handle(dma, buffer) };
        }
        if handle.is_none() {
            // SAFETY: the caller hands over the buffer, of which every page is mapped.
            handle = unsafe { add_bounce(dma, &mut record) };
        }
        let Some(handle) = handle else {
            self.mappings.spares.put(kernel, record);
            return Err(MapError::NoBounce);
        };
        record.handle = handle;
        // A physical address leads to what the device sees.
        if !master.has_physical_handles() {
            record.leads_outside_pools = leads_outside_pools(dma, master, handle, buffer.size);
        }
        if matches!(master.ops, Ops::Library(_)) {
            record.flush(kernel, record.whole());
        }
        kernel.device_barrier();
        self.mappings.records.insert(kernel, record);
        Ok(handle)
    }

    /// Ends a mapping that has a record. The size and the direction are those of the record.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`Unknown`](BadMapping::Unknown) and [`Ambiguous`](BadMapping::Ambiguous) as [`take`](table::RecordTable::take):
    /// nothing has ended. [`WrongSize`](BadMapping::WrongSize) and [`WrongDirection`](BadMapping::WrongDirection): the
    /// mapping has ended, and the driver stated another size or direction than the record.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    #[allow(unsafe_code)]
    pub(super) unsafe fn unmap_with_record(self, master: &BusMaster, mapped: &MappedBuffer) -> Result<(), BadMapping> {
        let kernel = self.dma.kernel;
        if !self.may_have_record(master, mapped) {
            return Err(BadMapping::Unknown);
        }
        let record = self.mappings.records.take(kernel, master.device, mapped)?;
        let result = record.check_unmap(mapped);
        // SAFETY: the mapping is live no more, and the caller has left its buffer to the device until now.
        unsafe { take_back(kernel, &record, mapped.attributes) };
        self.free_record(record);
        result
    }

    /// Returns whether a mapping that has a record has the device, handle, size and direction of an unmap.
    ///
    /// Context: any.
    pub fn has_record(self, master: &BusMaster, mapped: &MappedBuffer) -> bool {
        self.may_have_record(master, mapped) && self.mappings.records.has_exact(self.dma.kernel, master.device, mapped)
    }

    /// Returns the mapping with a record that contains the range of a sync.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`Unknown`](BadMapping::Unknown) if there is none. [`PastEnd`](BadMapping::PastEnd) or
    /// [`WrongDirection`](BadMapping::WrongDirection) if one contains the first byte, but ends too early or does not
    /// have this direction.
    pub(super) fn find_record(self, master: &BusMaster, mapped: &MappedBuffer) -> Result<LiveMapping, BadMapping> {
        if !self.may_have_record(master, mapped) {
            return Err(BadMapping::Unknown);
        }
        self.mappings.records.find(self.dma.kernel, master.device, mapped)
    }

    /// Returns false only if no mapping that has a record contains the mapped buffer. If it returns true, there need
    /// not be one. Takes no lock.
    // As a function of its own it takes 17 instructions more (`ci/bench`, rows "pool").
    #[inline(always)]
    fn may_have_record(self, master: &BusMaster, mapped: &MappedBuffer) -> bool {
        let &MappedBuffer { handle, size, .. } = mapped;
        let is_of_pool = |pa: Pa| self.dma.pool_touching(pa, pa.saturating_add(size.max(1))).is_some();
        self.mappings.records.may_have_record_outside_pools(handle)
            || master.pa_of(self.dma, handle).is_none_or(is_of_pool)
    }

    /// Frees the bounce buffer of a mapping that has ended, and makes its record a spare one. Where the bounce buffer
    /// cannot be freed in this context, both are left to the next thread.
    ///
    /// Context: any.
    // As a function of its own it takes 15 instructions more (`ci/bench`, rows "pool").
    #[inline(always)]
    #[allow(unsafe_code)]
    pub(super) fn free_record(self, record: Record<K>) {
        let kernel = self.dma.kernel;
        match &record.bounce {
            Some(bounce) if !bounce.can_be_freed(kernel) => return self.mappings.spares.put_unfreed(kernel, record),
            // SAFETY: the caller of `FilledBounce::new` guarantees that the device exists until its mappings have ended
            // and `tidy` has freed what interrupts left, and `forget_earlier_device` frees none that a BSP's operations
            // allocated. A bounce buffer is freed once: its record is in no list, and a spare record gets another
            // mapping.
            Some(bounce) => unsafe { bounce.free(self.dma, &record.master) },
            None => {}
        }
        self.mappings.spares.put(kernel, record);
    }
}

/// Gives a mapping a bounce buffer, which the device sees in place of the driver's, and returns its handle. `None` if
/// there is none within the device's reach.
///
/// # Safety
/// As for [`FilledBounce::new`].
#[allow(unsafe_code)]
// As a part of `map_with_record`, a map of a pool's memory takes 6 instructions more (`ci/bench`, rows "pool").
#[inline(never)]
unsafe fn add_bounce<K: Kernel>(dma: &Dma<K>, mapping: &mut LiveMapping) -> Option<Handle> {
    // SAFETY: the caller keeps to the duties of `FilledBounce::new`.
    let FilledBounce { bounce, copy, handle } =
        unsafe { FilledBounce::new(dma, &mapping.master, mapping.va, mapping.size, mapping.direction) }?;
    mapping.bounce = Some(bounce);
    mapping.seen_va = copy.va;
    mapping.needs_maintenance = copy.needs_maintenance;
    mapping.leads_outside_pools = false;
    Some(handle)
}

/// Makes the whole buffer the processor's at the end of the mapping.
///
/// # Safety
/// As for [`copy_to_bounce`](LiveMapping::copy_to_bounce) and [`sync_part_for_cpu`](LiveMapping::sync_part_for_cpu),
/// for the whole buffer.
#[allow(unsafe_code)]
unsafe fn take_back<K: Kernel>(kernel: K, mapping: &LiveMapping, attributes: Attributes) {
    let whole = mapping.whole();
    let is_wanted = !attributes.contains(Attributes::SKIP_CPU_SYNC) && mapping.direction.device_writes();
    match mapping.master.ops {
        // SAFETY: the whole is within the mapping; the caller guarantees that nothing has written to it.
        Ops::Library(_) if is_wanted => unsafe { mapping.sync_part_for_cpu(kernel, whole) },
        Ops::Library(_) => {}
        // SAFETY: as for the library's operations.
        Ops::Bsp(bsp) => unsafe { mapping.sync_in_at_end(kernel, bsp, Purpose::transfer_if(is_wanted)) },
    }
    if is_wanted {
        // SAFETY: the whole is within the mapping; the caller takes the buffer back.
        unsafe { mapping.copy_from_bounce(kernel, whole, mapping.direction) };
    }
}

/// Returns whether an unmap or a sync may find no pool at the address to which its handle leads: false if the handles
/// of the `size` bytes from `handle` on lead to the memory of one pool. That need not be the memory that was mapped,
/// because a translation need not invert.
#[cold]
fn leads_outside_pools<K: Kernel>(dma: &Dma<K>, master: &BusMaster, handle: Handle, size: usize) -> bool {
    !master.pa_of_range(dma, handle, size).is_some_and(|pa| is_within_one_pool(dma, pa, size))
}
