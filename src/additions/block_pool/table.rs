//! A hash table from addresses to units. It is read without a lock.
//!
//! A unit is always in one of the [`PROBES`] places that begin at the hash of its key, so that a look-up has a fixed bound.
//! Consecutive units have consecutive places, so that most look-ups read one place.

use super::group::{NO_UNIT, Unit};
use crate::mem::bump::BumpAllocator;
use crate::mem::shared::{Ring, SetRef};

/// The maximum number of places that a look-up reads.
const PROBES: usize = 8;

/// The hash is the key XOR the key shifted right by this number of bits. So units whose distance is a large power of two
/// have different places.
const FOLD: u32 = 9;

/// A table with a power of two of places.
pub struct Table {
    /// A place without a unit holds [`NO_UNIT`].
    places: Ring<SetRef<Unit>>,
}

static NO_PLACE: SetRef<Unit> = SetRef::new(&NO_UNIT);

/// The table of a pool without memory. No unit is added to it.
pub static EMPTY_TABLE: Table = Table { places: Ring::of(&NO_PLACE) };

impl Table {
    /// Returns the size of the places, in bytes. They follow the table in memory.
    pub fn tail_bytes(places: usize) -> Option<usize> {
        places.checked_mul(size_of::<SetRef<Unit>>())
    }

    /// Makes an empty table with `places` places, a power of two.
    pub fn new(places: usize, tail: &mut BumpAllocator) -> Self {
        let places = Ring::new(tail.slice_with(places, |_| Some(SetRef::new(&NO_UNIT))));
        Table { places: places.unwrap_or(Ring::of(&NO_PLACE)) }
    }

    /// Returns the number of places.
    pub fn len(&self) -> usize {
        self.places.length()
    }

    /// Returns the place that is `probe` places after the first place of `key`.
    #[inline(always)]
    fn place(&self, key: usize, probe: usize) -> &'static SetRef<Unit> {
        let home = key ^ (key >> FOLD);
        self.places.at(home.wrapping_add(probe))
    }

    /// Returns the unit in the first place of `key`. It may have another key, and may be [`NO_UNIT`].
    ///
    /// Context: any.
    #[inline(always)]
    pub fn first(&self, key: usize) -> &'static Unit {
        self.place(key, 0).get()
    }

    /// Returns all units that may have this key.
    ///
    /// Context: any.
    pub fn candidates(&self, key: usize) -> impl Iterator<Item = &'static Unit> {
        (0..PROBES).map(move |probe| self.place(key, probe).get())
    }

    /// Adds a unit. Returns false if all its places are taken. The caller holds the pool's turn.
    pub fn insert(&self, key: usize, unit: &'static Unit) -> bool {
        let mut places = (0..PROBES).map(|probe| self.place(key, probe));
        match places.find(|place| core::ptr::eq(place.get(), &NO_UNIT)) {
            Some(place) if !core::ptr::eq(place, &NO_PLACE) => {
                place.set(unit);
                true
            }
            _ => false,
        }
    }

    /// Removes a unit. The caller holds the pool's turn.
    pub fn remove(&self, key: usize, unit: &'static Unit) {
        for place in (0..PROBES).map(|probe| self.place(key, probe)) {
            if core::ptr::eq(place.get(), unit) {
                place.set(&NO_UNIT);
            }
        }
    }
}
