//! Runs code of the unit tests between two steps of a call, as an interrupt or another core would.

use std::boxed::Box;
use std::cell::{Cell, RefCell};

type Other = Box<dyn FnMut()>;

std::thread_local! {
    static LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
    static OTHER: RefCell<Option<Other>> = const { RefCell::new(None) };
    static NEEDS_NO_LOCK: Cell<bool> = const { Cell::new(false) };
}

pub fn preemption_point() {
    match LEFT.get() {
        usize::MAX => {}
        // While a lock is held, other cores wait for it.
        _ if crate::kernel::testing::is_masked() && !NEEDS_NO_LOCK.get() => {}
        0 => {
            LEFT.set(usize::MAX);
            let other = OTHER.with_borrow_mut(Option::take);
            other.into_iter().for_each(|mut other| other());
        }
        left => LEFT.set(left - 1),
    }
}

/// Runs `other` before step `at`, counted from here. The code that [`run_before_step`] runs may call it.
pub fn go_on_before_step(at: usize, other: impl FnMut() + 'static) {
    OTHER.set(Some(Box::new(other)));
    LEFT.set(at);
}

/// Works as [`run_before_step`], but `other` also runs while the call holds a lock: `other` takes no lock.
pub fn run_without_lock_before_step<T>(
    at: usize,
    other: impl FnMut() + 'static,
    call: impl FnOnce() -> T,
) -> (T, bool) {
    NEEDS_NO_LOCK.set(true);
    let result = run_before_step(at, other, call);
    NEEDS_NO_LOCK.set(false);
    result
}

/// Runs `call`, and once `other`, before step `at` of `call`. Returns the result of `call`, and whether `other` ran.
pub fn run_before_step<T>(at: usize, other: impl FnMut() + 'static, call: impl FnOnce() -> T) -> (T, bool) {
    go_on_before_step(at, other);
    let result = call();
    LEFT.set(usize::MAX);
    (result, OTHER.take().is_none())
}
