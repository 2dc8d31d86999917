//! The sync calls: handing the bytes of a buffer to the device, and back to the processor.
//!
//! RT-Thread's names are older than its usage: *coherent* operations maintain the cache, *non-coherent* ones do not.

use crate::dropin::registry::Dma;
use crate::dropin::translate::MapOps;
use crate::error::Error;
use crate::flags::Flags;
use crate::kernel::{Device, Kernel, Pa, Va};
use crate::mem::cache;

impl<K: Kernel> Dma<K> {
    /// Makes what the processor wrote to `[data, data + size)` visible to the device, and returns the handle. `size` is not
    /// zero.
    ///
    /// # Errors
    /// [`Error::NotMapped`] if nothing is mapped at `data` or the range reaches the end of the address space;
    /// [`Error::NotReachable`] if the device does not reach every byte. Both are counted and logged.
    ///
    /// Context: any.
    pub fn sync_out(&self, ops: MapOps, device: Device, data: Va, size: usize, flags: Flags) -> Result<usize, Error> {
        let mut result = 0;
        self.sync_out_to(ops, device, data, size, flags, |handle| result = handle)?;
        Ok(result)
    }

    /// Does what [`sync_out`](Self::sync_out) does, and passes the handle to `store` before the cache is maintained. The
    /// handle then needs no register during the maintenance.
    ///
    /// # Errors
    /// As [`sync_out`](Self::sync_out); `store` is not called.
    ///
    /// Context: any.
    #[inline(always)] // Each table of operations has code of its own: see `ffi::dropin::sync_ops`.
    pub fn sync_out_to(
        &self,
        ops: MapOps,
        device: Device,
        data: Va,
        size: usize,
        flags: Flags,
        store: impl FnOnce(usize),
    ) -> Result<(), Error> {
        let Some(pa) = self.mapped(data, size) else { return self.refuse_sync(Error::NotMapped, device, data, size) };
        if ops.are_translated() {
            match self.bus(ops, device).reach(pa, size, !0) {
                Some(handle) => store(handle),
                None => return self.refuse_sync(Error::NotReachable, device, pa, size),
            }
        } else {
            // Handles that are physical addresses reach all of memory.
            store(pa);
        }
        self.flush_out(ops, data, size, flags);
        Ok(())
    }

    /// Returns the handle of a PCI device's buffer, if it is mapped, and the first window of the device's bridge holds all of
    /// it. Context: any.
    #[inline(always)] // As `sync_out_to`.
    pub fn first_window_handle(&self, device: Device, data: Va, size: usize) -> Option<usize> {
        self.bus(MapOps::Pci, device).through_first_window(self.mapped(data, size)?, size)
    }

    /// Maintains the cache of `[data, data + size)`, which is mapped, for the device, if that is to be done. Context: any.
    #[inline(always)] // As `sync_out_to`.
    pub fn flush_out(&self, ops: MapOps, data: Va, size: usize, flags: Flags) {
        if ops.maintain_cache(flags) {
            cache::flush(self.kernel, data, size);
        }
    }

    /// Does what [`sync_out`](Self::sync_out) does with coherent operations for a caller that does not ask for the handle: no
    /// address is translated.
    ///
    /// # Errors
    /// [`Error::NotMapped`] as [`sync_out`](Self::sync_out).
    ///
    /// Context: any.
    #[inline(always)] // As `sync_out_to`.
    pub fn sync_out_unasked(&self, device: Device, data: Va, size: usize) -> Result<(), Error> {
        if !self.is_mapped(data, size) {
            return self.refuse_sync(Error::NotMapped, device, data, size);
        }
        cache::flush(self.kernel, data, size);
        Ok(())
    }

    /// Makes what the device wrote to `[data, data + size)` visible to the processor. `size` is not zero.
    ///
    /// # Errors
    /// [`Error::NotMapped`] where the cache is maintained, and nothing is mapped at `data` or the range reaches the end of
    /// the address space. It is counted and logged.
    ///
    /// Context: any.
    #[inline(always)] // As `sync_out_to`.
    pub fn sync_in(&self, ops: MapOps, device: Device, data: Va, size: usize, flags: Flags) -> Result<(), Error> {
        if !ops.maintain_cache(flags) {
            return Ok(());
        }
        if !self.is_mapped(data, size) {
            return self.refuse_sync(Error::NotMapped, device, data, size);
        }
        // SAFETY: the driver gave the buffer to the device: what it writes there meanwhile is lost, as in C.
        #[allow(unsafe_code)]
        unsafe {
            cache::invalidate(self.kernel, data, size)
        }
        Ok(())
    }

    /// Returns the physical address of `data`, if it is mapped and `[data, data + size)` does not reach the end of the address
    /// space.
    #[inline(always)]
    fn mapped(&self, data: Va, size: usize) -> Option<Pa> {
        data.checked_add(size).and_then(|_| self.kernel.v2p(data))
    }

    /// Whether [`mapped`](Self::mapped) returns an address.
    #[inline(always)]
    fn is_mapped(&self, data: Va, size: usize) -> bool {
        data.checked_add(size).is_some() && self.kernel.is_mapped(data)
    }

    /// Counts and logs a refused call, and returns the reason.
    #[inline(always)] // Each caller then knows the reason, and has one error number to return.
    fn refuse_sync(&self, error: Error, device: Device, address: usize, size: usize) -> Result<(), Error> {
        self.refuse_sync_of(device, address, size, error);
        Err(error)
    }

    // The order of the arguments is that of the calls, so that most of them are where they belong.
    #[cold]
    #[inline(never)]
    fn refuse_sync_of(&self, device: Device, address: usize, size: usize, error: Error) {
        self.refuse_device(error, device, address, size);
    }
}
