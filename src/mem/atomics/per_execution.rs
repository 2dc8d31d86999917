//! Atomics of loom. Each belongs to one execution, and a `const fn` cannot make it. So each is made at its first use in
//! an execution, and statics may contain them. That use must come before the other threads begin: it counts as a write.

use ::loom::sync::atomic as loom;
use core::ops::Deref;
use core::sync::atomic::{AtomicUsize as CoreAtomicUsize, Ordering::Relaxed};
use std::boxed::Box;
use std::sync::Mutex;

/// A boolean.
pub type AtomicBool = PerExecution<bool>;
/// Half of a word, or a quarter.
pub type AtomicU16 = PerExecution<u16>;
/// A word.
pub type AtomicUsize = PerExecution<usize>;
/// A pointer.
pub type AtomicPtr<T> = PerExecution<*mut T>;

/// Executions that have used an atomic so far.
static EXECUTIONS: CoreAtomicUsize = CoreAtomicUsize::new(0);

::loom::lazy_static! {
    /// The number of this execution.
    static ref EXECUTION: usize = EXECUTIONS.fetch_add(1, Relaxed);
}

/// An atomic that is made at its first use in each execution.
pub struct PerExecution<V: Value> {
    /// The value of the atomic at the beginning of each execution.
    initial: V,
    /// The execution that used the atomic last, and its atomic, which is leaked.
    current: Mutex<Option<(usize, &'static V::Atomic)>>,
}

impl<V: Value> PerExecution<V> {
    /// Makes an atomic with this value.
    pub const fn new(initial: V) -> Self {
        PerExecution { initial, current: Mutex::new(None) }
    }
}

impl<V: Value> Deref for PerExecution<V> {
    type Target = V::Atomic;

    fn deref(&self) -> &V::Atomic {
        let execution = *EXECUTION;
        // No thread of the model waits for this lock: loom switches threads only where a thread accesses an atomic, not
        // where one is made.
        let mut current = self.current.lock().unwrap();
        match *current {
            Some((number, atomic)) if number == execution => atomic,
            _ => {
                let atomic = Box::leak(Box::new(self.initial.atomic()));
                *current = Some((execution, atomic));
                atomic
            }
        }
    }
}

// SAFETY: `initial` may be sent to another thread, by the duty of `Value`. `current` is `Send`.
#[allow(unsafe_code)]
unsafe impl<V: Value> Send for PerExecution<V> {}
// SAFETY: `initial` is only copied, which several threads may do, by the duty of `Value`. `current` is `Sync`.
#[allow(unsafe_code)]
unsafe impl<V: Value> Sync for PerExecution<V> {}

/// A value that an atomic of loom holds.
///
/// # Safety
///
/// The value may be sent to another thread, and several threads may copy it at the same time. This is true of a pointer
/// too, although Rust does not assume it.
#[allow(unsafe_code)]
pub unsafe trait Value: Copy {
    /// The atomic of loom.
    type Atomic: Sync + 'static;

    /// Makes an atomic with this value.
    fn atomic(self) -> Self::Atomic;
}

/// Makes a type the [`Value`] of an atomic of loom.
macro_rules! value {
    ($value:ty, $atomic:ident $(, $parameter:ident)?) => {
        // SAFETY: a plain value or a pointer.
        #[allow(unsafe_code)]
        unsafe impl$(<$parameter: 'static>)? Value for $value {
            type Atomic = loom::$atomic$(<$parameter>)?;

            fn atomic(self) -> Self::Atomic {
                loom::$atomic::new(self)
            }
        }
    };
}

value!(bool, AtomicBool);
value!(u16, AtomicU16);
value!(usize, AtomicUsize);
value!(*mut T, AtomicPtr, T);
