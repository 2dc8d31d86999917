//! The sync calls: handing the bytes of a buffer to the device, and back to the processor.

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
    /// [`Error::NotMapped`] if nothing is mapped at `data` or the range passes the end of the address space;
    /// [`Error::NotReachable`] if the device does not reach every byte. Both are counted and logged.
    ///
    /// Context: any.
    #[inline(always)] // Each table of operations has code of its own: see `ffi::dropin::ops`.
    pub fn sync_out(&self, ops: MapOps, device: Device, data: Va, size: usize, flags: Flags) -> Result<usize, Error> {
        let Some(pa) = self.mapped(data, size) else { return self.refuse_sync(Error::NotMapped, device, data, size) };
        let mut handle = pa;
        // Handles that are physical addresses reach all of memory.
        if ops.are_translated() {
            let bus = self.bus(ops, device);
            match bus.through_first_window(pa, size).or_else(|| bus.reach(pa, size, !0)) {
                Some(reached) => handle = reached,
                None => return self.refuse_sync(Error::NotReachable, device, pa, size),
            }
        }
        if ops.maintain_cache(flags) {
            cache::flush(self.kernel, data, size);
        }
        Ok(handle)
    }

    /// Makes what the device wrote to `[data, data + size)` visible to the processor. `size` is not zero.
    ///
    /// # Errors
    /// [`Error::NotMapped`] where the cache is maintained, and nothing is mapped at `data` or the range passes the end of
    /// the address space. It is counted and logged.
    ///
    /// Context: any.
    #[inline(always)] // As `sync_out`.
    pub fn sync_in(&self, ops: MapOps, device: Device, data: Va, size: usize, flags: Flags) -> Result<(), Error> {
        if !ops.maintain_cache(flags) {
            return Ok(());
        }
        if self.mapped(data, size).is_none() {
            return self.refuse_sync(Error::NotMapped, device, data, size);
        }
        // SAFETY: the driver gave the buffer to the device: what it writes there meanwhile is lost, as in C.
        #[allow(unsafe_code)]
        unsafe {
            cache::invalidate(self.kernel, data, size)
        }
        Ok(())
    }

    /// The physical address of `data`, if it is mapped and `[data, data + size)` does not pass the end of the address space.
    #[inline(always)]
    fn mapped(&self, data: Va, size: usize) -> Option<Pa> {
        data.checked_add(size).and_then(|_| self.kernel.v2p(data))
    }

    #[cold]
    #[inline(never)]
    fn refuse_sync<T>(&self, error: Error, device: Device, address: usize, size: usize) -> Result<T, Error> {
        self.refuse_device(error, device, address, size);
        Err(error)
    }
}
