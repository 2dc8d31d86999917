//! Chooses what the callers do: mostly what a map is likely to do wrong.

use super::super::super::*;
use super::{AlignedSearch, Call, PATIENCE, World};

impl World {
    /// Chooses a length, mostly one that ends at a word's end, or is about as long as a free run.
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

    /// Chooses the next call of a caller. The larger `filling` is, the more often it allocates: at 16 it always does.
    pub(super) fn choose_call(&mut self, filling: usize) -> Call {
        let choice = self.random.below(32);
        if choice == 0 {
            return Call::LongestFree { patience: PATIENCE };
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
            return Call::Free { page, count };
        }
        if choice <= 6 {
            let align = 1 << self.random.below(9);
            let base = [0, 1, 63, 64, 4_095][self.random.below(5)];
            let (count, changes_before) = (self.count(), self.changes);
            let search = AlignedSearch { count, alignment: Alignment { base, align }, from: 0, changes_before };
            return Call::AllocateAligned { search, patience: PATIENCE };
        }
        if self.held.is_empty() || self.random.below(16) < filling {
            return Call::Allocate { count: self.count() };
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
                let is_next_to_a_free_page = |&which: &usize| {
                    let (page, count) = self.held[which];
                    page != 0 && self.model.begun_at[page - 1].is_none()
                        || self.model.begun_at.get(page + count).is_some_and(Option::is_none)
                };
                (from..=last).take(40).find(is_next_to_a_free_page).unwrap_or(from)
            }
        };
        let (page, count) = self.held[which];
        Call::Free { page, count }
    }
}
