//! The sync calls, which make the bytes of a buffer visible to the device or to the processor.
//!
//! With the operations that RT-Thread calls *coherent*, the library maintains the cache; with the *non-coherent* ones
//! it does not. That is the opposite of what these words mean in Linux: see [`MapOps`].
//!
//! `ffi/dropin/sync_ops.rs` calls these functions for a driver's call:
//!
//! | function | used for |
//! | --- | --- |
//! | `handle_or_refuse`, then `flush_out` | A sync out that needs the handle, or whose operations translate. |
//! | `first_window_handle`, then `flush_out` | A sync out for a PCI device: the bridge's first window has the buffer. |
//! | `flush_or_refuse` | A sync out by the coherent operations that does not need the handle. |
//! | `invalidate_or_refuse` | A sync in by operations that maintain the cache. |
//!
//! A refused call is counted and logged. In an interrupt it is only counted: see `refusals.rs`.

use crate::dropin::map_ops::MapOps;
use crate::dropin::registry::Dma;
use crate::dropin::translate::NO_MASK;
use crate::error::Error;
use crate::flags::Flags;
use crate::kernel::{Device, Handle, Kernel, Pa, Va};
use crate::mem::cache;

impl<K: Kernel> Dma<K> {
    /// Returns the handle of `[data, data + size)` for the device. `size` is not zero. For a PCI device,
    /// [`first_window_handle`](Self::first_window_handle) returns the same handle faster, if it returns one.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`Error::NotMapped`] if nothing is mapped at `data` or the range reaches the end of the address space;
    /// [`Error::NotReachable`] if the device does not reach every byte. Both are counted and logged.
    #[inline(always)] // Otherwise the linked core has 24 bytes more on aarch64.
    pub fn handle_or_refuse(&self, ops: MapOps, device: Device, data: Va, size: usize) -> Result<Handle, Error> {
        let Some(pa) = self.mapped_pa(data, size) else {
            return Err(self.refuse_sync(device, data, size, Error::NotMapped));
        };
        if !ops.are_translated() {
            return Ok(pa);
        }
        // No mask here: a masked table checks the handle.
        match self.bus(ops, device).handle_of(pa, size, NO_MASK) {
            Some(handle) => Ok(handle),
            None => Err(self.refuse_sync(device, pa, size, Error::NotReachable)),
        }
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

    /// Writes dirty lines of `[data, data + size)` to memory if the buffer is mapped, for a caller that does not need
    /// the handle. No address is translated, so C's call takes 26 instructions less on aarch64.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`Error::NotMapped`], for the reasons that [`handle_or_refuse`](Self::handle_or_refuse) states.
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
