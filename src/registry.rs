//! The pools of a system: installing them, and finding the one that serves a request or holds a buffer.
//!
//! The list of pools only grows, and is read without a lock. [`Dma::allocate`] and [`Dma::free`] may be called from an
//! interrupt where the pool's view is mapped already (or the pool's linear map serves); what may sleep says so.

use core::sync::atomic::{
    AtomicBool, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

use crate::abi::rt_list_t;
use crate::flags::Flags;
use crate::kernel::heap::{OnceRef, Reserved};
use crate::kernel::{Device, Kernel, Level, Line, Name, PAGE_SHIFT, PAGE_SIZE, Pa, Va};
use crate::map_ops::MapOps;
use crate::mapping::Mappings;
use crate::page_map::FreeError;
use crate::pool::{Pool, Region, pool_bytes};

/// Why a region does not become a pool. Nothing was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InstallError {
    /// It ends before it begins, or holds no whole page.
    Empty,
    /// A pool covers part of it already.
    Overlap,
    /// The heap has no room for the bookkeeping.
    NoMemory,
    /// The caller may not sleep.
    Context,
}

/// Why a buffer is not given back. Nothing was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadFree {
    /// The address is not one that was handed out.
    Foreign,
    /// No buffer begins there: it was freed before, or the address lies inside one.
    NotAllocated,
    /// A buffer begins there, but has another size.
    WrongSize,
    /// The buffer has another handle.
    WrongHandle,
    /// The buffer has a mapping of its own, and the caller may not sleep.
    Context,
}

impl From<FreeError> for BadFree {
    fn from(error: FreeError) -> Self {
        match error {
            FreeError::NotAllocated => BadFree::NotAllocated,
            FreeError::WrongSize => BadFree::WrongSize,
        }
    }
}

/// A buffer that was found by its address.
struct Found<K: Kernel> {
    pool: &'static Pool<K>,
    page: usize,
    how: How,
}

#[derive(PartialEq, Eq)]
enum How {
    Physical,
    View,
    OwnMapping,
}

/// All DMA memory of a system.
pub struct Dma<K: Kernel> {
    pub(crate) kernel: K,
    pub(crate) first: OnceRef<Pool<K>>,
    /// The head of the list as C would walk it.
    head: rt_list_t,
    /// Somebody installs a pool.
    installing: AtomicBool,
    pub(crate) mappings: Mappings<K>,
    bad_calls: AtomicUsize,
}

/// The right to install pools, which one caller at a time has.
pub(crate) struct Installer<'a, K: Kernel>(&'a Dma<K>);

impl<K: Kernel> Drop for Installer<'_, K> {
    fn drop(&mut self) {
        self.0.installing.store(false, Release);
    }
}

impl<K: Kernel> Dma<K> {
    /// A system without pools.
    pub const fn new(kernel: K) -> Self {
        Dma {
            kernel,
            first: OnceRef::new(),
            head: rt_list_t::new(),
            installing: AtomicBool::new(false),
            mappings: Mappings::new(),
            bad_calls: AtomicUsize::new(0),
        }
    }

    /// The pools in the order in which they were installed. Any context.
    #[inline(always)]
    pub fn pools(&self) -> impl Iterator<Item = &'static Pool<K>> {
        core::iter::successors(self.first.get(), |pool| pool.next.get())
    }

    /// Calls that were refused because the caller was wrong.
    pub fn bad_calls(&self) -> usize {
        self.bad_calls.load(Relaxed)
    }

    /// Counts a call that is refused because the caller is wrong, and logs one line about it where that is allowed.
    #[cold]
    #[inline(never)]
    pub(crate) fn refuse(&self, line: &Line) {
        self.bad_calls.fetch_add(1, Relaxed);
        self.log(Level::Error, line);
    }

    /// Logs a line where that is allowed.
    pub(crate) fn log(&self, level: Level, line: &Line) {
        if self.kernel.can_sleep() {
            self.kernel.log(level, line);
        }
    }

    // --- install ---------------------------------------------------------------------------------------------------

    /// Makes `region` a pool at the end of the list, linearly mapped where that can be. *Thread.*
    pub fn install(&self, region: &Region) -> Result<&'static Pool<K>, InstallError> {
        self.installer().and_then(|installer| {
            let memory = installer.reserve(region)?;
            installer.link(memory, region, Flags::empty(), None, true)
        })
    }

    /// The same, and says in the log what became of it. *Thread.*
    pub fn install_logged(&self, region: &Region) -> Result<&'static Pool<K>, InstallError> {
        let result = self.install(region);
        let format = match result {
            Ok(pool) => {
                self.log_reserved(&pool.region());
                return result;
            }
            Err(InstallError::Empty) => c"%s: install of [0x%lx, 0x%lx): no whole page",
            Err(InstallError::Overlap) => c"%s: install of [0x%lx, 0x%lx): overlaps a pool",
            Err(InstallError::NoMemory) => c"%s: install of [0x%lx, 0x%lx): out of memory",
            Err(InstallError::Context) => c"%s: install of [0x%lx, 0x%lx): needs a thread",
        };
        let values = [region.start, region.end, 0, 0, 0];
        self.refuse(&Line { format, name: region.name.shown(), values });
        result
    }

    /// Waits for the right to install pools. *Thread.*
    pub(crate) fn installer(&self) -> Result<Installer<'_, K>, InstallError> {
        if !self.kernel.can_sleep() {
            return Err(InstallError::Context);
        }
        while self.installing.swap(true, Acquire) {
            self.kernel.pause();
        }
        Ok(Installer(self))
    }

    /// The pool that covers part of `[start, end)`, if there is one.
    pub(crate) fn covering(&self, start: Pa, end: Pa) -> Option<&'static Pool<K>> {
        self.pools().find(|pool| start < pool.end() && pool.start() < end)
    }

    // --- buffers ---------------------------------------------------------------------------------------------------

    /// Gives back the buffer of `size` bytes at `va`, whose handle under `ops` must be `handle`; zero says that the
    /// caller did not ask for one. A buffer with a mapping of its own is freed by a *thread* only; every other in any
    /// context.
    ///
    /// What is wrong is counted, logged, and changes nothing.
    #[inline(always)]
    pub fn free(
        &self,
        ops: MapOps,
        device: Device,
        size: usize,
        va: Va,
        handle: usize,
        wanted: Flags,
    ) -> Result<(), BadFree> {
        // The usual case: it has a view's address, is called by the physical one, and is the last that was taken.
        if !wanted.contains(Flags::NOMAP)
            && let Some(pages) = pages_for(size)
            && let Some((pool, page)) = self.in_view(va)
            && (handle == pool.pa_of(page) || handle == 0)
            && !pool.has_own_mappings()
            && pool.free_last(page, pages)
        {
            return Ok(());
        }
        self.free_any(ops, device, size, va, handle, wanted)
    }

    #[inline(never)]
    pub(crate) fn free_any(
        &self,
        ops: MapOps,
        device: Device,
        size: usize,
        va: Va,
        handle: usize,
        wanted: Flags,
    ) -> Result<(), BadFree> {
        let (pool, result) = match self.find(va, wanted) {
            Some(Found { pool, page, how }) => {
                let pa = pool.pa_of(page);
                let is_its_handle = handle == pa || handle == 0 || self.is_handle(ops, device, pa, handle);
                let result = match pages_for(size) {
                    _ if !is_its_handle => Err(BadFree::WrongHandle),
                    None => Err(BadFree::WrongSize),
                    Some(pages) if how == How::OwnMapping => self.free_mapped(pool, page, pages, va),
                    Some(pages) => pool.free(page, pages).map_err(BadFree::from),
                };
                (Some(pool), result)
            }
            None => (None, Err(BadFree::Foreign)),
        };
        if let Err(error) = result {
            let name = pool.map_or(Name::of(c"no pool"), |pool| pool.region().name.shown());
            self.refuse(&bad_free_line(error, name, size, va, handle));
        }
        result
    }

    #[cold]
    #[inline(never)]
    fn free_mapped(&self, pool: &Pool<K>, page: usize, pages: usize, va: Va) -> Result<(), BadFree> {
        if !self.kernel.can_sleep() {
            return Err(BadFree::Context);
        }
        Ok(pool.free_mapped(&self.mappings, page, pages, va)?)
    }

    /// The buffer that was handed out at `va`, if it can be one. Any context.
    #[inline(always)]
    fn find(&self, va: Va, wanted: Flags) -> Option<Found<K>> {
        if wanted.contains(Flags::NOMAP)
            && let Some(found) = self.find_physical(va)
        {
            return Some(found);
        }
        match self.in_view(va) {
            Some((pool, page)) if self.is_mapped_alone(pool, page) => None,
            Some((pool, page)) => Some(Found { pool, page, how: How::View }),
            None => self.find_mapped(va).or_else(|| self.find_physical(va)),
        }
    }

    /// The page of which `va` is the first byte, in a view of the kind in which it was handed out last: in another, it is
    /// not the buffer's address. Any context.
    #[inline(always)]
    fn in_view(&self, va: Va) -> Option<(&'static Pool<K>, usize)> {
        if !va.is_multiple_of(PAGE_SIZE) {
            return None;
        }
        let mut next = self.first.get();
        while let Some(pool) = next {
            if let Some((page, is_cached)) = pool.page_at(va) {
                return (pool.was_cached(page) == is_cached).then_some((pool, page));
            }
            next = pool.next.get();
        }
        None
    }

    /// The buffer whose own mapping is at `va`.
    #[cold]
    #[inline(never)]
    fn find_mapped(&self, va: Va) -> Option<Found<K>> {
        let pa = self.kernel.v2p(va)?;
        let (pool, page) = self.pools().find_map(|pool| Some((pool, pool.page_of(pa)?)))?;
        (self.mappings.find(self.kernel, pa)? == va).then_some(Found { pool, page, how: How::OwnMapping })
    }

    /// The buffer of a `NOMAP` pool that was handed out by its physical address.
    #[cold]
    #[inline(never)]
    fn find_physical(&self, pa: Pa) -> Option<Found<K>> {
        let mut pools = self.pools().filter(|pool| pool.flags().contains(Flags::NOMAP));
        let (pool, page) = pools.find_map(|pool| Some((pool, pool.page_of(pa)?)))?;
        (pool.was_cached(page) && !self.is_mapped_alone(pool, page)).then_some(Found { pool, page, how: How::Physical })
    }

    #[inline(always)]
    fn is_mapped_alone(&self, pool: &Pool<K>, page: usize) -> bool {
        pool.has_own_mappings() && self.mappings.find(self.kernel, pool.pa_of(page)).is_some()
    }
}

impl<K: Kernel> Installer<'_, K> {
    /// Memory for the bookkeeping of a pool over `region`, which nobody covers yet. *Thread.*
    pub(crate) fn reserve(&self, region: &Region) -> Result<Reserved<K>, InstallError> {
        let (start, pages) = region.pages().ok_or(InstallError::Empty)?;
        if self.0.covering(start.min(region.start), region.end).is_some() {
            return Err(InstallError::Overlap);
        }
        Reserved::new(self.0.kernel, pool_bytes::<K>(pages)).ok_or(InstallError::NoMemory)
    }

    /// Makes `region` a pool in `memory`, which was [reserved](Self::reserve) for it. *Thread.*
    pub(crate) fn link(
        &self,
        memory: Reserved<K>,
        region: &Region,
        flags: Flags,
        owner: Option<Device>,
        map_linear: bool,
    ) -> Result<&'static Pool<K>, InstallError> {
        let dma = self.0;
        let below_4g = (region.end as u64) <= 1 << 32;
        let flags = if below_4g { flags | Flags::ADDRESS_32BITS } else { flags };
        let pool = Pool::place(memory, dma.kernel, region, flags, owner).ok_or(InstallError::Empty)?;
        if map_linear {
            pool.map_linear();
        }

        // C may walk the list of links on another core, or in an interrupt.
        critical_section::with(|_| {
            let head = core::ptr::from_ref(&dma.head).cast_mut();
            let link = core::ptr::from_ref(&pool.public.list).cast_mut();
            let last = dma.pools().last();
            let last_link = last.map_or(&dma.head, |last| &last.public.list);
            pool.public.list.next.store(head, Relaxed);
            pool.public.list.prev.store(core::ptr::from_ref(last_link).cast_mut(), Relaxed);
            dma.head.prev.store(link, Relaxed);
            last_link.next.store(link, Release);
            last.map_or(&dma.first, |last| &last.next).set(pool);
        });
        Ok(pool)
    }
}

/// Pages that hold `size` bytes; `None` for no bytes.
#[inline(always)]
pub(crate) fn pages_for(size: usize) -> Option<usize> {
    Some((size.checked_sub(1)? >> PAGE_SHIFT) + 1)
}

#[cold]
fn bad_free_line(error: BadFree, name: Name, size: usize, va: Va, handle: usize) -> Line {
    let format = match error {
        BadFree::Foreign => c"%s: free of 0x%lx (handle 0x%lx, %lu bytes): not a buffer",
        BadFree::NotAllocated => c"%s: free of 0x%lx (handle 0x%lx, %lu bytes): no buffer begins there (any more)",
        BadFree::WrongSize => c"%s: free of 0x%lx (handle 0x%lx, %lu bytes): wrong size",
        BadFree::WrongHandle => c"%s: free of 0x%lx (handle 0x%lx, %lu bytes): wrong handle",
        BadFree::Context => c"%s: free of 0x%lx (handle 0x%lx, %lu bytes): needs a thread",
    };
    Line { format, name, values: [va, handle, size, 0, 0] }
}
