//! Handing all or part of a mapping to the processor for a time, and back to the device.

use super::errors::refuse_sync;
use super::recorded::bsp_syncs::Purpose;
use super::recorded::mapping::{LiveMapping, Part};
use super::{BadMapping, BspOps, BusMaster, Direction, MappedBuffer, Ops, Streaming};
use crate::kernel::Kernel;

impl<K: Kernel> Streaming<'_, K> {
    /// Makes all or part of a mapping the processor's, until it is synced for the device. The handle of `mapped` is the
    /// mapping's, or that of a later byte in it. A part of a mapping for a device that is not coherent begins and ends
    /// on a cache line, or where the mapping does.
    ///
    /// Bytes go from the device to the processor only, and only if the device writes them, by the direction of `mapped`
    /// and by that of the mapping. The direction of `mapped` is the mapping's, or, for a bidirectional mapping, any but
    /// [`Neither`](Direction::Neither). A sync of zero bytes does nothing.
    ///
    /// Context: any; no unmap may be at work on the mapping.
    ///
    /// # Errors
    /// [`BadMapping`]: the device has no mapping with the handle, or the range ends after the mapping, or `mapped` has
    /// another direction than the mapping, or none. The call is counted, and logged if the caller may sleep. It changes
    /// nothing. A handle that leads to linear memory outside the pools is taken for that of a direct mapping, which has
    /// no record.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    pub unsafe fn sync_for_cpu(self, master: &BusMaster, mapped: &MappedBuffer) -> Result<(), BadMapping> {
        if mapped.size == 0 {
            return Ok(());
        }
        let (mapping, part) = self.find(master, mapped)?;
        let (kernel, direction) = (self.dma.kernel, mapped.direction);
        match mapping.master.ops {
            // SAFETY: the part lies within the mapping, and the caller has left it alone since it was the device's.
            Ops::Library(_) if direction.device_writes() => unsafe { mapping.sync_part_for_cpu(kernel, part) },
            Ops::Library(_) => {}
            Ops::Bsp(bsp) => {
                let synced_in = self.mappings.records.replace_synced_in(kernel, master.device, mapped, Some(part));
                let purpose = Purpose::transfer_if(direction.device_writes());
                // SAFETY: as for the library's operations.
                unsafe { mapping.sync_in_paired(kernel, bsp, synced_in, part, purpose) };
            }
        }
        // SAFETY: the part lies within the mapping, and the caller takes it back.
        unsafe { mapping.copy_from_bounce(kernel, part, direction) };
        Ok(())
    }

    /// Makes all or part of a mapping the device's again. The handle, the range, the direction and the context are as
    /// for [`sync_for_cpu`](Streaming::sync_for_cpu).
    ///
    /// Bytes are copied to a bounce buffer only if the device reads them, by the direction of `mapped` and by that of
    /// the mapping. So a driver that polls (sync for the processor, not yet, sync for the device) keeps what the device
    /// wrote meanwhile. Without a bounce buffer, dirty lines of the part are written to memory: a driver that polls
    /// does not write to the part.
    ///
    /// # Errors
    /// As [`sync_for_cpu`](Streaming::sync_for_cpu).
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    pub unsafe fn sync_for_device(self, master: &BusMaster, mapped: &MappedBuffer) -> Result<(), BadMapping> {
        if mapped.size == 0 {
            return Ok(());
        }
        let (mapping, part) = self.find(master, mapped)?;
        let (kernel, direction) = (self.dma.kernel, mapped.direction);
        // SAFETY: the part lies within the mapping, and the caller hands it over.
        unsafe { mapping.copy_to_bounce(self.dma, part, direction) };
        match mapping.master.ops {
            // The processor has only read the bounce buffer: no line of it is dirty.
            Ops::Library(_) if mapping.bounce.is_some() && !direction.device_reads() => {}
            Ops::Library(_) => mapping.flush(kernel, part),
            Ops::Bsp(bsp) => self.sync_for_device_by_bsp(master, mapped, &mapping, bsp, part),
        }
        kernel.device_barrier();
        Ok(())
    }

    /// Makes a part of a mapping the device's by one `sync_out` of a BSP's own, and makes the `sync_in` that the
    /// `sync_out` before it still needs, if it has had none.
    fn sync_for_device_by_bsp(
        self,
        master: &BusMaster,
        mapped: &MappedBuffer,
        mapping: &LiveMapping,
        bsp: &BspOps,
        part: Part,
    ) {
        let kernel = self.dma.kernel;
        if !mapping.sync_out(bsp, part, Purpose::Transfer) {
            // A `sync_out` that failed needs no `sync_in`. The lines are flushed here. The failure is not an error of
            // this call: the errors of a sync are mistakes of the driver, and in C the call returns nothing.
            mapping.flush(kernel, part);
            return;
        }
        if self.mappings.records.replace_synced_in(kernel, master.device, mapped, None).is_none() {
            // The earlier `sync_out` has had no `sync_in`. (Or the driver has unmapped the mapping, a mistake.)
            // SAFETY: it is no transfer.
            unsafe { mapping.sync_in(kernel, bsp, part, Purpose::Pairing) };
        }
    }

    /// Returns the mapping of which `mapped`, whose size is not zero, is all or a part, and which part.
    fn find(self, master: &BusMaster, mapped: &MappedBuffer) -> Result<(LiveMapping, Part), BadMapping> {
        let found = self.find_mapping(master, mapped);
        let mapping = found.inspect_err(|error| refuse_sync(self.dma, master.device, mapped, *error))?;
        let offset = mapped.handle.wrapping_sub(mapping.handle);
        Ok((mapping, Part { offset, size: mapped.size }))
    }

    /// Returns the mapping with a record that contains the range of a sync, or, if there is none, the direct one.
    fn find_mapping(self, master: &BusMaster, mapped: &MappedBuffer) -> Result<LiveMapping, BadMapping> {
        if mapped.direction == Direction::Neither {
            return Err(BadMapping::NoDirection);
        }
        match self.find_record(master, mapped) {
            Err(BadMapping::Unknown) => self.find_direct(master, mapped).ok_or(BadMapping::Unknown),
            other => other,
        }
    }
}
