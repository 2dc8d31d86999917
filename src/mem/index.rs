//! Indexing that cannot panic.

/// Returns the element at `index`; the first element if there is none, so that the index needs no check that can panic.
pub fn at_or_first<T, const N: usize>(array: &[T; N], index: usize) -> &T {
    const { assert!(N != 0) }
    array.get(index).unwrap_or(&array[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_past_the_end_is_the_first() {
        assert_eq!([0, 3, 4, usize::MAX].map(|index| *at_or_first(&[10, 11, 12, 13], index)), [10, 13, 10, 10]);
    }
}
