//! The data of managed resources: the resources, their list, and their number. The operations are in
//! [`managed`](super::managed).

use crate::mem::atomics::{
    AtomicUsize,
    Ordering::{Acquire, Relaxed, Release as Publish},
};

use crate::kernel::{Device, Kernel, PAGE_SHIFT};
use crate::mem::heap::KBox;
use crate::mem::shared::at_or_first;

/// The kind of a resource. The first argument of each is its key: no two resources of a kind have the same key, unless
/// one buffer is mapped more than once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ResourceKind {
    /// A buffer: address, size, handle, flags.
    Buffer,
    /// A streaming map: handle, size, direction.
    Mapping,
    /// A block pool: its address.
    BlockPool,
    /// A resource that a plain call is giving back.
    Claimed,
    /// A resource that a plain call gave back.
    GivenBack,
}

/// Number of counters in [`Keys`].
const KEYS: usize = 64;

/// Counters of managed resources. Each key belongs to one counter, by the page in which the key lies. If that counter
/// is zero, no resource has the key.
pub(crate) struct Keys {
    counters: [AtomicUsize; KEYS],
    /// Number of resources of kind [`ResourceKind::GivenBack`] that are still in a list.
    given_back: AtomicUsize,
}

impl Keys {
    pub(crate) const fn new() -> Self {
        Keys { counters: [const { AtomicUsize::new(0) }; KEYS], given_back: AtomicUsize::new(0) }
    }

    fn counter(&self, key: usize) -> &AtomicUsize {
        // Block pools lie in the heap, many in one page.
        at_or_first(&self.counters, (key >> PAGE_SHIFT ^ key >> 6) % KEYS)
    }

    /// Returns false only if no resource has the key. Takes one load.
    ///
    /// Context: any.
    pub(super) fn may_have(&self, key: usize) -> bool {
        self.counter(key).load(Acquire) != 0
    }

    /// Returns whether resources that plain calls gave back are still in a list.
    ///
    /// Context: any.
    pub(super) fn has_given_back(&self) -> bool {
        self.given_back.load(Relaxed) != 0
    }

    /// Counts one more resource that a plain call gave back.
    ///
    /// Context: any.
    pub(super) fn add_given_back(&self) {
        self.given_back.fetch_add(1, Relaxed);
    }

    pub(super) fn add(&self, arguments: &Arguments) {
        let [key, ..] = *arguments;
        self.counter(key).fetch_add(1, Publish);
    }

    pub(super) fn remove(&self, arguments: &Arguments) {
        let [key, ..] = *arguments;
        self.counter(key).fetch_sub(1, Publish);
    }

    /// Ends the count of a resource that leaves its list. Returns whether it was still managed.
    pub(super) fn uncount<K: Kernel>(&self, resource: &Resource<K>) -> bool {
        match resource.kind {
            ResourceKind::Claimed => false,
            ResourceKind::GivenBack => {
                self.given_back.fetch_sub(1, Relaxed);
                false
            }
            _ => {
                self.remove(&resource.arguments);
                true
            }
        }
    }

    /// Ends the count of the resources of a list. Returns how many of them were still managed.
    ///
    /// Context: any.
    pub(super) fn uncount_all<K: Kernel>(&self, list: &List<K>) -> usize {
        resources(list).filter(|resource| self.uncount(resource)).count()
    }
}

/// The arguments that the release of a resource needs. Their meaning depends on its [`ResourceKind`].
pub type Arguments = [usize; 4];

/// Releases a resource of the device. Called by a thread, once, with no lock held.
///
/// # Safety
/// The arguments are those with which the resource was [managed](super::managed::Slot::manage), and the resource has
/// not been released.
pub type Release = unsafe fn(Device, Arguments);

/// A resource in its device's list.
pub(crate) struct Resource<K: Kernel> {
    pub(super) kind: ResourceKind,
    pub(super) release: Release,
    pub(super) arguments: Arguments,
    pub(super) next: List<K>,
}

pub(super) type List<K> = Option<KBox<K, Resource<K>>>;

/// Returns the first resource in a list for which `is_it` returns true.
pub(super) fn find<K: Kernel>(list: &mut List<K>, is_it: impl Fn(&Resource<K>) -> bool) -> Option<&mut Resource<K>> {
    let mut at = list.as_deref_mut();
    while let Some(resource) = at {
        if is_it(resource) {
            return Some(resource);
        }
        at = resource.next.as_deref_mut();
    }
    None
}

/// Returns the resources in a list.
pub(super) fn resources<K: Kernel>(list: &List<K>) -> impl Iterator<Item = &Resource<K>> {
    core::iter::successors(list.as_deref(), |resource| resource.next.as_deref())
}
