//! What one call at a time has while it may sleep: a [`Flag`], and a [`Turn`], which is a flag with the rule below.
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

/// A flag that one call at a time sets. The others wait, or do without.
pub struct Flag(AtomicBool);

/// A flag that is set. Dropping the guard clears it.
pub struct FlagGuard<'a>(&'a AtomicBool);

impl Flag {
    /// Makes a flag that is clear.
    pub const fn new() -> Self {
        Flag(AtomicBool::new(false))
    }

    /// Sets the flag; returns `None` if another call has set it.
    ///
    /// The `Acquire` here and the `Release` in `drop` order the accesses of two calls that set the flag one after the
    /// other: if either were weaker, the second could read memory before the writes of the first arrive there.
    ///
    /// Context: any.
    pub fn try_set(&self) -> Option<FlagGuard<'_>> {
        if self.0.swap(true, Acquire) { None } else { Some(FlagGuard(&self.0)) }
    }

    /// Waits until the flag is clear, and sets it.
    ///
    /// Context: thread.
    pub fn set<K: Kernel>(&self, kernel: K) -> FlagGuard<'_> {
        loop {
            match self.try_set() {
                Some(guard) => return guard,
                None => kernel.pause(),
            }
        }
    }
}

impl Drop for FlagGuard<'_> {
    fn drop(&mut self) {
        self.0.store(false, Release);
    }
}

/// A lock whose holder may sleep. One thread at a time holds it. `docs/locking.md` lists the turns.
pub struct Turn(Flag);

/// A turn that is held. Dropping the guard ends the turn.
pub struct TurnGuard<'a, K: Kernel> {
    /// Cleared after `drop` has reported the end of the turn.
    _flag: FlagGuard<'a>,
    kernel: K,
}

impl<'a, K: Kernel> TurnGuard<'a, K> {
    /// Makes the guard of a turn whose flag the caller has set.
    fn new(flag: FlagGuard<'a>, kernel: K) -> Self {
        kernel.turn_begins();
        TurnGuard { _flag: flag, kernel }
    }
}

impl Turn {
    /// Makes a turn that no thread holds.
    pub const fn new() -> Self {
        Turn(Flag::new())
    }

    /// Waits until no other thread holds the turn, and takes it.
    ///
    /// Context: any. A caller that may not sleep gets `None`.
    #[inline(never)] // If it is inlined, the linked core has 84 bytes more on aarch64.
    pub fn take<K: Kernel>(&self, kernel: K) -> Option<TurnGuard<'_, K>> {
        kernel.can_sleep().then(|| TurnGuard::new(self.0.set(kernel), kernel))
    }

    /// Takes the turn. In a thread it waits as [`take`](Self::take) does. In any other context it does not wait, and
    /// returns `None` if another caller holds the turn; such a caller must not sleep while it holds the turn.
    ///
    /// Context: any.
    pub fn take_or_try<K: Kernel>(&self, kernel: K) -> Option<TurnGuard<'_, K>> {
        if kernel.can_sleep() {
            return self.take(kernel);
        }
        self.0.try_set().map(|flag| TurnGuard::new(flag, kernel))
    }
}

impl<K: Kernel> Drop for TurnGuard<'_, K> {
    fn drop(&mut self) {
        self.kernel.turn_ends();
    }
}
