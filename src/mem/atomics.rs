//! The atomics of the library, and the pause of a spin lock.
//!
//! Files import them from here and not from `core`, so that a model checker such as loom or shuttle can run the
//! library's own code with its atomics in place of these. What no model runs, or what it need not see, uses the atomics
//! of `core`: memory that C reads, the bitmaps that a pool's lock protects, and constants that `kernel/rtthread` reads
//! from the port or the processor. The lock is the one of the crate `spin`, which has its own.

#[cfg(feature = "loom")]
pub use ::loom::sync::atomic::{Ordering, fence};
#[cfg(not(any(feature = "shuttle", feature = "loom")))]
pub use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU16, AtomicUsize, Ordering, fence};
#[cfg(feature = "loom")]
pub use late::{AtomicBool, AtomicPtr, AtomicU16, AtomicUsize};
#[cfg(feature = "shuttle")]
pub use shuttle::sync::atomic::{AtomicBool, AtomicPtr, AtomicU16, AtomicUsize, Ordering, fence};

/// Pauses `count` times.
#[cfg(not(any(feature = "shuttle", feature = "loom")))]
pub fn spin_loop(count: u32) {
    (0..count).for_each(|_| core::hint::spin_loop());
}

/// Lets another thread of the model run. In a model, a single pause has the effect of many.
#[cfg(any(feature = "shuttle", feature = "loom"))]
pub fn spin_loop(_count: u32) {
    #[cfg(feature = "loom")]
    ::loom::hint::spin_loop();
    #[cfg(feature = "shuttle")]
    shuttle::hint::spin_loop();
}

/// Atomics of loom. Each belongs to one execution, and a `const fn` cannot make it. So each is made at its first use in
/// an execution, and statics may contain them. That use must come before the other threads begin: it counts as a write.
#[cfg(feature = "loom")]
mod late {
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
        first: V,
        /// The execution in which the atomic was made last, and the atomic, which stays.
        made: Mutex<Option<(usize, &'static V::Atomic)>>,
    }

    impl<V: Value> Late<V> {
        /// Makes an atomic with this value.
        pub const fn new(first: V) -> Self {
            Late { first, made: Mutex::new(None) }
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
                    let atomic = Box::leak(Box::new(self.first.atomic()));
                    *made = Some((execution, atomic));
                    atomic
                }
            }
        }
    }

    // SAFETY: `first` is a plain value or a pointer, and is only copied. The atomic may be shared.
    #[allow(unsafe_code)]
    unsafe impl<V: Value> Sync for Late<V> {}
    // SAFETY: as above.
    #[allow(unsafe_code)]
    unsafe impl<V: Value> Send for Late<V> {}
}
