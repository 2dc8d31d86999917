//! A pool: pages, views, flags.

mod seen;

pub use seen::Seen;

use core::mem::size_of;
use core::num::NonZeroUsize;
use core::sync::atomic::{
    AtomicPtr, AtomicUsize,
    Ordering::{Acquire, Relaxed},
};

use crate::abi::{rt_dma_pool, rt_list_t};
use crate::cache;
use crate::flags::Flags;
use crate::kernel::heap::{OnceRef, Reserved};
use crate::kernel::{Device, Kernel, MemoryType, Name, PAGE_SHIFT, PAGE_SIZE, Pa, Va};
use crate::lock::{IrqGuard, IrqLock};
use crate::mapping::Mappings;
use crate::page_map::{FreeError, PageMap, Span, Step, bytes_for, test, words_for};
use crate::view::{NoView, View, leads_to, map_checked};

/// A range of physical memory with a name: `rt_region_t`.
#[derive(Clone, Copy, Debug)]
pub struct Region {
    /// First byte.
    pub start: Pa,
    /// One past the last byte.
    pub end: Pa,
    /// What it is called.
    pub name: Name,
}

impl Region {
    /// The first whole page and the number of whole pages; `None` if there is none, or more than a map can count.
    pub fn pages(&self) -> Option<(Pa, usize)> {
        let start = self.start.checked_next_multiple_of(PAGE_SIZE)?;
        let pages = self.end.checked_sub(start)? >> PAGE_SHIFT;
        (pages != 0 && u32::try_from(pages).is_ok()).then_some((start, pages))
    }
}

/// What a driver gets: where the processor and where the device finds the buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Buffer {
    /// The processor's address; the physical address if nothing was mapped. Never null, which C takes for a failure.
    pub va: NonZeroUsize,
    /// The physical address.
    pub pa: Pa,
}

/// How a buffer is to be handed out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Not mapped: the processor's address is the physical one.
    Physical,
    /// Mapped with this type.
    Mapped(MemoryType),
}

/// Another device whose node names the pool's region.
pub struct Owner {
    device: Device,
    next: OnceRef<Owner>,
}

/// A pool of pages. It begins with what C sees, and is never removed.
#[repr(C)]
pub struct Pool<K: Kernel> {
    /// What C sees.
    pub public: rt_dma_pool,
    kernel: K,
    start: Pa,
    pages: usize,
    map: IrqLock<PageMap>,
    /// Bit `n`: the cache may hold dirty lines of page `n`, from a cached mapping, since it was last handed out
    /// uncached. While page `n` is in use it also says how it was handed out: cached or not.
    dirty: &'static [AtomicUsize],
    /// One for each [`MemoryType`].
    views: [View; 3],
    /// Buffers with a mapping of their own.
    own_mappings: AtomicUsize,
    /// A device's node names it in `memory-region`.
    named: bool,
    owners: OnceRef<Owner>,
    /// The pool installed after this one.
    pub next: OnceRef<Pool<K>>,
}

/// How often a call that is interrupted between two short stretches with the lock held begins anew, before it takes one
/// that is longer.
const PATIENCE: usize = 16;
/// What the bits of pages that may have dirty lines are made of.
const DIRTY: usize = usize::MAX;
/// What the bits of all others are made of.
const CLEAN: usize = 0;

/// Bytes of bookkeeping that a pool of `pages` pages needs.
pub fn pool_bytes<K: Kernel>(pages: usize) -> usize {
    size_of::<Pool<K>>() + bytes_for(pages) + words_for(pages) * size_of::<usize>()
}

impl<K: Kernel> Pool<K> {
    /// Builds a pool in `memory`, of [`pool_bytes`] bytes. Nobody finds it before it is linked.
    pub fn place(
        memory: Reserved<K>,
        kernel: K,
        region: &Region,
        flags: Flags,
        owner: Option<Device>,
    ) -> Option<&'static Self> {
        let (start, pages) = region.pages()?;
        memory.place(|tail| {
            let map = PageMap::new(pages, tail);
            let dirty: &'static [AtomicUsize] = tail.slice(words_for(pages));
            // Boot code may have written to it through the cache.
            Span::new(0, pages).change_shared(dirty, DIRTY);
            Pool {
                public: rt_dma_pool {
                    region_start: AtomicUsize::new(region.start),
                    region_end: AtomicUsize::new(region.end),
                    region_name: AtomicPtr::new(region.name.0.cast_mut()),
                    list: rt_list_t::new(),
                    flags: AtomicUsize::new(flags.bits()),
                    map: AtomicPtr::new(map.used_words().as_ptr().cast_mut().cast()),
                    bits: AtomicUsize::new(pages),
                    start: AtomicUsize::new(start),
                    dev: AtomicPtr::new(owner.map_or(core::ptr::null_mut(), |device| device.0 as *mut _)),
                },
                kernel,
                start,
                pages,
                map: IrqLock::new(map),
                dirty,
                views: [const { View::new() }; 3],
                own_mappings: AtomicUsize::new(0),
                named: owner.is_some(),
                owners: OnceRef::new(),
                next: OnceRef::new(),
            }
        })
    }

    /// First byte of page 0.
    pub fn start(&self) -> Pa {
        self.start
    }

    /// One past the last byte of the last page.
    pub fn end(&self) -> Pa {
        self.start + self.size()
    }

    /// Bytes in whole pages.
    #[inline(always)]
    pub fn size(&self) -> usize {
        self.pages << PAGE_SHIFT
    }

    /// The range it was installed with.
    pub fn region(&self) -> Region {
        let public = &self.public;
        Region {
            start: public.region_start.load(Relaxed),
            end: public.region_end.load(Relaxed),
            name: Name(public.region_name.load(Relaxed)),
        }
    }

    /// Its flags now.
    #[inline(always)]
    pub fn flags(&self) -> Flags {
        Flags::from_bits_retain(self.public.flags.load(Relaxed))
    }

    /// Sets more flags.
    pub fn add_flags(&self, flags: Flags) {
        self.public.flags.fetch_or(flags.bits(), Relaxed);
    }

    /// Bytes in use and bytes in the longest free run. Any context.
    pub fn usage(&self) -> (usize, usize) {
        let map = self.settled();
        let (words, longest) = (map.used_words(), map.longest_free());
        drop(map);
        (PageMap::used_pages(words) << PAGE_SHIFT, longest << PAGE_SHIFT)
    }

    /// Makes the linear map the pool's cached view, mapping it first if nobody has; `LINEAR` says whether it is.
    /// *Thread.*
    pub fn map_linear(&self) {
        debug_assert!(self.kernel.can_sleep(), "a pool is mapped where sleeping is allowed");
        let (kernel, start, size) = (self.kernel, self.start, self.size());
        let base = kernel.linear(start);
        let is_mapped = || leads_to(kernel, base, start, size);
        let is_free = || (0..size).step_by(PAGE_SIZE).all(|offset| kernel.v2p(base + offset).is_none());
        if is_mapped() || (is_free() && kernel.map_linear(start, size) && is_mapped()) {
            self.view(MemoryType::Cached).put(base);
            self.add_flags(Flags::LINEAR);
        }
    }

    // --- whom it serves --------------------------------------------------------------------------------------------

    /// Whether it is a device's `memory-region`.
    pub fn is_named(&self) -> bool {
        self.named
    }

    /// Whether it is a device's `memory-region`, and `device` one of those that name it.
    pub fn is_named_by(&self, device: Device) -> bool {
        self.named && self.belongs_to(device)
    }

    fn belongs_to(&self, device: Device) -> bool {
        self.public.dev.load(Relaxed) as usize == device.0 || self.extra_owners().any(|owner| owner.device == device)
    }

    fn extra_owners(&self) -> impl Iterator<Item = &'static Owner> {
        core::iter::successors(self.owners.get(), |owner| owner.next.get())
    }

    /// Lets a second device share the pool; false if there is no memory. The caller excludes other calls. *Thread.*
    pub fn share_with(&self, device: Device) -> bool {
        if self.belongs_to(device) {
            return true;
        }
        let owner = Reserved::new(self.kernel, size_of::<Owner>())
            .and_then(|memory| memory.place(|_| Owner { device, next: OnceRef::new() }));
        let Some(owner) = owner else { return false };
        self.extra_owners().last().map_or(&self.owners, |last| &last.next).set(owner);
        true
    }

    /// Whether it serves a request of `device`: a device's pool only that device's requests for one, any other pool
    /// only other requests.
    #[inline(always)]
    pub fn serves(&self, device: Device, wanted: Flags) -> bool {
        let flags = self.flags();
        let kinds = Flags::NOMAP.union(Flags::ADDRESS_32BITS);
        let amiss = wanted.difference(flags) & kinds | (flags ^ wanted) & Flags::DEVICE;
        amiss.is_empty() && (!flags.contains(Flags::DEVICE) || self.belongs_to(device))
    }

    /// Whether it is one of the regions that the device's node names, and has the kind of memory that `wanted` asks for.
    pub fn serves_as_own(&self, device: Device, wanted: Flags) -> bool {
        let kinds = Flags::NOMAP.union(Flags::ADDRESS_32BITS);
        self.is_named_by(device) && (wanted.difference(self.flags()) & kinds).is_empty()
    }

    // --- buffers ---------------------------------------------------------------------------------------------------

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
    fn settled(&self) -> IrqGuard<'_, K, PageMap> {
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

    #[inline(always)]
    fn view(&self, memory: MemoryType) -> &View {
        let [cached, uncached, write_through] = &self.views;
        match memory {
            MemoryType::Cached => cached,
            MemoryType::Uncached => uncached,
            MemoryType::WriteThrough => write_through,
        }
    }
}
