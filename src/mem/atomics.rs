//! The atomics and the spin hint of everything that runs concurrently.
//!
//! Files import them from here and not from `core`, so that a model checker such as loom or shuttle can run the library's
//! own code with its atomics in place of these.

pub use core::hint::spin_loop;
pub use core::sync::atomic::*;
