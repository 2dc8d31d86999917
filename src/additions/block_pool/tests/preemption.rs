//! Runs code of the unit tests between two steps of a call, as an interrupt or another core would. A step of a call
//! begins at each [`preemption_point`].

use std::boxed::Box;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

std::thread_local! {
    /// How many steps come before the interruption, and what it runs; `None` if no interruption comes.
    static INTERRUPTION: RefCell<Option<(usize, Box<dyn FnOnce()>)>> = const { RefCell::new(None) };
    /// Whether the interruption also comes while the call holds a lock.
    static COMES_IN_LOCK: Cell<bool> = const { Cell::new(false) };
}

/// Begins a step, and runs the interruption if it comes before this step.
pub fn preemption_point() {
    // While a lock is held, other cores wait for it.
    if crate::kernel::testing::is_masked() && !COMES_IN_LOCK.get() {
        return;
    }
    match INTERRUPTION.take() {
        Some((0, run)) => run(),
        Some((steps, run)) => INTERRUPTION.set(Some((steps - 1, run))),
        None => {}
    }
}

/// Lets `other` run before step `at`, counted from here. An interruption may call it, too.
pub fn interrupt_before_step(at: usize, other: impl FnOnce() + 'static) {
    INTERRUPTION.set(Some((at, Box::new(other))));
}

/// Runs `call`, and `other` once, before step `at` of `call`. Returns the results of both; `None` in place of the
/// second if `call` has no such step.
pub fn run_before_step<T, U: 'static>(
    at: usize,
    other: impl FnOnce() -> U + 'static,
    call: impl FnOnce() -> T,
) -> (T, Option<U>) {
    let result = Rc::new(RefCell::new(None));
    let result_of_other = result.clone();
    interrupt_before_step(at, move || _ = result_of_other.replace(Some(other())));
    let returned = call();
    INTERRUPTION.take();
    (returned, result.take())
}

/// Does what [`run_before_step`] does, but `other` also runs while `call` holds a lock: `other` takes no lock.
pub fn run_in_lock_before_step<T, U: 'static>(
    at: usize,
    other: impl FnOnce() -> U + 'static,
    call: impl FnOnce() -> T,
) -> (T, Option<U>) {
    COMES_IN_LOCK.set(true);
    let results = run_before_step(at, other, call);
    COMES_IN_LOCK.set(false);
    results
}
