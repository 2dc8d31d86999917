//! A pool: pages, views, flags.

mod buffers;
mod seen;

pub use seen::Seen;

use core::mem::size_of;
use core::num::NonZeroUsize;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::Relaxed};

use crate::abi::{rt_dma_pool, rt_list_t};
use crate::flags::Flags;
use crate::kernel::heap::{OnceRef, Reserved};
use crate::kernel::{Device, Kernel, MemoryType, Name, PAGE_SHIFT, PAGE_SIZE, Pa};
use crate::lock::IrqLock;
use crate::page_map::{PageMap, Span, bytes_for, words_for};
use crate::view::{View, leads_to};

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
        // Physical page 0 is left out: its address is C's null, and its handle says that nobody asked for one.
        let start = self.start.max(1).checked_next_multiple_of(PAGE_SIZE)?;
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

/// What a request may want of a pool's memory, and the pool has or has not.
const KINDS: Flags = Flags::NOMAP.union(Flags::ADDRESS_32BITS);
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
        let amiss = wanted.difference(flags) & KINDS | (flags ^ wanted) & Flags::DEVICE;
        amiss.is_empty() && (!flags.contains(Flags::DEVICE) || self.belongs_to(device))
    }

    /// Whether it is one of the regions that the device's node names, and has the kind of memory that `wanted` asks for.
    pub fn serves_as_own(&self, device: Device, wanted: Flags) -> bool {
        self.is_named_by(device) && (wanted.difference(self.flags()) & KINDS).is_empty()
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
