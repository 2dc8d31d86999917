//! References that several cores read without a lock.
//!
//! One store publishes a value and one load finds it. The store is a `Release` after the writes that made the value,
//! and the load is an `Acquire` before the reads of the value. If either were weaker, a core could find the address and
//! still read what the memory held before the value was written.

#![allow(unsafe_code)]

use super::atomics::{
    AtomicPtr,
    Ordering::{Acquire, Release},
};

/// A reference that is not set at first, and may be set and cleared several times.
pub struct AtomicRef<T: 'static>(AtomicPtr<T>);

impl<T: Sync> AtomicRef<T> {
    /// Makes a reference that is not set.
    pub const fn new() -> Self {
        AtomicRef(AtomicPtr::new(core::ptr::null_mut()))
    }

    /// Returns the value; `None` if the reference is not set.
    ///
    /// Context: any.
    pub fn get(&self) -> Option<&'static T> {
        // SAFETY: the pointer is null, or `set` made it from a `&'static T`.
        unsafe { self.0.load(Acquire).as_ref() }
    }

    /// Finds `value` in the list whose first value this reference leads to. `next` returns the reference of a value
    /// that leads to the next one. Returns the reference that leads to `value`, and `value`; `None` if the list does
    /// not contain it. `value` is compared, and not read.
    ///
    /// The caller prevents all other changes of the list, for example by holding its turn, until it has used the
    /// returned reference: another core could remove the value that holds that reference.
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
pub struct AlwaysSetRef<T: 'static>(AtomicPtr<T>);

impl<T: Sync> AlwaysSetRef<T> {
    /// Makes a reference to `value`.
    pub const fn new(value: &'static T) -> Self {
        AlwaysSetRef(AtomicPtr::new(core::ptr::from_ref(value).cast_mut()))
    }

    /// Returns the value.
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
        let reference = AlwaysSetRef::new(&ONE);
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
}
