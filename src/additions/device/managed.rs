//! Managed resources: buffers, mappings and pools that are released, the newest first, when the device's driver is
//! removed (Linux `Documentation/driver-api/driver-model/devres.rst`).
//!
//! A resource consists of a function that releases it and the arguments that the function receives. Therefore an image
//! contains only the kinds of resources that its drivers use. Context: thread, unless another context is stated.
//!
//! A driver may also give a managed resource back by a plain call (`rt_dma_free`, `rt_dma_unmap_single`,
//! `rt_dma_block_pool_destroy`). Afterwards, its address or handle may belong to another resource, even of another
//! device, so the managed resource must not be released a second time. For this, the plain call first
//! [claims](DeviceRecords::claim) the resource. When it knows whether it has given the resource back, it
//! [ends](DeviceRecords::end_claim) the claim. Most plain calls are for resources that are not managed. They find this
//! out by one load in nearly every case: see [`KeyCounts`](crate::additions::device::key_counts::KeyCounts).

use crate::additions::device::DeviceRecords;
use crate::additions::device::resource::{Arguments, ReleaseFunction, Resource, ResourceKind, ResourceState, key_of};
use crate::kernel::{Device, Kernel};
use crate::mem::list::{Element, List};

/// The right to give back a resource by a plain call, which the call [ends](DeviceRecords::end_claim).
pub struct ManagedClaim {
    device: Device,
    kind: ResourceKind,
    arguments: Arguments,
}

/// Which one of several wanted resources a call takes out of a device's list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// The newest one.
    Newest,
    /// The only one; none if there are several.
    Only,
}

/// A reserved place in a device's list, for a resource that does not exist yet. Dropping it gives the place back.
pub struct Reservation<'a, K: Kernel> {
    records: &'a DeviceRecords<K>,
    device: Device,
    /// The memory for the resource. It is there until `manage` takes it.
    resource: Option<Element<K, Resource>>,
}

impl<K: Kernel> DeviceRecords<K> {
    /// Reserves a place in the device's list for a resource that the caller is about to make; `None` if there is no
    /// memory.
    ///
    /// Context: thread. In any other context it returns `None` and changes nothing.
    pub fn reserve(&self, device: Device) -> Option<Reservation<'_, K>> {
        if !self.kernel.can_sleep() {
            return None;
        }
        self.free_given_back(device);
        let resource = Element::new(self.kernel, Resource::PLACEHOLDER)?;
        self.with_record_or_new(device, |record| record.reservations = record.reservations.wrapping_add(1)).ok()?;
        Some(Reservation { records: self, device, resource: Some(resource) })
    }

    /// Removes a resource of this kind from the device's list without releasing it, and returns its arguments: of those
    /// for whose arguments `is_wanted` returns true, the one that `selection` states. Returns `None` if there is none:
    /// the driver stated wrong arguments, or another call released the resource. With [`Only`](Selection::Only), also
    /// returns `None` if there are several.
    ///
    /// Context: thread. In any other context it returns `None` and changes nothing.
    pub fn unmanage(
        &self,
        device: Device,
        kind: ResourceKind,
        selection: Selection,
        is_wanted: impl Fn(&Arguments) -> bool,
    ) -> Option<Arguments> {
        self.remove_resource(device, selection, |resource| is_managed(resource, kind) && is_wanted(&resource.arguments))
    }

    /// Removes one resource from the device's list: of those for which `is_wanted` returns true, the one that
    /// `selection` states. Returns its arguments. Where the caller may not sleep, returns `None` and changes nothing.
    fn remove_resource(
        &self,
        device: Device,
        selection: Selection,
        is_wanted: impl Fn(&Resource) -> bool,
    ) -> Option<Arguments> {
        if !self.kernel.can_sleep() {
            return None;
        }
        let taken = self.with_record(device, |record| {
            let list = &mut record.resources;
            if selection == Selection::Only && list.iter().filter(|resource| is_wanted(resource)).count() > 1 {
                return None;
            }
            list.take_first(&is_wanted)
        });
        let resource = taken.flatten()?;
        let arguments = resource.arguments;
        self.keys.remove_resource(&resource);
        drop(resource);
        self.free_unneeded(device);
        Some(arguments)
    }

    /// Frees what the device's list keeps of resources that plain calls gave back. In an interrupt, where the heap
    /// cannot be called, they stay until the device gets another resource or is released.
    fn free_given_back(&self, device: Device) {
        while self.keys.has_given_back() {
            if self.remove_resource(device, Selection::Newest, is_given_back).is_none() {
                return;
            }
        }
    }

    /// Returns false only if no managed resource has this key. May return true although none has. Takes no lock.
    ///
    /// Context: any.
    pub fn may_manage(&self, key: usize) -> bool {
        self.keys.may_have(key)
    }

    /// Claims a resource with this kind and key for which `is_wanted` returns true, for a plain call that is about to
    /// give it back. The resource may belong to any device. From now on no other call releases it. Returns `None` if
    /// there is no such resource.
    ///
    /// If there is no resource with the key, this takes one load, unless another resource uses the same counter.
    ///
    /// Context: any.
    pub fn claim(
        &self,
        kind: ResourceKind,
        key: usize,
        is_wanted: impl Fn(Device, &Arguments) -> bool,
    ) -> Option<ManagedClaim> {
        if !self.keys.may_have(key) {
            return None;
        }
        self.with_each_record(|record| {
            let device = record.device;
            let resource = record.resources.find_mut(|resource| {
                let has_key = is_managed(resource, kind) && key_of(&resource.arguments) == key;
                has_key && is_wanted(device, &resource.arguments)
            })?;
            self.keys.remove_key(&resource.arguments);
            resource.state = ResourceState::Claimed;
            Some(ManagedClaim { device, kind, arguments: resource.arguments })
        })
    }

    /// Ends a claim. If the resource was given back, it is not managed any more. If it was not, it is managed as
    /// before, unless its device was released meanwhile.
    ///
    /// Context: any.
    pub fn end_claim(&self, claim: ManagedClaim, was_given_back: bool) {
        let ManagedClaim { device, kind, arguments } = claim;
        self.with_record(device, |record| {
            let claimed = record.resources.find_mut(|resource| {
                resource.state == ResourceState::Claimed && resource.kind == kind && resource.arguments == arguments
            });
            let Some(resource) = claimed else { return };
            if was_given_back {
                resource.state = ResourceState::GivenBack;
                self.keys.add_given_back();
            } else {
                resource.state = ResourceState::Managed;
                self.keys.add_key(&arguments);
            }
        });
        if was_given_back {
            // In an interrupt, the resource stays in the list: see `free_given_back`.
            self.remove_resource(device, Selection::Newest, is_given_back);
        }
    }

    /// Releases all managed resources of the device, in the reverse of the order in which they were made. If two
    /// threads call this at the same time, each resource is released by one of them.
    ///
    /// Context: thread.
    pub fn release(&self, device: Device) {
        let taken = self.with_record(device, |record| core::mem::replace(&mut record.resources, List::new()));
        let mut resources = taken.unwrap_or(List::new());
        while let Some(resource) = resources.pop() {
            self.keys.remove_resource(&resource);
            if resource.state == ResourceState::Managed {
                // SAFETY: the resource has left its list, so no other call releases it. The caller of `manage` allows
                // the rest.
                #[allow(unsafe_code)]
                unsafe {
                    (resource.release)(device, resource.arguments)
                }
            }
        }
        self.free_unneeded(device);
    }
}

impl<K: Kernel> Reservation<'_, K> {
    /// Adds a new resource to the device's list.
    ///
    /// Context: thread.
    ///
    /// # Safety
    /// `release` may be called with the device and `arguments`, once, in any thread, while the resource's state is
    /// [`Managed`](ResourceState::Managed).
    #[allow(unsafe_code)]
    pub unsafe fn manage(mut self, kind: ResourceKind, release: ReleaseFunction, arguments: Arguments) {
        let Some(mut resource) = self.resource.take() else { return };
        *resource = Resource { kind, state: ResourceState::Managed, release, arguments };
        self.records.keys.add_key(&arguments);
        // The record is not freed while a reservation refers to it.
        self.records.with_record(self.device, |record| record.resources.push(resource));
    }
}

impl<K: Kernel> Drop for Reservation<'_, K> {
    fn drop(&mut self) {
        self.records.with_record(self.device, |record| record.reservations = record.reservations.wrapping_sub(1));
        self.records.free_unneeded(self.device);
    }
}

/// Returns whether the resource is a managed one of this kind.
fn is_managed(resource: &Resource, kind: ResourceKind) -> bool {
    resource.state == ResourceState::Managed && resource.kind == kind
}

/// Returns whether a plain call gave the resource back.
fn is_given_back(resource: &Resource) -> bool {
    resource.state == ResourceState::GivenBack
}
