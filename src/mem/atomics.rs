//! The atomics and the spin hint of everything that runs concurrently.
//!
//! Files import them from here and not from `core`, so that a model checker such as loom or shuttle can run the library's
//! own code with its atomics in place of these.
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
#[inline(always)]
pub fn pause(count: u32) {
    (0..count).for_each(|_| spin_loop());
}

/// Lets another thread of the model run. In a model, a single pause has the effect of many.
#[cfg(any(feature = "shuttle", feature = "loom"))]
pub fn pause(_count: u32) {
    spin_loop();
}

/// Atomics of loom. A `const fn` cannot make one of these, so each is made at its first use.
#[cfg(feature = "loom")]
mod late {
    pub use ::loom::hint::spin_loop;
    use ::loom::sync::atomic as loom;
    pub use ::loom::sync::atomic::{Ordering, fence};
    use core::ops::Deref;
    use std::sync::OnceLock;

    macro_rules! late {
        ($($(#[$doc:meta])* $name:ident $(<$parameter:ident>)? ($value:ty);)*) => {$(
            $(#[$doc])*
            pub struct $name $(<$parameter>)? {
                first: $value,
                made: OnceLock<loom::$name $(<$parameter>)?>,
            }

            impl $(<$parameter>)? $name $(<$parameter>)? {
                /// Makes an atomic with this value.
                pub const fn new(first: $value) -> Self {
                    $name { first, made: OnceLock::new() }
                }
            }

            impl $(<$parameter>)? Deref for $name $(<$parameter>)? {
                type Target = loom::$name $(<$parameter>)?;

                fn deref(&self) -> &Self::Target {
                    self.made.get_or_init(|| loom::$name::new(self.first))
                }
            }
        )*};
    }
    late! {
        /// A boolean.
        AtomicBool(bool);
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
