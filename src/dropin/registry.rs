//! The pools of a system: installing them, and finding the one that serves a request or holds a buffer.
//!
//! The list of pools only grows, and is read without a lock. [`Dma::allocate`] and [`Dma::free`] may be called from an
//! interrupt where the pool's view is mapped already (or the pool's linear map serves); what may sleep says so.

use core::ffi::CStr;
use core::sync::atomic::{
    AtomicUsize,
    Ordering::{Relaxed, Release},
};

use crate::abi::rt_list_t;
use crate::dropin::map_ops::MapOps;
use crate::dropin::pool::mapping::Mapping;
use crate::dropin::pool::{MAPPED, NamedBy, NewPool, PHYSICAL, Pool, Region, reachable_end};
use crate::error::Error;
use crate::flags::Flags;
use crate::kernel::{Device, Kernel, PAGE_SHIFT, Pa, Va};
use crate::log::{Level, Line, Name};
use crate::mem::shared::OnceRef;
use crate::mem::turn::{Turn, Turned};

/// What the log says of a call that fails: why, two addresses and a number. `docs/options.md` explains them.
pub(crate) const REFUSAL: &CStr = c"%s (0x%lx, 0x%lx, %lu)";

/// All DMA memory of a system.
pub struct Dma<K: Kernel> {
    pub(crate) kernel: K,
    pub(crate) first: OnceRef<Pool<K>>,
    /// The head of the list as C would walk it.
    head: rt_list_t,
    /// Who installs pools.
    installing: Turn,
    bad_calls: AtomicUsize,
}

/// The right to install pools, which one caller at a time has. The boot lines of what it installs are written when it
/// ends, without it.
pub(crate) struct Installer<'a, K: Kernel> {
    // Dropped in this order: first the turn ends, then the lines are written.
    _turn: Turned<'a, K>,
    _lines: BootLines<'a, K>,
}

/// Writes the boot lines of new pools when it is dropped.
struct BootLines<'a, K: Kernel>(&'a Dma<K>);

impl<K: Kernel> Drop for BootLines<'_, K> {
    #[inline(never)]
    fn drop(&mut self) {
        self.0.pools().for_each(Pool::announce_once);
    }
}

impl<K: Kernel> Dma<K> {
    /// A system without pools.
    pub const fn new(kernel: K) -> Self {
        Dma {
            kernel,
            first: OnceRef::new(),
            head: rt_list_t::new(),
            installing: Turn::new(),
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

    /// Counts a call that is refused because the caller is wrong, and [complains](Self::complain). Any context.
    #[cold]
    #[inline(never)]
    pub(crate) fn refuse(&self, error: Error, name: Name, number: usize, a: usize, b: usize) {
        self.bad_calls.fetch_add(1, Relaxed);
        self.complain(error, name, number, a, b);
    }

    /// Logs a line about a call that fails: whom it concerns, two addresses and a number, and why it fails. One format for
    /// all of them, which `docs/options.md` explains. Any context.
    // The order of the arguments is that of the port's, so that most of them are where they belong.
    #[cold]
    #[inline(never)]
    pub(crate) fn complain(&self, error: Error, name: Name, number: usize, a: usize, b: usize) {
        let level = if error == Error::High { Level::Warning } else { Level::Error };
        let values = &[Name::of(error.reason()).argument(), a, b, number];
        self.kernel.log(level, &Line::about(name, REFUSAL, values));
    }

    /// A line about a device: by its name, or by its address if it has none. Any context.
    pub(crate) fn line_about<'a>(&self, device: Device, format: &'static CStr, values: &'a [usize]) -> Line<'a> {
        Line { device: device.0, ..Line::about(self.kernel.device_name(device), format, values) }
    }

    /// Counts a call that is refused, and logs nothing: it cannot be done without sleeping, and the caller may not sleep, nor
    /// write to the log. Any context.
    pub(crate) fn count_refused(&self) {
        self.bad_calls.fetch_add(1, Relaxed);
    }

    /// Counts a call that is refused because the caller is wrong, and logs a line that says itself why. Any context.
    pub(crate) fn refuse_line(&self, line: &Line) {
        self.count_refused();
        self.kernel.log(Level::Error, line);
    }

    // --- install ---------------------------------------------------------------------------------------------------

    /// Makes `region` a pool at the end of the list, linearly mapped where that can be; one line in the log says what
    /// became of it. *Thread.*
    pub fn install(&self, region: &Region) -> Result<&'static Pool<K>, Error> {
        let region = &Region { end: reachable_end(region.start, region.end), ..*region };
        let add = |installer: Installer<K>| {
            self.add_pool(&installer, region, Flags::empty(), NamedBy::NOBODY, None)?;
            // It is there now, and nothing else is.
            self.covering(region.start, region.end).ok_or(Error::Context)
        };
        let result = self.installer().ok_or(Error::Context).and_then(add);
        if let Err(error) = result {
            self.refuse_install(error, region.name, region.start, region.end);
        }
        result
    }

    /// Refuses the install of `[start, end)`. Any context.
    #[inline(always)]
    pub(crate) fn refuse_install(&self, error: Error, name: Name, start: Pa, end: Pa) {
        self.refuse(error, name, 0, start, end);
    }

    /// Waits for the right to install pools. *Thread.*
    #[inline(always)]
    pub(crate) fn installer(&self) -> Option<Installer<'_, K>> {
        Some(Installer { _turn: self.installing.take(self.kernel)?, _lines: BootLines(self) })
    }

    /// Makes `region` a pool, and `before`, if there is one, another in front of it: both or none. *Thread.*
    #[inline(never)]
    pub(crate) fn add_pool(
        &self,
        installer: &Installer<K>,
        region: &Region,
        flags: Flags,
        named: NamedBy,
        before: Option<&Region>,
    ) -> Result<(), Error> {
        let pool = self.new_pool(installer, region, flags, named)?;
        if let Some(before) = before {
            self.add_pool(installer, before, flags, named, None)?;
        }
        self.link(installer, pool);
        Ok(())
    }

    /// A pool over `region`, which no other covers yet. *Thread.*
    #[inline(always)]
    pub(crate) fn new_pool(
        &self,
        _: &Installer<K>,
        region: &Region,
        flags: Flags,
        named: NamedBy,
    ) -> Result<NewPool<K>, Error> {
        let pages = region.pages().ok_or(Error::BadSize)?;
        if self.covering(region.start, region.end).is_some() {
            return Err(Error::Overlap);
        }
        Pool::new(self.kernel, region, pages, flags, named).ok_or(Error::NoMemory)
    }

    /// Maps a new pool linearly, if it may be, and puts it at the end of the list. *Thread.*
    #[inline(always)]
    pub(crate) fn link(&self, _: &Installer<K>, pool: NewPool<K>) {
        let pool = pool.keep();
        pool.map_linear();
        let (mut last_link, mut last_next) = (&self.head, &self.first);
        while let Some(last) = last_next.get() {
            (last_link, last_next) = (&last.public.list, &last.next);
        }
        // C may walk the list of links on another core, or in an interrupt.
        critical_section::with(|_| {
            let link = core::ptr::from_ref(&pool.public.list).cast_mut();
            pool.public.list.next.store(core::ptr::from_ref(&self.head).cast_mut(), Relaxed);
            pool.public.list.prev.store(core::ptr::from_ref(last_link).cast_mut(), Relaxed);
            self.head.prev.store(link, Release);
            last_link.next.store(link, Release);
            last_next.set(pool);
        });
    }

    /// The pool that covers part of `[start, end)`, if there is one.
    #[inline(never)]
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
    ) -> Result<(), Error> {
        let found = self.find(va, wanted);
        let result = 'freed: {
            let Some((pool, page, own)) = found else { break 'freed Err(Error::Foreign) };
            let pa = pool.pa_of(page);
            if handle != 0 && handle != pa && !self.bus(ops, device).is_handle(pa, handle) {
                break 'freed Err(Error::WrongHandle);
            }
            let Some(pages) = pages_for(size) else { break 'freed Err(Error::WrongSize) };
            if let Some(own) = own
                && let Err(error) = pool.unmap(own, va, page, pages)
            {
                break 'freed Err(error);
            }
            pool.free(page, pages)
        };
        if let Err(error) = result {
            let name = found.map_or(Name::NONE, |(pool, ..)| pool.name());
            self.refuse(error, name, size, va, handle);
        }
        result
    }

    /// The pool and the first page of the buffer that was handed out at `va`, if it can be one, and the mapping that it has
    /// for itself. Any context.
    ///
    /// One number may be both an address in a mapping and that of memory that is not mapped: `wanted` says as which it is
    /// looked for first.
    #[inline(always)]
    fn find(&self, va: Va, wanted: Flags) -> Option<(&'static Pool<K>, usize, Option<&'static Mapping>)> {
        // The address of a buffer that is gone.
        if va == 0 {
            return None;
        }
        let first = if wanted.contains(Flags::NOMAP) { PHYSICAL } else { MAPPED };
        let mut sought = first;
        loop {
            let mut next = self.first.get();
            while let Some(pool) = next {
                if let Some(page) = pool.buffer_at(va, sought) {
                    return Some((pool, page, None));
                }
                next = pool.next.get();
            }
            // Only behind the views: so other buffers do not pay for these.
            if sought == MAPPED {
                for pool in self.pools() {
                    if let Some((page, own)) = pool.own.at(va) {
                        return Some((pool, page, Some(own)));
                    }
                }
            }
            sought ^= PHYSICAL ^ MAPPED;
            if sought == first {
                return None;
            }
        }
    }
}

/// Pages that hold `size` bytes; `None` for no bytes.
#[inline(always)]
pub(crate) fn pages_for(size: usize) -> Option<usize> {
    Some((size.checked_sub(1)? >> PAGE_SHIFT) + 1)
}
