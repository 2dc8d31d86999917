//! Settling: does what an allocation or a free put off, and closes the open run. Afterwards the tree has exactly the
//! free runs.

use core::mem::replace;
use core::ops::Range;

use super::PageMap;
use super::bits::BITS;
use super::open_run::OpenRun;
use super::run_tree::Lowering;
use super::width::{LEVEL_BUDGET, LEVELS_IF_IN_WORD, LEVELS_PER_STEP};

/// What must be done before the tree is used again.
pub(super) enum Pending {
    Nothing,
    /// These pages are free, but not in the tree yet. They do not touch the open run. Leaves `Remove` if they join a
    /// run after them that began in another word.
    Add(Range<usize>),
    /// The tree still has a run that is gone, since the open run was closed or a free joined runs. May leave `Lower`.
    Remove(GoneRun),
    /// A run was removed, but not from all levels of the tree. May leave `Lower` again, for the levels above.
    Lower(Lowering),
}

/// A free run that is gone from a word, while the tree still has it. After the first step of the second settling in the
/// [example](super), it is word 1, length 7, no known length, and the run `2..12` to tag.
pub(super) struct GoneRun {
    pub(super) word_index: usize,
    pub(super) length: usize,
    /// A lower bound for the longest run that begins in the word now. It is needed for a run that reaches beyond the
    /// next word, because [`longest_beginning_in`](PageMap::longest_beginning_in) reads only these two words. Zero if
    /// no such run is known. `remove_run` also considers the open run.
    pub(super) known_length: usize,
    /// The run that the pages of this one belong to now, which is not tagged yet; empty if it is.
    pub(super) to_tag: Range<usize>,
}

/// The time that is left in a stretch with the lock held, after a step of settling. Each value is greater than those
/// before it, and callers compare them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimeLeft {
    /// There is no time left. After the lock was released, there may be more to settle.
    NoTime,
    /// The tree is exact since this step, and there is time to search it once. A run from which nothing is allocated
    /// may still be open.
    ForSearch,
    /// The map was settled already: at most an open run from which nothing was allocated was closed. There is time for
    /// any work, and no run is open.
    ForAnything,
}

impl PageMap {
    /// Does one step of what is left to do until the tree has exactly the free runs and no run is open.
    #[inline(always)]
    pub fn settle_step(&mut self) -> TimeLeft {
        if self.is_tree_exact() {
            // Nothing is allocated from the open run, so the tree has it as it is.
            self.open = OpenRun::CLOSED;
            return TimeLeft::ForAnything;
        }
        self.settle_inexact()
    }

    /// Does one step, as [`settle_step`](Self::settle_step) does, with a shorter one for the usual case: the tree is
    /// not high, nothing was put off, and the open run lies in one word. (Without this case, calls of mixed sizes
    /// exceed their bound: docs/design.md, "Why it is not simpler", row `settle_first_step`.)
    pub fn settle_first_step(&mut self) -> TimeLeft {
        let is_usual = !self.has_pending() && self.open.is_used() && self.open.is_in_one_word() && !self.is_high();
        if is_usual { self.close_in_word() } else { self.settle_step() }
    }

    /// Closes the open run, which lies in one word and is used. The tree is not high, and nothing was put off.
    ///
    /// What is left of the run begins in the same word. So no other word's value changes: only that of this word and
    /// the maxima above it, of which this step lowers at most [`LEVELS_IF_IN_WORD`] levels.
    fn close_in_word(&mut self) -> TimeLeft {
        let OpenRun { start, end, .. } = replace(&mut self.open, OpenRun::CLOSED);
        // The bitmap shows all of what is left, which ends in this word too: no known length is needed.
        let gone = GoneRun { word_index: start / BITS, length: end - start, known_length: 0, to_tag: 0..0 };
        self.lower_word(&gone, LEVELS_IF_IN_WORD);
        // The tree is not high, and a stretch has time for this short step and a search (see `settle_for_search`).
        if self.has_pending() { TimeLeft::NoTime } else { TimeLeft::ForSearch }
    }

    /// Does one step of settling. The tree is not exact.
    fn settle_inexact(&mut self) -> TimeLeft {
        let mut levels = 0;
        if !self.has_pending() {
            levels = self.close_open_run();
            // To remove the run in this stretch as well may take too long.
            if !self.has_time_after(levels) {
                return TimeLeft::NoTime;
            }
        }
        // What is done may leave more to do: it then sets `pending` again. (As a second result of each function, that
        // would take 112 instructions more in the row "patience", and exceed its bound.)
        levels += match replace(&mut self.pending, Pending::Nothing) {
            Pending::Nothing => 0,
            Pending::Add(pages) => self.add_freed(pages),
            Pending::Remove(gone) => self.remove_run(gone),
            Pending::Lower(lowering) => self.lower_values(lowering, LEVELS_PER_STEP),
        };
        if self.is_tree_exact() && self.has_time_after(levels) { TimeLeft::ForSearch } else { TimeLeft::NoTime }
    }

    /// Returns whether the tree has exactly the free runs.
    pub fn is_tree_exact(&self) -> bool {
        !self.has_pending() && !self.open.is_used()
    }

    /// Returns whether something must be done before the tree is used again, in addition to closing the open run.
    pub(super) fn has_pending(&self) -> bool {
        !matches!(self.pending, Pending::Nothing)
    }

    /// Returns whether the tree is *high* (see [`width`](super::width)): a stretch with the lock held that does the
    /// work of a call has no time for a change of the tree.
    pub fn is_high(&self) -> bool {
        !self.has_time_after(0)
    }

    /// Returns whether a stretch with the lock held in which `levels` levels of the tree changed has time for more work
    /// in the tree.
    fn has_time_after(&self, levels: usize) -> bool {
        levels + self.runs.levels() <= LEVEL_BUDGET
    }

    /// Removes a run from the tree. Returns how many levels of the tree changed.
    fn remove_run(&mut self, mut gone: GoneRun) -> usize {
        // A free may have left this work while a run was open in the word. The tree has all of that run as free.
        gone.known_length = gone.known_length.max(self.open.length_if_begins_in(gone.word_index));
        let levels = self.lower_word(&gone, LEVELS_PER_STEP);
        // Only now: the word to be tagged may be the one that `lower_word` looks at. A tag replaces the length there:
        // `lower_word` would not find the length, and would leave the maxima above as they are.
        self.tag_run(gone.to_tag);
        levels
    }

    /// Lowers the value of the word of a run that is gone, on at most `max_levels` levels. Returns how many levels of
    /// the tree changed.
    #[inline(always)]
    fn lower_word(&mut self, gone: &GoneRun, max_levels: usize) -> usize {
        let index = gone.word_index;
        if self.runs.longest_in(index) != gone.length {
            // A longer run of the word hides the one that is gone.
            return 0;
        }
        let remaining = self.longest_beginning_in(index).max(gone.known_length);
        self.lower_values(self.runs.lowering(index, gone.length, remaining), max_levels)
    }

    /// Lowers values on at most `max_levels` levels of the tree, and keeps what is left to do there for the next step.
    /// Returns how many levels changed.
    pub(super) fn lower_values(&mut self, lowering: Lowering, max_levels: usize) -> usize {
        let (levels, rest) = self.runs.lower(lowering, max_levels);
        if let Some(rest) = rest {
            self.pending = Pending::Lower(rest);
        }
        levels
    }

    /// Closes the open run: puts what is left of it into the tree, and leaves the run itself to be removed. Returns how
    /// many levels of the tree changed.
    fn close_open_run(&mut self) -> usize {
        let OpenRun { start, end, next, hole, .. } = replace(&mut self.open, OpenRun::CLOSED);
        let (word_index, rest) = (start / BITS, next..end);
        let length_here = |part: &Range<usize>| if part.start / BITS == word_index { part.len() } else { 0 };
        let known_length = length_here(&rest).max(length_here(&hole));
        self.pending = Pending::Remove(GoneRun { word_index, length: end - start, known_length, to_tag: 0..0 });
        self.keep_part(rest, word_index) + self.keep_part(hole, word_index)
    }

    /// Puts a part of a run that is gone into the tree, unless it begins in word `gone_from`, as the run did: there,
    /// the value is changed when the run is removed. Returns how many levels of the tree changed.
    #[inline(always)]
    fn keep_part(&mut self, part: Range<usize>, gone_from: usize) -> usize {
        if part.is_empty() {
            return 0;
        }
        let index = part.start / BITS;
        let levels = if index == gone_from { 0 } else { self.runs.raise(index, part.len()) };
        self.tag_run(part);
        levels
    }
}
