//! References and slices that several cores read without a lock.
//!
//! In each of them one store publishes a value and one load finds it. The store is a `Release` after the writes that made
//! the value, and the load is an `Acquire` before the reads of the value. If either were weaker, a core could find the
//! address and still read what the memory held before the value was written.

#![allow(unsafe_code)]

use core::ptr::NonNull;
use core::slice;

use super::atomics::{
    AtomicPtr, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

/// A reference that may be set several times.
pub struct AtomicRef<T: 'static>(AtomicPtr<T>);

impl<T: Sync> AtomicRef<T> {
    /// Makes a reference that is not set.
    pub const fn new() -> Self {
        AtomicRef(AtomicPtr::new(core::ptr::null_mut()))
    }

    /// Returns the value that was set last; `None` if none was.
    ///
    /// Context: any.
    pub fn get(&self) -> Option<&'static T> {
        // SAFETY: the pointer is null, or `set` made it from a `&'static T`.
        unsafe { self.0.load(Acquire).as_ref() }
    }

    /// Sets or clears the reference.
    ///
    /// Context: any.
    pub fn set(&self, value: Option<&'static T>) {
        self.0.store(value.map_or(core::ptr::null_mut(), |value| core::ptr::from_ref(value).cast_mut()), Release);
    }
}

/// A reference that is set once and never cleared: a link of a list that only grows.
pub struct OnceRef<T: 'static>(AtomicRef<T>);

impl<T: Sync> OnceRef<T> {
    /// Makes a reference that is not set.
    pub const fn new() -> Self {
        OnceRef(AtomicRef::new())
    }

    /// Returns the value; `None` if it has not been set.
    ///
    /// Context: any.
    pub fn get(&self) -> Option<&'static T> {
        self.0.get()
    }

    /// Sets the reference. The caller sets it once.
    ///
    /// Context: any.
    pub fn set(&self, value: &'static T) {
        self.0.set(Some(value));
    }
}

/// A slice that is set once and never cleared; empty until then.
pub struct OnceSlice<T: 'static> {
    length: AtomicUsize,
    start: AtomicPtr<T>,
}

impl<T: Sync> OnceSlice<T> {
    /// Makes an empty slice.
    pub const fn new() -> Self {
        OnceSlice { length: AtomicUsize::new(0), start: AtomicPtr::new(NonNull::dangling().as_ptr()) }
    }

    /// Returns the slice; an empty one if it has not been set.
    ///
    /// `set` writes `start`, then `length` with `Release`; this reads `length` with `Acquire`, then `start`. If either pair
    /// were swapped, the new length could be combined with the old start.
    ///
    /// Context: any.
    pub fn get(&self) -> &'static [T] {
        let length = self.length.load(Acquire);
        // SAFETY: a length that is not zero was stored after the start of the same slice, and neither changes afterwards. The
        // start is never null.
        unsafe { slice::from_raw_parts(self.start.load(Relaxed), length) }
    }

    /// Sets the slice, unless it has been set.
    ///
    /// Context: any.
    pub fn set(&self, value: &'static [T]) {
        let (empty, start) = (NonNull::dangling().as_ptr(), value.as_ptr().cast_mut());
        // Only one caller replaces the initial start, and so only one sets the length.
        if self.start.compare_exchange(empty, start, Relaxed, Relaxed).is_ok() {
            self.length.store(value.len(), Release);
        }
    }
}
