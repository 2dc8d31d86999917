//! How many pages a word has, and what one stretch with the lock held has time for.
//!
//! What it has time for depends on the levels of the tree. Where a word has 64 bits, there are three cases:
//!
//! | tree | pages of the pool | time for a second change of the tree in the same stretch |
//! | --- | --- | --- |
//! | *low*: up to four levels | up to 16,384 | if the first change stopped at the first level |
//! | five levels | up to 65,536 | if the first changed no level |
//! | *high*: six levels | more | never |
//!
//! A test build can choose words of few pages, with `--cfg rt_dma_word_bits="4"`: then a pool of a few pages has
//! several words, and every state of it can be searched. The other bits of a word are clear.

/// The values that depend on the number of pages in a word: the constants below, in their order.
struct Width {
    bits: usize,
    level_budget: usize,
    levels_per_step: usize,
    levels_if_in_word: usize,
}

/// A word has as many pages as it has bits. A level of the tree costs about 22 instructions up and 13 down on aarch64.
/// So in a high tree the way up and the way down have a stretch each.
const FULL: Width = Width { bits: usize::BITS as usize, level_budget: 5, levels_per_step: 3, levels_if_in_word: 4 };

/// The small pools of `ci/exhaustive` have trees of one level, or of two if 9 pages are in words of 2 bits. So a step
/// changes one level, and may leave work in a tree of two.
const SMALL: Width = Width { levels_per_step: 1, levels_if_in_word: 1, ..FULL };

/// `level_budget` gives each of the three cases: with 2, there is time also after one level changed, as in a low tree;
/// with 1, only if none changed, as in a tree of five levels; with 0, never, as in a high tree.
const WIDTH: Width = if cfg!(rt_dma_word_bits = "2") {
    Width { bits: 2, level_budget: 2, ..SMALL }
} else if cfg!(rt_dma_word_bits = "3") {
    Width { bits: 3, level_budget: 0, ..SMALL }
} else if cfg!(rt_dma_word_bits = "4") {
    Width { bits: 4, level_budget: 1, ..SMALL }
} else if cfg!(rt_dma_word_bits = "8") {
    Width { bits: 8, ..FULL }
} else {
    FULL
};

/// Bits of a word that stand for pages.
pub const BITS: usize = WIDTH.bits;

/// The levels of the tree that a stretch with the lock held goes up and down together, if it does the work of a call
/// and also changes the tree. A change goes *up*, from the value of a word to the root, as far as values change. A
/// search goes *down*, from the root to a word.
pub(super) const LEVEL_BUDGET: usize = WIDTH.level_budget;

/// The levels of the tree that one step of settling lowers at most. Most changes stop at the first.
pub(super) const LEVELS_PER_STEP: usize = WIDTH.levels_per_step;

/// The levels that [`PageMap::settle_first_step`](super::PageMap::settle_first_step) lowers at most: all of a pool
/// of up to 16,384 pages.
pub(super) const LEVELS_IF_IN_WORD: usize = WIDTH.levels_if_in_word;
