//! Which devices a pool serves: the flag `DEVICE`, and the owners of a pool that is a `memory-region`.
//!
//! An *owner* is a device whose device-tree node names the pool's region in `memory-region`. The pool records each owner by
//! the device's address; this record is the device's *claim*. The claim ends when the device is gone.

use core::mem::size_of;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::Pool;
use crate::error::Error;
use crate::flags::Flags;
use crate::kernel::{Device, Kernel};
use crate::mem::heap::HeapMemory;
use crate::mem::shared::AtomicRef;

/// The first owner of a pool.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FirstOwner(usize);

impl FirstOwner {
    /// The pool is not a `memory-region`.
    pub const NONE: FirstOwner = FirstOwner(0);
    /// The pool is a `memory-region`, but its first owner is no device: a region that was installed for all devices, or whose
    /// first owner is gone. (The value is odd, and no device lies at an odd address.)
    pub const NO_DEVICE: FirstOwner = FirstOwner(1);

    /// The pool is a `memory-region` that `device` claimed first.
    pub fn device(device: Device) -> Self {
        FirstOwner(device.0)
    }

    /// Returns whether the first owner is a device.
    #[inline(always)]
    pub(super) fn is_device(self) -> bool {
        self.address() != 0
    }

    /// Returns the address of the device; zero for [`NONE`](Self::NONE) and [`NO_DEVICE`](Self::NO_DEVICE).
    #[inline(always)]
    pub(super) fn address(self) -> usize {
        self.0 & !FirstOwner::NO_DEVICE.0
    }
}

/// The owners of a pool.
pub(super) struct Owners {
    /// A [`FirstOwner`]. It is kept apart from `public.dev`, which C may write.
    first: AtomicUsize,
    others: AtomicRef<OtherOwner>,
}

/// An owner after the first.
struct OtherOwner {
    /// The address of the device; zero after its claim has ended.
    device: AtomicUsize,
    next: Option<&'static OtherOwner>,
}

impl Owners {
    #[inline(always)]
    pub(super) fn new(first: FirstOwner) -> Self {
        Owners { first: AtomicUsize::new(first.0), others: AtomicRef::new() }
    }

    /// Resets the owners to those of a new pool with this first owner. The caller makes sure that no device has a claim.
    pub(super) fn begin_anew(&self, first: FirstOwner) {
        self.first.store(first.0, Relaxed);
    }

    /// Returns whether a device has a claim.
    pub(super) fn has_device(&self) -> bool {
        FirstOwner(self.first.load(Relaxed)).is_device() || self.others().any(|owner| owner.device.load(Relaxed) != 0)
    }

    fn others(&self) -> impl Iterator<Item = &'static OtherOwner> {
        core::iter::successors(self.others.get(), |owner| owner.next)
    }
}

impl<K: Kernel> Pool<K> {
    /// Returns whether the pool is a `memory-region`.
    pub fn is_memory_region(&self) -> bool {
        self.owners.first.load(Relaxed) != FirstOwner::NONE.0
    }

    /// Returns whether the pool is a `memory-region` and `device` is one of its owners.
    pub fn is_owned_by(&self, device: Device) -> bool {
        self.is_memory_region() && self.belongs_to(device)
    }

    /// Returns whether `device` is the one in `public.dev`, or an owner after the first.
    #[inline(never)]
    fn belongs_to(&self, device: Device) -> bool {
        self.public.dev.load(Relaxed) as usize == device.0
            || self.owners.others().any(|owner| owner.device.load(Relaxed) == device.0)
    }

    /// Adds a claim of `device`, if it has none. The caller makes sure that no other call adds or ends claims meanwhile.
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// [`Error::NoMemory`] if the heap has no room for the record.
    #[inline(always)]
    pub fn add_owner(&self, device: Device) -> Result<(), Error> {
        if !self.belongs_to(device) {
            if let Some(free) = self.owners.others().find(|owner| owner.device.load(Relaxed) == 0) {
                free.device.store(device.0, Relaxed);
                return Ok(());
            }
            let memory = HeapMemory::new(self.kernel, size_of::<OtherOwner>()).ok_or(Error::NoMemory)?;
            let device = AtomicUsize::new(device.0);
            let next = self.owners.others.get();
            let owner = memory.place(|_| OtherOwner { device, next }).ok_or(Error::NoMemory)?;
            self.owners.others.set(Some(owner));
        }
        Ok(())
    }

    /// Returns whether the pool has a claim of a device at this address. The device may be gone, and another one may be at
    /// its address now.
    pub fn is_claimed_by(&self, device: Device) -> bool {
        self.owners.first.load(Relaxed) == device.0
            || self.owners.others().any(|owner| owner.device.load(Relaxed) == device.0)
    }

    /// Ends the claim of a device that is gone. If the BSP has written another device to `pool->dev`, that one stays there.
    ///
    /// Context: any.
    pub fn end_claim(&self, device: Device) {
        let first = &self.owners.first;
        if first.compare_exchange(device.0, FirstOwner::NO_DEVICE.0, Relaxed, Relaxed).is_ok() {
            let gone = core::ptr::with_exposed_provenance_mut(device.0);
            let _ = self.public.dev.compare_exchange(gone, core::ptr::null_mut(), Relaxed, Relaxed);
        }
        for owner in self.owners.others() {
            let _ = owner.device.compare_exchange(device.0, 0, Relaxed, Relaxed);
        }
    }

    /// Returns whether the pool serves a request of `device` with the flags `wanted`. A pool with the flag `DEVICE` serves
    /// only requests with that flag, and only those of its own device. Other pools serve only requests without it.
    #[inline(always)]
    pub fn serves(&self, device: Device, wanted: Flags) -> bool {
        self.serves_from(device, wanted, false)
    }

    /// Returns the result of [`serves`](Self::serves) if `only_owned` is false. Otherwise returns whether the pool is a
    /// `memory-region` of `device` and its memory has the properties that `wanted` asks for.
    #[inline(always)]
    pub fn serves_from(&self, device: Device, wanted: Flags, only_owned: bool) -> bool {
        let flags = self.flags();
        if !(wanted.difference(flags) & REQUIRED).is_empty() {
            return false;
        }
        if only_owned {
            return self.is_owned_by(device);
        }
        !(flags ^ wanted).contains(Flags::DEVICE) && (!flags.contains(Flags::DEVICE) || self.belongs_to(device))
    }
}

/// The flags that a pool must have if a request has them.
const REQUIRED: Flags = Flags::NOMAP.union(Flags::ADDRESS_32BITS);
