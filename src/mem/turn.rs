//! A turn: a lock whose holder may sleep. One thread at a time holds it. A call that installs pools, or maps a single buffer,
//! needs the turn for that.
//!
//! **No text is written to the log or the shell while a turn is held.** The console's driver may itself call this
//! library for each line that it writes. If it needed the same turn, it would wait for its own thread. What the holder of a
//! turn has to report is therefore collected, and written after the turn has ended. The kernel learns of every turn
//! ([`turn_begins`](crate::kernel::Threads::turn_begins), [`turn_ends`](crate::kernel::Threads::turn_ends)), so that the
//! tests' kernel can check the rule for each line.

use super::atomics::{
    AtomicBool,
    Ordering::{Acquire, Release},
};
use crate::kernel::Kernel;

/// A lock whose holder may sleep.
pub struct Turn(AtomicBool);

/// A turn that is held. Dropping the guard ends the turn.
pub struct TurnGuard<'a, K: Kernel> {
    taken: &'a AtomicBool,
    kernel: K,
}

impl Turn {
    /// Makes a turn that no thread holds.
    pub const fn new() -> Self {
        Turn(AtomicBool::new(false))
    }

    /// Waits until no other thread holds the turn, and takes it.
    ///
    /// The `Acquire` here and the `Release` in `drop` order the accesses of two holders: if either were weaker, the second
    /// holder could read memory before the writes of the first holder arrive there.
    ///
    /// Context: any. A caller that may not sleep gets `None`.
    #[inline(never)] // If it is inlined, the linked core has 84 bytes more on aarch64.
    pub fn take<K: Kernel>(&self, kernel: K) -> Option<TurnGuard<'_, K>> {
        if !kernel.can_sleep() {
            return None;
        }
        while self.0.swap(true, Acquire) {
            kernel.pause();
        }
        kernel.turn_begins();
        Some(TurnGuard { taken: &self.0, kernel })
    }

    /// Takes the turn. In a thread it waits as [`take`](Self::take) does. In any other context it does not wait, and returns
    /// `None` if another caller holds the turn; such a caller must not sleep while it holds the turn.
    ///
    /// Context: any.
    pub fn take_or_try<K: Kernel>(&self, kernel: K) -> Option<TurnGuard<'_, K>> {
        if kernel.can_sleep() {
            return self.take(kernel);
        }
        if self.0.swap(true, Acquire) {
            return None;
        }
        kernel.turn_begins();
        Some(TurnGuard { taken: &self.0, kernel })
    }
}

impl<K: Kernel> Drop for TurnGuard<'_, K> {
    fn drop(&mut self) {
        self.kernel.turn_ends();
        self.taken.store(false, Release);
    }
}
