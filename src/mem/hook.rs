//! Functions of the additions that the core calls.
//!
//! An image contains only what it calls, so the core must not refer to a function of the additions. It calls such a
//! function through a [`Hook`], which the addition sets.

use core::hint::black_box;

use super::atomic_ref::AtomicRef;
use super::atomics::{Ordering::SeqCst, fence};

/// A reference to functions of an addition. Only an image that has this addition sets it.
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

    /// Sets the value before the caller reads what another core may be changing: see
    /// [`get_after_writes`](Self::get_after_writes).
    ///
    /// Context: any.
    pub fn set_before_reads(&self, value: &'static T) {
        self.set(value);
        fence(SeqCst);
    }

    /// Returns the value after the caller wrote what is read after [`set_before_reads`](Self::set_before_reads).
    ///
    /// Of two cores, one sets the hook and then reads, the other writes and then gets the hook. With the two fences,
    /// the first one reads what the other wrote, or the other one gets the value. Without them, both could miss it,
    /// because a core may read before its own write is visible to others.
    ///
    /// Context: any.
    pub fn get_after_writes(&self) -> Option<&'static T> {
        fence(SeqCst);
        self.get()
    }
}
