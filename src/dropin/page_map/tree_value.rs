//! The values of the tree of runs.

/// A value of the tree. Above the words, a positive value is the length of the longest run that begins below it; every
/// other value means that no run begins there. The value of a word is one of three:
///
/// * positive: the length of the longest run that begins in the word;
/// * zero ([`NO_RUN`]): no run begins in the word;
/// * negative: a *boundary tag* (Knuth). No run begins in the word, but when the tag was written, the word was the last
///   one that a run filled. The tag has the first page of this run (see [`tag_of`]). `runs.rs` states when it is
///   read.
///
/// The type is an integer, and not an enum, because a search compares values: a tag is less than every length, so the
/// search passes it over as it passes over zero.
pub type TreeValue = i32;

/// The value of a word in which no run begins.
pub const NO_RUN: TreeValue = 0;

/// Returns the value of a word whose longest run has `length` pages. `pool/region.rs` refuses a pool of more than
/// `i32::MAX` pages.
pub fn value_of(length: usize) -> TreeValue {
    length as TreeValue
}

/// Returns the length that a value has; zero if it is [`NO_RUN`] or a tag.
pub fn length_of(value: TreeValue) -> usize {
    usize::try_from(value).unwrap_or(0)
}

/// Returns the tag of a run that begins at page `start`.
pub fn tag_of(start: usize) -> TreeValue {
    -1 - (start as TreeValue)
}

/// Returns the page at which the run of a tag begins; `None` if the value is no tag.
pub fn tagged_start(value: TreeValue) -> Option<usize> {
    usize::try_from(-1 - value).ok()
}
