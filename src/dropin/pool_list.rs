//! The list of the pools of a system, in the order in which they were installed for the first time.
//!
//! It is read without a lock, and changed by the holder of the turn of installs. A pool that leaves it keeps its link
//! to the next pool (see `pool::membership`). C code has a list of the same pools, through their public parts.

use crate::abi::rt_list_t;
use crate::dropin::pool::Pool;
use crate::kernel::{Kernel, Pa};
use crate::mem::atomic_ref::AtomicRef;
use crate::mem::atomics::{
    AtomicUsize,
    Ordering::{Relaxed, Release},
};

/// The list of the pools of a system.
pub(crate) struct PoolList<K: Kernel> {
    first: AtomicRef<Pool<K>>,
    /// The head of C's list.
    head: rt_list_t,
    /// The start of the range of addresses from the lowest pool to the highest. The range never becomes smaller.
    start: AtomicUsize,
    /// The end of that range: one past the last byte.
    end: AtomicUsize,
    /// The number of new pools that have been added.
    added: AtomicUsize,
}

impl<K: Kernel> PoolList<K> {
    /// Makes an empty list.
    pub(super) const fn new() -> Self {
        PoolList {
            first: AtomicRef::new(),
            head: rt_list_t::new(),
            start: AtomicUsize::new(usize::MAX),
            end: AtomicUsize::new(0),
            added: AtomicUsize::new(0),
        }
    }

    /// Returns the pools.
    ///
    /// Context: any.
    pub(super) fn iter(&self) -> impl Iterator<Item = &'static Pool<K>> + use<K> {
        core::iter::successors(self.first.get(), |pool| pool.next.get())
    }

    /// Returns false only if no byte of `[first, last]` belongs to a pool. May return true although no byte does.
    ///
    /// Context: any.
    pub(crate) fn may_contain(&self, first: Pa, last: Pa) -> bool {
        first < self.end.load(Relaxed) && self.start.load(Relaxed) <= last
    }

    /// Returns the number of a pool that is about to be added for the first time. The list is sorted by these numbers.
    pub(super) fn next_order(&self) -> usize {
        self.added.fetch_add(1, Relaxed)
    }

    /// Adds a pool at the place that its number determines. The caller holds the turn of installs.
    pub(super) fn insert(&self, pool: &'static Pool<K>) {
        self.start.store(self.start.load(Relaxed).min(pool.start()), Relaxed);
        self.end.store(self.end.load(Relaxed).max(pool.end()), Relaxed);
        let (before, after) = self.neighbours(pool.order());
        let link = self.link_to_place(pool.order());
        // C code may walk C's list on another core or in an interrupt at this moment. The pool's own fields and links
        // are written first, and then, with `Release`, the links through which such code finds the pool.
        critical_section::with(|_| {
            let own = &pool.public.list;
            own.next.store(pointer(after), Relaxed);
            own.prev.store(pointer(before), Relaxed);
            after.prev.store(pointer(own), Release);
            before.next.store(pointer(own), Release);
            // A call may have reached a kept pool before the pool left the list, and may read `next` only now. It then
            // goes on to the pools that follow.
            pool.next.set(link.get());
            link.set(Some(pool));
        });
    }

    /// Removes a pool from C's list. The pool's own links do not change, for C code that has reached the pool already.
    /// The caller holds the turn of installs.
    pub(crate) fn remove_for_c(&self, pool: &Pool<K>) {
        let (before, after) = self.neighbours(pool.order());
        critical_section::with(|_| {
            before.next.store(pointer(after), Release);
            after.prev.store(pointer(before), Release);
        });
    }

    /// Removes a pool from the library's list. The pool's link to the next pool does not change, for calls that have
    /// reached the pool already. The caller holds the turn of installs.
    pub(crate) fn remove(&self, pool: &Pool<K>) {
        if let Some((link, _)) = self.first.link_to(pool, |pool| &pool.next) {
            link.set(pool.next.get());
        }
    }

    /// Returns the link that leads to the place of the pool with the number `order` in the library's list.
    fn link_to_place(&self, order: usize) -> &AtomicRef<Pool<K>> {
        let mut link = &self.first;
        while let Some(pool) = link.get()
            && pool.order() < order
        {
            link = &pool.next;
        }
        link
    }

    /// Returns the links in C's list before and after the place of the pool with the number `order`. C's list does not
    /// contain pools that are being uninstalled. The caller holds the turn of installs.
    fn neighbours(&self, order: usize) -> (&rt_list_t, &rt_list_t) {
        let (mut before, mut after) = (&self.head, &self.head);
        for pool in self.iter().filter(|pool| !pool.has_begun_uninstall()) {
            if pool.order() < order {
                before = &pool.public.list;
            } else if pool.order() > order {
                after = &pool.public.list;
                break;
            }
        }
        (before, after)
    }
}

/// Returns the address of a link, as other links of C's list have it.
fn pointer(link: &rt_list_t) -> *mut rt_list_t {
    core::ptr::from_ref(link).cast_mut()
}
