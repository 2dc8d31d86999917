//! A pool's buffers: taking pages, saying where they are seen, giving them back.

use super::{Buffer, CLEAN, DIRTY, Pool};
use crate::cache;
use crate::flags::Flags;
use crate::kernel::{Kernel, MemoryType, PAGE_SHIFT, PAGE_SIZE, Pa, Va};
use crate::lock::IrqGuard;
use crate::mapping::Mappings;
use crate::page_map::{FreeError, PageMap, Span, Step, test};
use crate::view::{NoView, map_checked};
use core::num::NonZeroUsize;
use core::sync::atomic::Ordering::{Acquire, Relaxed};

/// How often a call that is interrupted between two short stretches with the lock held begins anew, before it takes one
/// that is longer.
const PATIENCE: usize = 16;

/// How a buffer is to be handed out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Access {
    /// Not mapped: the processor's address is the physical one.
    Physical,
    /// Mapped with this type.
    Mapped(MemoryType),
}

impl<K: Kernel> Pool<K> {
    /// Takes the lowest run of `pages` free pages; `None` if there is none, or it cannot be mapped. Any context if the
    /// view is mapped already, else *thread*.
    #[inline(always)]
    pub fn allocate(&self, mappings: &Mappings<K>, pages: usize, wanted: Flags) -> Option<Buffer> {
        let next = self.map.lock(self.kernel).take_next(pages);
        let span = match next {
            Some(span) => span,
            None => self.take_lowest(pages)?,
        };
        // The usual case: the view is there, and no cache line is in the way.
        let is_usual = !wanted.intersects(Flags::NOMAP.union(Flags::WRITE_THROUGH));
        let (memory, mark) = match (wanted | self.flags()).contains(Flags::NOCACHE) {
            true => (MemoryType::Uncached, CLEAN),
            false => (MemoryType::Cached, DIRTY),
        };
        match self.view(memory).base() {
            Some(base) if is_usual && !span.differs(self.dirty, mark) => {
                let offset = span.from() << PAGE_SHIFT;
                Some(Buffer { va: NonZeroUsize::new(base + offset)?, pa: self.start + offset })
            }
            _ => self.hand_out(mappings, span, pages, wanted),
        }
    }

    /// The same, for a caller that has time.
    pub fn allocate_slowly(&self, mappings: &Mappings<K>, pages: usize, wanted: Flags) -> Option<Buffer> {
        let span = self.take_lowest(pages)?;
        self.hand_out(mappings, span, pages, wanted)
    }

    /// The same, at the lowest address that is a multiple of `align` bytes, a power of two.
    pub fn allocate_aligned(
        &self,
        mappings: &Mappings<K>,
        pages: usize,
        align: usize,
        wanted: Flags,
    ) -> Option<Buffer> {
        let (base, align) = (self.start >> PAGE_SHIFT, (align >> PAGE_SHIFT).max(1));
        let mut from = 0;
        loop {
            // The lock goes before the pages are handed out, which may sleep.
            let step = self.settled().take_aligned(from, pages, base, align);
            match step {
                Step::Taken(span) => return self.hand_out(mappings, span, pages, wanted),
                Step::From(page) if page < self.pages => from = page,
                Step::From(_) | Step::Nothing => return None,
            }
        }
    }

    /// Takes the lowest run of `pages` free pages, by opening it first.
    #[inline(never)]
    fn take_lowest(&self, pages: usize) -> Option<Span> {
        if pages > self.pages {
            return None;
        }
        let beside = self.map.lock(self.kernel).take_beside_hole(pages);
        if beside.is_some() {
            return beside;
        }
        let mut patience = PATIENCE;
        loop {
            let mut map = self.settled();
            if !map.open_lowest(pages) {
                return None;
            }
            if patience != 0 {
                patience -= 1;
                drop(map);
                map = self.map.lock(self.kernel);
            }
            // Somebody else may have been there first.
            let next = map.take_next(pages);
            if next.is_some() {
                return next;
            }
        }
    }

    /// How a request with `wanted` is to be handed out from here.
    #[inline(always)]
    fn access(&self, wanted: Flags) -> Access {
        if wanted.contains(Flags::NOMAP) {
            Access::Physical
        } else if (wanted | self.flags()).contains(Flags::NOCACHE) {
            Access::Mapped(MemoryType::Uncached)
        } else if wanted.contains(Flags::WRITE_THROUGH) {
            Access::Mapped(MemoryType::WriteThrough)
        } else {
            Access::Mapped(MemoryType::Cached)
        }
    }

    /// The addresses of pages that were taken just now.
    #[inline(never)]
    fn hand_out(&self, mappings: &Mappings<K>, span: Span, pages: usize, wanted: Flags) -> Option<Buffer> {
        let access = self.access(wanted);
        let offset = span.from() << PAGE_SHIFT;
        let pa = self.start + offset;
        let view = match access {
            Access::Physical => Some(pa),
            Access::Mapped(memory) => match self.view(memory).base() {
                Some(base) => Some(base + offset),
                None => self.map_buffer(mappings, span.from(), pages, memory),
            },
        };
        let Some(va) = view.and_then(NonZeroUsize::new) else {
            // It was allocated just now, so it can be freed.
            let _ = self.free(span.from(), pages);
            return None;
        };
        if access != Access::Mapped(MemoryType::Cached) {
            // Through the mapping that made the lines dirty, if there is one; maintenance works on the physical
            // address, whatever the type of the mapping (Arm ARM DDI 0487, D7.5.9).
            let cached = self.view(MemoryType::Cached).base();
            let mapped = cached.map(|base| base + offset).or((access != Access::Physical).then_some(va.get()));
            if let (Some(va), Some((first, last))) = (mapped, span.change_shared(self.dirty, CLEAN)) {
                cache::flush(self.kernel, va + ((first - span.from()) << PAGE_SHIFT), (last + 1 - first) << PAGE_SHIFT);
            }
        }
        // Nobody can tell of which type a mapping of its own is, but by this: so one that has a cache counts as cached.
        let is_cached_alone = |memory: MemoryType| memory.is_cached() && self.view(memory).base().is_none();
        if match access {
            Access::Physical => true,
            Access::Mapped(memory) => memory == MemoryType::Cached || is_cached_alone(memory),
        } {
            span.change_shared(self.dirty, DIRTY);
        }
        Some(Buffer { va, pa })
    }

    /// An address for a buffer whose view is not mapped yet, or cannot be.
    #[cold]
    #[inline(never)]
    fn map_buffer(&self, mappings: &Mappings<K>, page: usize, pages: usize, memory: MemoryType) -> Option<Va> {
        let kernel = self.kernel;
        let view = self.view(memory);
        if self.size() > kernel.view_limit() && view.base().is_none() {
            view.refuse();
        }
        match view.get_or_map(kernel, self.start, self.size(), memory) {
            Ok(base) => return Some(base + (page << PAGE_SHIFT)),
            Err(NoView::NotNow) => return None,
            Err(NoView::Refused) if !kernel.can_sleep() => return None,
            Err(NoView::Refused) => {}
        }
        let pa = self.start + (page << PAGE_SHIFT);
        let va = map_checked(kernel, pa, pages << PAGE_SHIFT, memory)?;
        if !mappings.insert(kernel, va, pa) {
            kernel.unmap(va);
            return None;
        }
        self.own_mappings.fetch_add(1, Relaxed);
        Some(va)
    }

    /// The page of which `va`, which is the first byte of one, is the first byte in one of the views; and whether that
    /// view is the cached one. Any context.
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
        offset.is_multiple_of(PAGE_SIZE).then_some((offset >> PAGE_SHIFT, is_cached))
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
        test(self.dirty, page)
    }

    /// Whether any buffer has a mapping of its own.
    #[inline(always)]
    pub fn has_own_mappings(&self) -> bool {
        self.own_mappings.load(Acquire) != 0
    }

    /// Gives back the buffer of `pages` pages at `page`, if it was the last that was taken. Any context.
    #[inline(always)]
    pub fn free_last(&self, page: usize, pages: usize) -> bool {
        self.map.lock(self.kernel).give_back_last(page, pages)
    }

    /// Gives back the buffer of `pages` pages at `page`. Any context.
    #[inline(never)]
    pub fn free(&self, page: usize, pages: usize) -> Result<(), FreeError> {
        if self.map.lock(self.kernel).give_back_in_order(page, pages) {
            return Ok(());
        }
        self.settled().give_back(page, pages)
    }

    /// The map, settled. Each part of that has the lock for itself, so that none holds it for long; unless somebody else
    /// takes pages in between, time and again.
    #[inline(never)]
    pub(super) fn settled(&self) -> IrqGuard<'_, K, PageMap> {
        let mut patience = PATIENCE;
        loop {
            let mut map = self.map.lock(self.kernel);
            if !map.settle() {
                return map;
            }
            patience = patience.saturating_sub(1);
            if patience == 0 {
                while map.settle() {}
                return map;
            }
        }
    }

    /// Gives back a buffer that has a mapping of its own, and the mapping. *Thread.*
    pub fn free_mapped(&self, mappings: &Mappings<K>, page: usize, pages: usize, va: Va) -> Result<(), FreeError> {
        self.map.lock(self.kernel).check(page, pages)?;
        // Of two that free it at once, one gets the record.
        let record = mappings.remove(self.kernel, va, self.pa_of(page)).ok_or(FreeError::NotAllocated)?;
        self.own_mappings.fetch_sub(1, Relaxed);
        if self.was_cached(page) {
            // Nobody can do it for a buffer that is handed out without a mapping next.
            cache::flush(self.kernel, va, pages << PAGE_SHIFT);
        }
        self.kernel.unmap(va);
        drop(record);
        self.free(page, pages)
    }
}
