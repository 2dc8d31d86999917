//! A pool's buffers: taking pages, saying where they are seen, giving them back.

use super::{CLEAN, DIRTY, Pool};
use crate::dropin::page_map::{PageMap, Settled, Span, Step, change, differs};
use crate::dropin::pool::mapping::Mapping;
use crate::dropin::pool::view::{View, map_checked};
use crate::error::Error;
use crate::flags::Flags;
use crate::kernel::{Kernel, MemoryType, PAGE_SHIFT, Pa, Va};
use crate::mem::atomics::Ordering::Relaxed;
use crate::mem::cache;
use crate::mem::lock::IrqGuard;
use core::num::NonZeroUsize;

/// How often a call releases the lock between two steps of settling the map, before it does the rest in one stretch.
const PATIENCE: usize = 16;

/// As what an address is looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sought {
    /// As an address in one of the pool's views.
    InView,
    /// As the address of memory that was handed out without a mapping.
    Physical,
}

/// Where the processor sees a buffer.
#[derive(Clone, Copy)]
enum Shown {
    /// In the pool's view; or at its physical address, as memory that is not mapped.
    InView(NonZeroUsize),
    /// In a mapping of its own.
    ByItself(NonZeroUsize),
}

/// The memory type of most requests with `wanted`, and the label of pages that were last handed out as this type.
#[inline(always)]
pub(super) fn memory_for(wanted: Flags) -> (MemoryType, usize) {
    match wanted.contains(Flags::NOCACHE) {
        true => (MemoryType::Uncached, CLEAN),
        false => (MemoryType::Cached, DIRTY),
    }
}

impl<K: Kernel> Pool<K> {
    /// Allocates the lowest `pages` contiguous free pages and returns the first; `None` if no free run is long enough.
    ///
    /// Context: any.
    #[inline(never)]
    pub fn take(&self, pages: usize) -> Option<usize> {
        self.take_locked(self.map.lock(self.kernel), pages)
    }

    /// Allocates as [`take`](Self::take) does, with the lock held, and releases it.
    #[inline(always)]
    pub fn take_locked<'a>(&'a self, mut map: IrqGuard<'a, K, PageMap>, pages: usize) -> Option<usize> {
        match map.take(pages) {
            Some(page) => Some(page),
            None => self.take_lowest(map, pages),
        }
    }

    /// Allocates as [`take`](Self::take) does, after the open run turned out not to serve the request.
    #[inline(never)]
    fn take_lowest<'a>(&'a self, mut map: IrqGuard<'a, K, PageMap>, pages: usize) -> Option<usize> {
        // Asked here, so that calls that the open run serves do not pay for it.
        if pages > self.pages {
            return None;
        }
        if !map.is_settled() {
            map = self.settle(map, true);
        }
        map.take_lowest(pages)
    }

    /// The flags of a request for this pool: `wanted`, and `NOCACHE` if the pool has it. A call asks once, so that a flag which
    /// C changes meanwhile does not count in one half of the call only.
    #[inline(always)]
    pub fn flags_for(&self, wanted: Flags) -> Flags {
        wanted | self.flags() & Flags::NOCACHE
    }

    /// Takes the lowest run of `pages` free pages in `[from, end)` at an address that is a multiple of `align` bytes, a power
    /// of two; returns the first page. `pages` is not zero. Context: any.
    ///
    /// A search of many steps, each of which has the lock for itself.
    pub fn take_between(&self, from: usize, end: usize, pages: usize, align: usize) -> Option<usize> {
        let align = align >> PAGE_SHIFT;
        if from == 0 && end >= self.pages && align <= 1 {
            return self.take(pages);
        }
        let base = self.start >> PAGE_SHIFT;
        let mut from = from;
        while from < end && pages <= end - from {
            match self.settled().take_between(from, end, pages, base, align.max(1)) {
                Step::Taken(page) => return Some(page),
                Step::From(page) if page > from => from = page,
                // Nothing; or C wrote to the bitmap, and the search would go round in a circle.
                Step::From(_) | Step::Nothing => break,
            }
        }
        None
    }

    /// Returns the address of the `pages` pages from `page` on, which were taken just now, for the processor; `None` if they cannot be mapped: then
    /// they are given back. Any context if the view is mapped already, else *thread*.
    #[inline(always)]
    pub fn show(&self, page: usize, pages: usize, wanted: Flags) -> Option<NonZeroUsize> {
        // The usual case: the view is there, and no cache line is in the way.
        let is_usual = !wanted.intersects(Flags::NOMAP.union(Flags::WRITE_THROUGH));
        let (memory, label) = memory_for(wanted);
        match self.view(memory).base() {
            Some(base) if is_usual && !differs(self.clean, Span::new(page, pages), label) => {
                NonZeroUsize::new(base + (page << PAGE_SHIFT))
            }
            _ => self.hand_out(page, pages, wanted),
        }
    }

    /// The same, in every case.
    #[inline(never)]
    pub fn hand_out(&self, page: usize, pages: usize, wanted: Flags) -> Option<NonZeroUsize> {
        let offset = page << PAGE_SHIFT;
        let is_physical = wanted.contains(Flags::NOMAP);
        let memory = if wanted.contains(Flags::NOCACHE) {
            MemoryType::Uncached
        } else if wanted.contains(Flags::WRITE_THROUGH) {
            MemoryType::WriteThrough
        } else {
            MemoryType::Cached
        };
        let shown = match is_physical {
            true => NonZeroUsize::new(self.start + offset).map(Shown::InView),
            false => self.map_buffer(page, pages, memory),
        };
        let Some(shown) = shown else {
            // It was allocated just now, so it can be freed.
            let _ = self.free(page, pages);
            return None;
        };
        let (va, is_alone) = match shown {
            Shown::InView(va) => (va, false),
            Shown::ByItself(va) => (va, true),
        };
        let is_cached = memory == MemoryType::Cached && !is_physical;
        if is_physical {
            self.has_physical.store(true, Relaxed);
        }
        let is_cached_alone = is_alone && !is_cached && self.counts_as_cached(memory);
        let label = if is_cached || is_physical || is_cached_alone { DIRTY } else { CLEAN };
        let span = Span::new(page, pages);
        // What will count as cached, but is not handed out so, is flushed in any case: that it counts so already is no
        // reason not to.
        if is_physical || is_cached_alone || differs(self.clean, span, label) {
            // Through the mapping that made the lines dirty, if there is one; maintenance works on the physical address,
            // whatever the type of the mapping (Arm ARM DDI 0487, D7.5.9).
            let cached = self.view(MemoryType::Cached).base().map(|base| base + offset);
            if !is_cached && let Some(through) = cached.or((!is_physical).then_some(va.get())) {
                cache::flush(self.kernel, through, pages << PAGE_SHIFT);
            }
            // Other callers change the bits next to them, but with the lock held.
            let _held = self.lock();
            change(self.clean, span, label);
        }
        Some(va)
    }

    /// Whether a buffer with a mapping of its own of this type is labelled as cached. Only the label shows of which type such
    /// a mapping is, so a write-through one that the cache may hold lines of counts as cached.
    fn counts_as_cached(&self, memory: MemoryType) -> bool {
        memory == MemoryType::Cached || memory == MemoryType::WriteThrough && self.kernel.caches_write_through()
    }

    /// An address for the buffer at `page`: in the view, which is made if there is none, or in a mapping of its own.
    #[inline(always)]
    fn map_buffer(&self, page: usize, pages: usize, memory: MemoryType) -> Option<Shown> {
        let offset = page << PAGE_SHIFT;
        let in_view = |base| NonZeroUsize::new(base + offset).map(Shown::InView);
        if let Some(base) = self.view(memory).base() {
            return in_view(base);
        }
        let kernel = self.kernel;
        if memory != MemoryType::Cached && !kernel.has_page_tables() {
            return None;
        }
        if let Some(base) = self.make_view(memory) {
            return in_view(base);
        }
        let turn = self.own_mappings.turn(kernel)?;
        let record = self.own_mappings.reserve(turn, kernel, page, pages, self.counts_as_cached(memory))?;
        let va = map_checked(kernel, self.pa_of(page), pages << PAGE_SHIFT, memory);
        self.own_mappings.put(record, va);
        va.map(Shown::ByItself)
    }

    /// The first page of the buffer that was handed out at `va` in a view, or without a mapping, as `sought` demands; if it can be
    /// one. Any context.
    #[inline(always)]
    pub fn buffer_at(&self, va: Va, sought: Sought) -> Option<usize> {
        let page = self.page_at(va, sought)?;
        // A page that was handed out cached is in a mapping of its own only if some such page ever was.
        let is_sure = || sought == Sought::InView && self.was_cached(page) && !self.own_mappings.has_cached();
        if self.has_own_mappings() && !is_sure() && self.own_mappings.has(page) { None } else { Some(page) }
    }

    /// The page of which `va` is the first byte in a view of the kind in which it was handed out last, or as memory that was
    /// handed out without a mapping, as `sought` demands. Context: any.
    #[inline(always)]
    fn page_at(&self, va: Va, sought: Sought) -> Option<usize> {
        let [cached, uncached, write_through, physical] = &self.views;
        let page_in = |view: &View| view.page_of(va, self.pages);
        let (page, is_cached) = if sought == Sought::Physical {
            if !self.has_physical.load(Relaxed) {
                return None;
            }
            (page_in(physical)?, true)
        } else if let Some(page) = page_in(cached) {
            (page, true)
        } else {
            (page_in(uncached).or_else(|| page_in(write_through))?, false)
        };
        (self.was_cached(page) == is_cached).then_some(page)
    }

    /// The physical address of `page`.
    #[inline(always)]
    pub fn pa_of(&self, page: usize) -> Pa {
        self.start.wrapping_add(page << PAGE_SHIFT)
    }

    /// Whether `page` was last handed out cached, or not mapped.
    #[inline(always)]
    pub fn was_cached(&self, page: usize) -> bool {
        self.label(page) & 1 == DIRTY
    }

    /// The label of `page`, in the lowest bit.
    #[inline(always)]
    pub(super) fn label(&self, page: usize) -> usize {
        const BITS: usize = usize::BITS as usize;
        self.clean.get(page / BITS).map_or(0, |word| word.load(Relaxed)) >> (page % BITS)
    }

    /// Whether any buffer has a mapping of its own.
    #[inline(always)]
    pub fn has_own_mappings(&self) -> bool {
        self.own_mappings.count() != 0
    }

    /// Takes the mapping of its own from the buffer of `pages` pages at `page`, which is seen at `va`. *Thread.*
    #[inline(always)]
    pub fn unmap(&self, mapping: &Mapping, va: Va, page: usize, pages: usize) -> Result<(), Error> {
        if !self.kernel.can_sleep() {
            return Err(Error::Context);
        }
        mapping.take(va, page, pages)?;
        // It cannot be done later for a buffer that is handed out without a mapping next.
        cache::flush(self.kernel, va, pages << PAGE_SHIFT);
        // SAFETY: `take` made this call the only one that frees the buffer, which was mapped at `va` by `map`.
        #[allow(unsafe_code)]
        unsafe {
            self.kernel.unmap(va)
        }
        self.own_mappings.keep(mapping);
        Ok(())
    }

    /// Frees the buffer of `pages` pages at `page`. Any context.
    ///
    /// # Errors
    /// [`Error::NotAllocated`] if no buffer begins at `page`, [`Error::WrongSize`] if it has another size.
    #[inline(always)]
    pub fn free(&self, page: usize, pages: usize) -> Result<(), Error> {
        self.free_locked(self.lock(), page, pages)
    }

    /// Frees as [`free`](Self::free) does, with the lock held, and releases it.
    #[inline(never)]
    pub fn free_locked<'a>(
        &'a self,
        mut map: IrqGuard<'a, K, PageMap>,
        page: usize,
        pages: usize,
    ) -> Result<(), Error> {
        while !map.give_back(page, pages)? {
            drop(map);
            map = self.settled();
        }
        Ok(())
    }

    /// Locks the map, settles it, and returns it locked: no work was done in the same stretch with the lock held.
    pub(super) fn settled(&self) -> IrqGuard<'_, K, PageMap> {
        self.settle(self.lock(), false)
    }

    /// Settles the map and returns it locked. Each step has a stretch with the lock held for itself; if `is_quick` is true,
    /// the caller's work is so short that it may follow a quick step.
    #[inline(never)]
    fn settle<'a>(&'a self, mut map: IrqGuard<'a, K, PageMap>, is_quick: bool) -> IrqGuard<'a, K, PageMap> {
        let mut patience = PATIENCE;
        loop {
            let step = map.settle();
            if step == Settled::Already || is_quick && step == Settled::Now {
                return map;
            }
            // Other callers may leave something to settle each time that the lock is released. After a while this call does
            // the rest in one stretch.
            if patience != 0 {
                patience -= 1;
                drop(map);
                map = self.lock();
            }
        }
    }

    #[inline(never)]
    pub(crate) fn lock(&self) -> IrqGuard<'_, K, PageMap> {
        self.map.lock(self.kernel)
    }
}
