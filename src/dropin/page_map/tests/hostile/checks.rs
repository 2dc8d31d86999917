//! Compares every bit, and the tree of a settled map, with the model.

use super::super::super::bits::{complement, leading_ones, lowest_ones};
use super::super::super::*;
use super::super::model::{assert_tree_is_exact, runs_of_the_tree};
use super::World;
use core::sync::atomic::Ordering::Relaxed;
use std::vec::Vec;

impl World {
    pub(super) fn assert_bits(&self) {
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
    pub(super) fn assert_settled(&mut self) {
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
                let index = self.map.runs.first_word_with(count).unwrap();
                assert_eq!(index, start / BITS, "{count} pages");
                let free = complement(self.map.used(), index);
                let bit = lowest_ones(free, count).unwrap_or(BITS - leading_ones(free));
                assert_eq!(index * BITS + bit, start, "{count} pages");
            }
            from = from.max(best + 1);
        }
        assert!(self.map.runs.first_word_with(from).is_none() && self.map.runs.first_word_with(usize::MAX).is_none());
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
}
