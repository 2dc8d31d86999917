//! The atomics and the spin hint of everything that runs concurrently.
//!
//! Files import them from here and not from `core`, so that a model checker such as loom or shuttle can run the library's
//! own code with its atomics in place of these.

//!
//! Memory that C reads, and the bitmaps that a pool's lock protects, have the atomics of `core` in any case.

#[cfg(not(feature = "shuttle"))]
pub use core::hint::spin_loop;
#[cfg(not(feature = "shuttle"))]
pub use core::sync::atomic::*;

#[cfg(feature = "shuttle")]
pub use shuttle::hint::spin_loop;

/// Pauses `count` times.
#[cfg(not(feature = "shuttle"))]
#[inline(always)]
pub fn pause(count: u32) {
    (0..count).for_each(|_| spin_loop());
}

/// Lets another thread of the model run: one pause is as good as many.
#[cfg(feature = "shuttle")]
pub fn pause(_count: u32) {
    spin_loop();
}

#[cfg(feature = "shuttle")]
pub use shuttle::sync::atomic::*;
