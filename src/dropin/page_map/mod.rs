//! Which pages of a pool are in use: lowest-address first fit in logarithmic time.
//!
//! # What is kept
//!
//! For each page, together 3.67 bits where a word has 64 bits, 4.33 where it has 32:
//!
//! * `used`: the bitmap that C sees as `pool->map`. It is the truth.
//! * `starts`: the first page of each allocation. It distinguishes a right free from one with a wrong size, one inside
//!   a buffer, and a second one. The bit of a free page is clear.
//! * `clean`: the pages of which the cache holds no dirty lines (see [`CacheState`]). The pool sets it.
//! * The [`RunTree`]: for each word the longest free run that begins there, and maxima above these. It finds the lowest
//!   run that is long enough, or shows that there is none, and knows where a long run begins and ends, so none is
//!   walked.
//!
//! In the functions here, an allocation is a first page and a count, as in the calls of drivers; free pages are a
//! `Range`.
//!
//! # How it is kept
//!
//! The tree is exact except for two things:
//!
//! * The *open run*: the free run from which the last requests were served. The tree still has all of it.
//! * At most one change that was put off ([`Pending`]), because it would have made a stretch with the lock held too
//!   long.
//!
//! The states of the open run:
//!
//! | state | fields | an allocation of `n` pages | a free of its pages |
//! | --- | --- | --- | --- |
//! | closed | all [`OpenRun::CLOSED`] | opens a run of the tree | (it has none) |
//! | unused | `start == next < end` | gets `[next, next + n)` | (it has none) |
//! | used | `start < next`, no hole | gets `[next, next + n)` | lowers `next`, or makes the hole |
//! | with a hole | `start <= hole.start < hole.end < next` | gets pages of the hole, or after `next` | see below |
//!
//! The tree has every free run in the first two states, and `[start, end)` as one run in the others. In the last state,
//! a request gets pages of the hole if they are enough. A free of pages at the end of the used part lowers `next`; one
//! of pages next to the hole joins the hole; for any other pages of the run, the run is closed first.
//!
//! In every state, a request of fewer pages than `least_request` goes to the tree, and a free of the last allocation
//! need not read the bitmaps: see these fields of [`OpenRun`].
//!
//! A free of pages outside the open run joins them with the free pages before and after them in the tree. It does so at
//! once, unless its pages lie in two or more words, or the tree is *high*: it has six levels, in a pool of more than
//! 65,536 pages (see `width`).
//!
//! # Settling
//!
//! To [settle](PageMap::settle_step) the map is to make the tree exact: the change that was put off is done, and the
//! open run is closed, which puts the rest of the run and its hole into the tree as runs of their own. These calls
//! settle the map, all by `pool::locked_path`:
//!
//! * an allocation that the open run does not serve, before it searches the tree;
//! * a free whose pages touch the open run from outside, if pages of that run are in use, or whose pages would make a
//!   second hole in it; and any free outside the open run while a change is put off;
//! * each step of a search in a part of the pool, and a call that needs the longest free run;
//! * an uninstall, before it takes all pages.
//!
//! Settling has steps, and the lock is released between two of them, so other calls may come between. The usual case is
//! one short step: [`PageMap::settle_first_step`].
//!
//! # Example
//!
//! A pool of 12 pages, in words of 4 bits, page 0 on the left (`#` in use, `.` free). The tree's values are those of
//! words 0, 1 and 2, and their maximum. *Tag p*: the run that ends with this word begins at page p. As in a pool with a
//! high tree, a stretch has no time for a second change of the tree. `tests/example.rs` replays each row.
//!
//! | step | pages | words | maximum | open run | put off |
//! | --- | --- | --- | ---: | --- | --- |
//! | new map | `.... .... ....` | 12, 0, tag 0 | 12 | closed | |
//! | allocate 1: page 0 | `#... .... ....` | 12, 0, tag 0 | 12 | `[0, 12)`, next 1 | |
//! | allocate 2: page 1 | `###. .... ....` | 12, 0, tag 0 | 12 | `[0, 12)`, next 3 | |
//! | allocate 2: page 3 | `#### #... ....` | 12, 0, tag 0 | 12 | `[0, 12)`, next 5 | |
//! | free pages 1 and 2 | `#..# #... ....` | 12, 0, tag 0 | 12 | `[0, 12)`, next 5, hole `[1, 3)` | |
//! | allocate 1: page 1 | `##.# #... ....` | 12, 0, tag 0 | 12 | `[0, 12)`, next 5, hole `[2, 3)` | |
//! | settle, first step | `##.# #... ....` | 12, 7, tag 5 | 12 | closed | remove the 12 of word 0 |
//! | settle, second step | `##.# #... ....` | 1, 7, tag 5 | 7 | closed | |
//! | free pages 3 and 4 | `##.. .... ....` | 1, 7, tag 5 | 7 | closed | add pages 3 and 4 |
//! | settle, first step | `##.. .... ....` | 10, 7, tag 5 | 10 | closed | remove the 7 of word 1 |
//! | settle, second step | `##.. .... ....` | 10, 0, tag 2 | 10 | closed | |
//!
//! The first settling closes the open run. Its first step puts what is left of the run into the tree: 7 pages from page
//! 5 on, in word 1. They fill word 2, so the tag there is 5. Its second step removes the run of 12 pages, which is
//! gone; word 0 keeps the hole, one page.
//!
//! The pages of the last free lie in two words, so the free only notes them. The second settling puts them into the
//! tree. Its first step joins them with the free pages on both sides: in word 0 a run of 10 pages begins now. Its
//! second step removes the run of 7 pages from word 1, because that run does not begin there any more, and sets the tag
//! of the longer run.
//!
//! # Bounds
//!
//! Nothing here sleeps. Every call takes about log(pages) steps, and four instructions for each word of the request. So
//! does each stretch with the lock held; see [`PageMap::settle_step`] for how that is kept. A caller that other callers
//! overtake repeatedly settles, after `SETTLE_PATIENCE` steps (see `pool::locked_path`), the rest in one stretch, which
//! then has up to about 600 instructions (`ci/bench`, row "patience").
//!
//! Without `inline(always)` in this folder, an allocation and a free of one page take 8 instructions more on the host,
//! and those of mixed sizes up to 37 more, which exceeds their bound of 480.

mod allocate;
mod allocate_all;
pub(crate) mod bits;
mod cache_state;
mod free;
mod mark;
mod open_run;
mod pages_in_use;
mod run_tree;
mod runs;
mod search;
mod settle;
mod tree_shape;
mod tree_value;
mod width;

#[cfg(test)]
mod tests;

pub use cache_state::{CacheState, CacheStates};
pub use free::FreeStep;
pub use run_tree::TreeNode;
pub use search::{Alignment, SearchStep};
pub use settle::TimeLeft;
pub use tree_shape::TreeShape;

use crate::mem::bitmaps::{BitmapWord, Bitmaps};
use bits::{BITS, BitRange};
use open_run::OpenRun;
use pages_in_use::PagesInUse;
use run_tree::RunTree;
use settle::Pending;

/// The bitmap that C sees as `pool->map`.
pub const USED: usize = 0;
const STARTS: usize = 1;
/// The bitmap of clean pages: bit `n` is set if the cache holds no dirty lines of page `n` (see [`CacheState`]).
pub const CLEAN: usize = 2;

/// The pages of one pool.
///
/// The owner of a `&mut PageMap` holds the pool's lock.
pub struct PageMap {
    page_count: usize,
    bits: Bitmaps,
    runs: RunTree,
    open: OpenRun,
    pending: Pending,
    in_use: PagesInUse,
}

/// The fewest pages that cannot lie in one word of a bitmap.
pub const FEWEST_ACROSS: usize = BITS + 1;

/// Returns whether the `count` pages from `page` on lie in more than one word of a bitmap. `count` is not zero.
pub fn is_across(page: usize, count: usize) -> bool {
    BitRange::new(page, count).is_across()
}

/// Returns the number of words that hold one bit for each of `page_count` pages.
pub const fn words_for(page_count: usize) -> usize {
    page_count.div_ceil(BITS)
}

impl PageMap {
    /// Makes a map of `page_count` free pages; at least one, at most `i32::MAX`. The bitmaps are all zero and have as
    /// many words as [`words_for`] returns. `nodes` are zero, and as many as `shape` has.
    pub fn new(page_count: usize, shape: TreeShape, bits: Bitmaps, nodes: &'static mut [TreeNode]) -> Self {
        let mut map = PageMap {
            page_count,
            bits,
            runs: RunTree::new(shape, nodes),
            open: OpenRun::CLOSED,
            pending: Pending::Nothing,
            in_use: PagesInUse::new(),
        };
        map.runs.raise(0, page_count);
        map.tag_run(0..page_count);
        map
    }

    /// Returns the bitmap that C sees: bit `n` is set while page `n` is in use.
    pub fn used(&self) -> &'static [BitmapWord] {
        self.bits.bitmap::<USED>()
    }

    /// Returns the bitmap of first pages: bit `n` is set if an allocation begins at page `n`.
    pub fn starts(&self) -> &'static [BitmapWord] {
        self.bits.bitmap::<STARTS>()
    }

    /// Returns the most pages that were in use at once.
    pub fn peak(&self) -> usize {
        self.in_use.peak()
    }

    /// Makes the pages in use now the peak.
    pub fn set_peak_to_used(&mut self) {
        self.in_use.set_peak_to_used();
    }

    /// Returns the number of pages in use.
    pub fn used_pages(&self) -> usize {
        self.in_use.used()
    }

    /// Returns the number of pages in the longest free run. The tree must [be exact](Self::is_tree_exact).
    pub fn longest_free(&self) -> usize {
        self.runs.longest()
    }
}
