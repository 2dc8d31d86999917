//! What stays of uninstalled pools.

use crate::dropin::pool::{Pool, PoolSpec, WholePages};
use crate::kernel::Kernel;
use crate::mem::atomic_ref::AtomicRef;
use crate::mem::hook::Hook;

/// The pools that were uninstalled. `D` is [`Dma`](crate::dropin::registry::Dma), which is above this file.
pub(crate) struct Uninstalled<K: Kernel, D: 'static> {
    /// The functions that install such a pool again. Not set until the first pool is uninstalled. Each uninstall sets
    /// it, always to the same value; an install reads it.
    pub(crate) reinstall: Hook<Reinstall<K, D>>,
    /// The first of the pools, which are kept so that they can be used again: the one that was uninstalled last. Only
    /// the holder of the turn of installs reads or changes the list.
    pub(crate) kept: AtomicRef<Pool<K>>,
}

/// The functions that install an uninstalled pool again. They belong to the additions, which this layer does not
/// import; therefore an install calls them through these pointers. The caller of both holds the turn of installs.
pub(crate) struct Reinstall<K: Kernel, D> {
    /// Finds a kept pool that has these pages and can serve as the specified pool, resets it and returns it; `None` if
    /// there is none. The pool stays in the list of kept pools.
    pub(crate) begin_reinstall: fn(&D, &PoolSpec, WholePages) -> Option<&'static Pool<K>>,
    /// Removes the pool, which is in the list of pools again, from the list of kept pools, and makes its pages free.
    pub(crate) end_reinstall: fn(&D, &'static Pool<K>),
}

impl<K: Kernel, D> Uninstalled<K, D> {
    /// Makes the value of a system from which no pool was uninstalled.
    pub(super) const fn new() -> Self {
        Uninstalled { reinstall: Hook::new(), kept: AtomicRef::new() }
    }
}
