//! Counts managed resources by their keys. A call that is not managed, such as `rt_dma_free`, reads one counter to find
//! out that no managed resource has its address or handle.

use super::resource::{Arguments, Resource, ResourceState, key_of};
use crate::kernel::PAGE_SHIFT;
use crate::mem::atomics::{AtomicUsize, Ordering::Relaxed};
use crate::mem::index::at_or_first;

/// Number of counters in [`KeyCounts`].
const COUNTERS: usize = 64;

/// Counters of managed resources. Each key belongs to one counter, which bits of the key select. If that counter is
/// zero, no resource has the key.
///
/// Every access is `Relaxed`, because a counter publishes nothing: the resources are read under the locks of their
/// lists. A resource is counted before the driver gets its address or handle. The driver hands these to other threads
/// by means of its own, which order the count before the plain call. So the call reads a value with this count.
///
/// Context: any.
pub(crate) struct KeyCounts {
    counters: [AtomicUsize; COUNTERS],
    /// The number of resources in the state [`ResourceState::GivenBack`] that are still in a list. A call that reads an
    /// older value only leaves their places to a later call.
    given_back: AtomicUsize,
}

impl KeyCounts {
    /// Makes counters of no resources.
    pub(crate) const fn new() -> Self {
        KeyCounts { counters: [const { AtomicUsize::new(0) }; COUNTERS], given_back: AtomicUsize::new(0) }
    }

    /// Returns the counter to which a key belongs.
    fn counter(&self, key: usize) -> &AtomicUsize {
        // Buffers differ in the number of their page. Block pools lie in the heap, many in one page: the bits from 6 on
        // distinguish those that are 64 bytes or more apart.
        at_or_first(&self.counters, (key >> PAGE_SHIFT ^ key >> 6) % COUNTERS)
    }

    /// Returns false only if no resource has the key. Takes one load.
    pub(super) fn may_have(&self, key: usize) -> bool {
        self.counter(key).load(Relaxed) != 0
    }

    /// Returns whether resources that plain calls gave back are still in a list.
    pub(super) fn has_given_back(&self) -> bool {
        self.given_back.load(Relaxed) != 0
    }

    /// Counts one more resource that a plain call gave back.
    pub(super) fn add_given_back(&self) {
        self.given_back.fetch_add(1, Relaxed);
    }

    /// Counts the key of a resource that becomes managed.
    pub(super) fn add_key(&self, arguments: &Arguments) {
        self.counter(key_of(arguments)).fetch_add(1, Relaxed);
    }

    /// Ends the count of the key of a resource that is not managed any more.
    pub(super) fn remove_key(&self, arguments: &Arguments) {
        self.counter(key_of(arguments)).fetch_sub(1, Relaxed);
    }

    /// Ends what is counted of a resource that leaves its list.
    pub(super) fn remove_resource(&self, resource: &Resource) {
        match resource.state {
            ResourceState::Managed => self.remove_key(&resource.arguments),
            // The claim has ended the count of the key.
            ResourceState::Claimed => {}
            ResourceState::GivenBack => {
                self.given_back.fetch_sub(1, Relaxed);
            }
        }
    }
}
