//! All DMA memory of a system ([`Dma`]), and the counting and logging of refused calls.
//!
//! Each `inline(never)` here makes the linked core 24 to 116 bytes smaller on aarch64.
//!
//! This module does not depend on the map operations of devices: the requests of drivers are in the module `request`,
//! which uses this one.

use crate::mem::atomics::{
    AtomicUsize,
    Ordering::{Relaxed, SeqCst},
    fence,
};
use core::ffi::CStr;

use crate::dropin::loans::Lending;
use crate::dropin::pool::{Pool, PoolSpec};
use crate::dropin::pool_list::PoolList;
use crate::error::Error;
use crate::kernel::{Device, Handle, Kernel, Pa, Va};
use crate::log::{Level, Line, Name};
use crate::mem::hook::Hook;
use crate::mem::shared::AtomicRef;
use crate::mem::turn::{Flag, Turn};

/// The format of the log line about a failed call: the reason, two addresses and a number. `docs/options.md` explains
/// them.
pub(crate) const REFUSAL: &CStr = c"%s (0x%lx, 0x%lx, %lu)";

/// All DMA memory of a system.
pub struct Dma<K: Kernel> {
    pub(crate) kernel: K,
    pub(crate) list: PoolList<K>,
    /// The turn of installs: of calls that install or uninstall pools.
    pub(crate) installing: Turn,
    /// Set while a call chooses memory for `/reserved-memory` and reserves it, so that no two calls choose the same
    /// memory. It is no turn: text may be written meanwhile. No driver of a console reserves memory, which a board does
    /// at boot.
    pub(crate) reserving: Flag,
    pub(crate) uninstalled: Uninstalled<K>,
    /// The number of refused calls.
    bad_calls: AtomicUsize,
    pub(crate) lending: Lending<K, Dma<K>>,
}

/// The pools that were uninstalled, and the calls for which an uninstall waits.
pub(crate) struct Uninstalled<K: Kernel> {
    /// The functions that install such a pool again. Not set until the first pool is uninstalled.
    pub(crate) revival: Hook<Revival<K>>,
    /// The first of the pools, which are kept so that they can be used again: the one that was uninstalled last.
    pub(crate) kept: AtomicRef<Pool<K>>,
    /// The number of calls that are reading names of pools now.
    pub(crate) name_readers: AtomicUsize,
}

/// The functions that install an uninstalled pool again. They belong to the additions, which this layer does not
/// import; therefore an install calls them through these pointers.
pub(crate) struct Revival<K: Kernel> {
    /// Returns a kept pool that can serve as the specified pool, which has these pages, after resetting it.
    pub(crate) revive: fn(&Dma<K>, &PoolSpec, (Pa, usize)) -> Option<&'static Pool<K>>,
    /// Removes the pool from the list of kept pools, and makes its pages free.
    pub(crate) reopen: fn(&Dma<K>, &'static Pool<K>),
}

/// A call that reads names of pools. The caller of an uninstall may free the name afterwards; therefore an uninstall
/// waits until these values are dropped.
pub(crate) struct NameReader<'a>(&'a AtomicUsize);

impl Drop for NameReader<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl<K: Kernel> Dma<K> {
    /// Makes a system without pools.
    pub const fn new(kernel: K) -> Self {
        Dma {
            kernel,
            list: PoolList::new(),
            installing: Turn::new(),
            reserving: Flag::new(),
            uninstalled: Uninstalled {
                revival: Hook::new(),
                kept: AtomicRef::new(),
                name_readers: AtomicUsize::new(0),
            },
            bad_calls: AtomicUsize::new(0),
            lending: Lending::new(),
        }
    }

    /// Returns the pools in the order in which they were installed.
    ///
    /// Context: any.
    pub fn pools(&self) -> impl Iterator<Item = &'static Pool<K>> {
        self.list.iter()
    }

    /// Returns false only if no byte of `[first, last]` belongs to a pool. May return true although no byte does.
    ///
    /// Context: any.
    pub(crate) fn may_contain(&self, first: Pa, last: Pa) -> bool {
        self.list.may_contain(first, last)
    }

    /// Returns the number of calls that were refused because the caller made a mistake.
    pub fn bad_calls(&self) -> usize {
        self.bad_calls.load(Relaxed)
    }

    /// Counts a call that is refused because the caller made a mistake, and [logs a line](Self::log_failure).
    ///
    /// Context: any.
    #[cold]
    #[inline(never)]
    pub(crate) fn refuse(&self, error: Error, name: Name, number: usize, address: usize, other: usize) {
        self.count_refused();
        self.log_failure(error, name, number, address, other);
    }

    /// Logs a line about a failed call: the name of the pool or device, the reason, two addresses, and a number, which
    /// is a size or an index. All such lines have the format [`REFUSAL`].
    ///
    /// Context: any.
    // The arguments are in the order of the port's function, so that most of them are in the right registers already.
    #[cold]
    #[inline(never)]
    pub(crate) fn log_failure(&self, error: Error, name: Name, number: usize, address: usize, other: usize) {
        let level = if error == Error::High { Level::Warning } else { Level::Error };
        let values = &[Name::of(error.reason()).argument(), address, other, number];
        self.kernel.log(level, &Line::about(name, REFUSAL, values));
    }

    /// Counts and logs a refused call of a device.
    ///
    /// Context: any.
    #[cold]
    #[inline(never)]
    // The reason comes last, so that the other arguments are in the registers in which the sync calls got them.
    pub(crate) fn refuse_device(&self, device: Device, address: usize, size: usize, error: Error) {
        self.refuse_line(&self.line_about(device, REFUSAL, &[Name::of(error.reason()).argument(), address, 0, size]));
    }

    /// Returns a line that begins with the name of the device, or with its address if it has no name.
    ///
    /// Context: any.
    pub(crate) fn line_about<'a>(&'a self, device: Device, format: &'static CStr, values: &'a [usize]) -> Line<'a> {
        Line { device: device.address(), ..Line::about(self.kernel.device_name(device), format, values) }
    }

    /// Counts a refused call, and logs nothing. It is for calls that would have to sleep where the caller may neither
    /// sleep nor write to the log.
    ///
    /// Context: any.
    pub(crate) fn count_refused(&self) {
        self.bad_calls.fetch_add(1, Relaxed);
    }

    /// Counts a call that is refused because the caller made a mistake, and logs `line`, which contains the reason.
    ///
    /// Context: any.
    pub(crate) fn refuse_line(&self, line: &Line) {
        self.count_refused();
        self.kernel.log(Level::Error, line);
    }

    /// Records that the caller reads names of pools, until it drops the returned value.
    ///
    /// Context: any.
    pub(crate) fn read_names(&self) -> NameReader<'_> {
        self.uninstalled.name_readers.fetch_add(1, SeqCst);
        // This call writes `name_readers` and then reads the name. An uninstall clears the name and then reads
        // `name_readers`. Under SeqCst, either this call finds no name, or the uninstall finds this call and waits for
        // it.
        fence(SeqCst);
        NameReader(&self.uninstalled.name_readers)
    }

    /// Counts and logs a refused free, as [`refuse`](Self::refuse) does, with the name of `pool`; without a name if
    /// `pool` is `None`.
    ///
    /// Context: any.
    #[cold]
    #[inline(never)]
    pub(crate) fn refuse_for_pool(&self, error: Error, pool: Option<&Pool<K>>, size: usize, va: Va, handle: Handle) {
        let _names = self.read_names();
        self.refuse(error, pool.map_or(Name::NONE, Pool::name), size, va, handle);
    }

    /// Returns the first pool that contains any byte of `[start, end)`.
    ///
    /// Context: any.
    #[inline(never)]
    pub(crate) fn pool_in(&self, start: Pa, end: Pa) -> Option<&'static Pool<K>> {
        self.pools().find(|pool| start < pool.end() && pool.start() < end)
    }
}
