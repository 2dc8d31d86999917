//! Which unit an address lies in: a hash table that is read without a lock.
//!
//! A unit is in one of [`PROBES`] places from the one that its address says, whatever came and went, so a look-up has a
//! fixed bound. Addresses that follow each other have places that follow each other, so it mostly takes one probe.

use super::group::Unit;
use crate::mem::bump::BumpAllocator;
use crate::mem::shared::AtomicRef;

/// How many places a look-up reads at most.
const PROBES: usize = 8;

/// The bits by which an address is folded onto itself, so that units at distances of powers of two keep apart too.
const FOLD: u32 = 9;

/// A table of places, as many as a power of two.
pub struct Table {
    places: &'static [AtomicRef<Unit>],
}

impl Table {
    /// Bytes that the places of a table need behind it.
    pub fn tail_bytes(places: usize) -> Option<usize> {
        places.checked_mul(size_of::<AtomicRef<Unit>>())
    }

    /// An empty table of `places` places.
    pub fn new(places: usize, tail: &mut BumpAllocator) -> Self {
        Table { places: tail.slice_with(places, |_| Some(AtomicRef::new())) }
    }

    /// Its number of places.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// The place of a unit with this key, or so many behind it.
    #[inline(always)]
    fn place(&self, key: usize, probe: usize) -> Option<&AtomicRef<Unit>> {
        let home = key ^ (key >> FOLD);
        self.places.get(home.wrapping_add(probe) & self.places.len().wrapping_sub(1))
    }

    /// The unit that is most likely the one with this key. Any context.
    #[inline(always)]
    pub fn first(&self, key: usize) -> Option<&'static Unit> {
        self.place(key, 0)?.get()
    }

    /// All units of which one may be that with this key. Any context.
    pub fn candidates(&self, key: usize) -> impl Iterator<Item = &'static Unit> {
        (0..PROBES).filter_map(move |probe| self.place(key, probe)?.get())
    }

    /// Adds a unit; false if its places are taken. One caller at a time.
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

    /// Takes a unit out. One caller at a time.
    pub fn remove(&self, key: usize, unit: &'static Unit) {
        for place in (0..PROBES).filter_map(|probe| self.place(key, probe)) {
            if place.get().is_some_and(|other| core::ptr::eq(other, unit)) {
                place.set(None);
            }
        }
    }
}
