//! What a device manages: buffers, mappings and pools that go by themselves, the newest first, when its driver does
//! (Linux `Documentation/driver-api/driver-model/devres.rst`).
//!
//! A resource is a function that releases it and the words that the function takes, so that nothing is linked that no
//! driver asks for. All of it is a *thread*'s.

use crate::additions::device::record::DeviceRecords;
use crate::kernel::{Device, Kernel};
use crate::mem::heap::KBox;

/// What a resource is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A buffer: size, address, handle, flags.
    Buffer,
    /// A streaming map: handle, size, direction.
    Mapping,
    /// A block pool: its address.
    BlockPool,
}

/// What the release of a resource takes: as its [`Kind`] says.
pub type Words = [usize; 4];

/// Gives a resource of the device back. Called by a thread, once, with no lock held.
pub type Release = fn(Device, Words);

/// A resource in its device's list.
pub(crate) struct Resource<K: Kernel> {
    kind: Kind,
    release: Release,
    words: Words,
    pub(crate) next: List<K>,
}

type List<K> = Option<KBox<K, Resource<K>>>;

/// A place in a device's list that is not filled yet. Dropped, it leaves nothing behind.
pub struct Slot<'a, K: Kernel> {
    records: &'a DeviceRecords<K>,
    device: Device,
    resource: List<K>,
}

impl<K: Kernel> DeviceRecords<K> {
    /// Makes room for one more resource of the device, before it is made; `None` if there is none. *Thread.*
    pub fn reserve(&self, device: Device) -> Option<Slot<'_, K>> {
        if !self.kernel.can_sleep() {
            return None;
        }
        let resource = Resource { kind: Kind::Buffer, release: |_, _| {}, words: [0; 4], next: None };
        let resource = KBox::new(self.kernel, resource).ok()?;
        self.find_or_make(device, |record| record.reserved = record.reserved.wrapping_add(1)).ok()?;
        Some(Slot { records: self, device, resource: Some(resource) })
    }

    /// Takes the newest resource of this kind whose words are `wanted` out of the device's list, without releasing it.
    /// `None` if there is none: the caller is wrong, or somebody else released it. *Thread.*
    pub fn unmanage(&self, device: Device, kind: Kind, wanted: impl Fn(&Words) -> bool) -> Option<Words> {
        if !self.kernel.can_sleep() {
            return None;
        }
        let found = self.find(device, |record| {
            let mut at: &mut List<K> = &mut record.resources;
            while at.as_ref().is_some_and(|resource| resource.kind != kind || !wanted(&resource.words)) {
                at = &mut at.as_mut()?.next;
            }
            let mut resource = at.take()?;
            *at = resource.next.take();
            Some(resource)
        });
        let words = found.flatten()?.words;
        self.tidy(device);
        Some(words)
    }

    /// Releases all that the device manages, in the reverse of the order in which it was made. Of two that call at once
    /// one does it. *Thread*; false, and nothing happens, elsewhere.
    pub fn release(&self, device: Device) -> bool {
        if !self.kernel.can_sleep() {
            return false;
        }
        let mut list = self.find(device, |record| record.resources.take()).flatten();
        while let Some(mut resource) = list {
            list = resource.next.take();
            (resource.release)(device, resource.words);
        }
        self.tidy(device);
        true
    }
}

impl<K: Kernel> Slot<'_, K> {
    /// Puts what was made into the device's list. *Thread.*
    pub fn manage(mut self, kind: Kind, release: Release, words: Words) {
        let Some(mut resource) = self.resource.take() else { return };
        (resource.kind, resource.release, resource.words) = (kind, release, words);
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
