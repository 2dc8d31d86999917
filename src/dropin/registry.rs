//! All DMA memory of a system ([`Dma`]).
//!
//! This module does not depend on the map operations of devices: the requests of drivers are in the module `request`,
//! which uses this one.

use crate::dropin::loans::Lending;
use crate::dropin::pool::{Pool, PoolSpec, WholePages};
use crate::dropin::pool_list::PoolList;
use crate::kernel::{Kernel, Pa};
use crate::mem::atomics::{AtomicUsize, Ordering::SeqCst, fence};
use crate::mem::hook::Hook;
use crate::mem::shared::AtomicRef;
use crate::mem::turn::{Flag, Turn};

/// All DMA memory of a system.
pub struct Dma<K: Kernel> {
    pub(crate) kernel: K,
    pub(crate) list: PoolList<K>,
    /// The turn of installs: of calls that install or uninstall pools.
    pub(crate) installing: Turn,
    /// Set while a call chooses memory for `/reserved-memory` and reserves it, so that no two calls choose the same
    /// memory. It is a flag and not a turn, because lines are written to the log meanwhile: no driver of a console
    /// waits for it, as only a board reserves memory, at boot.
    pub(crate) reserving: Flag,
    pub(crate) uninstalled: Uninstalled<K>,
    /// The number of refused calls.
    pub(super) bad_calls: AtomicUsize,
    pub(crate) lending: Lending<K, Dma<K>>,
}

/// The pools that were uninstalled, and the calls for which an uninstall waits.
pub(crate) struct Uninstalled<K: Kernel> {
    /// The functions that install such a pool again. Not set until the first pool is uninstalled.
    pub(crate) revival: Hook<Revival<K>>,
    /// The first of the pools, which are kept so that they can be used again: the one that was uninstalled last.
    pub(crate) kept: AtomicRef<Pool<K>>,
    /// The number of calls that are reading names of pools now.
    pub(crate) name_readers: AtomicUsize,
}

/// The functions that install an uninstalled pool again. They belong to the additions, which this layer does not
/// import; therefore an install calls them through these pointers.
pub(crate) struct Revival<K: Kernel> {
    /// Returns a kept pool that can serve as the specified pool, which has these pages, after resetting it.
    pub(crate) revive: fn(&Dma<K>, &PoolSpec, WholePages) -> Option<&'static Pool<K>>,
    /// Removes the pool from the list of kept pools, and makes its pages free.
    pub(crate) reopen: fn(&Dma<K>, &'static Pool<K>),
}

/// A call that reads names of pools. The caller of an uninstall may free the name afterwards; therefore an uninstall
/// waits until these values are dropped.
pub(crate) struct NameReader<'a>(&'a AtomicUsize);

impl Drop for NameReader<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl<K: Kernel> Dma<K> {
    /// Makes a system without pools.
    pub const fn new(kernel: K) -> Self {
        Dma {
            kernel,
            list: PoolList::new(),
            installing: Turn::new(),
            reserving: Flag::new(),
            uninstalled: Uninstalled {
                revival: Hook::new(),
                kept: AtomicRef::new(),
                name_readers: AtomicUsize::new(0),
            },
            bad_calls: AtomicUsize::new(0),
            lending: Lending::new(),
        }
    }

    /// Returns the pools in the order in which they were installed.
    ///
    /// Context: any.
    pub fn pools(&self) -> impl Iterator<Item = &'static Pool<K>> {
        self.list.iter()
    }

    /// Returns false only if no byte of `[first, last]` belongs to a pool. May return true although no byte does.
    ///
    /// Context: any.
    pub(crate) fn may_contain(&self, first: Pa, last: Pa) -> bool {
        self.list.may_contain(first, last)
    }

    /// Records that the caller reads names of pools, until it drops the returned value.
    ///
    /// Context: any.
    pub(crate) fn read_names(&self) -> NameReader<'_> {
        self.uninstalled.name_readers.fetch_add(1, SeqCst);
        // This call writes `name_readers` and then reads the name. An uninstall clears the name and then reads
        // `name_readers`. Under SeqCst, either this call finds no name, or the uninstall finds this call and waits for
        // it.
        fence(SeqCst);
        NameReader(&self.uninstalled.name_readers)
    }

    /// Returns the first pool that contains any byte of `[start, end)`.
    ///
    /// Context: any.
    pub(crate) fn pool_in(&self, start: Pa, end: Pa) -> Option<&'static Pool<K>> {
        self.pools().find(|pool| start < pool.end() && pool.start() < end)
    }
}
