//! Every state that a small pool can reach, and every call in each of them.
//!
//! A call of a pool is a sequence of stretches with the lock held: a step of settling, or the work of the call. Between
//! two of them other callers may do stretches of theirs. A caller keeps nothing that the next stretch depends on,
//! except the page at which its search for an aligned address continues. So the states that any number of callers
//! reach, in whatever order their stretches run, are those that stretches reach from the empty pool, if a search may
//! continue at any page. The test goes through all of them breadth first; nothing is sampled.
//!
//! `ci/exhaustive` runs it with few bits in a word, so that a pool of up to 12 pages has three words and more.
//!
//! A failure prints the stretches that lead to it from the empty pool, one a line.

mod state;
mod states;

use super::*;
use state::{Packed, free_runs, is_free};
use states::{Reached, States, Stretch};
use std::eprintln;

/// What the search saw.
#[derive(Default, Debug)]
struct Figures {
    states: usize,
    calls: usize,
    most_settling: usize,
    most_searching: usize,
}

struct Search {
    pages: usize,
    map: std::sync::MutexGuard<'static, PageMap>,
    states: States,
    figures: Figures,
}

impl Search {
    fn new(pages: usize) -> Self {
        Search { pages, map: map_of(pages), states: States::new(), figures: Figures::default() }
    }

    /// Goes through every state.
    fn run(mut self) -> Figures {
        let empty = Packed::of(&mut self.map);
        self.states.add(empty, Reached { from: 0, by: Stretch::NewMap });
        let mut next = 0;
        while let Some(&before) = self.states.states.get(next) {
            Visit::new(&mut self, next as u32, before).try_every_call();
            next += 1;
        }
        self.figures.states = next;
        self.figures
    }
}

/// Everything that can happen in one state.
struct Visit<'a> {
    search: &'a mut Search,
    index: u32,
    before: Packed,
    used: usize,
    starts: usize,
    pages: usize,
}

/// Shows the way to the state in which a check failed.
impl Drop for Visit<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{} pages", self.pages);
            self.search.states.explain(self.index);
        }
    }
}

impl<'a> Visit<'a> {
    fn new(search: &'a mut Search, index: u32, before: Packed) -> Self {
        let ((used, starts), pages) = (before.used_and_starts(), search.pages);
        Visit { search, index, before, used, starts, pages }
    }

    fn map(&mut self) -> &mut PageMap {
        &mut self.search.map
    }

    /// Does one stretch.
    fn act<R>(&mut self, stretch: impl FnOnce(&mut PageMap) -> R) -> R {
        self.search.figures.calls += 1;
        stretch(&mut self.search.map)
    }

    /// A stretch changed the map, and the bits are now those. Puts the state back.
    fn changed(&mut self, by: Stretch, used: usize, starts: usize) {
        let after = Packed::of(&mut self.search.map);
        assert_eq!(after.used_and_starts(), (used, starts), "{by:?}: used and starts");
        assert_eq!(self.map().used_pages(), used.count_ones() as usize, "{by:?}: the count of pages in use");
        self.search.states.add(after, Reached { from: self.index, by });
        self.before.restore(&mut self.search.map);
    }

    /// None of the stretches before changed the map.
    fn unchanged(&mut self, by: &str) {
        assert_eq!(Packed::of(&mut self.search.map), self.before, "{by} changed the map");
    }

    /// Does every stretch that can follow this state.
    fn try_every_call(&mut self) {
        let pages = self.pages;
        self.before.restore(&mut self.search.map);
        self.check_state();
        self.settle();
        for count in 1..=pages + 1 {
            self.allocate_from_open(count);
        }
        self.unchanged("an allocation that returned nothing");
        for page in 0..=pages {
            let length = self.before.allocation_at(pages, page);
            for count in 1..=pages + 1 {
                self.free(page, count, length);
            }
        }
        self.unchanged("a free that was refused");
        if self.before.is_tree_exact() {
            for count in 1..=pages + 1 {
                self.allocate_from_tree(count);
            }
            self.unchanged("a request for more than there is");
        }
        if self.before.is_closed() {
            for count in 1..=pages {
                for (from, end) in (0..pages).flat_map(|from| (from + 1..=pages).map(move |end| (from, end))) {
                    self.allocate_in_part(from, end, count, 0, 1);
                }
                for align in [2, 4] {
                    for (base, from) in (0..align).flat_map(|base| (0..pages).map(move |from| (base, from))) {
                        self.allocate_in_part(from, pages, count, base, align);
                    }
                }
            }
            self.unchanged("a step of a search that took nothing");
        }
    }

    /// No figure of the map contradicts its bits.
    fn check_state(&mut self) {
        let (used, starts) = (self.used, self.starts);
        assert_eq!(starts & !used, 0, "an allocation begins at a free page");
        let mut begun = false;
        for page in 0..self.pages {
            begun = used >> page & 1 != 0 && (begun || starts >> page & 1 != 0);
            assert!(begun || used >> page & 1 == 0, "page {page} is in use and belongs to no allocation");
        }
        assert_eq!((used | starts) >> self.pages, 0, "a page that the pool does not have");
        if !self.before.has_pending() {
            state::assert_tree_is_exact(self.map(), used, starts);
        }
    }

    /// The steps of settling, to their end.
    fn settle(&mut self) {
        let longest = free_runs(self.used, self.pages).map(|(start, end)| end - start).max().unwrap_or(0);
        let mut steps = 0;
        loop {
            let step = self.act(PageMap::settle_step);
            let after = Packed::of(&mut self.search.map);
            assert_eq!(after.used_and_starts(), (self.used, self.starts), "settling changed a bit");
            if steps == 0 {
                self.search.states.add(after, Reached { from: self.index, by: Stretch::Settle });
            }
            match step {
                TimeLeft::NoTime => {}
                TimeLeft::ForSearch => assert!(after.is_tree_exact(), "it reported that it settled"),
                TimeLeft::ForAnything => {
                    assert!(after.is_tree_exact(), "it reported that it settled");
                    assert_eq!(self.map().longest_free(), longest, "the longest free run");
                    break;
                }
            }
            steps += 1;
            assert!(steps <= MOST_STEPS, "settling takes more than {MOST_STEPS} steps");
        }
        self.search.figures.most_settling = self.search.figures.most_settling.max(steps);
        self.before.restore(&mut self.search.map);
        let step = self.act(PageMap::settle_first_step);
        let after = Packed::of(&mut self.search.map);
        assert_eq!(after.used_and_starts(), (self.used, self.starts), "settling changed a bit");
        assert!(step == TimeLeft::NoTime || after.is_tree_exact(), "it reported that it settled");
        self.search.states.add(after, Reached { from: self.index, by: Stretch::SettleFirst });
        self.before.restore(&mut self.search.map);
    }

    /// A stretch allocated: all pages were free, and now they are marked.
    fn record_allocation(&mut self, page: usize, count: usize, by: Stretch) {
        let mask = ((1 << count) - 1) << page;
        assert_eq!(self.used & mask, 0, "{by:?}: pages from {page} on have two owners");
        self.changed(by, self.used | mask, self.starts | 1 << page);
    }

    /// The first of the lowest `count` free pages.
    fn lowest(&self, count: usize) -> Option<usize> {
        (0..(self.pages + 1).saturating_sub(count)).find(|page| is_free(self.used, *page, count))
    }

    fn allocate_from_open(&mut self, count: usize) {
        if let Some(page) = self.act(|map| map.allocate_usual(count)) {
            let by = Stretch::AllocateOpen(count as u8);
            assert_eq!(Some(page), self.lowest(count), "{by:?}");
            self.record_allocation(page, count, by);
        }
    }

    fn allocate_from_tree(&mut self, count: usize) {
        let by = Stretch::AllocateLowest(count as u8);
        let page = self.act(|map| map.allocate_from_tree(count));
        assert_eq!(page, self.lowest(count), "{by:?}");
        if let Some(page) = page {
            self.record_allocation(page, count, by);
        }
    }

    /// A free of `count` pages where an allocation of `length` pages begins, or none.
    fn free(&mut self, page: usize, count: usize, length: Option<usize>) {
        let expected = match length {
            None => Err(Error::NotAllocated),
            Some(length) if length != count => Err(Error::WrongSize),
            Some(_) => Ok(()),
        };
        let mask = if expected.is_ok() { ((1 << count) - 1) << page } else { 0 };
        let (used, starts) = (self.used & !mask, self.starts & !mask);
        let by = Stretch::FreeLast(page as u8, count as u8);
        if self.act(|map| map.free_last(page, count)) {
            assert_eq!(expected, Ok(()), "{by:?}");
            self.changed(by, used, starts);
        }
        let by = Stretch::Free(page as u8, count as u8);
        let result = self.act(|map| map.try_free(page, count));
        assert_eq!(result.map(|_| ()), expected, "{by:?}");
        match result {
            Ok(FreeStep::Done) => self.changed(by, used, starts),
            Ok(FreeStep::SettleFirst) => assert!(!self.before.is_closed(), "{by:?}: settled, and still refused"),
            Err(_) => {}
        }
    }

    /// A call for pages in `[from, end)` where `base + page` is a multiple of `align`, to its end with no other call
    /// between.
    fn allocate_in_part(&mut self, from: usize, end: usize, count: usize, base: usize, align: usize) {
        let fits = |page: &usize| (base + page).is_multiple_of(align) && is_free(self.used, *page, count);
        let lowest = (from..(end + 1).saturating_sub(count)).find(fits);
        let (mut at, mut steps) = (from, 0);
        loop {
            let by = Stretch::AllocateInPart(at as u8, end as u8, count as u8, base as u8, align as u8);
            steps += 1;
            match self.act(|map| map.allocate_in_part(at..end, count, Alignment { base, align })) {
                SearchStep::Allocated(page) => {
                    assert_eq!(Some(page), lowest, "{by:?}");
                    self.record_allocation(page, count, by);
                    break;
                }
                SearchStep::ContinueAt(next) if next < end => {
                    assert!(next > at, "{by:?} stands still");
                    assert!(lowest.is_none_or(|lowest| lowest >= next), "{by:?} leaves out pages that fit");
                    at = next;
                }
                SearchStep::ContinueAt(_) | SearchStep::NoRun => {
                    assert_eq!(lowest, None, "{by:?}");
                    break;
                }
            }
        }
        self.search.figures.most_searching = self.search.figures.most_searching.max(steps);
    }
}

/// Settling takes at most: one step for the change put off, one to remove a run, one to close the open run, one to
/// remove that, and after each removal one for each further level of the tree.
const MOST_STEPS: usize = 8;

/// Searches all states of a pool, and prints what it saw in a line that ci/test sums up.
fn search(pages: usize) {
    let Figures { states, calls, most_settling, most_searching } = Search::new(pages).run();
    eprintln!(
        "exhaustive: words of {BITS} bits, {pages} pages: {states} states, {calls} stretches, at most {most_settling} \
         steps to settle and {most_searching} to search"
    );
}

/// Pools of `RT_DMA_PAGES` pages and of every smaller number; `ci/exhaustive` sets it.
#[test]
fn every_state_of_small_pools_is_right() {
    let most = std::env::var("RT_DMA_PAGES").ok().and_then(|pages| pages.parse().ok()).unwrap_or(5);
    (1..=most).for_each(search);
}
