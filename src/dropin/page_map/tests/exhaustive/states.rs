//! The states that were reached, and how each was reached first.

use super::super::super::bits::BITS;
use super::state::Packed;
use std::eprintln;
use std::vec;
use std::vec::Vec;

/// A stretch with the lock held that changes the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stretch {
    /// The beginning, which is no stretch.
    NewMap,
    Settle,
    SettleFirst,
    AllocateOpen(u8),
    AllocateLowest(u8),
    FreeLast(u8, u8),
    Free(u8, u8),
    /// `from`, `end`, `count`, `base`, `align`.
    AllocateInPart(u8, u8, u8, u8, u8),
}

/// How a state was reached first.
pub(super) struct Reached {
    pub(super) from: u32,
    pub(super) by: Stretch,
}

/// The states that were reached, in the order in which they were, each once.
pub(super) struct States {
    pub(super) states: Vec<Packed>,
    reached: Vec<Reached>,
    /// Indices into `states`, each at a place that the state's hash leads to; more than twice as many places as states.
    places: Vec<u32>,
}

/// A place that holds no index.
const VACANT: u32 = u32::MAX;

impl States {
    pub(super) fn new() -> Self {
        States { states: Vec::new(), reached: Vec::new(), places: vec![VACANT; 1 << 10] }
    }

    /// The place of a state, or the vacant one where it belongs.
    fn place(&self, state: Packed) -> usize {
        let (low, high) = (state.0 as u64, (state.0 >> 64) as u64);
        let mixed = (low ^ high.rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let hash = (mixed ^ high ^ mixed >> 32).wrapping_mul(0xff51_afd7_ed55_8ccd);
        let mask = self.places.len() - 1;
        let mut place = (hash >> 20) as usize & mask;
        while self.places[place] != VACANT && self.states[self.places[place] as usize] != state {
            place = (place + 1) & mask;
        }
        place
    }

    pub(super) fn add(&mut self, state: Packed, reached: Reached) {
        let place = self.place(state);
        if self.places[place] != VACANT {
            return;
        }
        self.places[place] = self.states.len() as u32;
        self.states.push(state);
        self.reached.push(reached);
        if self.states.len() * 2 >= self.places.len() {
            self.places = vec![VACANT; self.places.len() * 2];
            for index in 0..self.states.len() {
                let place = self.place(self.states[index]);
                self.places[place] = index as u32;
            }
        }
    }

    /// Prints the stretches that lead to a state.
    pub(super) fn explain(&self, mut index: u32) {
        let mut stretches = Vec::new();
        while self.reached[index as usize].by != Stretch::NewMap {
            stretches.push(self.reached[index as usize].by);
            index = self.reached[index as usize].from;
        }
        eprintln!("a pool in words of {BITS} bits:");
        stretches.iter().rev().for_each(|stretch| eprintln!("    {stretch:?}"));
    }
}
