//! Streaming mappings that hold the borrow of their bytes (Linux Documentation/core-api/dma-api-howto.rst, "Using
//! Streaming DMA mappings").
//!
//! A guard that borrows a buffer can be forgotten ([`core::mem::forget`]): this ends the borrow, but the device goes on
//! writing. There are therefore two kinds of mapping. A [`Mapping`] owns its buffer: if it is forgotten, the buffer is
//! never used again. A [`ScopedMapping`] of borrowed bytes exists only while a closure runs; the closure receives it by
//! reference, and can neither keep nor forget it.

use core::error::Error;
use core::fmt;

use super::direction::{Bytes, Direction};
use super::{BadMapping, Device, MapError, Platform, System};
use crate::additions::streaming::{Buffer, BusMaster, MappedBuffer};
use crate::kernel::Handle;
use crate::mem::handover::{HandedOver, HandedOverBuffer, StableBytes};
use crate::mem::heap::HeapBytes;

/// Bytes that a device has. The processor accesses them only in [`cpu`](ScopedMapping::cpu).
///
/// The bytes cannot be used meanwhile:
///
/// ```compile_fail,E0501
/// # use rt_dma_pool::driver::*;
/// fn receive<P: Platform>(device: &Device<P>, frame: &mut [u8]) -> Result<(), MapError> {
///     device.with_mapped(FromDevice, frame, |mapping| {
///         start_and_wait(mapping.handle());
///         frame[0] = 0; // the device's
///     })
/// }
/// # fn start_and_wait(_: usize) {}
/// ```
///
/// The mapping cannot leave the closure:
///
/// ```compile_fail,E0521
/// # use rt_dma_pool::driver::*;
/// fn receive<P: Platform>(device: &Device<P>, frame: &mut [u8]) {
///     let mut kept = None;
///     let _ = device.with_mapped(FromDevice, frame, |mapping| kept = Some(mapping));
/// }
/// ```
///
/// It cannot be exchanged with another mapping:
///
/// ```compile_fail,E0521
/// # use rt_dma_pool::driver::*;
/// fn receive<P: Platform>(device: &Device<P>, one: &mut [u8], two: &mut [u8]) {
///     let _ = device.with_mapped(FromDevice, one, |one| {
///         device.with_mapped(FromDevice, two, |two| core::mem::swap(one, two))
///     });
/// }
/// ```
pub struct ScopedMapping<'a, W: Direction, P: Platform> {
    system: &'static System<P>,
    master: BusMaster,
    mapped: MappedBuffer,
    bytes: HandedOver<'a, W::Access>,
}

impl<W: Direction, P: Platform> Drop for ScopedMapping<'_, W, P> {
    /// Unmaps the bytes. Their borrow ends afterwards, when the fields are dropped.
    fn drop(&mut self) {
        // SAFETY: the bytes were mapped as these fields state. An error means that C code has unmapped them.
        #[allow(unsafe_code)]
        let _ = unsafe { self.system.streaming.unmap(&self.master, &self.mapped) };
    }
}

impl<W: Direction, P: Platform> fmt::Debug for ScopedMapping<'_, W, P> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let MappedBuffer { handle, size, direction, .. } = &self.mapped;
        let mut value = to.debug_struct("ScopedMapping");
        value.field("handle", handle).field("size", size).field("direction", direction).finish_non_exhaustive()
    }
}

impl<'a, W: Direction, P: Platform> ScopedMapping<'a, W, P> {
    fn new(device: Device<P>, bytes: HandedOver<'a, W::Access>) -> Result<Self, MapError> {
        let system = device.system;
        let master = (system.find_master)(device.kernel_device)?;
        let buffer = Buffer::new(bytes.start(), bytes.size(), W::DIRECTION);
        // SAFETY: the mapping holds the borrow of the bytes until it is unmapped.
        #[allow(unsafe_code)]
        let handle = unsafe { system.streaming.map(&master, &buffer) }?;
        let mapped = MappedBuffer::new(handle, bytes.size(), W::DIRECTION);
        Ok(ScopedMapping { system, master, mapped, bytes })
    }

    /// Returns the address at which the device accesses the bytes.
    pub fn handle(&self) -> Handle {
        self.mapped.handle
    }

    /// Returns the number of bytes, not zero.
    pub fn size(&self) -> usize {
        self.mapped.size
    }

    /// Lets the processor access the bytes while `work` runs. They contain what the device wrote before the call.
    ///
    /// The driver is responsible for its device ([`driver`](super)): meanwhile, the device does not write to a byte
    /// that `work` accesses, and does not read one that `work` writes to. A byte that the device may write at any time
    /// lies in a [`CoherentBuffer`](super::CoherentBuffer).
    ///
    /// What the device writes to other bytes of a [`FromDevice`](super::FromDevice) mapping while `work` runs is not
    /// lost, unless `work` writes to the same cache line. What `work` writes to the bytes of such a mapping does not
    /// reach the device, and may be lost.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`BadMapping`] if C code has unmapped the bytes; `work` has not run if that happened before the call.
    pub fn cpu<R>(&mut self, work: impl FnOnce(Bytes<'_, W>) -> R) -> Result<R, BadMapping> {
        let ScopedMapping { system, master, mapped, bytes } = self;
        // SAFETY: the mapping is live, and is as these fields state.
        #[allow(unsafe_code)]
        unsafe { system.streaming.sync_for_cpu(master, mapped) }?;
        // SAFETY: the caller of `Device::new` promised that the device does not write to these bytes during `cpu`.
        #[allow(unsafe_code)]
        let result = work(unsafe { bytes.bytes() });
        // SAFETY: the mapping is live, and is as these fields state; the borrow of the bytes has ended.
        #[allow(unsafe_code)]
        unsafe { system.streaming.sync_for_device(master, mapped) }?;
        Ok(result)
    }
}

/// A buffer `B` whose bytes a device has. Dropping it unmaps the bytes and then drops the buffer.
///
/// A buffer is `&'static mut [u8]`, [`HeapBytes`], or, for [`ToDevice`](super::ToDevice), `&'static [u8]`. A borrow
/// that ends cannot be mapped in this way:
///
/// ```compile_fail,E0521
/// # use rt_dma_pool::driver::*;
/// fn receive<P: Platform>(device: &Device<P>, frame: &mut [u8]) {
///     let mapped = device.map(FromDevice, frame);
///     core::mem::forget(mapped);
/// }
/// ```
///
/// A buffer cannot be used before [`finish`](Mapping::finish) returns it:
///
/// ```compile_fail,E0382
/// # use rt_dma_pool::driver::*;
/// fn receive<P: Platform>(device: &Device<P>, frame: &'static mut [u8]) {
///     let mapped = device.map(FromDevice, frame);
///     frame[0] = 0; // the device's
/// }
/// ```
pub struct Mapping<W: Direction, B, P: Platform> {
    // Fields are dropped in this order: the bytes are unmapped before the buffer is dropped.
    mapping: ScopedMapping<'static, W, P>,
    buffer: HandedOverBuffer<B>,
}

impl<W: Direction, B, P: Platform> fmt::Debug for Mapping<W, B, P> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Mapping").field("mapping", &self.mapping).finish_non_exhaustive()
    }
}

impl<W: Direction, B, P: Platform> Mapping<W, B, P> {
    /// Returns the address at which the device accesses the bytes.
    pub fn handle(&self) -> Handle {
        self.mapping.handle()
    }

    /// Returns the number of bytes, not zero.
    pub fn size(&self) -> usize {
        self.mapping.size()
    }

    /// Lets the processor access the bytes while `work` runs: see [`ScopedMapping::cpu`].
    ///
    /// Context: any.
    ///
    /// # Errors
    /// As [`ScopedMapping::cpu`].
    pub fn cpu<R>(&mut self, work: impl FnOnce(Bytes<'_, W>) -> R) -> Result<R, BadMapping> {
        self.mapping.cpu(work)
    }

    /// Unmaps the bytes and returns the buffer, which contains what the device wrote.
    ///
    /// Context: any.
    pub fn finish(self) -> B {
        let Mapping { mapping, buffer } = self;
        drop(mapping);
        buffer.take_back()
    }
}

/// The error of [`Device::map`], with the buffer that was not mapped.
pub struct Refused<B> {
    /// The reason.
    pub error: MapError,
    /// The buffer, unchanged.
    pub buffer: B,
}

impl<B> fmt::Debug for Refused<B> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.error, to)
    }
}

impl<B> fmt::Display for Refused<B> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, to)
    }
}

impl<B> Error for Refused<B> {}

impl<P: Platform> Device<P> {
    /// Allocates `size` bytes in the kernel's heap, all zero, that share no cache line with other memory. Returns
    /// `None` if `size` is 0 or the heap has no room.
    ///
    /// Context: thread.
    pub fn bytes(&self, size: usize) -> Option<HeapBytes<P::Kernel>> {
        HeapBytes::new(self.system.kernel, size)
    }

    /// Maps the bytes of `buffer` for the device until the mapping is dropped or [finished](Mapping::finish).
    ///
    /// Context: any. An interrupt gets an error where a bounce buffer or a record needs memory: see
    /// [`crate::additions::streaming`].
    ///
    /// # Errors
    /// [`Refused`], which contains the buffer.
    pub fn map<W: Direction, B: StableBytes<W::Access>>(
        &self,
        _direction: W,
        buffer: B,
    ) -> Result<Mapping<W, B, P>, Refused<B>> {
        // SAFETY: `Mapping` drops its field `mapping`, which has the bytes, before its buffer. If `ScopedMapping::new`
        // fails, it has dropped the bytes.
        #[allow(unsafe_code)]
        let (buffer, bytes) = unsafe { HandedOverBuffer::new(buffer) };
        match ScopedMapping::new(*self, bytes) {
            Ok(mapping) => Ok(Mapping { mapping, buffer }),
            Err(error) => Err(Refused { error, buffer: buffer.take_back() }),
        }
    }

    /// Maps `bytes` for the device while `work` runs. `work` starts the device and waits until it is done.
    ///
    /// Context: any, as [`map`](Device::map).
    ///
    /// # Errors
    /// [`MapError`] if the bytes cannot be mapped; `work` does not run.
    pub fn with_mapped<W: Direction, R>(
        &self,
        _direction: W,
        bytes: Bytes<'_, W>,
        work: impl FnOnce(&mut ScopedMapping<'_, W, P>) -> R,
    ) -> Result<R, MapError> {
        let mut mapping = ScopedMapping::new(*self, HandedOver::new(bytes))?;
        Ok(work(&mut mapping))
    }
}
