//! What becomes of a pool that is uninstalled: the functions that `additions::uninstall` calls.
//!
//! A call that wants a buffer may look at a pool without its lock, and be interrupted there for any time, in which the pool is
//! uninstalled, and installed again. What keeps such calls right:
//!
//! * The memory of the pool is never freed, and what its bookkeeping depends on never changes: the first page, the number of
//!   pages, the bitmaps.
//! * From [`Leaving`](State::Leaving) on all pages are in use, until the pool is back in the list: nothing is allocated from it.
//! * A caller that has a page keeps the pool from leaving. So the address of a view is only used once a page was allocated.
//! * A view is recorded as not mapped before it is unmapped. So an address in a buffer of another pool never seems to be in it.

use super::{DIRTY, FirstOwner, Pool, Region, first_flags};
use crate::dropin::page_map::{Span, change};
use crate::flags::Flags;
use crate::kernel::{Kernel, MemoryType, Pa};
use crate::mem::atomics::{
    AtomicUsize,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
};
use crate::mem::cache;
use crate::mem::shared::AtomicRef;

/// The flags in which two pools of the same pages must agree for one to be kept for the other: they decide whom a pool serves,
/// and how it is mapped.
const LASTING: Flags = Flags::NOMAP.union(Flags::DEVICE);

/// What became of a pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub(super) enum State {
    /// It is in the list, and is about to be mapped.
    New,
    /// It is in the list.
    Installed,
    /// It is in the list, has no free page, and is about to be unmapped.
    Leaving,
    /// It is not in the list.
    Gone,
}

/// How a pool is related to the list of pools.
pub(super) struct Membership<K: Kernel> {
    /// A [`State`].
    state: AtomicUsize,
    /// The number of pools that were put into the list before this one was for the first time: the list is in this order.
    order: AtomicUsize,
    /// The [`LASTING`] flags with which the pool was made.
    kind: Flags,
    has_copied_name: bool,
    /// The pool that was uninstalled before this one, while this one is kept.
    next_kept: AtomicRef<Pool<K>>,
}

impl<K: Kernel> Membership<K> {
    /// Makes the state of a new pool that is made with these flags for `owner`.
    #[inline(always)]
    pub(super) fn new(flags: Flags, owner: FirstOwner) -> Self {
        Membership {
            state: AtomicUsize::new(State::New as usize),
            order: AtomicUsize::new(0),
            kind: flags & LASTING,
            has_copied_name: owner.is_device(),
            next_kept: AtomicRef::new(),
        }
    }

    pub(super) fn set(&self, state: State) {
        self.state.store(state as usize, Release);
    }
}

/// How a pool that was uninstalled becomes one that is installed. The functions are an addition; an install reaches them by
/// this. `D` is the system's DMA memory, which this file does not know.
pub struct Revival<K: Kernel, D> {
    /// Returns a kept pool that can be one of these pages, made anew.
    pub(crate) revive: fn(&D, &Region, (Pa, usize), Flags, FirstOwner) -> Option<&'static Pool<K>>,
    /// Ends that the pool is kept, and makes its pages free.
    pub(crate) reopen: fn(&D, &'static Pool<K>),
}

/// Why a pool stays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stays {
    /// It is not in the list.
    NotInstalled,
    /// Pages are in use, a device's node names it, or it is still being installed.
    InUse,
}

impl<K: Kernel> Pool<K> {
    /// Returns whether the pool is being uninstalled, or was.
    ///
    /// Context: any.
    pub(crate) fn is_leaving(&self) -> bool {
        self.membership.state.load(Relaxed) >= State::Leaving as usize
    }

    /// Returns its place in the list, among all pools that ever were there.
    pub(crate) fn order(&self) -> usize {
        self.membership.order.load(Relaxed)
    }

    /// Sets its place, before it is in the list for the first time.
    pub(crate) fn set_order(&self, order: usize) {
        self.membership.order.store(order, Relaxed);
    }

    /// Returns the reference to the pool that was uninstalled before this one, while this one is kept.
    pub(crate) fn next_kept(&self) -> &AtomicRef<Pool<K>> {
        &self.membership.next_kept
    }

    /// Takes all pages of an installed pool, so that nothing is allocated from it any more. The caller excludes other callers
    /// that install or uninstall pools. Context: any.
    pub(crate) fn begin_removal(&self) -> Result<(), Stays> {
        let state = self.membership.state.load(Acquire);
        if state >= State::Leaving as usize {
            return Err(Stays::NotInstalled);
        }
        if state == State::New as usize || self.owners.has_device() {
            return Err(Stays::InUse);
        }
        self.take(self.pages).ok_or(Stays::InUse)?;
        self.membership.set(State::Leaving);
        Ok(())
    }

    /// Writes dirty lines to memory and removes all mappings of a pool that is leaving, except a linear map of the boot code.
    /// Context: thread.
    pub(crate) fn unmap_all(&self) {
        // No call maps the pool meanwhile: it would have a page.
        let (kernel, size) = (self.kernel, self.size());
        let linear = kernel.linear(self.start);
        for memory in [MemoryType::Uncached, MemoryType::WriteThrough, MemoryType::Cached] {
            let Some(base) = self.view(memory).take() else { continue };
            if memory != MemoryType::Uncached {
                cache::flush(kernel, base, size);
            }
            if memory != MemoryType::Cached || base != linear {
                // SAFETY: `make_view` mapped it, no page is in use, and no call finds the view any more.
                #[allow(unsafe_code)]
                unsafe {
                    kernel.unmap(base)
                }
            }
        }
        if self.is_mapped_linearly.swap(false, Relaxed) {
            // SAFETY: `map_linear` mapped it; the rest as above.
            #[allow(unsafe_code)]
            unsafe {
                kernel.unmap_linear(linear, size)
            }
        }
    }

    /// Ends the removal. The name with which the pool was installed is not read any more. Context: any.
    pub(crate) fn end_removal(&self) {
        if !self.membership.has_copied_name {
            // With the reader's first access (`Dma::reads_names`): either the reader finds no name, or the caller of this function
            // finds the reader.
            self.public.region_name.store(core::ptr::null_mut(), SeqCst);
        }
        self.membership.set(State::Gone);
    }

    /// Whether the pool can be kept for a pool of these pages that is made with `flags` for `owner`.
    pub(crate) fn is_like(&self, (start, pages): (Pa, usize), flags: Flags, owner: FirstOwner) -> bool {
        (self.start, self.pages, self.membership.kind) == (start, pages, flags & LASTING)
            && self.membership.has_copied_name == owner.is_device()
    }

    /// Makes a pool that is gone as a new one would be, but for its free pages. The copy of a device's name stays. The caller
    /// excludes other callers that install or uninstall pools. Context: any.
    pub(crate) fn renew(&self, region: &Region, flags: Flags, owner: FirstOwner) {
        let public = &self.public;
        public.region_start.store(region.start, Relaxed);
        public.region_end.store(region.end, Relaxed);
        if !self.membership.has_copied_name {
            public.region_name.store(region.name.as_ptr().cast_mut(), Relaxed);
        }
        public.flags.store(first_flags(self.kernel, region, flags).bits(), Relaxed);
        public.dev.store(core::ptr::with_exposed_provenance_mut(owner.address()), Relaxed);
        self.owners.begin_anew(owner);
        self.has_physical.store(false, Relaxed);
        self.is_reusable.store(false, Relaxed);
        self.failures.forget();
    }

    /// Makes all pages of a pool free that is gone, and back in the list. Context: any.
    pub(crate) fn reopen(&self) {
        self.membership.set(State::New);
        // The memory had another owner, which may have written to it through the cache.
        let map = self.lock();
        change(self.clean, Span::new(0, self.pages), DIRTY);
        drop(map);
        let _ = self.free(0, self.pages);
        self.lock().forget_peak();
    }
}
