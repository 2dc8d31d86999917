//! The state of the machine without its memory: interrupts, services that fail, and what was logged.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::{calls, input};

/// The services of the kernel that can fail.
#[derive(Clone, Copy)]
pub enum Service {
    Heap,
    Map,
    MapLinear,
    Reserve,
}

/// The calls of a service that fail.
#[derive(Clone, Copy, Default)]
struct FailingCalls {
    /// The calls that succeed before them.
    calls_before: usize,
    calls: usize,
}

#[derive(Default)]
struct Machine {
    /// Masks of interrupts by the library.
    masked: Cell<usize>,
    /// Interrupts that the driver masked.
    driver_masked: Cell<bool>,
    in_interrupt: Cell<bool>,
    /// Edges of locks until the next interrupt; 0 if none is to come.
    edges: Cell<usize>,
    /// Interrupts that came.
    interrupts: Cell<usize>,
    failing: Cell<[FailingCalls; 4]>,
    /// Failures of services.
    failures: Cell<usize>,
    /// Lines that were logged as errors.
    errors: Cell<usize>,
    /// Calls of `pause` since the call of the library began.
    pauses: Cell<usize>,
}

/// Calls of the C interface, of all runs.
static CALLS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static MACHINE: Machine = Machine::default();
}

/// Begins a run.
pub fn reset() {
    MACHINE.with(|machine| {
        machine.driver_masked.set(false);
        machine.in_interrupt.set(false);
        machine.edges.set(0);
        machine.interrupts.set(0);
        machine.failing.set(Default::default());
        machine.failures.set(0);
        machine.errors.set(0);
    });
}

/// Checks that no lock is held.
pub fn assert_no_lock() {
    MACHINE.with(|machine| assert!(machine.masked.get() == 0, "a lock is held at the end of a run"));
}

/// Counts a call of the C interface.
pub fn count_call() {
    CALLS.fetch_add(1, Relaxed);
    MACHINE.with(|machine| machine.pauses.set(0));
}

/// Returns the number of calls of the C interface in all runs.
pub fn calls() -> u64 {
    CALLS.load(Relaxed)
}

/// Makes calls of a service fail.
pub fn make_fail(service: Service, calls_before: usize, calls: usize) {
    MACHINE.with(|machine| {
        let mut failing = machine.failing.get();
        failing[service as usize] = FailingCalls { calls_before, calls };
        machine.failing.set(failing);
    });
}

/// Makes all services succeed.
pub fn repair() {
    MACHINE.with(|machine| machine.failing.set(Default::default()));
}

/// Counts a call of a service, and returns whether it fails.
pub fn count_and_check_failure(service: Service) -> bool {
    MACHINE.with(|machine| {
        let mut failing = machine.failing.get();
        let FailingCalls { calls_before, calls } = &mut failing[service as usize];
        let fails = *calls_before == 0 && *calls != 0;
        if *calls_before != 0 {
            *calls_before -= 1;
        } else if fails {
            *calls -= 1;
            machine.failures.set(machine.failures.get() + 1);
        }
        machine.failing.set(failing);
        fails
    })
}

/// What happened in the run so far.
pub struct Events {
    pub interrupts: usize,
    pub failures: usize,
    pub errors: usize,
}

pub fn events() -> Events {
    MACHINE.with(|machine| Events {
        interrupts: machine.interrupts.get(),
        failures: machine.failures.get(),
        errors: machine.errors.get(),
    })
}

pub fn note_error() {
    MACHINE.with(|machine| machine.errors.set(machine.errors.get() + 1));
}

/// Has an interrupt come at an edge of a lock; 0 for none.
pub fn arm_interrupt(edges: usize) {
    MACHINE.with(|machine| machine.edges.set(edges));
}

/// Returns whether the caller must not sleep.
pub fn is_atomic() -> bool {
    MACHINE.with(|machine| machine.in_interrupt.get() || machine.driver_masked.get() || machine.masked.get() != 0)
}

/// Checks that the library calls a service that may sleep only where that is allowed.
pub fn assert_thread(service: &str) {
    assert!(!is_atomic(), "{service} is called where sleeping is not allowed");
}

/// Checks that the library holds no lock.
pub fn assert_unlocked(service: &str) {
    assert!(MACHINE.with(|machine| machine.masked.get()) == 0, "{service} is called with a lock held");
}

/// Does what `code` does, with the interrupts masked by the driver.
pub fn with_interrupts_masked(code: impl FnOnce()) {
    MACHINE.with(|machine| machine.driver_masked.set(true));
    code();
    MACHINE.with(|machine| machine.driver_masked.set(false));
}

/// Masks interrupts. Returns the number of masks before.
pub fn mask() -> usize {
    edge();
    MACHINE.with(|machine| {
        machine.masked.set(machine.masked.get() + 1);
        assert!(machine.masked.get() < 8, "locks are taken and not released");
        machine.masked.get() - 1
    })
}

/// Undoes one [`mask`].
pub fn unmask(before: usize) {
    MACHINE.with(|machine| {
        assert!(machine.masked.get() == before + 1, "interrupts are restored in the wrong order");
        machine.masked.set(before);
    });
    edge();
}

/// A moment between two sections with a lock, or before the first: an interrupt may come.
fn edge() {
    let comes = MACHINE.with(|machine| {
        let may_come = machine.masked.get() == 0 && !machine.in_interrupt.get() && !machine.driver_masked.get();
        if !may_come || machine.edges.get() == 0 {
            return false;
        }
        machine.edges.set(machine.edges.get() - 1);
        machine.edges.get() == 0
    });
    if comes {
        interrupt();
    }
}

/// Serves an interrupt, in which a few calls are made.
pub fn interrupt() {
    MACHINE.with(|machine| {
        machine.interrupts.set(machine.interrupts.get() + 1);
        machine.in_interrupt.set(true);
    });
    for _ in 0..1 + input::below(4) {
        calls::step();
    }
    MACHINE.with(|machine| machine.in_interrupt.set(false));
}

/// Returns whether the calls are made by an interrupt.
pub fn in_interrupt() -> bool {
    MACHINE.with(|machine| machine.in_interrupt.get())
}

/// Waits for a moment. A caller that waits for ever is a deadlock: no other thread runs.
pub fn pause() {
    assert_thread("pause");
    let pauses = MACHINE.with(|machine| {
        machine.pauses.set(machine.pauses.get() + 1);
        machine.pauses.get()
    });
    assert!(pauses < 1000, "a call waits for what only itself can do");
}

/// Returns whether each call is to be printed: `FUZZ_LOG` is set.
pub fn is_logged() -> bool {
    static IS_LOGGED: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *IS_LOGGED.get_or_init(|| std::env::var_os("FUZZ_LOG").is_some())
}

/// Prints what the model is about to do.
#[macro_export]
macro_rules! log {
    ($($arguments:tt)*) => {
        if $crate::machine::is_logged() {
            let place = if $crate::machine::is_atomic() { "  (not in a thread) " } else { "" };
            eprintln!("{place}{}", format!($($arguments)*));
        }
    };
}
