//! Whether a pool is in the list of pools, and its place there; and the steps by which it leaves the list and comes
//! back. All of these steps but `end_install` are called by `additions::uninstall`.
//!
//! A call that allocates may read a pool without holding its lock, and may be interrupted there for any length of time.
//! In that time the pool may be uninstalled, and installed again. Such a call is correct for these reasons:
//!
//! * The memory of the `Pool` value is never freed. Its first page, its number of pages and its bitmaps never change.
//! * From [`begin_uninstall`](Pool::begin_uninstall) on, until the pool is in the list again, all its pages are in use.
//!   Therefore no call allocates from it.
//! * A pool does not leave while one of its pages is in use. A call therefore uses the address of a view only after it
//!   has allocated a page. It reads the address after that, or in the same stretch with the lock held.
//! * A view is recorded as not mapped before it is unmapped. Therefore an address that the kernel gives to another
//!   mapping later is never taken for an address in the view.

use super::{Pool, PoolSpec, WholePages};
use crate::dropin::name_readers::NameReader;
use crate::dropin::page_map::{CacheState, TimeLeft};
use crate::flags::Flags;
use crate::kernel::{Kernel, MemoryType};
use crate::mem::atomic_ref::AtomicRef;
use crate::mem::atomics::{
    AtomicBool, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

/// The flags that a kept pool and a new pool of the same pages must have in common, so that the kept one can be used
/// again. They decide which devices the pool serves and how it is mapped.
const LASTING: Flags = Flags::NOMAP.union(Flags::DEVICE);

/// Whether a pool is in the list of pools, and its place there.
pub(super) struct Membership<K: Kernel> {
    /// The call that installed the pool has ended, so the pool may be uninstalled.
    is_installed: AtomicBool,
    /// The pool is being uninstalled, or has been uninstalled. It has no free page.
    has_begun_uninstall: AtomicBool,
    /// The list is sorted by this number. A pool gets the next one when it is installed for the first time, and keeps
    /// it when it comes back.
    order: AtomicUsize,
    /// The pool has left the list at least once.
    was_uninstalled: AtomicBool,
    /// The [`LASTING`] flags with which the pool was made. C cannot change them by writing to the pool's flags.
    lasting_flags: Flags,
    /// The name is a copy, which belongs to the pool.
    has_copied_name: bool,
    /// While this pool is kept: the next one in the list of kept pools.
    next_kept: AtomicRef<Pool<K>>,
}

impl<K: Kernel> Membership<K> {
    /// Makes the value for a new pool.
    pub(super) fn new(spec: &PoolSpec) -> Self {
        Membership {
            is_installed: AtomicBool::new(false),
            has_begun_uninstall: AtomicBool::new(false),
            order: AtomicUsize::new(0),
            was_uninstalled: AtomicBool::new(false),
            lasting_flags: spec.flags & LASTING,
            has_copied_name: spec.origin.has_device(),
            next_kept: AtomicRef::new(),
        }
    }
}

/// Why a pool cannot be uninstalled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UninstallError {
    /// The pool is not in the list, or is being uninstalled already.
    NotInstalled,
    /// Pages are in use, a device owns the pool, or its install has not ended.
    InUse,
    /// The caller may not sleep.
    Context,
}

impl<K: Kernel> Pool<K> {
    /// Returns whether the pool is being uninstalled, or has been uninstalled.
    ///
    /// Context: any.
    pub(crate) fn has_begun_uninstall(&self) -> bool {
        self.membership.has_begun_uninstall.load(Relaxed)
    }

    /// Returns whether firmware forbids a linear map of the pool (`no-map`).
    pub(super) fn is_no_map(&self) -> bool {
        self.membership.lasting_flags.contains(Flags::NOMAP)
    }

    /// Returns whether the pool was made for its owners only. C may have changed since then which devices it serves.
    pub(super) fn is_for_owners(&self) -> bool {
        self.membership.lasting_flags.contains(Flags::DEVICE)
    }

    /// Returns the number by which the list is sorted.
    pub(crate) fn order(&self) -> usize {
        self.membership.order.load(Relaxed)
    }

    /// Sets the number by which the list is sorted, before the pool is added for the first time.
    pub(crate) fn set_order(&self, order: usize) {
        self.membership.order.store(order, Relaxed);
    }

    /// Returns whether the pool has a lower number than `order`, and was never uninstalled. A pool that comes back has
    /// its earlier number, but was not in the list all the time.
    pub(crate) fn is_older_than(&self, order: usize) -> bool {
        self.order() < order && !self.membership.was_uninstalled.load(Relaxed)
    }

    /// Returns the link to the next pool in the list of kept pools.
    pub(crate) fn next_kept(&self) -> &AtomicRef<Pool<K>> {
        &self.membership.next_kept
    }

    /// Ends the install of a pool that was added to the list: from now on, it can be uninstalled.
    ///
    /// Context: any.
    pub(crate) fn end_install(&self) {
        // The call that installed the pool has recorded how it is mapped. `begin_uninstall` reads this with `Acquire`:
        // if it finds the pool installed, it also finds that record, and everything is unmapped.
        self.membership.is_installed.store(true, Release);
    }

    /// Begins the uninstall of an installed pool: allocates all its pages, so that no other call can allocate from it.
    /// The caller holds the turn of installs.
    ///
    /// Context: any.
    pub(crate) fn begin_uninstall(&self) -> Result<(), UninstallError> {
        if self.has_begun_uninstall() {
            return Err(UninstallError::NotInstalled);
        }
        if !self.membership.is_installed.load(Acquire) || self.owners.has_claim() {
            return Err(UninstallError::InUse);
        }
        if !self.lock_settled(TimeLeft::ForAnything).allocate_all() {
            return Err(UninstallError::InUse);
        }
        self.membership.has_begun_uninstall.store(true, Relaxed);
        Ok(())
    }

    /// Writes dirty lines to memory and removes all mappings of a pool that is being uninstalled. A linear map that
    /// boot code made stays.
    ///
    /// Context: thread.
    pub(crate) fn unmap_all(&self) {
        // No other call maps the pool meanwhile, because a call maps it only after it has allocated a page.
        let (kernel, size) = (self.kernel, self.size());
        let linear = kernel.linear(self.start);
        for memory in [MemoryType::Uncached, MemoryType::WriteThrough, MemoryType::Cached] {
            let Some(base) = self.view(memory).take() else { continue };
            if memory != MemoryType::Uncached {
                kernel.cache_flush(base, size);
            }
            if memory != MemoryType::Cached || base != linear {
                // SAFETY: `make_view` mapped the view, no page of it is in use, and no other call finds its address any
                // more.
                #[allow(unsafe_code)]
                unsafe {
                    kernel.unmap(base)
                }
            }
        }
        if self.is_mapped_linearly.swap(false, Relaxed) {
            // SAFETY: `map_linear` mapped it, no page of it is in use, and no other call finds its address any more.
            #[allow(unsafe_code)]
            unsafe {
                kernel.unmap_linear(linear, size)
            }
        }
    }

    /// Ends the uninstall of a pool that is not in the list any more. Calls that begin after this one do not read the
    /// name with which the pool was installed.
    ///
    /// Context: any.
    pub(crate) fn end_uninstall(&self) {
        if !self.membership.has_copied_name {
            // The head of `name_readers` states why a call that has read the name before is waited for.
            self.public.region_name.store(core::ptr::null_mut(), Relaxed);
        }
        self.membership.was_uninstalled.store(true, Relaxed);
    }

    /// Returns whether this pool can be used again as the specified pool, which has these pages. A copy of a device's
    /// name stays, so the pool does not serve for a device with another name.
    pub(crate) fn matches(&self, spec: &PoolSpec, pages: WholePages, reader: &NameReader) -> bool {
        let has_copied_name = self.membership.has_copied_name;
        pages == WholePages { start: self.start, count: self.page_count }
            && self.membership.lasting_flags == spec.flags & LASTING
            && has_copied_name == spec.origin.has_device()
            && (!has_copied_name || self.name(reader).is_same_text(spec.region.name))
    }

    /// Gives a pool that was uninstalled all values of a new pool but its page map, and writes again what C sees of its
    /// pages. The copy of a device's name stays, and all pages stay in use. The caller holds the turn of installs.
    ///
    /// Context: any.
    pub(crate) fn reset(&self, spec: &PoolSpec) {
        let (public, region) = (&self.public, &spec.region);
        public.region_start.store(region.start, Relaxed);
        public.region_end.store(region.end, Relaxed);
        if !self.membership.has_copied_name {
            public.region_name.store(region.name.as_ptr().cast_mut(), Release);
        }
        public.flags.store(spec.flags_of_new_pool(self.kernel).bits(), Relaxed);
        // The next three never change, but C may have written to them.
        public.map.store(self.lock().used().as_ptr().cast_mut().cast(), Relaxed);
        public.bits.store(self.page_count, Relaxed);
        public.start.store(self.start, Relaxed);
        public.dev.store(core::ptr::with_exposed_provenance_mut(spec.origin.first_owner().device), Relaxed);
        self.owners.reset(spec.origin);
        self.had_buffer_without_mapping.store(false, Relaxed);
        self.set_reusable(spec.is_reusable);
        self.failures.reset();
    }

    /// Makes all pages free, after the pool was added to the list again.
    ///
    /// Context: any.
    pub(crate) fn end_reinstall(&self) {
        self.membership.is_installed.store(false, Relaxed);
        self.membership.has_begun_uninstall.store(false, Relaxed);
        // Meanwhile, other code used the memory, and may have written to it through the cache. The lock is not needed:
        // cache states are changed by calls that have allocated pages, and this call has all of them.
        self.cache_states.set(0, self.page_count, CacheState::Dirty);
        let mut map = self.lock();
        map.mark_as_one_allocation();
        // It cannot fail: this is the allocation that was just marked.
        let _ = self.free_pages_locked(map, 0, self.page_count);
        self.lock().set_peak_to_used();
    }
}
