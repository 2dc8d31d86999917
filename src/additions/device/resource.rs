//! The data of managed resources: the resources, and their number. The operations are in [`managed`](super::managed).

use crate::mem::atomics::{
    AtomicUsize,
    Ordering::{Acquire, Relaxed, Release as Publish},
};

use crate::kernel::{Device, PAGE_SHIFT};
use crate::mem::index::at_or_first;

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
}

/// The state of a resource in its device's list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ResourceState {
    /// The release of the device gives it back. Only in this state its key is counted in [`Keys`].
    Managed,
    /// A plain call is giving it back.
    Claimed,
    /// A plain call gave it back. Only its place in the list is left.
    GivenBack,
}

/// Number of counters in [`Keys`].
const KEYS: usize = 64;

/// Counters of managed resources. Each key belongs to one counter, by the page in which the key lies. If that counter
/// is zero, no resource has the key.
pub(crate) struct Keys {
    counters: [AtomicUsize; KEYS],
    /// The number of resources in the state [`ResourceState::GivenBack`] that are still in a list.
    given_back: AtomicUsize,
}

impl Keys {
    /// Makes counters of no resources.
    pub(crate) const fn new() -> Self {
        Keys { counters: [const { AtomicUsize::new(0) }; KEYS], given_back: AtomicUsize::new(0) }
    }

    /// Returns the counter to which a key belongs.
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

    /// Counts the key of a resource that becomes managed.
    ///
    /// Context: any.
    pub(super) fn add(&self, arguments: &Arguments) {
        let [key, ..] = *arguments;
        self.counter(key).fetch_add(1, Publish);
    }

    /// Ends the count of the key of a resource that is not managed any more.
    ///
    /// Context: any.
    pub(super) fn remove(&self, arguments: &Arguments) {
        let [key, ..] = *arguments;
        self.counter(key).fetch_sub(1, Publish);
    }

    /// Ends what is counted of a resource that leaves its list.
    ///
    /// Context: any.
    pub(super) fn uncount(&self, resource: &Resource) {
        match resource.state {
            ResourceState::Managed => self.remove(&resource.arguments),
            ResourceState::Claimed => {}
            ResourceState::GivenBack => _ = self.given_back.fetch_sub(1, Relaxed),
        }
    }
}

/// The arguments that the release of a resource needs. Their meaning depends on its [`ResourceKind`].
pub type Arguments = [usize; 4];

/// Releases a resource of the device. A thread calls it, once, with no lock held.
///
/// # Safety
/// The arguments are those with which the resource was [managed](super::managed::Slot::manage), and the resource has
/// not been released.
pub type Release = unsafe fn(Device, Arguments);

/// A resource in its device's list.
pub(crate) struct Resource {
    pub(super) kind: ResourceKind,
    pub(super) state: ResourceState,
    pub(super) release: Release,
    pub(super) arguments: Arguments,
}

impl Resource {
    /// The content of a reserved place, which [`Slot::manage`](super::managed::Slot::manage) replaces before it adds the
    /// resource to the list.
    pub(super) const PLACEHOLDER: Resource =
        Resource { kind: ResourceKind::Buffer, state: ResourceState::Managed, release: |_, _| {}, arguments: [0; 4] };
}
