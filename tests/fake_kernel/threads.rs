//! Threads of a test: its cores, and threads that wait for a flag of another thread.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

/// The cores of a test: host threads.
pub const CORES: usize = 4;

/// Runs `work` on every core. All cores start at the same time.
pub fn on_every_core(work: impl Fn(usize) + Sync) {
    let start = Barrier::new(CORES);
    thread::scope(|scope| {
        for core in 0..CORES {
            let (work, start) = (&work, &start);
            scope.spawn(move || {
                start.wait();
                work(core);
            });
        }
    });
}

/// Sets the flag when it is dropped, so also when the thread that has it panics. A scope of threads waits until all
/// have ended: without it, a panic leaves the threads that wait for the flag, and the test never prints its message.
pub struct SetAtEnd<'a>(pub &'a AtomicBool);

impl Drop for SetAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}
