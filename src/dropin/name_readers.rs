//! Counts the calls that read names of pools, so that an uninstall can wait for these calls.
//!
//! A pool's name belongs to the caller of its install, which may free it after the uninstall. (A pool of a range that a
//! device claimed has a copy of the name, which it keeps.) A call that reads names counts itself before it reads:
//! [`Pool::name`] demands its [`NameReader`]. An uninstall removes the name from the pool, and then waits until no call
//! is counted. It waits for a limited time only. A call that writes to a slow console may take longer, and may still
//! read the name: `rt_dma_pool_uninstall` demands that its caller keeps the name for such calls. A reading call and an
//! uninstall may run at the same time:
//!
//! | a call that reads names | an uninstall |
//! | --- | --- |
//! | 1. adds itself to the count ([`NameReaders::enter`]) | a. removes the name ([`Pool::end_uninstall`]) |
//! | 2. reads the name | b. reads the count ([`NameReaders::wait_until_none`]) |
//!
//! Each has a fence between its two steps. Without it, a core may read before its own write is visible to the other
//! core. With both fences, the call finds no name, or the uninstall finds the call in the count. The steps themselves
//! need no order. (A new name, of a pool that is installed again, is stored with release, and read with acquire.) A
//! call leaves the count with release after its last read of the name, and the uninstall reads zero with acquire: so
//! the owner frees the name after that read.
//!
//! The pool is uninstalled already when the wait begins. So the uninstall succeeds also if the time was not enough, and
//! [`NameReaders::wait_until_none`] returns nothing. `tests/orderings` checks the order with a model checker.
//!
//! [`Pool::name`]: crate::dropin::pool::Pool::name
//! [`Pool::end_uninstall`]: crate::dropin::pool::Pool::end_uninstall

use crate::kernel::Kernel;
use crate::mem::atomics::{
    AtomicUsize,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
    fence,
};

/// The number of calls that are reading names of pools now.
pub struct NameReaders(AtomicUsize);

/// A call that reads names of pools. An uninstall waits until it is dropped, but only for a limited time: see
/// [`Dma::uninstall`](crate::dropin::registry::Dma::uninstall).
#[must_use = "an uninstall waits for the call only until this value is dropped"]
pub struct NameReader<'a>(&'a AtomicUsize);

impl NameReaders {
    /// Makes a count of zero.
    pub const fn new() -> Self {
        NameReaders(AtomicUsize::new(0))
    }

    /// Counts the caller as a reader of names until it drops the returned value.
    ///
    /// Context: any.
    pub fn enter(&self) -> NameReader<'_> {
        self.0.fetch_add(1, Relaxed);
        fence(SeqCst);
        NameReader(&self.0)
    }

    /// Waits until the count is zero, after the caller has removed a name that it wants to return to its owner. It
    /// pauses at most `ticks` times for a tick; if that is not enough, a call may still read the name. Calls that begin
    /// during the wait are counted too.
    ///
    /// Context: thread.
    pub fn wait_until_none<K: Kernel>(&self, kernel: K, ticks: usize) {
        fence(SeqCst);
        for _ in 0..ticks {
            if self.0.load(Acquire) == 0 {
                break;
            }
            kernel.pause();
        }
    }
}

impl Drop for NameReader<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Release);
    }
}
