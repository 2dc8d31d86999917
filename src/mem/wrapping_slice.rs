//! A slice in which every index is in bounds.
//!
//! It has the length minus one, and no reference to a slice: with `&'static [T]` the allocation and the free of a block
//! take 73.9 instructions together instead of 69.9, and 70 is the bound (`benches/bounds.py`).

#![allow(unsafe_code)]

use core::ptr::NonNull;

/// A slice whose length is a power of two. An index is taken modulo the length, so that no index is out of bounds.
pub struct WrappingSlice<T: 'static> {
    /// The length minus one.
    mask: usize,
    start: NonNull<T>,
}

// SAFETY: the value gives shared references to elements that stay, as a `&'static [T]` does.
unsafe impl<T: Sync> Sync for WrappingSlice<T> {}
// SAFETY: the value is no more than a `&'static [T]`, which may be sent to another thread if `T` is `Sync`.
unsafe impl<T: Sync> Send for WrappingSlice<T> {}

impl<T> WrappingSlice<T> {
    /// Makes a slice of one element.
    pub const fn of_one(only: &'static T) -> Self {
        // SAFETY: a reference is not null.
        WrappingSlice { mask: 0, start: unsafe { NonNull::new_unchecked(core::ptr::from_ref(only).cast_mut()) } }
    }

    /// Wraps `slice`, whose length is a power of two. If it is not, wraps `otherwise` as the only element.
    pub fn new(slice: &'static [T], otherwise: &'static T) -> Self {
        if !slice.len().is_power_of_two() {
            return WrappingSlice::of_one(otherwise);
        }
        WrappingSlice { mask: slice.len().wrapping_sub(1), start: NonNull::from(slice).cast() }
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
    fn an_index_wraps_at_the_length() {
        let slice = WrappingSlice::new(&FOUR, &ONE);
        assert_eq!(slice.length(), 4);
        assert_eq!([0, 3, 4, 9, usize::MAX].map(|index| *slice.at(index)), [10, 13, 10, 11, 13]);
        let one = WrappingSlice::of_one(&ONE);
        assert_eq!((one.length(), *one.at(0), *one.at(usize::MAX)), (1, 1, 1));
    }

    #[test]
    fn a_length_that_is_not_a_power_of_two_gives_the_other_element() {
        let three = FOUR.first_chunk::<3>().unwrap();
        for slice in [&[][..], three] {
            let slice = WrappingSlice::new(slice, &ONE);
            assert_eq!((slice.length(), *slice.at(2)), (1, 1));
        }
    }
}
