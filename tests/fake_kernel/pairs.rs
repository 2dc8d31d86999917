//! Combinations of test cases.

/// Returns every pair of an item of `first` and one of `second`.
pub fn pairs<A: Clone, B: Clone>(first: impl IntoIterator<Item = A>, second: &[B]) -> Vec<(A, B)> {
    first.into_iter().flat_map(|a| second.iter().map(move |b| (a.clone(), b.clone()))).collect()
}
