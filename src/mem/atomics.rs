//! The atomics of the library, and the pause of a spin lock.
//!
//! Files import them from here and not from `core`, so that a model checker such as loom or shuttle can run the
//! library's own code with its atomics in place of these. What no model runs, or what it need not see, uses the atomics
//! of `core`: memory that C reads, the bitmaps that a pool's lock protects, and constants that `kernel/rtthread` reads
//! from the port or the processor. The lock is the one of the crate `spin`, which has its own.

#[cfg(feature = "loom")]
mod per_execution;

#[cfg(feature = "loom")]
pub use ::loom::sync::atomic::{Ordering, fence};
#[cfg(not(any(feature = "shuttle", feature = "loom")))]
pub use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU16, AtomicUsize, Ordering, fence};
#[cfg(feature = "loom")]
pub use per_execution::{AtomicBool, AtomicPtr, AtomicU16, AtomicUsize};
#[cfg(feature = "shuttle")]
pub use shuttle::sync::atomic::{AtomicBool, AtomicPtr, AtomicU16, AtomicUsize, Ordering, fence};

/// Pauses `count` times.
#[cfg(not(any(feature = "shuttle", feature = "loom")))]
pub fn spin_loop(count: u32) {
    (0..count).for_each(|_| core::hint::spin_loop());
}

/// Lets another thread of the model run. In a model, a single pause has the effect of many.
#[cfg(any(feature = "shuttle", feature = "loom"))]
pub fn spin_loop(_count: u32) {
    #[cfg(feature = "loom")]
    ::loom::hint::spin_loop();
    #[cfg(feature = "shuttle")]
    shuttle::hint::spin_loop();
}
