//! The pools of a system: installing them, and finding the one that covers an address range.
//!
//! The list of pools only grows, and is read without a lock. It knows nothing of devices' operations: requests stand above
//! it, in `request`.

use crate::mem::atomics::{
    AtomicUsize,
    Ordering::{Relaxed, Release},
};
use core::cell::Cell;
use core::ffi::CStr;

use crate::abi::rt_list_t;
use crate::dropin::lending::Lending;
use crate::dropin::pool::{FirstOwner, NewPool, Pool, Region, reachable_end};
use crate::error::Error;
use crate::flags::Flags;
use crate::kernel::{Device, Kernel, Pa};
use crate::log::{Level, Line, Name};
use crate::mem::shared::{AtomicRef, OnceRef};
use crate::mem::turn::{Turn, TurnGuard};

/// The line of the log about a call that fails: the reason, two addresses and a number. `docs/options.md` explains them.
pub(crate) const REFUSAL: &CStr = c"%s (0x%lx, 0x%lx, %lu)";

/// All DMA memory of a system.
pub struct Dma<K: Kernel> {
    pub(crate) kernel: K,
    pub(crate) first: OnceRef<Pool<K>>,
    /// The head of the list as C would walk it.
    head: rt_list_t,
    /// From the lowest address of a pool to the highest.
    pub(crate) span: Span,
    /// The turn of callers that install pools.
    installing: Turn,
    bad_calls: AtomicUsize,
    /// What is lent of regions; not set before the first borrower.
    pub(crate) lending: AtomicRef<Lending<K, Dma<K>>>,
}

/// One range that contains every pool. It only grows.
pub(crate) struct Span {
    start: AtomicUsize,
    /// One past the last byte.
    end: AtomicUsize,
}

impl Span {
    const fn new() -> Self {
        Span { start: AtomicUsize::new(usize::MAX), end: AtomicUsize::new(0) }
    }

    /// Adds a pool, before it is in the list. One caller at a time.
    fn add(&self, start: Pa, end: Pa) {
        self.start.store(self.start.load(Relaxed).min(start), Relaxed);
        self.end.store(self.end.load(Relaxed).max(end), Relaxed);
    }

    /// Returns false if no byte of `[first, last]` is in a pool of the list. Context: any.
    #[inline(always)]
    pub(crate) fn touches(&self, first: Pa, last: Pa) -> bool {
        first < self.end.load(Relaxed) && self.start.load(Relaxed) <= last
    }
}

/// The right to install pools, which one caller at a time has. What it installs is mapped and announced when it ends,
/// without it.
pub(crate) struct Installer<'a, K: Kernel> {
    // Dropped in this order: first the turn ends.
    _turn: TurnGuard<'a, K>,
    installed: Installed<K>,
}

/// The pools that an installer put into the list: at most two. Dropped, it does the rest for them, which may write text.
struct Installed<K: Kernel>([Cell<Option<&'static Pool<K>>>; 2]);

impl<K: Kernel> Installed<K> {
    fn add(&self, pool: &'static Pool<K>) {
        let free = self.0.iter().find(|place| place.get().is_none());
        debug_assert!(free.is_some(), "a call installs at most two pools");
        if let Some(place) = free {
            place.set(Some(pool));
        }
    }
}

impl<K: Kernel> Drop for Installed<K> {
    #[inline(never)]
    fn drop(&mut self) {
        self.0.iter().filter_map(Cell::get).for_each(Pool::finish_install);
    }
}

impl<K: Kernel> Dma<K> {
    /// A system without pools.
    pub const fn new(kernel: K) -> Self {
        Dma {
            kernel,
            first: OnceRef::new(),
            head: rt_list_t::new(),
            span: Span::new(),
            installing: Turn::new(),
            bad_calls: AtomicUsize::new(0),
            lending: AtomicRef::new(),
        }
    }

    /// The pools in the order in which they were installed. Context: any.
    #[inline(always)]
    pub fn pools(&self) -> impl Iterator<Item = &'static Pool<K>> {
        core::iter::successors(self.first.get(), |pool| pool.next.get())
    }

    /// Calls that were refused because the caller was wrong.
    pub fn bad_calls(&self) -> usize {
        self.bad_calls.load(Relaxed)
    }

    /// Counts a call that is refused because the caller is wrong, and [complains](Self::complain). Context: any.
    #[cold]
    #[inline(never)]
    pub(crate) fn refuse(&self, error: Error, name: Name, number: usize, a: usize, b: usize) {
        self.bad_calls.fetch_add(1, Relaxed);
        self.complain(error, name, number, a, b);
    }

    /// Logs a line about a call that fails: whom it concerns, two addresses and a number, and why it fails. One format for
    /// all of them, which `docs/options.md` explains. Context: any.
    // The order of the arguments is that of the port's, so that most of them are where they belong.
    #[cold]
    #[inline(never)]
    pub(crate) fn complain(&self, error: Error, name: Name, number: usize, a: usize, b: usize) {
        let level = if error == Error::High { Level::Warning } else { Level::Error };
        let values = &[Name::of(error.reason()).argument(), a, b, number];
        self.kernel.log(level, &Line::about(name, REFUSAL, values));
    }

    /// Counts and logs a call about a device that is refused. Context: any.
    #[cold]
    pub(crate) fn refuse_device(&self, error: Error, device: Device, address: usize, size: usize) {
        self.refuse_line(&self.line_about(device, REFUSAL, &[Name::of(error.reason()).argument(), address, 0, size]));
    }

    /// A line about a device: by its name, or by its address if it has none. Context: any.
    pub(crate) fn line_about<'a>(&self, device: Device, format: &'static CStr, values: &'a [usize]) -> Line<'a> {
        Line { device: device.0, ..Line::about(self.kernel.device_name(device), format, values) }
    }

    /// Counts a call that is refused, and logs nothing: it cannot be done without sleeping, and the caller may not sleep,
    /// nor write to the log. Context: any.
    pub(crate) fn count_refused(&self) {
        self.bad_calls.fetch_add(1, Relaxed);
    }

    /// Counts a call that is refused because the caller is wrong, and logs a line that contains the reason. Context: any.
    pub(crate) fn refuse_line(&self, line: &Line) {
        self.count_refused();
        self.kernel.log(Level::Error, line);
    }

    // --- install ---------------------------------------------------------------------------------------------------

    /// Makes `region` a pool at the end of the list, linearly mapped where that can be; one line in the log states what
    /// became of it. Context: thread.
    pub fn install(&self, region: &Region) -> Result<&'static Pool<K>, Error> {
        let region = &Region { end: reachable_end(region.start, region.end), ..*region };
        let add = |installer: Installer<K>| {
            self.add_pool(&installer, region, Flags::empty(), FirstOwner::NONE, None)?;
            // It is there now, and nothing else is.
            self.covering(region.start, region.end).ok_or(Error::Context)
        };
        let result = self.installer().ok_or(Error::Context).and_then(add);
        if let Err(error) = result {
            self.refuse_install(error, region.name, region.start, region.end);
        }
        result
    }

    /// Refuses the install of `[start, end)`. Context: any.
    #[inline(always)]
    pub(crate) fn refuse_install(&self, error: Error, name: Name, start: Pa, end: Pa) {
        self.refuse(error, name, 0, start, end);
    }

    /// Waits for the right to install pools. Context: thread.
    #[inline(always)]
    pub(crate) fn installer(&self) -> Option<Installer<'_, K>> {
        let installed = Installed([const { Cell::new(None) }; 2]);
        Some(Installer { _turn: self.installing.take(self.kernel)?, installed })
    }

    /// Makes `region` a pool, and `before`, if there is one, another in front of it: both or none. Context: thread.
    #[inline(never)]
    pub(crate) fn add_pool(
        &self,
        installer: &Installer<K>,
        region: &Region,
        flags: Flags,
        owner: FirstOwner,
        before: Option<&Region>,
    ) -> Result<(), Error> {
        let pool = self.new_pool(installer, region, flags, owner)?;
        if let Some(before) = before {
            self.add_pool(installer, before, flags, owner, None)?;
        }
        self.link(installer, pool);
        Ok(())
    }

    /// A pool over `region`, which no other covers yet. Context: thread.
    #[inline(always)]
    pub(crate) fn new_pool(
        &self,
        _: &Installer<K>,
        region: &Region,
        flags: Flags,
        owner: FirstOwner,
    ) -> Result<NewPool<K>, Error> {
        let pages = region.pages().ok_or(Error::BadSize)?;
        if self.covering(region.start, region.end).is_some() {
            return Err(Error::Overlap);
        }
        Pool::new(self.kernel, region, pages, flags, owner).ok_or(Error::NoMemory)
    }

    /// Puts a new pool at the end of the list. It is mapped linearly, if it may be, when the installer ends. Context: thread.
    #[inline(always)]
    pub(crate) fn link(&self, installer: &Installer<K>, pool: NewPool<K>) {
        let pool = pool.keep();
        installer.installed.add(pool);
        self.span.add(pool.start(), pool.end());
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
}
