//! One thread at a time, for what may sleep.

use core::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Release},
};

use crate::kernel::Kernel;

/// What one thread at a time has, and may sleep with.
pub struct Turn(AtomicBool);

/// Somebody's turn, until it is dropped.
pub struct Turned<'a>(&'a AtomicBool);

impl Turn {
    /// Nobody's turn.
    pub const fn new() -> Self {
        Turn(AtomicBool::new(false))
    }

    /// Waits for the turn; `None` where the caller may not sleep.
    #[inline(never)]
    pub fn take<K: Kernel>(&self, kernel: K) -> Option<Turned<'_>> {
        if !kernel.can_sleep() {
            return None;
        }
        while self.0.swap(true, Acquire) {
            kernel.pause();
        }
        Some(Turned(&self.0))
    }
}

impl Drop for Turned<'_> {
    fn drop(&mut self) {
        self.0.store(false, Release);
    }
}
