//! Functions of the additions that the core calls.
//!
//! An image contains only what it calls, so the core must not refer to a function of the additions. It calls such a
//! function through a [`Hook`], which the addition sets.

use core::hint::black_box;

use super::shared::AtomicRef;

/// A value, with functions, that only images with a certain addition set.
pub struct Hook<T: 'static>(AtomicRef<T>);

impl<T: Sync> Hook<T> {
    /// Makes a hook that is not set.
    pub const fn new() -> Self {
        Hook(AtomicRef::new())
    }

    /// Returns the value; `None` if it has not been set.
    ///
    /// Context: any.
    pub fn get(&self) -> Option<&'static T> {
        self.0.get()
    }

    /// Sets the value, which is the same in every call.
    ///
    /// Context: any.
    pub fn set(&self, value: &'static T) {
        // `black_box` hides the value from the compiler. If the compiler knew the only value that is ever stored here,
        // it would call the functions of that value directly from the core, and so link the additions into every image.
        self.0.set(Some(black_box(value)));
    }
}
