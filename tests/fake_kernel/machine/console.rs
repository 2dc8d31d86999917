//! A console whose driver runs with every line that the kernel writes.

use super::Machine;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

impl Machine {
    /// Runs `scenario` with a console whose driver is `driver`, which gets the number of lines before. Returns the
    /// number of lines. If `scenario` does not end, the driver waits for the thread that writes the line, and the
    /// process ends.
    pub fn with_console_driver(
        &self,
        driver: impl Fn(usize) + Send + Sync + 'static,
        scenario: impl FnOnce() + Send,
    ) -> usize {
        let lines = Arc::new(AtomicUsize::new(0));
        let counted = lines.clone();
        self.set_console_driver(move || driver(counted.fetch_add(1, Relaxed)));
        thread::scope(|scope| {
            let (done, is_done) = mpsc::channel();
            let caller = scope.spawn(move || {
                scenario();
                let _ = done.send(());
            });
            if let Err(mpsc::RecvTimeoutError::Timeout) = is_done.recv_timeout(Duration::from_secs(120)) {
                eprintln!("the console waits for its own thread");
                std::process::abort();
            }
            caller.join().unwrap();
        });
        self.clear_console_driver();
        lines.load(Relaxed)
    }
}
