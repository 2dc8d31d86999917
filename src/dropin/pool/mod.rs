//! A pool: its pages, its views and its flags.
//!
//! | file | what it has |
//! | --- | --- |
//! | `locked_path` | allocates and frees the pages of a buffer, with the lock |
//! | `fast_path` | the same for most calls, without a call of another function |
//! | `map_buffer` | the address of allocated pages for the processor |
//! | `view` | where a view lies |
//! | `checked_mapping` | maps pages, and checks where the mapping leads |
//! | `make_view` | maps the whole pool, once for each memory type |
//! | `own_mappings` | the records of buffers that have their own mappings |
//! | `addresses` | which page or buffer an address belongs to |
//! | `region` | what a new pool is made of: the range of memory, and where it comes from |
//! | `owners` | the devices that own a pool |
//! | `serves` | which requests the pool serves, and with which flags |
//! | `membership` | whether the pool is in the list of pools, and how it leaves the list and comes back |
//! | `usage` | figures for `list_dma_pool` |

mod addresses;
mod checked_mapping;
mod fast_path;
mod locked_path;
mod make_view;
mod map_buffer;
mod membership;
pub mod own_mappings;
mod owners;
mod region;
mod serves;
mod usage;
pub mod view;

pub use addresses::{AddressInfo, InView};
pub use fast_path::{AllocatedPages, Unserved};
pub use membership::UninstallError;
pub use region::{Origin, PoolSpec, Region, WholePages};
pub(crate) use region::{end_before_wrap, ends_within_4_gib, first_page, log_reserved};
pub use serves::{SearchedPools, serves_without_device, with_pool_flags};
pub use usage::{Failures, Usage};

use core::mem::{MaybeUninit, size_of};

use crate::abi::{rt_device, rt_dma_pool, rt_list_t};
use crate::dropin::name_readers::NameReader;
use crate::dropin::page_map::{CLEAN, CacheStates, PageMap, TreeShape, USED, words_for};
use crate::flags::Flags;
use crate::kernel::{Kernel, MemoryType, NamedRegion, PAGE_SHIFT, Pa};
use crate::log::Name;
use crate::mem::atomic_ref::AtomicRef;
use crate::mem::atomics::{
    AtomicBool,
    Ordering::{Acquire, Relaxed},
};
use crate::mem::bitmaps::{BitmapWord, Bitmaps};
use crate::mem::heap::{CACHE_LINE, KBox};
use crate::mem::index::at_or_first;
use crate::mem::lock::IrqLock;
use crate::mem::turn::SleepLock;
use membership::Membership;
use own_mappings::OwnMappings;
use owners::Owners;
use usage::FailureCounter;
use view::View;

/// A pool of pages. It begins with the part that C sees. Its memory is never freed: a pool that was uninstalled is kept
/// for the next pool of the same pages.
#[repr(C)]
pub struct Pool<K: Kernel> {
    /// The part that C sees.
    pub public: rt_dma_pool,
    kernel: K,
    /// First byte of page 0.
    start: Pa,
    /// Number of pages.
    page_count: usize,
    cache_states: CacheStates,
    /// The view of each [`MemoryType`], in the order of its values.
    views: [View; 3],
    /// Held while a call maps the pool.
    making_view: SleepLock,
    /// The linear map of the pool was made by the library, and not by boot code.
    is_mapped_linearly: AtomicBool,
    /// The buffers that have a mapping of their own.
    pub own_mappings: OwnMappings,
    /// A buffer was handed out without a mapping at least once, so a free also looks for physical addresses. The
    /// `NOMAP` flag cannot replace this field, because C may change the flag while such buffers are in use.
    had_buffer_without_mapping: AtomicBool,
    /// The region is `reusable`: devices that do not own the pool may borrow its memory.
    is_reusable: AtomicBool,
    owners: Owners,
    failures: FailureCounter,
    membership: Membership<K>,
    /// The next pool of the list. It is kept when this pool leaves the list, for calls that have reached this pool
    /// already.
    pub next: AtomicRef<Pool<K>>,
    /// A gap of one cache line. The fields before it are read by every core that searches the list of pools; the page
    /// map, and the bitmaps after it in memory, are written by each core that allocates or frees. (Two cores, each with
    /// a pool of its own, together complete 2.0 times as many calls as one core alone; without the gap, 0.3 times as
    /// many.)
    _apart: [MaybeUninit<usize>; CACHE_LINE / size_of::<usize>()],
    page_map: IrqLock<PageMap>,
}

impl<K: Kernel> Pool<K> {
    /// Makes a pool of the whole pages of the specified region, which are `pages`. Returns `None` if the heap has no
    /// room for the bookkeeping.
    ///
    /// Context: thread.
    pub fn new(kernel: K, spec: &PoolSpec, pages: WholePages) -> Option<KBox<K, Pool<K>>> {
        let WholePages { start, count: page_count } = pages;
        let words = words_for(page_count);
        let shape = TreeShape::new(words);
        let PoolSpec { region, origin, .. } = spec;
        let flags = spec.flags_of_new_pool(kernel);
        // The pool's memory is never freed, but a device and its name may be gone. Such a name is therefore copied.
        let name_to_copy = if origin.has_device() { region.name } else { Name::NONE };
        let make = |bits: Bitmaps, nodes, copy: Name| Pool {
            public: rt_dma_pool {
                region_start: region.start.into(),
                region_end: region.end.into(),
                region_name: if origin.has_device() { copy } else { region.name }.as_ptr().cast_mut().into(),
                list: rt_list_t::new(),
                flags: flags.bits().into(),
                map: bits.bitmap::<USED>().as_ptr().cast_mut().cast::<usize>().into(),
                bits: page_count.into(),
                start: start.into(),
                dev: core::ptr::with_exposed_provenance_mut::<rt_device>(origin.first_owner().device).into(),
            },
            kernel,
            start,
            page_count,
            // All pages are dirty: boot code may have written to the memory through the cache.
            cache_states: CacheStates::new(bits.bitmap::<CLEAN>()),
            views: [View::new(), View::new(), View::new()],
            making_view: SleepLock::new(),
            is_mapped_linearly: AtomicBool::new(false),
            own_mappings: OwnMappings::new(),
            had_buffer_without_mapping: AtomicBool::new(false),
            is_reusable: AtomicBool::new(spec.is_reusable),
            owners: Owners::new(*origin),
            failures: FailureCounter::new(),
            membership: Membership::new(spec),
            next: AtomicRef::new(),
            _apart: [MaybeUninit::uninit(); CACHE_LINE / size_of::<usize>()],
            page_map: IrqLock::new(PageMap::new(page_count, shape, bits, nodes)),
        };
        // SAFETY: `make` stores the bitmaps, the nodes and the copy in the pool only, and a pool is never moved. A box
        // is dropped only if its pool was never in the list, so no other code has found them there.
        #[allow(unsafe_code)]
        unsafe {
            KBox::with_arrays(kernel, words, shape.nodes(), name_to_copy, make)
        }
    }

    /// Returns the address of the first byte of page 0.
    pub fn start(&self) -> Pa {
        self.start
    }

    /// Returns the address one past the last byte of the last page.
    pub fn end(&self) -> Pa {
        self.start + self.size()
    }

    /// Returns the number of pages.
    pub fn page_count(&self) -> usize {
        self.page_count
    }

    /// Returns the number of bytes in the pages.
    pub fn size(&self) -> usize {
        self.page_count << PAGE_SHIFT
    }

    /// Returns the bitmap of pages in use and the bitmap of the first pages of buffers. Both may change at any time.
    ///
    /// Context: any.
    pub(crate) fn bitmaps(&self) -> (&'static [BitmapWord], &'static [BitmapWord]) {
        // The bitmaps never change their place; the lock is there because the map is reached only with it.
        let map = self.lock();
        (map.used(), map.starts())
    }

    /// Returns the range with which the pool was installed: its first byte, and one past the last.
    pub fn installed_range(&self) -> (Pa, Pa) {
        (self.public.region_start.load(Relaxed), self.public.region_end.load(Relaxed))
    }

    /// Returns whether the pool is that of this region. Two nodes may have the same memory, and differ in `no-map` or
    /// in which devices it serves: the node that comes later is then refused, because it overlaps the pool of the
    /// other.
    pub(crate) fn has_region(&self, region: &NamedRegion) -> bool {
        let serves_every_device = region.serves_every_device;
        self.installed_range() == (region.start, region.end)
            && self.is_no_map() == region.is_no_map
            && self.is_for_owners() != serves_every_device
            // The pool for every device is not reusable until it has an owner.
            && (serves_every_device || self.is_reusable() == region.is_reusable)
    }

    /// Returns the name of the pool. It stays as long as the reader, because an uninstall waits and its caller keeps
    /// the name: see [`name_readers`](crate::dropin::name_readers).
    pub fn name<'a>(&self, _reader: &'a NameReader) -> Name<'a> {
        // SAFETY: the name is the pool's copy, or the one with which it was installed. The caller of install keeps that
        // one until the pool is uninstalled. An uninstall removes it from the pool, and waits for readers, for 100
        // ticks at most: `rt_dma_pool_uninstall` demands that its caller keeps the name for slower readers.
        #[allow(unsafe_code)]
        unsafe {
            Name::from_ptr(self.public.region_name.load(Acquire))
        }
    }

    /// Returns the present flags, which C may change at any time.
    pub fn flags(&self) -> Flags {
        Flags::from_bits_retain(self.public.flags.load(Relaxed))
    }

    /// Sets `flags` in addition to those that are set.
    pub fn add_flags(&self, flags: Flags) {
        self.public.flags.fetch_or(flags.bits(), Relaxed);
    }

    fn view(&self, memory: MemoryType) -> &View {
        at_or_first(&self.views, memory as usize)
    }
}
