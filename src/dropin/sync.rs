//! The sync calls, which make the bytes of a buffer visible to the device or to the processor.
//!
//! With the operations that RT-Thread calls *coherent*, the library maintains the cache; with the *non-coherent* ones
//! it does not. That is the opposite of what these words mean in Linux: see [`MapOps`].
//!
//! `ffi/dropin/sync_ops.rs` calls these functions for a driver's call:
//!
//! | function | used for |
//! | --- | --- |
//! | `sync_out` | A call for the device that needs the handle, or whose operations translate handles. |
//! | `first_window_handle`, then `flush_out` | A call for a PCI device, with a buffer in the bridge's first window. |
//! | `flush_or_refuse` | A call for the device with coherent operations that does not need the handle. |
//! | `invalidate_or_refuse` | A call for the processor, with operations that maintain the cache. |
//!
//! A refused call is counted and logged. In an interrupt it is only counted: see `refusals.rs`.

use core::mem::MaybeUninit;

use crate::dropin::map_ops::MapOps;
use crate::dropin::registry::Dma;
use crate::dropin::translate::NO_MASK;
use crate::error::Error;
use crate::flags::Flags;
use crate::kernel::{Device, Handle, Kernel, Pa, Va};
use crate::mem::cache;

impl<K: Kernel> Dma<K> {
    /// Makes what the processor wrote to `[data, data + size)` visible to the device, and writes the handle to
    /// `handle_out`. `size` is not zero.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`Error::NotMapped`] if nothing is mapped at `data` or the range reaches the end of the address space;
    /// [`Error::NotReachable`] if the device does not reach every byte. Both are counted and logged, and
    /// `handle_out` stays as it is.
    #[inline(always)] // Otherwise each call with a handle takes 28 instructions more on aarch64.
    pub fn sync_out(
        &self,
        ops: MapOps,
        device: Device,
        data: Va,
        size: usize,
        handle_out: Option<&mut MaybeUninit<Handle>>,
        flags: Flags,
    ) -> Result<(), Error> {
        let Some(pa) = self.mapped_pa(data, size) else {
            return Err(self.refuse_sync(device, data, size, Error::NotMapped));
        };
        let handle = if ops.are_translated() {
            // No mask here: a masked table checks the handle.
            let Some(handle) = self.bus(ops, device).handle_of(pa, size, NO_MASK) else {
                return Err(self.refuse_sync(device, pa, size, Error::NotReachable));
            };
            handle
        } else {
            pa
        };
        // Written before the cache is maintained, so that the handle takes no register during the maintenance. If the
        // function returned the handle instead, a call with coherent operations would take 122 instructions on aarch64,
        // not 120.
        if let Some(handle_out) = handle_out {
            handle_out.write(handle);
        }
        self.flush_out(ops, data, size, flags);
        Ok(())
    }

    /// Returns the handle of a PCI device's buffer if the buffer is mapped and the first window of the device's bridge
    /// contains all of it.
    ///
    /// Context: any.
    pub fn first_window_handle(&self, device: Device, data: Va, size: usize) -> Option<Handle> {
        self.bus(MapOps::Pci, device).handle_in_first_window(self.mapped_pa(data, size)?, size)
    }

    /// Writes dirty lines of `[data, data + size)` to memory, if the operations and the flags require it. The first
    /// byte is mapped.
    ///
    /// Context: any.
    pub fn flush_out(&self, ops: MapOps, data: Va, size: usize, flags: Flags) {
        if ops.sync_maintains_cache(flags) {
            self.kernel.cache_flush(data, size);
        }
    }

    /// Writes dirty lines of `[data, data + size)` to memory if the buffer is mapped. This is what
    /// [`sync_out`](Self::sync_out) does with coherent operations, without the handle: no address is translated. (On
    /// aarch64, C's call takes 26 instructions less than with a handle.)
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`Error::NotMapped`], for the reasons that [`sync_out`](Self::sync_out) states.
    pub fn flush_or_refuse(&self, device: Device, data: Va, size: usize) -> Result<(), Error> {
        if !self.is_mapped(data, size) {
            return Err(self.refuse_sync(device, data, size, Error::NotMapped));
        }
        self.kernel.cache_flush(data, size);
        Ok(())
    }

    /// Makes what the device wrote to `[data, data + size)` visible to the processor, for operations that maintain the
    /// cache. `size` is not zero.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`Error::NotMapped`] if nothing is mapped at `data` or the range reaches the end of the address space. The error
    /// is counted and logged.
    ///
    /// # Safety
    /// As for [`Cache::cache_invalidate`](crate::kernel::Cache::cache_invalidate), for the bytes of the range if they
    /// are mapped: what the processor wrote to them since the last flush may be lost.
    #[allow(unsafe_code)]
    pub unsafe fn invalidate_or_refuse(&self, device: Device, data: Va, size: usize) -> Result<(), Error> {
        if !self.is_mapped(data, size) {
            return Err(self.refuse_sync(device, data, size, Error::NotMapped));
        }
        // SAFETY: the caller allows that bytes written since the last flush are lost.
        unsafe { cache::invalidate(self.kernel, data, size) }
        Ok(())
    }

    /// Returns the physical address of `data`, if it is mapped and `[data, data + size)` does not reach the end of the
    /// address space.
    fn mapped_pa(&self, data: Va, size: usize) -> Option<Pa> {
        data.checked_add(size).and_then(|_| self.kernel.v2p(data))
    }

    /// Returns whether [`mapped_pa`](Self::mapped_pa) would return an address, in fewer instructions. Only the first
    /// byte is looked up: that the others are mapped is the driver's duty.
    ///
    /// Context: any.
    pub(crate) fn is_mapped(&self, data: Va, size: usize) -> bool {
        data.checked_add(size).is_some() && self.kernel.is_mapped(data)
    }

    /// Counts and logs a refused call, and returns `error`. `address` is the virtual address of the bytes for
    /// [`NotMapped`](Error::NotMapped), and otherwise their physical address, which the device does not reach.
    fn refuse_sync(&self, device: Device, address: usize, size: usize, error: Error) -> Error {
        self.refuse_device(device, address, size, error);
        error
    }
}
