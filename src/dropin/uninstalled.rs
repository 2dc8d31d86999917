//! What stays of uninstalled pools, and the calls for which an uninstall waits.

use crate::dropin::pool::{Pool, PoolSpec, WholePages};
use crate::kernel::Kernel;
use crate::mem::atomics::{AtomicUsize, Ordering::SeqCst, fence};
use crate::mem::hook::Hook;
use crate::mem::shared::AtomicRef;

/// The pools that were uninstalled, and the calls for which an uninstall waits. `D` is
/// [`Dma`](crate::dropin::registry::Dma), which is above this file.
pub(crate) struct Uninstalled<K: Kernel, D: 'static> {
    /// The functions that install such a pool again. Not set until the first pool is uninstalled.
    pub(crate) revival: Hook<Revival<K, D>>,
    /// The first of the pools, which are kept so that they can be used again: the one that was uninstalled last.
    pub(crate) kept: AtomicRef<Pool<K>>,
    /// The number of calls that are reading names of pools now.
    pub(crate) name_readers: AtomicUsize,
}

/// The functions that install an uninstalled pool again. They belong to the additions, which this layer does not
/// import; therefore an install calls them through these pointers.
pub(crate) struct Revival<K: Kernel, D> {
    /// Returns a kept pool that can serve as the specified pool, which has these pages, after resetting it.
    pub(crate) revive: fn(&D, &PoolSpec, WholePages) -> Option<&'static Pool<K>>,
    /// Removes the pool from the list of kept pools, and makes its pages free.
    pub(crate) reopen: fn(&D, &'static Pool<K>),
}

/// A call that reads names of pools. The caller of an uninstall may free the name afterwards; therefore an uninstall
/// waits until these values are dropped.
pub(crate) struct NameReader<'a>(&'a AtomicUsize);

impl<K: Kernel, D> Uninstalled<K, D> {
    /// Makes the value of a system from which no pool was uninstalled.
    pub(super) const fn new() -> Self {
        Uninstalled { revival: Hook::new(), kept: AtomicRef::new(), name_readers: AtomicUsize::new(0) }
    }

    /// Records that the caller reads names of pools, until it drops the returned value.
    pub(super) fn read_names(&self) -> NameReader<'_> {
        self.name_readers.fetch_add(1, SeqCst);
        // This call writes `name_readers` and then reads the name of a pool. An uninstall writes the name, which it
        // clears, and then reads `name_readers`. Each has a fence between the two: without it, a core may read before
        // its own write is visible to the other. With both, either this call finds no name, or the uninstall finds
        // this call and waits for it.
        fence(SeqCst);
        NameReader(&self.name_readers)
    }
}

impl Drop for NameReader<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}
