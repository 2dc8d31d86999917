//! Atomics of loom. Each belongs to one execution, and a `const fn` cannot make it. So each is made at its first use in
//! an execution, and statics may contain them. That use must come before the other threads begin: it counts as a write.

use ::loom::sync::atomic as loom;
use core::ops::Deref;
use core::sync::atomic::{AtomicUsize as Counter, Ordering::Relaxed};
use std::boxed::Box;
use std::sync::Mutex;

/// A boolean.
pub type AtomicBool = Late<bool>;
/// Half of a word, or a quarter.
pub type AtomicU16 = Late<u16>;
/// A word.
pub type AtomicUsize = Late<usize>;
/// A pointer.
pub type AtomicPtr<T> = Late<*mut T>;

/// A value that an atomic of loom holds.
pub trait Value: Copy {
    type Atomic: Sync + 'static;

    /// Makes an atomic with this value.
    fn atomic(self) -> Self::Atomic;
}

impl Value for bool {
    type Atomic = loom::AtomicBool;

    fn atomic(self) -> loom::AtomicBool {
        loom::AtomicBool::new(self)
    }
}

impl Value for u16 {
    type Atomic = loom::AtomicU16;

    fn atomic(self) -> loom::AtomicU16 {
        loom::AtomicU16::new(self)
    }
}

impl Value for usize {
    type Atomic = loom::AtomicUsize;

    fn atomic(self) -> loom::AtomicUsize {
        loom::AtomicUsize::new(self)
    }
}

impl<T: 'static> Value for *mut T {
    type Atomic = loom::AtomicPtr<T>;

    fn atomic(self) -> loom::AtomicPtr<T> {
        loom::AtomicPtr::new(self)
    }
}

/// The number of executions that have begun.
static EXECUTIONS: Counter = Counter::new(0);

::loom::lazy_static! {
    /// The number of this execution.
    static ref EXECUTION: usize = EXECUTIONS.fetch_add(1, Relaxed);
}

/// An atomic that is made at its first use in each execution.
pub struct Late<V: Value> {
    /// The value of the atomic at the beginning of each execution.
    initial: V,
    /// The execution in which the atomic was made last, and the atomic, which stays.
    made: Mutex<Option<(usize, &'static V::Atomic)>>,
}

impl<V: Value> Late<V> {
    /// Makes an atomic with this value.
    pub const fn new(initial: V) -> Self {
        Late { initial, made: Mutex::new(None) }
    }
}

impl<V: Value> Deref for Late<V> {
    type Target = V::Atomic;

    fn deref(&self) -> &V::Atomic {
        let execution = *EXECUTION;
        let mut made = self.made.lock().unwrap();
        match *made {
            Some((number, atomic)) if number == execution => atomic,
            _ => {
                let atomic = Box::leak(Box::new(self.initial.atomic()));
                *made = Some((execution, atomic));
                atomic
            }
        }
    }
}

// SAFETY: `initial` is a plain value or a pointer, and is only copied. The atomic may be shared.
#[allow(unsafe_code)]
unsafe impl<V: Value> Sync for Late<V> {}
// SAFETY: `initial` is a plain value or a pointer, and is only copied. The atomic may be sent to another thread.
#[allow(unsafe_code)]
unsafe impl<V: Value> Send for Late<V> {}
