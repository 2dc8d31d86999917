//! Managed resources: buffers, mappings and pools that are released, the newest first, when the device's driver is removed
//! (Linux `Documentation/driver-api/driver-model/devres.rst`).
//!
//! A resource is a function that releases it and the words that the function takes, so that nothing is linked that no
//! driver asks for. Context: thread, where no other context is stated.
//!
//! A driver may give a resource back by its plain call (`rt_dma_free`, `rt_dma_unmap_single`,
//! `rt_dma_block_pool_destroy`). Its address or handle may then be that of something else, of another device even. So the
//! plain call [claims](DeviceRecords::claim) the resource first, and [settles](DeviceRecords::settle) the claim when it
//! knows whether the resource is gone: a resource that is gone is never released. A plain call finds out by one load that
//! what it gives back is not managed, in nearly every case: see [`Keys`](crate::additions::device::resource::Keys).

use crate::additions::device::record::DeviceRecords;
use crate::additions::device::resource::{Kind, List, Release, Resource, Words, resources};
use crate::kernel::{Device, Kernel};
use crate::mem::heap::KBox;

/// The right to give back a resource by its plain call. Its owner [settles](DeviceRecords::settle) it.
pub struct ManagedClaim {
    device: Device,
    kind: Kind,
    words: Words,
}

/// A reserved place in a device's list that has no resource yet. Dropping it removes the place.
pub struct Slot<'a, K: Kernel> {
    records: &'a DeviceRecords<K>,
    device: Device,
    resource: List<K>,
}

impl<K: Kernel> DeviceRecords<K> {
    /// Makes room for one more resource of the device, before it is made; `None` if there is none. Context: thread.
    pub fn reserve(&self, device: Device) -> Option<Slot<'_, K>> {
        if !self.kernel.can_sleep() {
            return None;
        }
        // Frees what plain calls in interrupts left in the list.
        while self.keys.has_gone() && self.take_out(device, Kind::Gone, |_| true, false).is_some() {}
        let resource = Resource { kind: Kind::Gone, release: |_, _| {}, words: [0; 4], next: None };
        let resource = KBox::new(self.kernel, resource).ok()?;
        self.find_or_make(device, |record| record.reserved = record.reserved.wrapping_add(1)).ok()?;
        Some(Slot { records: self, device, resource: Some(resource) })
    }

    /// Takes the newest resource of this kind whose words are `wanted` out of the device's list, without releasing it.
    /// `None` if there is none: the caller is wrong, or another call released it. Context: thread.
    pub fn unmanage(&self, device: Device, kind: Kind, wanted: impl Fn(&Words) -> bool) -> Option<Words> {
        self.take_out(device, kind, wanted, false)
    }

    /// Takes a resource out as [`unmanage`](DeviceRecords::unmanage) does, but only if no other one is `wanted` too.
    pub fn unmanage_only(&self, device: Device, kind: Kind, wanted: impl Fn(&Words) -> bool) -> Option<Words> {
        self.take_out(device, kind, wanted, true)
    }

    fn take_out(&self, device: Device, kind: Kind, wanted: impl Fn(&Words) -> bool, only: bool) -> Option<Words> {
        if !self.kernel.can_sleep() {
            return None;
        }
        let is_it = |resource: &Resource<K>| resource.kind == kind && wanted(&resource.words);
        let found = self.find(device, |record| {
            if only && resources(&record.resources).filter(|resource| is_it(resource)).count() > 1 {
                return None;
            }
            let mut at: &mut List<K> = &mut record.resources;
            while at.as_ref().is_some_and(|resource| !is_it(resource)) {
                at = &mut at.as_mut()?.next;
            }
            let mut resource = at.take()?;
            *at = resource.next.take();
            Some(resource)
        });
        let resource = found.flatten()?;
        let words = resource.words;
        self.keys.uncount(&resource);
        drop(resource);
        self.tidy(device);
        Some(words)
    }

    /// Returns false if no managed resource has this key. True may be wrong. Takes no lock. Context: any.
    #[inline(always)]
    pub fn may_manage(&self, key: usize) -> bool {
        self.keys.may_have(key)
    }

    /// Claims the resource of any device that has this kind and key, and is `wanted`, for a plain call that is about to give
    /// it back: from now on nothing else releases it. `None` if there is none. Context: any.
    ///
    /// This takes one load if there is no resource with the key, unless another resource shares the counter.
    pub fn claim(&self, kind: Kind, key: usize, wanted: impl Fn(Device, &Words) -> bool) -> Option<ManagedClaim> {
        if !self.keys.may_have(key) {
            return None;
        }
        self.find_map(|device, record| {
            let mut at = record.resources.as_deref_mut();
            while let Some(resource) = at {
                let [its_key, ..] = resource.words;
                if resource.kind == kind && its_key == key && wanted(device, &resource.words) {
                    self.keys.remove(&resource.words);
                    resource.kind = Kind::Claimed;
                    return Some(ManagedClaim { device, kind, words: resource.words });
                }
                at = resource.next.as_deref_mut();
            }
            None
        })
    }

    /// Ends a claim: the resource is gone, or, if it was not given back after all, managed as before. If its device was
    /// released meanwhile, it is not managed any more in either case. Context: any.
    pub fn settle(&self, claim: ManagedClaim, is_gone: bool) {
        let ManagedClaim { device, kind, words } = claim;
        self.find(device, |record| {
            let mut at = record.resources.as_deref_mut();
            while let Some(resource) = at {
                if resource.kind == Kind::Claimed && resource.words == words {
                    if is_gone {
                        resource.kind = Kind::Gone;
                        self.keys.add_gone();
                    } else {
                        resource.kind = kind;
                        self.keys.add(&words);
                    }
                    return;
                }
                at = resource.next.as_deref_mut();
            }
        });
        if is_gone {
            // In an interrupt it stays in the list: until the device manages something else, or is released.
            self.take_out(device, Kind::Gone, |its_words| *its_words == words, false);
        }
    }

    /// Releases all that the device manages, in the reverse of the order in which it was made. Of two that call at once
    /// one does it.
    ///
    /// Context: thread. Elsewhere it returns false and changes nothing.
    pub fn release(&self, device: Device) -> bool {
        if !self.kernel.can_sleep() {
            return false;
        }
        let mut list = self.find(device, |record| record.resources.take()).flatten();
        while let Some(mut resource) = list {
            list = resource.next.take();
            if self.keys.uncount(&resource) {
                (resource.release)(device, resource.words);
            }
        }
        self.tidy(device);
        true
    }
}

impl<K: Kernel> Slot<'_, K> {
    /// Puts a new resource into the device's list. Context: thread.
    pub fn manage(mut self, kind: Kind, release: Release, words: Words) {
        let Some(mut resource) = self.resource.take() else { return };
        (resource.kind, resource.release, resource.words) = (kind, release, words);
        self.records.keys.add(&words);
        // The record stays while a slot refers to it.
        self.records.find(self.device, |record| {
            resource.next = record.resources.take();
            record.resources = Some(resource);
        });
    }
}

impl<K: Kernel> Drop for Slot<'_, K> {
    fn drop(&mut self) {
        self.records.find(self.device, |record| record.reserved = record.reserved.wrapping_sub(1));
        self.records.tidy(self.device);
    }
}
