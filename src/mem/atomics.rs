//! The atomics and the spin hint of everything that runs concurrently.
//!
//! Files import them from here and not from `core`, so that a model checker such as loom or shuttle can run the
//! library's own code with its atomics in place of these.
//!
//! Memory that C reads, and the bitmaps that a pool's lock protects, always use the atomics of `core`.

#[cfg(not(any(feature = "shuttle", feature = "loom")))]
pub use core::{hint::spin_loop, sync::atomic::*};
#[cfg(feature = "loom")]
pub use late::*;
#[cfg(feature = "shuttle")]
pub use shuttle::{hint::spin_loop, sync::atomic::*};

/// Pauses `count` times.
#[cfg(not(any(feature = "shuttle", feature = "loom")))]
pub fn pause(count: u32) {
    (0..count).for_each(|_| spin_loop());
}

/// Lets another thread of the model run. In a model, a single pause has the effect of many.
#[cfg(any(feature = "shuttle", feature = "loom"))]
pub fn pause(_count: u32) {
    spin_loop();
}

/// Atomics of loom. Each belongs to one execution, and a `const fn` cannot make it. So each is made at its first use in
/// an execution, and statics may contain them. That use must come before the other threads begin: it counts as a write.
#[cfg(feature = "loom")]
mod late {
    pub use ::loom::hint::spin_loop;
    use ::loom::sync::atomic as loom;
    pub use ::loom::sync::atomic::{Ordering, fence};
    use core::ops::Deref;
    use core::sync::atomic::{AtomicUsize as Counter, Ordering::Relaxed};
    use std::boxed::Box;
    use std::sync::Mutex;

    /// The number of executions that have begun.
    static EXECUTIONS: Counter = Counter::new(0);

    ::loom::lazy_static! {
        /// The number of this execution.
        static ref EXECUTION: usize = EXECUTIONS.fetch_add(1, Relaxed);
    }

    macro_rules! late {
        ($($(#[$doc:meta])* $name:ident $(<$parameter:ident>)? ($value:ty);)*) => {$(
            $(#[$doc])*
            pub struct $name $(<$parameter: 'static>)? {
                first: $value,
                /// The execution in which the atomic was made last, and the atomic, which stays.
                made: Mutex<Option<(usize, &'static loom::$name $(<$parameter>)?)>>,
            }

            impl $(<$parameter>)? $name $(<$parameter>)? {
                /// Makes an atomic with this value.
                pub const fn new(first: $value) -> Self {
                    $name { first, made: Mutex::new(None) }
                }
            }

            impl $(<$parameter>)? Deref for $name $(<$parameter>)? {
                type Target = loom::$name $(<$parameter>)?;

                fn deref(&self) -> &Self::Target {
                    let execution = *EXECUTION;
                    let mut made = self.made.lock().unwrap();
                    match *made {
                        Some((number, atomic)) if number == execution => atomic,
                        _ => {
                            let atomic: &'static _ = Box::leak(Box::new(loom::$name::new(self.first)));
                            *made = Some((execution, atomic));
                            atomic
                        }
                    }
                }
            }
        )*};
    }
    late! {
        /// A boolean.
        AtomicBool(bool);
        /// Half of a word, or a quarter.
        AtomicU16(u16);
        /// A word.
        AtomicUsize(usize);
        /// A pointer.
        AtomicPtr<T>(*mut T);
    }

    // SAFETY: as of `core::sync::atomic::AtomicPtr`: the pointer is only copied.
    #[allow(unsafe_code)]
    unsafe impl<T> Sync for AtomicPtr<T> {}
    // SAFETY: as above.
    #[allow(unsafe_code)]
    unsafe impl<T> Send for AtomicPtr<T> {}
}
