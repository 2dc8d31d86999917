//! [`Dma`], which has the state of the library, and how its pools are found.
//!
//! This module does not depend on the map operations of devices: the requests of drivers are in the module `request`,
//! which uses this one.

use crate::abi::rt_dma_pool;
use crate::dropin::loans::Loans;
use crate::dropin::name_readers::NameReaders;
use crate::dropin::pool::Pool;
use crate::dropin::pool_list::PoolList;
use crate::dropin::uninstalled::Uninstalled;
use crate::kernel::{Kernel, Pa};
use crate::mem::atomics::AtomicUsize;
use crate::mem::turn::{SleepLock, Turn};

/// All DMA memory of a system.
pub struct Dma<K: Kernel> {
    pub(crate) kernel: K,
    pub(crate) list: PoolList<K>,
    /// The turn of installs: of calls that install or uninstall pools.
    pub(crate) installing: Turn,
    /// Held while a call chooses memory for `/reserved-memory` and reserves it, so that no two calls choose the same
    /// memory. It is no turn, because lines are written to the log meanwhile: no driver of a console waits for it, as
    /// only a board reserves memory, at boot.
    pub(crate) reserving: SleepLock,
    pub(crate) uninstalled: Uninstalled<K, Dma<K>>,
    pub(crate) name_readers: NameReaders,
    /// The number of refused calls.
    pub(super) refused_calls: AtomicUsize,
    pub(crate) loans: Loans<K, Dma<K>>,
}

impl<K: Kernel> Dma<K> {
    /// Makes a system without pools.
    pub const fn new(kernel: K) -> Self {
        Dma {
            kernel,
            list: PoolList::new(),
            installing: Turn::new(),
            reserving: SleepLock::new(),
            uninstalled: Uninstalled::new(),
            name_readers: NameReaders::new(),
            refused_calls: AtomicUsize::new(0),
            loans: Loans::new(),
        }
    }

    /// Returns the pools in the order of the list: a new pool comes last, and one that is installed again has its
    /// earlier place.
    ///
    /// Context: any.
    pub fn pools(&self) -> impl Iterator<Item = &'static Pool<K>> {
        self.list.iter()
    }

    /// Returns the pool whose part for C is at `pointer`, which may be any address; `None` if there is none.
    ///
    /// Context: any.
    pub fn pool_at(&self, pointer: *const rt_dma_pool) -> Option<&'static Pool<K>> {
        self.pools().find(|pool| core::ptr::eq(&pool.public, pointer))
    }

    /// Returns false only if no byte of `[first, last]` belongs to a pool. May return true although no byte does.
    ///
    /// Context: any.
    pub(crate) fn may_contain(&self, first: Pa, last: Pa) -> bool {
        self.list.may_contain(first, last)
    }

    /// Returns the first pool that contains any byte of `[start, end)`.
    ///
    /// Context: any.
    pub(crate) fn pool_in(&self, start: Pa, end: Pa) -> Option<&'static Pool<K>> {
        self.pools().find(|pool| start < pool.end() && pool.start() < end)
    }
}
