//! References and slices that several cores read without a lock.
//!
//! In a reference, one store publishes a value and one load finds it. The store is a `Release` after the writes that
//! made the value, and the load is an `Acquire` before the reads of the value. If either were weaker, a core could find
//! the address and still read what the memory held before the value was written. A [`WrappingSlice`] publishes nothing:
//! it is part of a value that is published as a whole.

#![allow(unsafe_code)]

use core::ptr::NonNull;

use super::atomics::{
    AtomicPtr,
    Ordering::{Acquire, Release},
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

    /// Finds `value` in the list whose first value this reference leads to. `next` returns the reference of a value
    /// that leads to the next one. Returns the reference that leads to `value`, and `value`; `None` if the list does
    /// not have it. `value` is compared, and not read.
    ///
    /// Context: any.
    pub fn link_to(&self, value: *const T, next: fn(&T) -> &Self) -> Option<(&Self, &'static T)> {
        let mut link = self;
        loop {
            let found = link.get()?;
            if core::ptr::eq(found, value) {
                return Some((link, found));
            }
            link = next(found);
        }
    }

    /// Sets or clears the reference.
    ///
    /// Context: any.
    pub fn set(&self, value: Option<&'static T>) {
        self.0.store(value.map_or(core::ptr::null_mut(), |value| core::ptr::from_ref(value).cast_mut()), Release);
    }
}

/// A reference that is always set, and may be set several times.
pub struct NonNullRef<T: 'static>(AtomicPtr<T>);

impl<T: Sync> NonNullRef<T> {
    /// Makes a reference to `value`.
    pub const fn new(value: &'static T) -> Self {
        NonNullRef(AtomicPtr::new(core::ptr::from_ref(value).cast_mut()))
    }

    /// Returns the value that was set last.
    ///
    /// Context: any.
    pub fn get(&self) -> &'static T {
        // SAFETY: `new` and `set` made the pointer from a `&'static T`.
        unsafe { &*self.0.load(Acquire) }
    }

    /// Sets the reference.
    ///
    /// Context: any.
    pub fn set(&self, value: &'static T) {
        self.0.store(core::ptr::from_ref(value).cast_mut(), Release);
    }
}

/// A slice whose length is a power of two. An index is taken modulo the length, so that no index is out of bounds.
pub struct WrappingSlice<T: 'static> {
    /// The length minus one.
    mask: usize,
    start: NonNull<T>,
}

// SAFETY: the value gives shared references to elements that stay, as a `&'static [T]` does.
unsafe impl<T: Sync> Sync for WrappingSlice<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Send for WrappingSlice<T> {}

impl<T> WrappingSlice<T> {
    /// Makes a slice of one element.
    pub const fn of_one(only: &'static T) -> Self {
        // SAFETY: a reference is not null.
        WrappingSlice { mask: 0, start: unsafe { NonNull::new_unchecked(core::ptr::from_ref(only).cast_mut()) } }
    }

    /// Makes the value of a slice; `None` if its length is not a power of two.
    pub fn new(slice: &'static [T]) -> Option<Self> {
        if !slice.len().is_power_of_two() {
            return None;
        }
        Some(WrappingSlice { mask: slice.len().wrapping_sub(1), start: NonNull::from(slice).cast() })
    }

    /// Returns the length, which is not zero.
    pub fn length(&self) -> usize {
        self.mask.wrapping_add(1)
    }

    /// Returns the element at `index` modulo the length.
    pub fn at(&self, index: usize) -> &'static T {
        // SAFETY: `start` is the first of `mask + 1` elements of a slice that stays.
        unsafe { self.start.add(index & self.mask).as_ref() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static ONE: usize = 1;
    static FOUR: [usize; 4] = [10, 11, 12, 13];

    #[test]
    fn a_reference_is_what_was_set_last() {
        let reference = AtomicRef::new();
        assert_eq!(reference.get(), None);
        reference.set(Some(&FOUR[1]));
        reference.set(Some(&FOUR[2]));
        assert_eq!(reference.get(), Some(&12));
        reference.set(None);
        assert_eq!(reference.get(), None);
        let reference = NonNullRef::new(&ONE);
        assert_eq!(*reference.get(), 1);
        reference.set(&FOUR[3]);
        assert_eq!(*reference.get(), 13);
    }

    #[test]
    fn the_link_to_a_value_of_a_list_is_the_one_before_it() {
        struct Node(AtomicRef<Node>);
        static NODES: [Node; 3] = [const { Node(AtomicRef::new()) }; 3];
        let [one, two, stranger] = &NODES;
        let first = AtomicRef::new();
        first.set(Some(one));
        one.0.set(Some(two));
        let found = |node| first.link_to(node, |node| &node.0);
        assert!(found(one).is_some_and(|(link, node)| core::ptr::eq(link, &first) && core::ptr::eq(node, one)));
        assert!(found(two).is_some_and(|(link, node)| core::ptr::eq(link, &one.0) && core::ptr::eq(node, two)));
        assert!(found(stranger).is_none() && found(core::ptr::null()).is_none());
    }

    #[test]
    fn an_index_wraps_at_the_length() {
        let slice = WrappingSlice::new(&FOUR).unwrap();
        assert_eq!(slice.length(), 4);
        assert_eq!([0, 3, 4, 9, usize::MAX].map(|index| *slice.at(index)), [10, 13, 10, 11, 13]);
        let one = WrappingSlice::of_one(&ONE);
        assert_eq!((one.length(), *one.at(0), *one.at(usize::MAX)), (1, 1, 1));
        let (none, three): (&[usize], _) = (&[], FOUR.first_chunk::<3>().unwrap());
        assert!(WrappingSlice::new(none).is_none() && WrappingSlice::new(three).is_none());
    }
}
