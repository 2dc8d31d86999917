//! The values of the tree of runs.

/// A value of the tree. That of a word is one of three:
///
/// | value | the word |
/// | --- | --- |
/// | positive | A run begins in it. The value is the length of the longest that does. |
/// | [`NO_RUN`], which is zero | No run begins in it. |
/// | negative | No run begins in it, and it is the last word that a run fills. The value is a *boundary tag* (Knuth): the first page of that run, in the form of [`tag`]. |
///
/// It is an integer, and not an enum, because a search compares values: tags are less than every length, so it passes
/// them over as it passes over zero.
pub type Value = i32;

/// The value of a word in which no run begins.
pub const NO_RUN: Value = 0;

/// Returns the value for a run of `length` pages. No pool has more than `i32::MAX` pages.
pub fn value_of(length: usize) -> Value {
    length as Value
}

/// Returns the length of the run for which a value is; zero if the value is [`NO_RUN`] or a tag.
pub fn length_of(value: Value) -> usize {
    usize::try_from(value).unwrap_or(0)
}

/// Returns the tag of a run that begins at page `start`.
pub fn tag(start: usize) -> Value {
    -1 - value_of(start)
}

/// Returns the page at which the run of a tag begins; `None` if the value is no tag.
pub fn start_of_tagged(value: Value) -> Option<usize> {
    usize::try_from(-1 - value).ok()
}
