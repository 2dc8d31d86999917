//! Locks whose holder may sleep: [`SleepLock`], and [`Turn`], for which the rule below holds in addition.
//!
//! **No text is written to the log or the shell while a turn is held.** The console's driver may itself call this
//! library for each line that it writes. If it needed the same turn, it would wait for its own thread. What the holder
//! of a turn has to report is therefore collected, and written after the turn has ended. The kernel learns of every
//! turn ([`turn_begins`](crate::kernel::Threads::turn_begins), [`turn_ends`](crate::kernel::Threads::turn_ends)), so
//! that the tests' kernel can check the rule for each line.

use super::atomics::{
    AtomicBool,
    Ordering::{Acquire, Release},
};
use crate::kernel::Kernel;

/// A lock whose holder may sleep. A call that finds it held waits, or does without it.
pub struct SleepLock(AtomicBool);

/// A [`SleepLock`] that is held. Dropping the guard releases it.
pub struct SleepLockGuard<'a>(&'a AtomicBool);

impl SleepLock {
    /// Makes a lock that is free.
    pub const fn new() -> Self {
        SleepLock(AtomicBool::new(false))
    }

    /// Takes the lock; returns `None` if another call holds it.
    ///
    /// The `Acquire` here and the `Release` in `drop` order the accesses of two calls that hold the lock one after the
    /// other: if either were weaker, the second could read memory before the writes of the first arrive there.
    ///
    /// Context: any.
    pub fn try_lock(&self) -> Option<SleepLockGuard<'_>> {
        if self.0.swap(true, Acquire) { None } else { Some(SleepLockGuard(&self.0)) }
    }

    /// Waits until the lock is free, and takes it.
    ///
    /// Context: thread.
    pub fn lock<K: Kernel>(&self, kernel: K) -> SleepLockGuard<'_> {
        loop {
            match self.try_lock() {
                Some(guard) => return guard,
                None => kernel.pause(),
            }
        }
    }
}

impl Drop for SleepLockGuard<'_> {
    fn drop(&mut self) {
        self.0.store(false, Release);
    }
}

/// A [`SleepLock`] with one more rule: while a thread holds it, no text is written (see the head of this file).
/// `docs/locking.md` lists the turns.
pub struct Turn(SleepLock);

/// A turn that is held. Dropping the guard ends the turn.
pub struct TurnGuard<'a, K: Kernel> {
    /// Released after `drop` has reported the end of the turn.
    _lock: SleepLockGuard<'a>,
    kernel: K,
}

impl<'a, K: Kernel> TurnGuard<'a, K> {
    /// Makes the guard of a turn whose lock the caller holds.
    fn new(lock: SleepLockGuard<'a>, kernel: K) -> Self {
        kernel.turn_begins();
        TurnGuard { _lock: lock, kernel }
    }
}

impl Turn {
    /// Makes a turn that no thread holds.
    pub const fn new() -> Self {
        Turn(SleepLock::new())
    }

    /// Waits until no other thread holds the turn, and takes it.
    ///
    /// Context: any. A caller that may not sleep gets `None`.
    #[inline(never)] // If it is inlined, the linked core has 84 bytes more on aarch64.
    pub fn take<K: Kernel>(&self, kernel: K) -> Option<TurnGuard<'_, K>> {
        kernel.can_sleep().then(|| TurnGuard::new(self.0.lock(kernel), kernel))
    }

    /// Takes the turn. In a thread it waits as [`take`](Self::take) does. In any other context it does not wait, and
    /// returns `None` if another caller holds the turn; such a caller must not sleep while it holds the turn.
    ///
    /// Context: any.
    pub fn take_or_try<K: Kernel>(&self, kernel: K) -> Option<TurnGuard<'_, K>> {
        if kernel.can_sleep() {
            return self.take(kernel);
        }
        self.0.try_lock().map(|lock| TurnGuard::new(lock, kernel))
    }
}

impl<K: Kernel> Drop for TurnGuard<'_, K> {
    fn drop(&mut self) {
        self.kernel.turn_ends();
    }
}
