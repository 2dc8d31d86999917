//! A hash table from addresses to units. It is read without a lock.
//!
//! A unit is always in one of the [`PROBES`] places that begin at the hash of its key, so that a look-up has a fixed bound.
//! Consecutive units have consecutive places, so that most look-ups read one place.

use super::group::Unit;
use crate::mem::bump::BumpAllocator;
use crate::mem::shared::AtomicRef;

/// The maximum number of places that a look-up reads.
const PROBES: usize = 8;

/// The hash is the key XOR the key shifted right by this number of bits. So units whose distance is a large power of two
/// have different places.
const FOLD: u32 = 9;

/// A table with a power of two of places.
pub struct Table {
    places: &'static [AtomicRef<Unit>],
}

impl Table {
    /// Returns the size of the places, in bytes. They follow the table in memory.
    pub fn tail_bytes(places: usize) -> Option<usize> {
        places.checked_mul(size_of::<AtomicRef<Unit>>())
    }

    /// Makes an empty table with `places` places.
    pub fn new(places: usize, tail: &mut BumpAllocator) -> Self {
        Table { places: tail.slice_with(places, |_| Some(AtomicRef::new())) }
    }

    /// Returns the number of places.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Returns the place that is `probe` places after the first place of `key`.
    #[inline(always)]
    fn place(&self, key: usize, probe: usize) -> Option<&AtomicRef<Unit>> {
        let home = key ^ (key >> FOLD);
        self.places.get(home.wrapping_add(probe) & self.places.len().wrapping_sub(1))
    }

    /// Returns the unit in the first place of `key`. It may have another key.
    ///
    /// Context: any.
    #[inline(always)]
    pub fn first(&self, key: usize) -> Option<&'static Unit> {
        self.place(key, 0)?.get()
    }

    /// Returns all units that may have this key.
    ///
    /// Context: any.
    pub fn candidates(&self, key: usize) -> impl Iterator<Item = &'static Unit> {
        (0..PROBES).filter_map(move |probe| self.place(key, probe)?.get())
    }

    /// Adds a unit. Returns false if all its places are taken. The caller holds the pool's turn.
    pub fn insert(&self, key: usize, unit: &'static Unit) -> bool {
        let mut places = (0..PROBES).filter_map(|probe| self.place(key, probe));
        match places.find(|place| place.get().is_none()) {
            Some(place) => {
                place.set(Some(unit));
                true
            }
            None => false,
        }
    }

    /// Removes a unit. The caller holds the pool's turn.
    pub fn remove(&self, key: usize, unit: &'static Unit) {
        for place in (0..PROBES).filter_map(|probe| self.place(key, probe)) {
            if place.get().is_some_and(|other| core::ptr::eq(other, unit)) {
                place.set(None);
            }
        }
    }
}
