//! The fuzz target: libFuzzer chooses the bytes. `ci/fuzz` builds it with AddressSanitizer and counters of edges.

#![no_main]

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rt_dma_pool_fuzz::{machine, run, statics};

static SEQUENCES: AtomicU64 = AtomicU64::new(0);

libfuzzer_sys::fuzz_target!(
    init: {
        statics::note();
        // SAFETY: the function may be called when the program ends.
        unsafe { libc::atexit(report) };
    },
    |bytes: &[u8]| {
        run(bytes);
        SEQUENCES.fetch_add(1, Relaxed);
    }
);

/// Prints what ci/fuzz adds up.
extern "C" fn report() {
    // SAFETY: the structure is zeros, which is a valid value, and the call fills it.
    let mut used = unsafe { std::mem::zeroed::<libc::rusage>() };
    // SAFETY: the call writes to the structure only.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut used) };
    let seconds = used.ru_utime.tv_sec + used.ru_stime.tv_sec;
    eprintln!("done: {} calls in {} sequences, {seconds} s of processor", machine::calls(), SEQUENCES.load(Relaxed));
}
