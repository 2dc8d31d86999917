//! A right that one thread at a time has, and may sleep with: to install pools, to map memory of a pool.
//!
//! **Nothing is written to the log or the shell while a turn is held.** The console's driver may itself call this
//! library with each line that it writes; if it needed the same turn, it would wait for its own thread. What a turn's holder
//! has to report is therefore collected, and written after the turn has ended. The kernel is told of every turn
//! ([`Kernel::turn_begins`], [`Kernel::turn_ends`]), so that the tests' kernel can check this with every line.

use core::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Release},
};

use crate::kernel::Kernel;

/// A right that one thread at a time has.
pub struct Turn(AtomicBool);

/// The right of a [`Turn`], until it is dropped.
pub struct Turned<'a, K: Kernel> {
    taken: &'a AtomicBool,
    kernel: K,
}

impl Turn {
    /// A right that no thread has.
    pub const fn new() -> Self {
        Turn(AtomicBool::new(false))
    }

    /// Waits for the turn; `None` where the caller may not sleep.
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

impl<K: Kernel> Drop for Turned<'_, K> {
    fn drop(&mut self) {
        self.kernel.turn_ends();
        self.taken.store(false, Release);
    }
}
