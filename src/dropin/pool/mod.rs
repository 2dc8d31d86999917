//! A pool: pages, views, flags.

mod buffers;
mod make_view;
pub mod mapping;
mod seen;
mod usage;
mod usual;
pub mod view;

pub use buffers::Sought;
pub use seen::Seen;
pub use usual::Usual;

use core::mem::{MaybeUninit, size_of};
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering::Relaxed};

use crate::abi::{rt_dma_pool, rt_list_t};
use crate::dropin::page_map::{LABELS, PageMap, Shape, USED, words_for};
use crate::dropin::pool::mapping::Mappings;
use crate::dropin::pool::usage::Failures;
use crate::dropin::pool::view::View;
use crate::error::Error;
use crate::flags::Flags;
use crate::kernel::{Device, Kernel, MemoryType, PAGE_SHIFT, PAGE_SIZE, Pa};
use crate::log::Name;
use crate::mem::bitmaps::Bitmaps;
use crate::mem::heap::{BoxWithArrays, HeapMemory, LINE};
use crate::mem::lock::IrqLock;
use crate::mem::shared::{AtomicRef, OnceRef};

/// A range of physical memory with a name: `rt_region_t`, of which it has the layout.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Region {
    /// First byte.
    pub start: Pa,
    /// One past the last byte.
    pub end: Pa,
    /// What it is called.
    pub name: Name,
}

/// The most pages that a pool may have: its map counts them with 31 bits.
const MOST_PAGES: usize = i32::MAX as usize;

impl Region {
    /// The first whole page and the number of whole pages; `None` if there is none, or more than [`MOST_PAGES`].
    pub fn pages(&self) -> Option<(Pa, usize)> {
        let first = first_page(self.start)?;
        let pages = self.end.checked_sub(first)? >> PAGE_SHIFT;
        (pages.wrapping_sub(1) < MOST_PAGES).then_some((first, pages))
    }
}

/// The first page at `start` or after it that a pool may have, by its first byte; `None` if there is none.
///
/// Physical page 0 is left out: its address is C's null, and its handle means that no handle was asked for.
pub(crate) fn first_page(start: Pa) -> Option<Pa> {
    start.max(1).checked_next_multiple_of(PAGE_SIZE)
}

/// The end of a region that begins at `start`: `end`, unless C computed it as the end of the address space. That is zero,
/// and becomes the highest address, so that only the last page is left out.
pub(crate) fn reachable_end(start: Pa, end: Pa) -> Pa {
    if end == 0 && start != 0 { Pa::MAX } else { end }
}

/// Whose node names a pool's region in `memory-region`.
#[derive(Clone, Copy)]
pub struct NamedBy(usize);

impl NamedBy {
    /// No device names it: it is no such region.
    pub const NOBODY: NamedBy = NamedBy(0);
    /// It is one, of no device in particular: no device lies at an odd address.
    pub const ANYBODY: NamedBy = NamedBy(1);

    /// A device's.
    pub fn device(device: Device) -> Self {
        NamedBy(device.0)
    }

    fn is_device(self) -> bool {
        self.0 & !NamedBy::ANYBODY.0 != 0
    }
}

/// Another device whose node names the pool's region.
pub struct Owner {
    /// The device's address; zero once its claim has ended.
    device: AtomicUsize,
    next: Option<&'static Owner>,
}

/// A pool of pages. It begins with what C sees, and is never removed.
#[repr(C)]
pub struct Pool<K: Kernel> {
    /// What C sees.
    pub public: rt_dma_pool,
    kernel: K,
    start: Pa,
    pages: usize,
    /// Bit `n`: the cache holds no dirty lines of page `n`, because it was last handed out uncached; while it is clear,
    /// there may be some, from a cached mapping. While page `n` is in use it also records how the page was handed out:
    /// uncached or not. Written with the lock held.
    clean: &'static [AtomicUsize],
    /// One for each [`MemoryType`], and the memory itself, as what is handed out without a mapping.
    views: [View; 4],
    /// A call is making a view.
    is_mapping: AtomicBool,
    /// The buffers that have a mapping of their own.
    pub own_mappings: Mappings,
    /// Firmware forbids a linear map of the pool (`no-map`), whatever C writes to the flags later.
    no_map: bool,
    /// A buffer was handed out by its physical address once, so such addresses are looked up when buffers are freed.
    /// C may change the `NOMAP` flag while such buffers are in use.
    has_physical: AtomicBool,
    /// Its region is `reusable`: others than its owners may borrow its memory.
    is_lent: AtomicBool,
    /// By whom it was named first, if it is a `memory-region`, as a [`NamedBy`]: C may write `public.dev`.
    named: AtomicUsize,
    owners: AtomicRef<Owner>,
    failures: Failures,
    /// The pool installed after this one.
    pub next: OnceRef<Pool<K>>,
    /// A cache line between what other cores read, which look into a pool and pass it by, and what a core that uses its
    /// pages writes: the map, and the bitmaps, which follow in memory. (Two cores, each with a pool of its own, together
    /// do 2.0 times as much as one does alone, and 0.3 times without the line.)
    _apart: [MaybeUninit<usize>; LINE / size_of::<usize>()],
    map: IrqLock<PageMap>,
}

/// Whether 32 bits can name every byte before `end`, which is not zero. (A constant of 64 bits would take a register
/// while regions are gone through.)
#[inline(always)]
pub(crate) fn is_below_4_gib(end: Pa) -> bool {
    (end as u64).wrapping_sub(1) >> 32 == 0
}

/// What a request may want of a pool's memory, and the pool has or has not.
const KINDS: Flags = Flags::NOMAP.union(Flags::ADDRESS_32BITS);
/// The label of pages that may have dirty lines, in every bit.
const DIRTY: usize = 0;
/// The label of all others, in every bit.
const CLEAN: usize = usize::MAX;

/// A pool that is not in the list yet. Dropped, its memory goes back to the heap.
pub type NewPool<K> = BoxWithArrays<K, Pool<K>>;

impl<K: Kernel> Pool<K> {
    /// A pool of `pages` pages from `start` on, those of `region`; `None` if the heap has no room for the bookkeeping.
    /// Context: thread.
    #[inline(always)]
    pub fn new(
        kernel: K,
        region: &Region,
        (start, pages): (Pa, usize),
        flags: Flags,
        named: NamedBy,
    ) -> Option<NewPool<K>> {
        let words = words_for(pages);
        let shape = Shape::new(words);
        let no_map = flags.contains(Flags::NOMAP);
        let flags = if is_below_4_gib(region.end) { flags | Flags::ADDRESS_32BITS } else { flags };
        let flags = if kernel.is_every_pool_linear() { flags | Flags::LINEAR } else { flags };
        // The name of a device goes with the device, and the pool stays.
        let copied = if named.is_device() { region.name } else { Name::NONE };
        let make = |bits: Bitmaps, nodes, copy: Name| Pool {
            public: rt_dma_pool {
                region_start: AtomicUsize::new(region.start),
                region_end: AtomicUsize::new(region.end),
                region_name: AtomicPtr::new(if named.is_device() { copy } else { region.name }.as_ptr().cast_mut()),
                list: rt_list_t::new(),
                flags: AtomicUsize::new(flags.bits()),
                map: AtomicPtr::new(bits.words::<USED>().as_ptr().cast_mut().cast()),
                bits: AtomicUsize::new(pages),
                start: AtomicUsize::new(start),
                dev: AtomicPtr::new(core::ptr::with_exposed_provenance_mut(named.0 & !NamedBy::ANYBODY.0)),
            },
            kernel,
            start,
            pages,
            // Zero: boot code may have written to it through the cache.
            clean: bits.words::<LABELS>(),
            // One by one: a repeated one is written by a loop.
            views: [View::new(), View::new(), View::new(), View::at(start)],
            is_mapping: AtomicBool::new(false),
            own_mappings: Mappings::new(),
            no_map,
            has_physical: AtomicBool::new(false),
            named: AtomicUsize::new(named.0),
            owners: AtomicRef::new(),
            failures: Failures::new(),
            is_lent: AtomicBool::new(false),
            next: OnceRef::new(),
            _apart: [MaybeUninit::uninit(); LINE / size_of::<usize>()],
            map: IrqLock::new(PageMap::new(pages, shape, bits, nodes)),
        };
        // SAFETY: the pool alone has the bitmaps, the nodes and the copy; a name is the kernel's, and so a C string or null.
        #[allow(unsafe_code)]
        unsafe {
            BoxWithArrays::new(kernel, words as u32, shape.nodes() as u32, copied, make)
        }
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
        Region { start: public.region_start.load(Relaxed), end: public.region_end.load(Relaxed), name: self.name() }
    }

    /// What it is called.
    pub fn name(&self) -> Name {
        // SAFETY: the name with which the pool was installed stays, as the caller of install promised, or is the copy.
        #[allow(unsafe_code)]
        unsafe {
            Name::from_ptr(self.public.region_name.load(Relaxed))
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

    // --- whom it serves --------------------------------------------------------------------------------------------

    /// Whether it is a device's `memory-region`.
    pub fn is_named(&self) -> bool {
        self.named.load(Relaxed) != NamedBy::NOBODY.0
    }

    /// Whether its region is `reusable`: others than its owners may borrow its memory.
    pub fn is_lent(&self) -> bool {
        self.is_lent.load(Relaxed)
    }

    /// Notes that its region is `reusable`.
    pub(crate) fn lend(&self) {
        self.is_lent.store(true, Relaxed);
    }

    /// Whether it is a device's `memory-region`, and `device` one of those that name it.
    pub fn is_named_by(&self, device: Device) -> bool {
        self.is_named() && self.belongs_to(device)
    }

    #[inline(never)]
    fn belongs_to(&self, device: Device) -> bool {
        self.public.dev.load(Relaxed) as usize == device.0
            || self.extra_owners().any(|owner| owner.device.load(Relaxed) == device.0)
    }

    fn extra_owners(&self) -> impl Iterator<Item = &'static Owner> {
        core::iter::successors(self.owners.get(), |owner| owner.next)
    }

    /// Lets a second device share the pool, if there is memory for that. The caller excludes other calls. Context: thread.
    #[inline(always)]
    pub fn share_with(&self, device: Device) -> Result<(), Error> {
        if !self.belongs_to(device) {
            if let Some(free) = self.extra_owners().find(|owner| owner.device.load(Relaxed) == 0) {
                free.device.store(device.0, Relaxed);
                return Ok(());
            }
            let memory = HeapMemory::new(self.kernel, size_of::<Owner>()).ok_or(Error::NoMemory)?;
            let device = AtomicUsize::new(device.0);
            let owner = memory.place(|_| Owner { device, next: self.owners.get() }).ok_or(Error::NoMemory)?;
            self.owners.set(Some(owner));
        }
        Ok(())
    }

    /// Whether a device at this address claimed the pool because its node named the region.
    pub fn is_claimed_by(&self, device: Device) -> bool {
        self.named.load(Relaxed) == device.0 || self.extra_owners().any(|owner| owner.device.load(Relaxed) == device.0)
    }

    /// Ends the claim of a device that is gone. A device that the BSP wrote to `pool->dev` since stays there. Context: any.
    pub fn end_claim(&self, device: Device) {
        if self.named.compare_exchange(device.0, NamedBy::ANYBODY.0, Relaxed, Relaxed).is_ok() {
            let gone = core::ptr::with_exposed_provenance_mut(device.0);
            let _ = self.public.dev.compare_exchange(gone, core::ptr::null_mut(), Relaxed, Relaxed);
        }
        for owner in self.extra_owners() {
            let _ = owner.device.compare_exchange(device.0, 0, Relaxed, Relaxed);
        }
    }

    /// Whether it serves a request of `device`: a device's pool only that device's requests for one, any other pool
    /// only other requests.
    #[inline(always)]
    pub fn serves(&self, device: Device, wanted: Flags) -> bool {
        self.serves_as(device, wanted, false)
    }

    /// Returns what [`serves`](Self::serves) does, or with `only_named` whether the pool is one of the regions that the device's node
    /// names, and has the kind of memory that `wanted` asks for.
    #[inline(always)]
    pub fn serves_as(&self, device: Device, wanted: Flags, only_named: bool) -> bool {
        let flags = self.flags();
        if !(wanted.difference(flags) & KINDS).is_empty() {
            return false;
        }
        if only_named {
            return self.is_named_by(device);
        }
        !(flags ^ wanted).contains(Flags::DEVICE) && (!flags.contains(Flags::DEVICE) || self.belongs_to(device))
    }

    #[inline(always)]
    fn view(&self, memory: MemoryType) -> &View {
        let [cached, ..] = &self.views;
        self.views.get(memory as usize).unwrap_or(cached)
    }
}
