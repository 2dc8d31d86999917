//! How the processor sees a pool's memory at an address that a driver hands in.

use super::Pool;
use crate::dropin::pool::view::View;
use crate::kernel::{Kernel, PAGE_SHIFT, Pa, Va};

/// How the processor sees memory of a pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seen {
    /// The cache may hold lines of it.
    pub cached: bool,
    /// The address lies in a view, which stays; else in a mapping of its own.
    pub in_view: bool,
}

impl<K: Kernel> Pool<K> {
    /// How the processor sees `pa` at `va`, which leads there; `None` if that is no memory of this pool. Context: any.
    ///
    /// An address outside the views is of the kind in which the page was handed out.
    pub fn seen(&self, va: Va, pa: Pa) -> Option<Seen> {
        let offset = pa.wrapping_sub(self.start);
        if offset >= self.size() {
            return None;
        }
        let shows = |view: &View| view.base().is_some_and(|base| va.wrapping_sub(base) == offset);
        let [cached, uncached, write_through, _] = &self.views;
        Some(if shows(uncached) {
            Seen { cached: false, in_view: true }
        } else if shows(write_through) {
            Seen { cached: self.kernel.caches_write_through(), in_view: true }
        } else if shows(cached) {
            Seen { cached: true, in_view: true }
        } else {
            Seen { cached: !self.has_own_mappings() || self.was_cached(offset >> PAGE_SHIFT), in_view: false }
        })
    }

    /// Returns the physical address of `va`, and whether the cache may hold lines of the memory there; `None` unless one
    /// view of the pool contains all of the `size` bytes at `va`, at least one. Context: any.
    #[inline(always)] // In the short path of mappings of pool memory.
    pub fn shown_at(&self, va: Va, size: usize) -> Option<(Pa, bool)> {
        let highest = self.size().checked_sub(size)?;
        let offset_in = |view: &View| view.base().map(|base| va.wrapping_sub(base)).filter(|offset| *offset <= highest);
        let [cached, uncached, write_through, _] = &self.views;
        let (offset, is_cached) = if let Some(offset) = offset_in(cached) {
            (offset, true)
        } else if let Some(offset) = offset_in(uncached) {
            (offset, false)
        } else {
            (offset_in(write_through)?, self.kernel.caches_write_through())
        };
        Some((self.start.wrapping_add(offset), is_cached))
    }

    /// The address of `pa` in the view in which its page was handed out; `None` if `pa` is not the pool's, or there is
    /// no such view. Context: any.
    pub fn va_of(&self, pa: Pa) -> Option<Va> {
        let offset = pa.wrapping_sub(self.start);
        if offset >= self.size() {
            return None;
        }
        let [cached, uncached, write_through, _] = &self.views;
        let base = match self.was_cached(offset >> PAGE_SHIFT) {
            true => cached.base(),
            // Which of the two is not known; through this one, what either may have in the cache is maintained.
            false => write_through.base().or(uncached.base()),
        };
        base?.checked_add(offset)
    }

    /// Returns whether the page that contains `pa` is in use; false if it is no page of this pool.
    ///
    /// Context: any.
    #[cfg(any(feature = "debug", feature = "internals"))]
    pub fn is_in_use(&self, pa: Pa) -> bool {
        use core::sync::atomic::Ordering::Relaxed;

        const BITS: usize = usize::BITS as usize;
        let page = pa.wrapping_sub(self.start) >> PAGE_SHIFT;
        let used = self.settled().used();
        page < self.pages && used.get(page / BITS).is_some_and(|word| word.load(Relaxed) >> (page % BITS) & 1 != 0)
    }
}
