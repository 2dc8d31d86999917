//! A pool's buffers: taking pages, saying where they are seen, giving them back.

use super::{CLEAN, DIRTY, Pool};
use crate::cache;
use crate::error::Error;
use crate::flags::Flags;
use crate::kernel::lock::IrqGuard;
use crate::kernel::{Kernel, MemoryType, PAGE_SHIFT, PAGE_SIZE, Pa, Va};
use crate::mapping::{Mapping, Mappings};
use crate::page_map::{PageMap, Span, Step, change, differs_in_many, test};
use crate::view::{View, map_checked};
use core::num::NonZeroUsize;
use core::sync::atomic::Ordering::Relaxed;

/// How often a call that is interrupted between two short stretches with the lock held begins anew, before it takes one
/// that is longer.
const PATIENCE: usize = 16;

impl<K: Kernel> Pool<K> {
    /// Takes the lowest run of `pages` free pages; says at which page. Any context.
    #[inline(always)]
    pub fn take(&self, pages: usize) -> Option<usize> {
        let mut map = self.map.lock(self.kernel);
        if let Some(page) = map.take(pages) {
            return Some(page);
        }
        drop(map);
        self.take_lowest(pages)
    }

    /// Takes the lowest run of `pages` free pages at an address that is a multiple of `align` bytes, a power of two; says
    /// at which page.
    pub fn take_aligned(&self, pages: usize, align: usize) -> Option<usize> {
        let (base, align) = (self.start >> PAGE_SHIFT, (align >> PAGE_SHIFT).max(1));
        let mut from = 0;
        loop {
            let step = self.settled().take_aligned(from, pages, base, align);
            match step {
                Step::Taken(page) => return Some(page),
                Step::From(page) if page < self.pages => from = page,
                Step::From(_) | Step::Nothing => return None,
            }
        }
    }

    /// The same, where the open run does not say so: opens another.
    #[inline(never)]
    pub fn take_lowest(&self, pages: usize) -> Option<usize> {
        // A pool that is too small says so at once.
        if pages > self.pages {
            return None;
        }
        self.settled().take_lowest(pages)
    }

    /// The address of `pages` pages from `page` on, which were taken just now, for the processor; `None`, and they are given
    /// back, if they cannot be mapped. Any context if the view is mapped already, else *thread*.
    #[inline(always)]
    pub fn show(&self, mappings: &Mappings, page: usize, pages: usize, wanted: Flags) -> Option<NonZeroUsize> {
        // The usual case: the view is there, and no cache line is in the way.
        let is_usual = !wanted.intersects(Flags::NOMAP.union(Flags::WRITE_THROUGH));
        let (memory, mark) = match (wanted | self.flags()).contains(Flags::NOCACHE) {
            true => (MemoryType::Uncached, CLEAN),
            false => (MemoryType::Cached, DIRTY),
        };
        match self.view(memory).base() {
            Some(base) if is_usual && !Span::new(page, pages).differs(self.clean, mark) => {
                NonZeroUsize::new(base + (page << PAGE_SHIFT))
            }
            _ => self.hand_out(mappings, page, pages, wanted),
        }
    }

    /// The same, in every case.
    #[inline(never)]
    pub fn hand_out(&self, mappings: &Mappings, page: usize, pages: usize, wanted: Flags) -> Option<NonZeroUsize> {
        let offset = page << PAGE_SHIFT;
        let is_physical = wanted.contains(Flags::NOMAP);
        let memory = if (wanted | self.flags()).contains(Flags::NOCACHE) {
            MemoryType::Uncached
        } else if wanted.contains(Flags::WRITE_THROUGH) {
            MemoryType::WriteThrough
        } else {
            MemoryType::Cached
        };
        let cached = self.view(MemoryType::Cached).base().map(|base| base + offset);
        // Through the mapping that made the lines dirty, if there is one; maintenance works on the physical address, whatever
        // the type of the mapping (Arm ARM DDI 0487, D7.5.9).
        let (va, through) = if is_physical {
            (NonZeroUsize::new(self.start + offset), cached)
        } else {
            let va = self.map_buffer(mappings, offset, pages, memory);
            (va, cached.or(va.map(NonZeroUsize::get)))
        };
        let Some(va) = va else {
            // It was allocated just now, so it can be freed.
            let _ = self.free(page, pages);
            return None;
        };
        let span = Span::new(page, pages);
        // Nobody can tell of which type a mapping of its own is, but by this: so one that has a cache counts as cached.
        let is_cached_alone = MemoryType::WriteThrough.is_cached()
            && memory == MemoryType::WriteThrough
            && self.view(memory).base().is_none();
        let mark = if is_physical || is_cached_alone || memory == MemoryType::Cached { DIRTY } else { CLEAN };
        if (is_physical || memory != MemoryType::Cached)
            && let Some(through) = through
            && differs_in_many(self.clean, span, CLEAN)
        {
            cache::flush(self.kernel, through, pages << PAGE_SHIFT);
        }
        if differs_in_many(self.clean, span, mark) {
            // Others change the bits beside them, but with the lock held.
            let _held = self.lock();
            change(self.clean, span, mark);
        }
        Some(va)
    }

    /// An address for the buffer at `offset`: in the view, which is made if nobody did, or in a mapping of its own.
    #[inline(always)]
    fn map_buffer(&self, mappings: &Mappings, offset: usize, pages: usize, memory: MemoryType) -> Option<NonZeroUsize> {
        let kernel = self.kernel;
        let view = self.view(memory);
        let mut base = view.base();
        if base.is_none() {
            if !kernel.can_sleep() {
                return None;
            }
            base = view.get_or_map(kernel, self.start, self.size(), memory);
        }
        if let Some(base) = base {
            return NonZeroUsize::new(base + offset);
        }
        let pa = self.start + offset;
        let record = mappings.reserve(kernel, pa)?;
        let va = map_checked(kernel, pa, pages << PAGE_SHIFT, memory);
        record.fill(pa, va);
        self.own_mappings.fetch_add(usize::from(va.is_some()), Relaxed);
        va
    }

    /// The page of which `va` is the first byte in one of the views; and whether that view is the cached one. Any context.
    #[inline(always)]
    pub fn page_at(&self, va: Va) -> Option<(usize, bool)> {
        let [cached, uncached, write_through] = &self.views;
        let size = self.size();
        let mut is_cached = true;
        let mut offset = cached.offset_of(va);
        if offset >= size {
            is_cached = false;
            offset = uncached.offset_of(va);
            if offset >= size {
                offset = write_through.offset_of(va);
                if offset >= size {
                    return None;
                }
            }
        }
        // A view that is not mapped is no whole number of pages away from the first byte of one.
        (offset | va).is_multiple_of(PAGE_SIZE).then_some((offset >> PAGE_SHIFT, is_cached))
    }

    /// Whether `va`, the first byte of a page, shows `page` in a view of the kind in which it was handed out last. Any context.
    pub fn shows(&self, page: usize, va: Va) -> bool {
        let [cached, uncached, write_through] = &self.views;
        let is_at = |view: &View| view.offset_of(va) == page << PAGE_SHIFT;
        if self.was_cached(page) { is_at(cached) } else { is_at(uncached) || is_at(write_through) }
    }

    /// The page of which `pa` is the first byte. Any context.
    pub fn page_of(&self, pa: Pa) -> Option<usize> {
        let offset = pa.wrapping_sub(self.start);
        (offset < self.size() && offset.is_multiple_of(PAGE_SIZE)).then_some(offset >> PAGE_SHIFT)
    }

    /// The physical address of `page`.
    #[inline(always)]
    pub fn pa_of(&self, page: usize) -> Pa {
        self.start + (page << PAGE_SHIFT)
    }

    /// Whether `page` was last handed out cached, or not mapped.
    #[inline(always)]
    pub fn was_cached(&self, page: usize) -> bool {
        !test(self.clean, page)
    }

    /// Whether any buffer has a mapping of its own.
    #[inline(always)]
    pub fn has_own_mappings(&self) -> bool {
        self.own_mappings.load(Relaxed) != 0
    }

    /// Gives back a buffer that has a mapping of its own, and the mapping. *Thread.*
    #[inline(always)]
    pub fn free_mapped(&self, own: &Mapping, page: usize, pages: usize) -> Result<(), Error> {
        self.lock().check(page, pages)?;
        // Of two that free it at once, one gets the record.
        let va = own.take(self.pa_of(page)).ok_or(Error::NotAllocated)?;
        // Nobody can do it for a buffer that is handed out without a mapping next.
        cache::flush(self.kernel, va, pages << PAGE_SHIFT);
        self.kernel.unmap(va);
        own.fill(0, None);
        self.own_mappings.fetch_sub(1, Relaxed);
        self.free(page, pages)
    }

    /// Gives back the buffer of `pages` pages at `page`, if it was the last that was taken. Any context.
    #[inline(always)]
    pub fn free_last(&self, page: usize, pages: usize) -> bool {
        self.map.lock(self.kernel).give_back_last(page, pages)
    }

    /// Gives back the buffer of `pages` pages at `page`. Any context.
    #[inline(never)]
    pub fn free(&self, page: usize, pages: usize) -> Result<(), Error> {
        let mut map = self.lock();
        let mut is_settled = false;
        while !map.give_back(page, pages, is_settled)? {
            drop(map);
            map = self.settled();
            is_settled = true;
        }
        Ok(())
    }

    /// The map, settled. Each part of that has the lock for itself, so that none holds it for long; unless somebody else
    /// takes pages in between, time and again.
    #[inline(never)]
    pub(super) fn settled(&self) -> IrqGuard<'_, K, PageMap> {
        let mut patience = PATIENCE;
        loop {
            let mut map = self.lock();
            loop {
                if !map.settle() {
                    return map;
                }
                if patience != 0 {
                    patience -= 1;
                    break;
                }
            }
        }
    }

    #[inline(never)]
    fn lock(&self) -> IrqGuard<'_, K, PageMap> {
        self.map.lock(self.kernel)
    }
}
