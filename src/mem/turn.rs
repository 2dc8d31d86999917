//! A turn: a right that one thread at a time has, and may sleep with. Installing pools and mapping memory of a pool each
//! need one.
//!
//! **No text is written to the log or the shell while a turn is held.** The console's driver may itself call this
//! library for each line that it writes. If it needed the same turn, it would wait for its own thread. What the holder of a
//! turn has to report is therefore collected, and written after the turn has ended. The kernel learns of every turn
//! ([`Kernel::turn_begins`], [`Kernel::turn_ends`]), so that the tests' kernel can check the rule for each line.

use super::atomics::{
    AtomicBool,
    Ordering::{Acquire, Release},
};
use crate::kernel::Kernel;

/// A right that one thread at a time has.
pub struct Turn(AtomicBool);

/// The right of a [`Turn`]. Dropping it ends the turn.
pub struct Turned<'a, K: Kernel> {
    taken: &'a AtomicBool,
    kernel: K,
}

impl Turn {
    /// Makes a right that no thread has.
    pub const fn new() -> Self {
        Turn(AtomicBool::new(false))
    }

    /// Waits for the turn; returns `None` if the caller may not sleep.
    ///
    /// The `Acquire` here and the `Release` in `drop` order what two holders do: without either, the second holder could
    /// read what the first one was still writing.
    ///
    /// Context: any. A caller that may not sleep gets `None`.
    #[inline(never)]
    pub fn take<K: Kernel>(&self, kernel: K) -> Option<Turned<'_, K>> {
        if !kernel.can_sleep() {
            return None;
        }
        while self.0.swap(true, Acquire) {
            kernel.pause();
        }
        kernel.turn_begins();
        Some(Turned { taken: &self.0, kernel })
    }
}

impl Turn {
    /// Waits for the turn in a thread. Elsewhere takes it if no other caller has it, and returns `None` if one has.
    ///
    /// A caller that is no thread must not sleep with it.
    ///
    /// Context: any.
    pub fn take_at_once<K: Kernel>(&self, kernel: K) -> Option<Turned<'_, K>> {
        if kernel.can_sleep() {
            return self.take(kernel);
        }
        if self.0.swap(true, Acquire) {
            return None;
        }
        kernel.turn_begins();
        Some(Turned { taken: &self.0, kernel })
    }
}

impl<K: Kernel> Drop for Turned<'_, K> {
    fn drop(&mut self) {
        self.kernel.turn_ends();
        self.taken.store(false, Release);
    }
}
