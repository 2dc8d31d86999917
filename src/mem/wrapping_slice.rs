//! A slice in which every index is in bounds.

#![allow(unsafe_code)]

/// A slice whose length is a power of two. An index is taken modulo the length, so that no index is out of bounds.
pub struct WrappingSlice<T: 'static>(&'static [T]);

impl<T> WrappingSlice<T> {
    /// Makes a slice of one element.
    pub const fn of_one(only: &'static T) -> Self {
        WrappingSlice(core::slice::from_ref(only))
    }

    /// Wraps `slice`; `None` if its length is not a power of two.
    pub fn new(slice: &'static [T]) -> Option<Self> {
        slice.len().is_power_of_two().then_some(WrappingSlice(slice))
    }

    /// Returns the length, which is not zero.
    pub fn length(&self) -> usize {
        self.0.len()
    }

    /// Returns the element at `index` modulo the length.
    pub fn at(&self, index: usize) -> &'static T {
        // SAFETY: the length is a power of two, so the result of `&` is below it.
        unsafe { self.0.get_unchecked(index & (self.0.len().wrapping_sub(1))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static ONE: usize = 1;
    static FOUR: [usize; 4] = [10, 11, 12, 13];

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
