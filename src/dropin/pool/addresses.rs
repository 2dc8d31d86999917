//! The addresses of a pool's memory: which page or buffer an address belongs to, and how the processor accesses it
//! there.

use super::Pool;
use super::view::View;
use crate::dropin::page_map::CacheState;
#[cfg(any(feature = "debug", feature = "internals"))]
use crate::dropin::page_map::bits::test_bit;
use crate::kernel::{Kernel, PAGE_SHIFT, PAGE_SIZE, Pa, Va};
use crate::mem::atomics::Ordering::Relaxed;

/// How the processor accesses pool memory at an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AddressInfo {
    /// The cache may hold lines of the memory.
    pub is_cached: bool,
    /// The address lies in a view, which stays mapped. Otherwise it lies in a mapping of one buffer, which may be
    /// removed.
    pub is_in_view: bool,
}

/// Where an address in a view leads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct InView {
    /// The physical address.
    pub pa: Pa,
    /// The cache may hold lines of the memory there.
    pub is_cached: bool,
}

impl<K: Kernel> Pool<K> {
    /// Returns the distance of `pa` from the start of the pool; `None` if `pa` does not belong to the pool.
    fn offset_of(&self, pa: Pa) -> Option<usize> {
        let offset = pa.wrapping_sub(self.start);
        (offset < self.size()).then_some(offset)
    }

    /// Returns the physical address of `page`.
    pub fn pa_of(&self, page: usize) -> Pa {
        self.start.wrapping_add(page << PAGE_SHIFT)
    }

    /// Returns how the processor accesses the byte at `pa` through `va`, which is mapped to it; `None` if `pa` does not
    /// belong to this pool. An address outside the views has the memory type with which the page was handed out.
    ///
    /// Context: any.
    pub fn address_info(&self, va: Va, pa: Pa) -> Option<AddressInfo> {
        let page = self.offset_of(pa)? >> PAGE_SHIFT;
        Some(match self.find_in_view(va, 1) {
            Some(InView { pa: found, is_cached }) if found == pa => AddressInfo { is_cached, is_in_view: true },
            _ => AddressInfo { is_cached: !self.has_any_own_mapping() || self.is_dirty(page), is_in_view: false },
        })
    }

    /// Returns where `va` leads, if one view of the pool contains all of the `size` bytes there; otherwise `None`.
    /// `size` is not zero.
    ///
    /// Context: any.
    #[inline(always)] // Otherwise a streaming map of pool memory takes 15 instructions more on aarch64.
    pub fn find_in_view(&self, va: Va, size: usize) -> Option<InView> {
        let highest = self.size().checked_sub(size)?;
        let offset_in = |view: &View| {
            let offset = va.wrapping_sub(view.base()?);
            (offset <= highest).then_some(offset)
        };
        let [cached, uncached, write_through] = &self.views;
        let (offset, is_cached) = if let Some(offset) = offset_in(cached) {
            (offset, true)
        } else if let Some(offset) = offset_in(uncached) {
            (offset, false)
        } else {
            (offset_in(write_through)?, self.kernel.caches_write_through())
        };
        Some(InView { pa: self.start.wrapping_add(offset), is_cached })
    }

    /// Returns whether the write-through view contains all of the `size` bytes at `va`. Where write-through memory is
    /// cached, none of their lines is dirty, but some may be older than memory: see [`va_of`](Self::va_of).
    ///
    /// Context: any.
    pub fn write_through_view_contains(&self, va: Va, size: usize) -> bool {
        let [_, _, write_through] = &self.views;
        write_through
            .base()
            .zip(self.size().checked_sub(size))
            .is_some_and(|(base, highest)| va.wrapping_sub(base) <= highest)
    }

    /// Returns the address of `pa` in the mapping through which its page was handed out: the buffer's own, or a view.
    /// Returns `None` if `pa` does not belong to the pool, or if that view is not mapped.
    ///
    /// For an uncached buffer it may also be the address in the write-through view. What the driver writes uncached
    /// does not change lines that were read there before.
    ///
    /// Context: any.
    pub fn va_of(&self, pa: Pa) -> Option<Va> {
        let offset = self.offset_of(pa)?;
        let page = offset >> PAGE_SHIFT;
        let is_there = |va| self.kernel.v2p(va) == Some(self.pa_of(page));
        if let Some(page_va) = self.own_mappings.va_of(page, is_there) {
            return Some(page_va + offset % PAGE_SIZE);
        }
        let [cached, uncached, write_through] = &self.views;
        let base = if self.is_dirty(page) {
            cached.base()
        } else {
            // The cache state does not distinguish these two views. An address in the write-through view is right for
            // both: its lines are maintained, and what is written there is in memory at once.
            write_through.base().or(uncached.base())
        };
        base?.checked_add(offset)
    }

    /// Returns the first page of a buffer that was handed out at `va` in a view; `None` if no buffer of this pool can
    /// have this address. Only the views with the memory type with which the page was last handed out count.
    ///
    /// Context: any.
    pub fn buffer_in_view(&self, va: Va) -> Option<usize> {
        let [cached, uncached, write_through] = &self.views;
        let page_in = |view: &View| view.page_of(va, self.page_count);
        let (page, cache) = match page_in(cached) {
            Some(page) => (page, CacheState::Dirty),
            None => (page_in(uncached).or_else(|| page_in(write_through))?, CacheState::Clean),
        };
        if self.cache_states.of(page) != cache {
            return None;
        }
        // The records are not searched for a cached buffer if none ever had its own mapping. (If they were, an
        // allocation of a cached page and its free would take 453 instructions more on the host while 64 uncached
        // buffers of the pool have their own mappings.)
        let may_have_own = cache == CacheState::Clean || self.own_mappings.may_have_dirty();
        if may_have_own && self.page_has_own_mapping(page) { None } else { Some(page) }
    }

    /// Returns the first page of a buffer that was handed out without a mapping, at the physical address `pa`; `None`
    /// if no buffer of this pool can have this address.
    ///
    /// Context: any.
    pub fn buffer_without_mapping(&self, pa: Pa) -> Option<usize> {
        if !self.had_buffer_without_mapping.load(Relaxed) || !pa.is_multiple_of(PAGE_SIZE) {
            return None;
        }
        let page = self.offset_of(pa)? >> PAGE_SHIFT;
        (self.is_dirty(page) && !self.page_has_own_mapping(page)).then_some(page)
    }

    /// Returns whether `page` belongs to a buffer with its own mapping, whose address is that of the mapping.
    fn page_has_own_mapping(&self, page: usize) -> bool {
        self.has_any_own_mapping() && self.own_mappings.has_buffer_at(page)
    }

    /// Returns whether the cache may hold dirty lines of `page` ([`CacheState::Dirty`]).
    fn is_dirty(&self, page: usize) -> bool {
        self.cache_states.of(page) == CacheState::Dirty
    }

    /// Returns whether the page that contains `pa` is in use; false if `pa` does not belong to this pool.
    ///
    /// Context: any.
    #[cfg(any(feature = "debug", feature = "internals"))]
    pub fn is_in_use(&self, pa: Pa) -> bool {
        self.offset_of(pa).is_some_and(|offset| test_bit(self.lock().used(), offset >> PAGE_SHIFT))
    }
}
