//! Several callers at once, as the pool's lock lets them in: between any two stretches with the lock held another may come.
//! Each call is a small state machine that does one stretch a turn. The order of the turns is random. Every answer is held
//! against a bit-by-bit first fit *at that moment*, every bit and every figure after every stretch.

use super::super::bits::ALL;
use super::super::*;
use super::model::{Model, assert_tree_is_exact, map_of, runs_of_the_tree};
use crate::error::Error;
use std::vec::Vec;

/// What one caller is about to do.
#[derive(Clone, Copy, Debug)]
enum Doing {
    Take(usize),
    /// `take` found nothing.
    TakeLowest(usize, usize),
    Free(usize, usize),
    /// The map must be settled first.
    FreeSettled(usize, usize, usize),
    /// Count, base, align, from, patience, how many changes others had made when it began.
    Aligned(usize, usize, usize, usize, usize, usize),
    Usage(usize),
}

/// As in `pool::buffers`.
const PATIENCE: usize = 16;

struct Random(u64);

impl Random {
    fn below(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % below.max(1)
    }
}

struct World {
    pages: usize,
    map: std::sync::MutexGuard<'static, PageMap>,
    model: Model,
    held: Vec<(usize, usize)>,
    random: Random,
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

    fn assert_bits(&self) {
        let (used, starts) = (self.map.used(), self.map.starts());
        for index in 0..used.len() {
            let (mut is_used, mut begins) = (0usize, 0usize);
            for bit in 0..BITS {
                let page = index * BITS + bit;
                if let Some(Some(begun)) = self.model.begun_at.get(page) {
                    is_used |= 1 << bit;
                    begins |= usize::from(*begun == page) << bit;
                }
            }
            assert_eq!(used[index].load(Relaxed), is_used, "used, word {index} of {}", self.pages);
            assert_eq!(starts[index].load(Relaxed), begins, "starts, word {index} of {}", self.pages);
        }
    }

    /// The map is settled: the tree has exactly the runs that are free, and finds the lowest of each length.
    fn assert_settled(&mut self) {
        assert_tree_is_exact(&mut self.map);
        let runs = self.runs();
        assert_eq!(runs_of_the_tree(&self.map), runs);
        assert_eq!(self.map.longest_free(), runs.iter().map(|(start, end)| end - start).max().unwrap_or(0));
        // First fit for every length: the words where a longer run than all before begins.
        let (mut best, mut from) = (0, 1);
        for &(start, end) in &runs {
            best = best.max(end - start);
            let tested =
                if best - (from - 1).min(best) > 200 { [from, best].to_vec() } else { (from..=best).collect() };
            for count in tested {
                let index = self.map.runs.first(count).unwrap();
                assert_eq!(index, start / BITS, "{count} pages");
                assert_eq!(self.map.run_in_word(index, count), start, "{count} pages");
            }
            from = from.max(best + 1);
        }
        assert!(self.map.runs.first(from).is_none() && self.map.runs.first(usize::MAX).is_none());
    }

    /// The free runs of the model.
    fn runs(&self) -> Vec<(usize, usize)> {
        let mut runs = Vec::new();
        let mut page = 0;
        while page < self.pages {
            let start = page;
            while page < self.pages && self.model.begun_at[page].is_none() {
                page += 1;
            }
            if page != start {
                runs.push((start, page));
            }
            page += 1;
        }
        runs
    }

    /// A step of settling, after which a call may do its work if the map is settled, and `is_quick`; returns whether it
    /// may.
    fn settle(&mut self, is_quick: bool, patience: &mut usize) -> bool {
        loop {
            let step = self.map.settle();
            self.steps[step as usize] += 1;
            if step == Settled::Already || is_quick && step == Settled::Now {
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

    fn took(&mut self, count: usize, page: usize) {
        assert!(self.model.begun_at[page..page + count].iter().all(Option::is_none), "taken twice");
        self.model.place(page, count);
        self.held.push((page, count));
        self.changes += 1;
    }

    fn freed(&mut self, page: usize, count: usize, answer: Result<(), Error>) {
        assert_eq!(answer, self.model.free(page, count), "free {page} {count} of {}", self.pages);
        if answer.is_ok() {
            self.held.retain(|held| held.0 != page);
            self.changes += 1;
        }
    }

    /// One stretch with the lock held; what is left to do.
    fn turn(&mut self, doing: Doing) -> Option<Doing> {
        match doing {
            Doing::Take(count) => match self.map.take_open(count) {
                Some(page) => {
                    assert_eq!(self.model.allocate(count), Some(page), "{count} of {}", self.pages);
                    self.held.push((page, count));
                    self.changes += 1;
                    None
                }
                None => self.turn(Doing::TakeLowest(count, PATIENCE)),
            },
            Doing::TakeLowest(count, mut patience) => {
                if !self.settle(true, &mut patience) {
                    return Some(Doing::TakeLowest(count, patience));
                }
                let page = self.map.take_lowest(count);
                assert_eq!(page, self.model.allocate(count), "{count} of {}", self.pages);
                if let Some(page) = page {
                    self.held.push((page, count));
                    self.changes += 1;
                }
                None
            }
            Doing::Free(page, count) => {
                if self.map.give_back_last(page, count) {
                    self.freed(page, count, Ok(()));
                    return None;
                }
                match self.map.give_back(page, count) {
                    Ok(false) => Some(Doing::FreeSettled(page, count, PATIENCE)),
                    answer => {
                        self.freed(page, count, answer.map(|_| ()));
                        None
                    }
                }
            }
            Doing::FreeSettled(page, count, mut patience) => {
                if !self.settle(false, &mut patience) {
                    return Some(Doing::FreeSettled(page, count, patience));
                }
                let answer = self.map.give_back(page, count);
                assert_ne!(answer, Ok(false), "settled, and still refused");
                self.freed(page, count, answer.map(|_| ()));
                None
            }
            Doing::Aligned(count, base, align, from, mut patience, changes) => {
                if !self.settle(false, &mut patience) {
                    return Some(Doing::Aligned(count, base, align, from, patience, changes));
                }
                let fits = |page: usize| {
                    (base + page).is_multiple_of(align)
                        && page + count <= self.pages
                        && self.model.begun_at[page..page + count].iter().all(Option::is_none)
                };
                let lowest = || (0..self.pages).find(|&page| fits(page));
                let end = self.map.pages;
                match self.map.take_between(from, end, count, base, align) {
                    Step::Taken(page) => {
                        assert!(fits(page));
                        assert!(changes != self.changes || lowest() == Some(page));
                        self.took(count, page);
                        None
                    }
                    Step::From(page) if page < self.pages => {
                        assert!(page > from, "no step stands still");
                        assert!(changes != self.changes || lowest().is_none_or(|lowest| lowest >= page));
                        Some(Doing::Aligned(count, base, align, page, PATIENCE, changes))
                    }
                    _ => {
                        assert!(changes != self.changes || lowest().is_none());
                        None
                    }
                }
            }
            Doing::Usage(mut patience) => {
                if !self.settle(true, &mut patience) {
                    return Some(Doing::Usage(patience));
                }
                assert_eq!(self.map.longest_free(), self.model.longest_free());
                None
            }
        }
    }

    /// Lengths that end, begin or fit where it hurts.
    fn count(&mut self) -> usize {
        let (pages, choice) = (self.pages, self.random.below(12));
        let count = match choice {
            0..=2 => 1 + self.random.below(3),
            3 => BITS - 2 + self.random.below(5),
            4 => 2 * BITS - 2 + self.random.below(5),
            5 => 1 + self.random.below(pages),
            6 => 1 + self.random.below(pages / 4),
            7 => pages - self.random.below(3).min(pages - 1),
            8 => BITS * (1 + self.random.below(6)),
            9 => {
                // As long as some free run, or one more or less.
                let from = self.random.below(pages);
                let run = self.model.begun_at[from..].iter().skip_while(|begun| begun.is_some());
                run.take_while(|begun| begun.is_none()).count() + self.random.below(3)
            }
            10 => {
                // Up to a word's end, if it is taken after the last.
                let last = self.held.last().map_or(0, |last| last.0 + last.1);
                BITS - last % BITS + BITS * self.random.below(4)
            }
            _ => 1 + self.random.below(20),
        };
        count.clamp(1, pages + 2)
    }

    fn something(&mut self, filling: usize) -> Doing {
        let choice = self.random.below(32);
        if choice == 0 {
            return Doing::Usage(PATIENCE);
        }
        if choice <= 2 {
            // What no right caller frees.
            let (page, count) = match (self.random.below(4), self.held.last().copied()) {
                (0, Some((page, count))) => (page, count + 1 + self.random.below(70)),
                (1, Some((page, count))) => (page, (count - 1 - self.random.below(2).min(count - 1)).max(1)),
                (2, Some((page, count))) => (page + self.random.below(count), 1 + self.random.below(count)),
                (_, _) => {
                    let far = [self.pages, usize::MAX, usize::MAX / 2, usize::MAX / 4096][self.random.below(4)];
                    let page = self.random.below(self.pages + 70);
                    let page = if self.random.below(4) == 0 { far } else { page };
                    let count = 1 + self.random.below(self.pages + 70);
                    (page, if self.random.below(8) == 0 { far.min(usize::MAX >> 12) } else { count })
                }
            };
            return Doing::Free(page, count);
        }
        if choice <= 6 {
            let align = 1 << self.random.below(9);
            let base = [0, 1, 63, 64, 4_095][self.random.below(5)];
            return Doing::Aligned(self.count(), base, align, 0, PATIENCE, self.changes);
        }
        if self.held.is_empty() || self.random.below(16) < filling {
            return Doing::Take(self.count());
        }
        let last = self.held.len() - 1;
        let which = match self.random.below(6) {
            0 | 1 => 0,
            2 => last,
            3 => last.saturating_sub(self.random.below(4)),
            4 => self.random.below(last + 1),
            // One that is free on one side at least, if there is one near.
            _ => {
                let from = self.random.below(last + 1);
                let is_beside = |&which: &usize| {
                    let (page, count) = self.held[which];
                    page != 0 && self.model.begun_at[page - 1].is_none()
                        || self.model.begun_at.get(page + count).is_some_and(Option::is_none)
                };
                (from..=last).take(40).find(is_beside).unwrap_or(from)
            }
        };
        let (page, count) = self.held[which];
        Doing::Free(page, count)
    }

    fn run(&mut self, callers: usize, turns: usize) {
        let mut doing: Vec<Option<Doing>> = std::vec![None; callers];
        let mut filling = 8;
        for turn in 0..turns {
            if turn % 256 == 0 {
                filling = [5, 8, 8, 11, 13][self.random.below(5)];
            }
            let caller = self.random.below(callers);
            let before = self.changes;
            let now = match doing[caller] {
                Some(now) => now,
                None => self.something(filling),
            };
            doing[caller] = self.turn(now);
            if self.pages <= 256 || turn % 16 == 0 {
                assert_tree_is_exact(&mut self.map);
            }
            if callers == 1 || self.random.below(3) == 0 {
                // It goes on alone to its end, as most calls do.
                while let Some(now) = doing[caller] {
                    doing[caller] = self.turn(now);
                }
            }
            if self.changes != before && (self.pages <= 256 || turn % (self.pages / 64) == 0) {
                self.assert_bits();
            }
        }
        for mut left in doing {
            while let Some(now) = left {
                left = self.turn(now);
            }
        }
        self.assert_bits();
        for (page, count) in std::mem::take(&mut self.held) {
            let mut left = Some(Doing::Free(page, count));
            while let Some(now) = left {
                left = self.turn(now);
            }
        }
        self.assert_bits();
        let mut left = Some(Doing::Take(self.pages));
        while let Some(now) = left {
            left = self.turn(now);
        }
        assert_eq!(self.held, [(0, self.pages)]);
    }
}

fn walk(pages: usize, callers: usize, turns: usize, seed: u64) -> [usize; 3] {
    let mut world = World::new(pages, 0x9e37_79b9_7f4a_7c15 ^ (seed << 20) ^ (pages as u64) << 3 ^ callers as u64);
    world.run(callers, turns);
    world.steps
}

/// Turns are few by default; `HOSTILE=100 cargo test --release hostile` makes a hundred times as many.
#[test]
fn hostile_callers_in_each_other_s_way_see_first_fit() {
    let times: usize = std::env::var("HOSTILE").ok().and_then(|times| times.parse().ok()).unwrap_or(1);
    let mut steps = [0; 3];
    let mut walk = |pages, callers, turns, round| {
        for (sum, times) in steps.iter_mut().zip(walk(pages, callers, turns, round)) {
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
            let turns = if times == 1 { 300 } else { 4_000 };
            walk(65_536, 2, turns, round);
            walk(65_535 - 13, 3, turns, round);
        }
    }
    assert!(BITS != usize::BITS as usize || steps.iter().all(|times| *times > 20), "each result comes: {steps:?}");
}

/// C may write to `pool->map`, on another core or between two calls. Then pages may be lost, or handed out twice; but the
/// memory after the pool has another owner.
#[test]
fn fault_26_no_page_behind_the_last_is_handed_out_whatever_c_wrote_to_the_bitmap() {
    for (seed, pages) in
        (0..400).flat_map(|seed| [1, 7, 63, 64, 65, 100, 128, 129, 500, 1_000].map(|pages| (seed, pages)))
    {
        let mut random = Random(seed * 7_919 + pages as u64 + 1);
        let mut map = map_of(pages);
        let mut held = Vec::new();
        for _ in 0..60 {
            let words = map.used();
            match random.below(6) {
                0 => {
                    let value =
                        [0, usize::MAX, 1 << random.below(BITS), usize::MAX << random.below(BITS)][random.below(4)];
                    words[random.below(words.len())].store(value & ALL, Relaxed);
                }
                1 => {
                    words[random.below(words.len())].fetch_xor(1 << random.below(BITS), Relaxed);
                }
                2 if !held.is_empty() => {
                    let (page, count) = held.swap_remove(random.below(held.len()));
                    let _ = map.free(page, count);
                }
                3 => {
                    map.settle_all();
                    let (from, count) = (random.below(pages), 1 + random.below(pages));
                    let align = 1 << random.below(4);
                    if let Step::Taken(page) = map.take_between(from, pages, count, random.below(9), align) {
                        held.push((page, count));
                    }
                }
                _ => {
                    let most = [3, 70, pages][random.below(3)];
                    let count = 1 + random.below(most);
                    held.extend(map.allocate(count).map(|page| (page, count)));
                }
            }
            if let Some(&(page, count)) = held.last() {
                assert!(page + count <= pages, "{count} pages from {page} on, of {pages}; seed {seed}");
            }
        }
    }
}
