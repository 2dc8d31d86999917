//! The owners of a pool that is a `memory-region`.
//!
//! An *owner* is a device whose device-tree node names the pool's region in `memory-region`. The pool records each
//! owner in a *claim*: the address of the device, and its node. A device may be removed without a notice to the
//! library, and another device may get its address. Such a device has another node, or none, and so the claim does not
//! count for it.

use super::Pool;
use super::region::{Origin, OwnerAddresses};
use crate::error::Error;
use crate::kernel::{Device, Kernel, Node};
use crate::mem::atomic_ref::AtomicRef;
use crate::mem::atomics::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use crate::mem::heap::alloc_static;

/// The owners of a pool.
pub(super) struct Owners {
    /// The pool is a `memory-region`.
    is_region: AtomicBool,
    /// The first claim. It is kept apart from `public.dev`, which C may write.
    first: Claim,
    /// The claim that was added last. Its `next` leads to the one before, and so on; the first is not in this list.
    later_claims: AtomicRef<LaterClaim>,
}

/// The claim of an owner.
struct Claim {
    /// The address of the device; zero after the claim has ended.
    device: AtomicUsize,
    /// The address of the device's node.
    node: AtomicUsize,
}

/// A claim after the first.
struct LaterClaim {
    claim: Claim,
    /// The claim that was added before this one.
    next: Option<&'static LaterClaim>,
}

impl Claim {
    /// Makes the claim of an owner. With zeros it is the claim of no device.
    fn new(owner: OwnerAddresses) -> Self {
        Claim { device: AtomicUsize::new(owner.device), node: AtomicUsize::new(owner.node) }
    }

    /// Makes an unused claim that of `owner`.
    ///
    /// Another call for this device may read the new address and still the old node. For that call the device is not
    /// an owner yet, as if it had come before this one. That is harmless: the operations of the device are published
    /// after both stores, and a call that finds the operations finds the node too.
    fn set(&self, owner: OwnerAddresses) {
        self.node.store(owner.node, Relaxed);
        self.device.store(owner.device, Relaxed);
    }

    /// Returns whether this is a claim of a device at this address.
    fn has_address_of(&self, device: Device) -> bool {
        self.device.load(Relaxed) == device.address()
    }

    /// Returns whether this is a claim of `device` with the node that it has now.
    fn is_of<K: Kernel>(&self, kernel: K, device: Device) -> bool {
        self.has_address_of(device) && self.node.load(Relaxed) == kernel.node(device).map_or(0, Node::address)
    }
}

impl Owners {
    /// Makes the owners of a new pool: the device that claimed the memory first, if its origin has one.
    pub(super) fn new(origin: Origin) -> Self {
        Owners {
            is_region: AtomicBool::new(origin != Origin::Memory),
            first: Claim::new(origin.first_owner()),
            later_claims: AtomicRef::new(),
        }
    }

    /// Resets the owners to those of a new pool. The caller makes sure that no device has a claim.
    pub(super) fn reset(&self, origin: Origin) {
        self.is_region.store(origin != Origin::Memory, Relaxed);
        self.first.set(origin.first_owner());
    }

    /// Returns whether there is a claim.
    pub(super) fn has_claim(&self) -> bool {
        self.first.device.load(Relaxed) != 0 || self.later_claims().any(|claim| claim.device.load(Relaxed) != 0)
    }

    /// Returns the claims after the first.
    fn later_claims(&self) -> impl Iterator<Item = &'static Claim> {
        core::iter::successors(self.later_claims.get(), |later| later.next).map(|later| &later.claim)
    }
}

impl<K: Kernel> Pool<K> {
    /// Returns whether the pool is a `memory-region`.
    pub fn is_memory_region(&self) -> bool {
        self.owners.is_region.load(Relaxed)
    }

    /// Returns whether the region is `reusable`: devices that do not own the pool may borrow its memory.
    pub fn is_reusable(&self) -> bool {
        self.is_reusable.load(Relaxed)
    }

    /// Sets whether the region is `reusable`.
    pub fn set_reusable(&self, is_reusable: bool) {
        self.is_reusable.store(is_reusable, Relaxed);
    }

    /// Returns whether the pool is a `memory-region` and `device` is one of its owners.
    pub fn is_owned_by(&self, device: Device) -> bool {
        self.is_memory_region() && self.is_dev_or_owner(device)
    }

    /// Returns whether C wrote `device` to `public.dev`, or `device` has a claim with the node that it has now.
    pub(super) fn is_dev_or_owner(&self, device: Device) -> bool {
        (self.is_public_dev(device) && !self.owners.first.has_address_of(device)) || self.has_claim_of(device)
    }

    /// Returns whether `device` has a claim with the node that it has now. The first claim counts only as long as C has
    /// written no other device to `public.dev`.
    fn has_claim_of(&self, device: Device) -> bool {
        let is_of_device = |claim: &Claim| claim.is_of(self.kernel, device);
        (self.is_public_dev(device) && is_of_device(&self.owners.first)) || self.owners.later_claims().any(is_of_device)
    }

    /// Returns whether `device` is the one in `public.dev`.
    fn is_public_dev(&self, device: Device) -> bool {
        self.public.dev.load(Relaxed).addr() == device.address()
    }

    /// Adds a claim of `device`, whose node is `node`, if it has none. A device that C wrote to `public.dev` gets one
    /// too: C may write another device there later. The caller makes sure that no other call adds or ends claims
    /// meanwhile.
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// [`Error::NoMemory`] if the heap has no room for the record.
    pub fn add_owner(&self, device: Device, node: Node) -> Result<(), Error> {
        if self.has_claim_of(device) {
            return Ok(());
        }
        let owner = OwnerAddresses::of(device, node);
        // A claim that has ended, or that of an earlier device at this address, is used again. The first one is not: it
        // counts only together with `public.dev`, which C may have written.
        let may_be_replaced = |claim: &&Claim| claim.has_address_of(device) || claim.device.load(Relaxed) == 0;
        if let Some(old) = self.owners.later_claims().find(may_be_replaced) {
            old.set(owner);
            return Ok(());
        }
        let (claim, next) = (Claim::new(owner), self.owners.later_claims.get());
        let later = alloc_static(self.kernel, 0, |_| LaterClaim { claim, next }).ok_or(Error::NoMemory)?;
        self.owners.later_claims.set(Some(later));
        Ok(())
    }

    /// Ends the claims of the device. If the BSP has written another device to `pool->dev`, that one stays there.
    ///
    /// Context: any.
    pub fn end_claims(&self, device: Device) {
        if self.owners.first.device.compare_exchange(device.address(), 0, Relaxed, Relaxed).is_ok() {
            let gone = core::ptr::with_exposed_provenance_mut(device.address());
            let _ = self.public.dev.compare_exchange(gone, core::ptr::null_mut(), Relaxed, Relaxed);
        }
        for claim in self.owners.later_claims() {
            let _ = claim.device.compare_exchange(device.address(), 0, Relaxed, Relaxed);
        }
    }
}
