//! Streaming mappings that hold the borrow of their bytes (Linux Documentation/core-api/dma-api-howto.rst, "Using
//! Streaming DMA mappings").
//!
//! A guard that borrows a buffer for a time can be forgotten, which ends the borrow, but not the device's writing. So
//! there are two kinds. A [`Mapped`] has its bytes for good: forgotten, they are lost, and nobody touches them any
//! more. A [`Mapping`] of bytes that are borrowed for a time exists during a closure only; the closure sees it by
//! reference, and can neither keep nor forget it.

use super::{BadMapping, Device, MapError, Platform};
use crate::additions::streaming::{Direction, Master};
use crate::mem::lent::{Access, HeapBytes, LentBytes, Lender, Shared, StableBytes, Unique};

mod sealed {
    pub trait Sealed {}
}

/// Which way the bytes of a mapping go.
pub trait Way: sealed::Sealed + 'static {
    /// How the processor lends them.
    type Access: Access;
    /// The same for the core.
    const DIRECTION: Direction;
}

/// The device reads: it is lent `&[u8]`.
#[derive(Clone, Copy, Debug)]
pub struct ToDevice;
/// The device writes: it is lent `&mut [u8]`.
#[derive(Clone, Copy, Debug)]
pub struct FromDevice;
/// The device reads and writes: it is lent `&mut [u8]`.
#[derive(Clone, Copy, Debug)]
pub struct Bidirectional;

impl sealed::Sealed for ToDevice {}
impl Way for ToDevice {
    type Access = Shared;
    const DIRECTION: Direction = Direction::ToDevice;
}

impl sealed::Sealed for FromDevice {}
impl Way for FromDevice {
    type Access = Unique;
    const DIRECTION: Direction = Direction::FromDevice;
}

impl sealed::Sealed for Bidirectional {}
impl Way for Bidirectional {
    type Access = Unique;
    const DIRECTION: Direction = Direction::Bidirectional;
}

/// The borrow that a mapping has: `&'a [u8]` for [`ToDevice`], else `&'a mut [u8]`.
pub type Bytes<'a, W> = <<W as Way>::Access as Access>::Bytes<'a>;

/// What the core knows a mapping by. Dropped, it is unmapped.
struct Entry<P: Platform> {
    device: Device<P>,
    master: Master,
    handle: usize,
    size: usize,
    direction: Direction,
}

impl<P: Platform> Drop for Entry<P> {
    fn drop(&mut self) {
        let system = self.device.system;
        // SAFETY: it was mapped as this entry states, and was not unmapped before.
        #[allow(unsafe_code)]
        let _ =
            unsafe { system.streaming.unmap(system.dma, &self.master, self.handle, self.size, self.direction) };
    }
}

/// Bytes that a device has. Meanwhile the processor touches them in [`cpu`](Mapping::cpu) only.
///
/// A borrow that is lent cannot be used:
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
/// nor can the mapping leave the closure:
///
/// ```compile_fail,E0521
/// # use rt_dma_pool::driver::*;
/// fn receive<P: Platform>(device: &Device<P>, frame: &mut [u8]) {
///     let mut kept = None;
///     let _ = device.with_mapped(FromDevice, frame, |mapping| kept = Some(mapping));
/// }
/// ```
///
/// nor change places with another:
///
/// ```compile_fail,E0521
/// # use rt_dma_pool::driver::*;
/// fn receive<P: Platform>(device: &Device<P>, one: &mut [u8], two: &mut [u8]) {
///     let _ = device.with_mapped(FromDevice, one, |one| {
///         device.with_mapped(FromDevice, two, |two| core::mem::swap(one, two))
///     });
/// }
/// ```
pub struct Mapping<'a, W: Way, P: Platform> {
    // Unmapped before the borrow ends.
    entry: Entry<P>,
    bytes: LentBytes<'a, W::Access>,
}

impl<'a, W: Way, P: Platform> Mapping<'a, W, P> {
    fn new(device: Device<P>, bytes: LentBytes<'a, W::Access>) -> Result<Self, MapError> {
        let system = device.system;
        let (size, direction) = (bytes.size(), W::DIRECTION);
        let master = (system.master)(device.device).ok_or(MapError::NoMemory)?;
        // SAFETY: the mapping holds the borrow of the bytes until it is unmapped.
        #[allow(unsafe_code)]
        let handle = unsafe { system.streaming.map(system.dma, &master, bytes.start(), size, direction) }?;
        Ok(Mapping { entry: Entry { device, master, handle, size, direction }, bytes })
    }

    /// Where the device finds the bytes.
    pub fn handle(&self) -> usize {
        self.entry.handle
    }

    /// How many bytes there are, not zero.
    pub fn size(&self) -> usize {
        self.entry.size
    }

    /// Lets the processor at the bytes while `work` runs, in which the device leaves them alone. Any context.
    ///
    /// A driver may poll: of a [`FromDevice`] mapping, what the device writes while `work` runs is not lost. What `work`
    /// writes to such bytes does not reach the device, and may be lost.
    ///
    /// An error says that somebody else unmapped them.
    pub fn cpu<R>(&mut self, work: impl FnOnce(Bytes<'_, W>) -> R) -> Result<R, BadMapping> {
        let Entry { device, master, handle, size, direction } = &self.entry;
        let system = device.system;
        // SAFETY: the mapping is live, and is as its entry states.
        #[allow(unsafe_code)]
        unsafe { system.streaming.sync_for_cpu(system.dma, master, *handle, *size, *direction) }?;
        let result = work(self.bytes.bytes());
        // SAFETY: as above; the borrow of the bytes has ended.
        #[allow(unsafe_code)]
        unsafe { system.streaming.sync_for_device(system.dma, master, *handle, *size, *direction) }?;
        Ok(result)
    }
}

/// Bytes that a device has, with their owner `B`. Dropped, they are unmapped, and then the owner is dropped.
///
/// An owner is `&'static mut [u8]`, [`HeapBytes`], or, for what the device only reads, `&'static [u8]`. No other borrow
/// is:
///
/// ```compile_fail,E0521
/// # use rt_dma_pool::driver::*;
/// fn receive<P: Platform>(device: &Device<P>, frame: &mut [u8]) {
///     let mapped = device.map(FromDevice, frame);
///     core::mem::forget(mapped);
/// }
/// ```
///
/// What is lent cannot be used before it is given back:
///
/// ```compile_fail,E0382
/// # use rt_dma_pool::driver::*;
/// fn receive<P: Platform>(device: &Device<P>, frame: &'static mut [u8]) {
///     let mapped = device.map(FromDevice, frame);
///     frame[0] = 0; // the device's
/// }
/// ```
pub struct Mapped<W: Way, B, P: Platform> {
    // Unmapped before the owner goes.
    mapping: Mapping<'static, W, P>,
    owner: Lender<B>,
}

impl<W: Way, B, P: Platform> Mapped<W, B, P> {
    /// Where the device finds the bytes.
    pub fn handle(&self) -> usize {
        self.mapping.handle()
    }

    /// How many bytes there are, not zero.
    pub fn size(&self) -> usize {
        self.mapping.size()
    }

    /// Lets the processor at the bytes for a time: see [`Mapping::cpu`]. Any context.
    pub fn cpu<R>(&mut self, work: impl FnOnce(Bytes<'_, W>) -> R) -> Result<R, BadMapping> {
        self.mapping.cpu(work)
    }

    /// Makes the bytes the processor's again, with what the device wrote. Any context.
    pub fn finish(self) -> B {
        let Mapped { mapping, owner } = self;
        drop(mapping);
        owner.take()
    }
}

/// Why bytes are not mapped, and their owner.
pub struct Refused<B> {
    /// Why.
    pub error: MapError,
    /// What was to be mapped. Nobody touched it.
    pub owner: B,
}

impl<B> core::fmt::Debug for Refused<B> {
    fn fmt(&self, to: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.error.fmt(to)
    }
}

impl<P: Platform> Device<P> {
    /// So many bytes in the kernel's heap, all zero, to be mapped without a neighbour in their cache lines; `None` for
    /// none, or if there is no room. *Thread.*
    pub fn bytes(&self, size: usize) -> Option<HeapBytes<P::Kernel>> {
        HeapBytes::new(self.system.dma.kernel, size)
    }

    /// Makes bytes the device's until the mapping is dropped, or [finished](Mapped::finish). Any context: see
    /// [`crate::additions::streaming`].
    pub fn map<W: Way, B: StableBytes<W::Access>>(&self, _way: W, owner: B) -> Result<Mapped<W, B, P>, Refused<B>> {
        // SAFETY: `Mapped` drops its mapping, which has the bytes, before its owner; so does `Mapping::new` if it fails.
        #[allow(unsafe_code)]
        let (owner, bytes) = unsafe { Lender::lend(owner) };
        match Mapping::new(*self, bytes) {
            Ok(mapping) => Ok(Mapped { mapping, owner }),
            Err(error) => Err(Refused { error, owner: owner.take() }),
        }
    }

    /// Makes bytes the device's while `work` runs, which starts the device and waits until it is done. Any context: see
    /// [`crate::additions::streaming`].
    pub fn with_mapped<W: Way, R>(
        &self,
        _way: W,
        bytes: Bytes<'_, W>,
        work: impl FnOnce(&mut Mapping<'_, W, P>) -> R,
    ) -> Result<R, MapError> {
        let mut mapping = Mapping::new(*self, LentBytes::new(bytes))?;
        Ok(work(&mut mapping))
    }
}
