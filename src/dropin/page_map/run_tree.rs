//! The longest free run that begins in each word of a bitmap, and above these values a tree of maxima.
//!
//! A run belongs to the word in which it *begins*, however far it reaches. A search for `n` pages goes down from the
//! root, always into the first of four children that is at least `n`. The value at the root shows whether a run of `n`
//! pages exists at all. Go's page allocator keeps three figures for each node (free at the start, free at the end,
//! longest); with one figure a change costs one comparison for each level, and most changes stop at the first level.
//!
//! All values are in one array. The index of a value is its *place*: places `4 n` to `4 n + 3` are the four values of
//! node `n`. The nodes are stored as in a heap: a positive value at place `p` is the maximum of node `p + 1`. If there
//! is no such node, it is the value of a word. The words are on one level or on two; if on two, the first words are on
//! the lower level. A tree over 6 words has two nodes:
//!
//! ```text
//! node 0     place 0       place 1     place 2     place 3
//!            max of        word 4      word 5      (no word)
//!            node 1
//!               |
//! node 1     place 4       place 5     place 6     place 7
//!            word 0        word 1      word 2      word 3
//! ```
//!
//! Place 4, at which the lowest level begins, is the *bottom*. With `n` nodes, the array has `4 n` places, and the tree
//! has the values of `3 n + 1` words. Word `w` is at place
//!
//! ```text
//! bottom + w                  if that is less than 4 n, else
//! bottom + w - (3 n + 1)      on the level above, after the places that have a node
//! ```
//!
//! So word 4 is at place 8 - 7 = 1. The maximum of the node to which place `p` belongs is at place `p / 4 - 1`.
//!
//! The last word that a run fills has a *tag* if the run begins in an earlier word: a [value](TreeValue) that shows
//! where. The tag of a run that no longer exists stays until another value replaces it; no caller reads it unless C
//! wrote to the bitmap (see `runs.rs`).

use super::tree_shape::{FANOUT, TreeShape};
use super::tree_value::{NO_RUN, TreeValue, length_of, tag_of, tagged_start, value_of};

/// One node: the maxima of its four children, or the values of four words.
pub type TreeNode = [TreeValue; FANOUT];

/// A change of the tree that is still to be made: the value at `place` becomes lower, because a run is gone. Then the
/// maxima above it are computed again, as far as they were this value.
pub struct Lowering {
    place: usize,
    /// The value now: the length of the run that is gone.
    length: TreeValue,
    /// The value that it becomes.
    remaining: TreeValue,
}

/// The longest run of each word, and the tree of maxima above these values.
///
/// Every positive value above the words is the maximum of the four values below it.
pub struct RunTree {
    nodes: &'static mut [TreeNode],
    /// The place of the first value on the lowest level.
    bottom: usize,
    /// The length of the longest run of all.
    longest: usize,
    /// The number of levels, from the values of the words to the root.
    levels: usize,
}

impl RunTree {
    /// Makes a tree over words in which no run begins. `nodes` are zero, and as many as [`TreeShape::nodes`] returns.
    pub fn new(shape: TreeShape, nodes: &'static mut [TreeNode]) -> Self {
        RunTree { nodes, bottom: shape.bottom, longest: 0, levels: shape.levels }
    }

    /// Returns the number of levels, from the values of the words to the root.
    pub fn levels(&self) -> usize {
        self.levels
    }

    /// Returns the number of words for which the tree has values: that of the bitmap, or up to three more.
    fn words(&self) -> usize {
        self.nodes.len() * (FANOUT - 1) + 1
    }

    /// Returns the place of the value of `word`.
    fn place_of(&self, word: usize) -> usize {
        let place = self.bottom + word;
        if place < self.nodes.len() * FANOUT { place } else { place.wrapping_sub(self.words()) }
    }

    /// Returns the word whose value is at `place`.
    fn word_at(&self, place: usize) -> usize {
        let word = place.wrapping_sub(self.bottom);
        if place < self.bottom { word.wrapping_add(self.words()) } else { word }
    }

    /// Returns the length of the longest run that begins in `word`; zero if none does. For a word past the last one the
    /// result is that of another word, or zero.
    pub fn longest_in(&self, word: usize) -> usize {
        length_of(self.value(word))
    }

    /// Returns the value of `word`.
    fn value(&self, word: usize) -> TreeValue {
        self.nodes.as_flattened().get(self.place_of(word)).copied().unwrap_or(NO_RUN)
    }

    /// Records that `word` is the last word that the run from page `start` on fills. No run begins in `word`.
    pub fn set_tag(&mut self, word: usize, start: usize) {
        let place = self.place_of(word);
        if let Some(value) = self.nodes.as_flattened_mut().get_mut(place) {
            *value = tag_of(start);
        }
    }

    /// Returns the first page of the run that fills `word`, if `word` is the last word that this run fills and the run
    /// begins in an earlier word; `None` if the run begins in `word`.
    pub fn tagged_start(&self, word: usize) -> Option<usize> {
        tagged_start(self.value(word))
    }

    /// Returns the length of the longest run of all.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// Returns the first word in which a run of at least `length` pages begins; `None` if there is no such run.
    /// `length` is not zero.
    pub fn first_word_with(&self, length: usize) -> Option<usize> {
        if self.longest() < length {
            return None;
        }
        let (nodes, length) = (&*self.nodes, value_of(length));
        let (mut node, mut below) = (nodes.first()?, 0);
        loop {
            // By the value above, one of the four is at least `length`; this finds the first one. With an iterator, the
            // longest stretches would take 121 instructions more.
            let [a, b, c, _] = node;
            let third = if *c < length { 3 } else { 2 };
            let second = if *b < length { third } else { 1 };
            let first = if *a < length { second } else { 0 };
            let place = below * FANOUT + first;
            below = place + 1;
            match nodes.get(below) {
                Some(next) => node = next,
                None => return Some(self.word_at(place)),
            }
        }
    }

    /// Returns a word after `word` such that no run of at least `length` pages begins between the two; `None` if no
    /// such run begins after `word`. `length` is not zero.
    ///
    /// The result is not always the word in which the run begins: to look for that on the way down would take as long
    /// as the way up. It is the first word below a value that is at least `length`. A caller that finds nothing there
    /// asks again, and reaches the word after at most as many calls as the tree has levels.
    pub fn next_candidate(&self, word: usize, length: usize) -> Option<usize> {
        let (nodes, mut place, length) = (&*self.nodes, self.place_of(word), value_of(length));
        // Up, to the first node that has such a run to the right of this path.
        loop {
            let (node, child) = (nodes.get(place / FANOUT)?, place % FANOUT);
            if let Some(more) = node.iter().skip(child + 1).position(|longest| *longest >= length) {
                place += 1 + more;
                break;
            }
            place = (place / FANOUT).checked_sub(1)?;
        }
        // Down, to the leftmost word.
        while place + 1 < nodes.len() {
            place = (place + 1) * FANOUT;
        }
        Some(self.word_at(place))
    }

    /// Returns the last word before `word` in which a run begins; `None` if there is none.
    pub fn last_word_before(&self, word: usize) -> Option<usize> {
        let (nodes, mut place) = (&*self.nodes, self.place_of(word));
        let last_of = |node: &TreeNode, places: usize| node.iter().take(places).rposition(|longest| *longest > NO_RUN);
        // Up, to the first node that has a run to the left of this path.
        loop {
            if let Some(left) = last_of(nodes.get(place / FANOUT)?, place % FANOUT) {
                place = place - place % FANOUT + left;
                break;
            }
            place = (place / FANOUT).checked_sub(1)?;
        }
        // Down, always into the last child that has one.
        while let Some(node) = nodes.get(place + 1) {
            place = (place + 1) * FANOUT + last_of(node, FANOUT)?;
        }
        Some(self.word_at(place))
    }

    /// Records a run of `length` pages that begins in `word`. Returns how many levels changed.
    ///
    /// A maximum can only grow here, so the other children of a node are not read.
    #[inline(never)] // Without it, the linked core has 24 bytes more (aarch64, November 2026).
    pub fn raise(&mut self, word: usize, length: usize) -> usize {
        let mut place = self.place_of(word);
        let mut levels = 0;
        while let Some(value) = self.nodes.as_flattened_mut().get_mut(place)
            && *value < value_of(length)
        {
            *value = value_of(length);
            levels += 1;
            let Some(above) = (place / FANOUT).checked_sub(1) else {
                self.longest = self.longest.max(length);
                break;
            };
            place = above;
        }
        levels
    }

    /// Returns the change of the value of `word` from `length` to `remaining`.
    pub fn lowering(&self, word: usize, length: usize, remaining: usize) -> Lowering {
        Lowering { place: self.place_of(word), length: value_of(length), remaining: value_of(remaining) }
    }

    /// Lowers a value, and those above it that are due to it: at most `max_levels` levels, which is not zero. Returns
    /// how many levels changed, and what remains to do. The caller does that before the tree is used again.
    pub fn lower(&mut self, lowering: Lowering, max_levels: usize) -> (usize, Option<Lowering>) {
        let Lowering { mut place, length, mut remaining } = lowering;
        let mut levels = 0;
        while let Some(node) = self.nodes.get_mut(place / FANOUT)
            && let Some(value) = node.get_mut(place % FANOUT)
            && *value == length
        {
            if levels == max_levels {
                return (levels, Some(Lowering { place, length, remaining }));
            }
            *value = remaining;
            remaining = maximum(node);
            levels += 1;
            // Another run of the same length hides the change from the levels above.
            if remaining == length {
                break;
            }
            let Some(above) = (place / FANOUT).checked_sub(1) else {
                self.longest = length_of(remaining);
                break;
            };
            place = above;
        }
        (levels, None)
    }
}

/// Returns the largest of the four values of a node.
fn maximum(node: &TreeNode) -> TreeValue {
    let [a, b, c, d] = *node;
    a.max(b).max(c.max(d))
}

/// For a search over all states.
#[cfg(test)]
impl RunTree {
    /// Returns every value that changes: the values of all nodes, and the longest run.
    pub(super) fn values(&mut self) -> (&mut [TreeValue], &mut usize) {
        let RunTree { nodes, longest, levels: _, bottom: _ } = self;
        (nodes.as_flattened_mut(), longest)
    }
}

/// For a search over all states.
#[cfg(test)]
impl Lowering {
    /// Returns every field.
    pub(super) fn fields(&self) -> (usize, TreeValue, TreeValue) {
        (self.place, self.length, self.remaining)
    }

    /// Makes a lowering with these fields.
    pub(super) fn from_fields((place, length, remaining): (usize, TreeValue, TreeValue)) -> Self {
        Lowering { place, length, remaining }
    }
}
