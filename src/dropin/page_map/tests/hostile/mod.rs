//! Several callers at once, as the pool's lock lets them in: between any two stretches with the lock held, another
//! caller may run. Each call is a small state machine that does one stretch at a time. A random number chooses the
//! caller that runs next. Every result is compared with that of a bit-by-bit first fit *at that moment*, and every bit
//! and figure after each stretch.

mod checks;
mod choices;
mod written_by_c;

use super::super::*;
use super::model::{Model, Random, assert_tree_is_exact, map_of};
use crate::error::Error;
use std::vec::Vec;

/// A call, and what is left to do of it. `patience` is the number of steps of settling after which it does the rest in
/// one stretch.
#[derive(Clone, Copy)]
enum Call {
    /// An allocation from the open run.
    Allocate { count: usize },
    /// An allocation from the tree, after the open run did not serve it.
    AllocateFromTree { count: usize, patience: usize },
    /// A free.
    Free { page: usize, count: usize },
    /// A free after the map is settled.
    FreeSettled { page: usize, count: usize, patience: usize },
    /// An allocation of aligned pages.
    AllocateAligned { search: AlignedSearch, patience: usize },
    /// A question for the longest free run.
    LongestFree { patience: usize },
}

/// A search for `count` aligned pages, which continues at page `from`.
#[derive(Clone, Copy)]
struct AlignedSearch {
    count: usize,
    alignment: Alignment,
    from: usize,
    /// [`World::changes`] when the search began.
    changes_before: usize,
}

/// As in `pool::locked_path`.
const PATIENCE: usize = 16;

struct World {
    pages: usize,
    map: std::sync::MutexGuard<'static, PageMap>,
    model: Model,
    held: Vec<(usize, usize)>,
    random: Random,
    /// How many allocations and frees were made.
    changes: usize,
    /// How often a step of settling had each result.
    steps: [usize; 3],
}

impl World {
    fn new(pages: usize, seed: u64) -> Self {
        World {
            pages,
            map: map_of(pages),
            model: Model::new(pages),
            held: Vec::new(),
            random: Random(seed | 1),
            changes: 0,
            steps: [0; 3],
        }
    }

    /// Does a step of settling, and more if the patience is at its end. Returns whether the call may do its work now,
    /// for which it needs so much time.
    fn settle(&mut self, needs: TimeLeft, patience: &mut usize) -> bool {
        loop {
            let step = self.map.settle_step();
            self.steps[step as usize] += 1;
            if step >= needs {
                if self.pages <= 4_100 || self.random.below(16) == 0 {
                    self.assert_settled();
                }
                return true;
            }
            if *patience != 0 {
                *patience -= 1;
                return false;
            }
        }
    }

    fn record_allocation(&mut self, page: usize, count: usize) {
        assert!(self.model.begun_at[page..page + count].iter().all(Option::is_none), "taken twice");
        self.model.place(page, count);
        self.held.push((page, count));
        self.changes += 1;
    }

    fn check_free(&mut self, page: usize, count: usize, answer: Result<(), Error>) {
        assert_eq!(answer, self.model.free(page, count), "free {page} {count} of {}", self.pages);
        if answer.is_ok() {
            self.held.retain(|held| held.0 != page);
            self.changes += 1;
        }
    }

    /// Does one stretch with the lock held, and returns what is left to do.
    fn stretch(&mut self, call: Call) -> Option<Call> {
        match call {
            Call::Allocate { count } => match self.map.allocate_usual(count) {
                Some(page) => {
                    self.check_lowest(count, Some(page));
                    None
                }
                None => self.stretch(Call::AllocateFromTree { count, patience: PATIENCE }),
            },
            Call::AllocateFromTree { count, mut patience } => {
                if !self.settle(TimeLeft::ForSearch, &mut patience) {
                    return Some(Call::AllocateFromTree { count, patience });
                }
                let page = self.map.allocate_from_tree(count);
                self.check_lowest(count, page);
                None
            }
            Call::Free { page, count } => {
                if self.map.free_last(page, count) {
                    self.check_free(page, count, Ok(()));
                    return None;
                }
                match self.map.try_free(page, count) {
                    Ok(FreeStep::SettleFirst) => Some(Call::FreeSettled { page, count, patience: PATIENCE }),
                    answer => {
                        self.check_free(page, count, answer.map(|_| ()));
                        None
                    }
                }
            }
            Call::FreeSettled { page, count, mut patience } => {
                if !self.settle(TimeLeft::ForAnything, &mut patience) {
                    return Some(Call::FreeSettled { page, count, patience });
                }
                let answer = self.map.try_free(page, count);
                assert_ne!(answer, Ok(FreeStep::SettleFirst), "settled, and still refused");
                self.check_free(page, count, answer.map(|_| ()));
                None
            }
            Call::AllocateAligned { search, mut patience } => {
                if !self.settle(TimeLeft::ForAnything, &mut patience) {
                    return Some(Call::AllocateAligned { search, patience });
                }
                self.search(search)
            }
            Call::LongestFree { mut patience } => {
                if !self.settle(TimeLeft::ForSearch, &mut patience) {
                    return Some(Call::LongestFree { patience });
                }
                assert_eq!(self.map.longest_free(), self.model.longest_free());
                None
            }
        }
    }

    /// Checks that the map has allocated the lowest `count` free pages, or none if there are none.
    fn check_lowest(&mut self, count: usize, page: Option<usize>) {
        assert_eq!(page, self.model.allocate(count), "{count} of {}", self.pages);
        if let Some(page) = page {
            self.held.push((page, count));
            self.changes += 1;
        }
    }

    /// Does one step of a search, and returns what is left to do. If no call has changed anything since the search
    /// began, its result is that of first fit.
    fn search(&mut self, search: AlignedSearch) -> Option<Call> {
        let AlignedSearch { count, alignment, from, changes_before } = search;
        let fits = |page: usize| {
            (alignment.base + page).is_multiple_of(alignment.align)
                && page + count <= self.pages
                && self.model.begun_at[page..page + count].iter().all(Option::is_none)
        };
        let lowest = || (0..self.pages).find(|&page| fits(page));
        let end = self.map.page_count;
        match self.map.allocate_in_part(from..end, count, alignment) {
            SearchStep::Allocated(page) => {
                assert!(fits(page));
                assert!(changes_before != self.changes || lowest() == Some(page));
                self.record_allocation(page, count);
                None
            }
            SearchStep::ContinueAt(page) if page < self.pages => {
                assert!(page > from, "no step stands still");
                assert!(changes_before != self.changes || lowest().is_none_or(|lowest| lowest >= page));
                Some(Call::AllocateAligned { search: AlignedSearch { from: page, ..search }, patience: PATIENCE })
            }
            _ => {
                assert!(changes_before != self.changes || lowest().is_none());
                None
            }
        }
    }

    /// Does the stretches that are left of a call, to its end, with no other call between.
    fn finish(&mut self, mut left: Option<Call>) {
        while let Some(now) = left {
            left = self.stretch(now);
        }
    }

    fn run(&mut self, callers: usize, stretches: usize) {
        let mut calls: Vec<Option<Call>> = std::vec![None; callers];
        let mut filling = 8;
        for number in 0..stretches {
            if number % 256 == 0 {
                filling = [5, 8, 8, 11, 13][self.random.below(5)];
            }
            let caller = self.random.below(callers);
            let before = self.changes;
            let now = match calls[caller] {
                Some(now) => now,
                None => self.choose_call(filling),
            };
            calls[caller] = self.stretch(now);
            if self.pages <= 256 || number % 16 == 0 {
                assert_tree_is_exact(&mut self.map);
            }
            if callers == 1 || self.random.below(3) == 0 {
                // It goes on alone to its end, as most calls do.
                self.finish(calls[caller].take());
            }
            if self.changes != before && (self.pages <= 256 || number % (self.pages / 64) == 0) {
                self.assert_bits();
            }
        }
        calls.into_iter().for_each(|left| self.finish(left));
        self.assert_bits();
        for (page, count) in std::mem::take(&mut self.held) {
            self.finish(Some(Call::Free { page, count }));
        }
        self.assert_bits();
        self.finish(Some(Call::Allocate { count: self.pages }));
        assert_eq!(self.held, [(0, self.pages)]);
    }
}

fn walk(pages: usize, callers: usize, stretches: usize, seed: u64) -> [usize; 3] {
    let mut world = World::new(pages, 0x9e37_79b9_7f4a_7c15 ^ (seed << 20) ^ (pages as u64) << 3 ^ callers as u64);
    world.run(callers, stretches);
    world.steps
}

/// Stretches are few by default; `HOSTILE=100 cargo test --release hostile` makes a hundred times as many.
#[test]
fn hostile_callers_in_each_other_s_way_see_first_fit() {
    let times: usize = std::env::var("HOSTILE").ok().and_then(|times| times.parse().ok()).unwrap_or(1);
    let mut steps = [0; 3];
    let mut walk = |pages, callers, stretches, round| {
        for (sum, times) in steps.iter_mut().zip(walk(pages, callers, stretches, round)) {
            *sum += times;
        }
    };
    for round in 0..times as u64 {
        for pages in (1..=200).step_by(if times == 1 { 7 } else { 1 }).chain([63, 64, 65, 127, 128, 129, 191, 192, 193])
        {
            for callers in [1, 2, 5] {
                walk(pages, callers, 400, round);
            }
        }
        for pages in [1_023, 1_024, 1_025, 4_095, 4_096, 4_097] {
            for callers in [1, 3] {
                walk(pages, callers, 300, round);
            }
        }
        if times != 1 && round % 10 == 0 || round == 0 {
            let stretches = if times == 1 { 300 } else { 4_000 };
            walk(65_536, 2, stretches, round);
            walk(65_535 - 13, 3, stretches, round);
        }
    }
    assert!(BITS != usize::BITS as usize || steps.iter().all(|times| *times > 20), "each result comes: {steps:?}");
}
