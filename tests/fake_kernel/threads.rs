//! Threads of a test that wait for a flag of another thread.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Sets the flag when it is dropped, so also when the thread that has it panics. A scope of threads waits until all have
/// ended: without it, a panic leaves the threads that wait for the flag, and the test never prints its message.
pub struct SetAtEnd<'a>(pub &'a AtomicBool);

impl Drop for SetAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}
