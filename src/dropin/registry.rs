//! The pools of a system: installing them, and finding the one that covers an address range.
//!
//! The list of pools is read without a lock. A pool that left it keeps its link (see `pool::removal`). It knows nothing of devices' operations: requests stand above
//! it, in `request`.

use crate::mem::atomics::{
    AtomicUsize,
    Ordering::{Relaxed, SeqCst},
    fence,
};
use core::ffi::CStr;

use crate::abi::rt_list_t;
use crate::dropin::lending::Lending;
use crate::dropin::pool::{Pool, Revival};
use crate::error::Error;
use crate::kernel::{Device, Kernel, Pa};
use crate::log::{Level, Line, Name};
use crate::mem::shared::AtomicRef;
use crate::mem::turn::Turn;

/// The line of the log about a call that fails: the reason, two addresses and a number. `docs/options.md` explains them.
pub(crate) const REFUSAL: &CStr = c"%s (0x%lx, 0x%lx, %lu)";

/// All DMA memory of a system.
pub struct Dma<K: Kernel> {
    pub(crate) kernel: K,
    pub(crate) first: AtomicRef<Pool<K>>,
    /// The head of the list as C would walk it.
    pub(super) head: rt_list_t,
    /// From the lowest address of a pool to the highest.
    pub(crate) span: Span,
    /// The turn of callers that install or uninstall pools.
    pub(super) installing: Turn,
    /// The number of pools that were put into the list for the first time.
    pub(super) linked: AtomicUsize,
    /// What serves pools that were uninstalled; not set before the first.
    pub(crate) revival: AtomicRef<Revival<K, Dma<K>>>,
    /// The pool that was uninstalled last, of those that are kept for the next pool of the same pages.
    pub(crate) kept: AtomicRef<Pool<K>>,
    /// The number of calls that read names of pools.
    pub(crate) naming: AtomicUsize,
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
    pub(super) fn add(&self, start: Pa, end: Pa) {
        self.start.store(self.start.load(Relaxed).min(start), Relaxed);
        self.end.store(self.end.load(Relaxed).max(end), Relaxed);
    }

    /// Returns false if no byte of `[first, last]` is in a pool of the list. Context: any.
    #[inline(always)]
    pub(crate) fn touches(&self, first: Pa, last: Pa) -> bool {
        first < self.end.load(Relaxed) && self.start.load(Relaxed) <= last
    }
}

/// A call that reads names of pools, which their owners may free once the pools are uninstalled. Uninstall waits for it.
pub(crate) struct Names<'a>(&'a AtomicUsize);

impl Drop for Names<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl<K: Kernel> Dma<K> {
    /// A system without pools.
    pub const fn new(kernel: K) -> Self {
        Dma {
            kernel,
            first: AtomicRef::new(),
            head: rt_list_t::new(),
            span: Span::new(),
            installing: Turn::new(),
            linked: AtomicUsize::new(0),
            revival: AtomicRef::new(),
            kept: AtomicRef::new(),
            naming: AtomicUsize::new(0),
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

    /// Notes that the caller reads names of pools until what is returned is dropped. Context: any.
    pub(crate) fn reads_names(&self) -> Names<'_> {
        self.naming.fetch_add(1, SeqCst);
        // Uninstall clears the name, then looks whether a call reads names. Under SeqCst either this call finds no name, or
        // uninstall finds this call.
        fence(SeqCst);
        Names(&self.naming)
    }

    /// Counts a call about a pool that is refused because the caller is wrong, and [complains](Self::complain). Without a pool,
    /// the line has no name. Context: any.
    #[cold]
    pub(crate) fn refuse_in(&self, error: Error, pool: Option<&Pool<K>>, number: usize, a: usize, b: usize) {
        let _names = self.reads_names();
        self.refuse(error, pool.map_or(Name::NONE, Pool::name), number, a, b);
    }

    /// The pool that covers part of `[start, end)`, if there is one.
    #[inline(never)]
    pub(crate) fn covering(&self, start: Pa, end: Pa) -> Option<&'static Pool<K>> {
        self.pools().find(|pool| start < pool.end() && pool.start() < end)
    }
}
