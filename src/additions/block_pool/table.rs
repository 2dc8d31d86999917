//! A hash table from addresses to units. It is read without a lock.
//!
//! A unit is in the home place of its key, or else in one of [`PROBES`] further places, so that a look-up has a fixed
//! bound. Consecutive units have consecutive home places, so that most look-ups read one place.

use super::group::{NO_UNIT, Unit};
use super::{BlockPool, Pages};
use crate::kernel::Kernel;
use crate::mem::atomics::Ordering::Relaxed;
use crate::mem::bump::BumpAllocator;
use crate::mem::shared::NonNullRef;
use crate::mem::wrapping_slice::WrappingSlice;

/// The number of places that a look-up reads in addition to the home place.
const PROBES: usize = 8;

/// The least number of places of a table.
const TABLE_MIN: usize = 8;
/// If units whose keys have one hash find no places, the table is made larger: at most this many times as large as the
/// number of units needs, or [`SPREAD_PLACES`] places.
const SPREAD_MAX: usize = 64;
/// See [`SPREAD_MAX`].
const SPREAD_PLACES: usize = 4096;

/// Two to the power of a word's bits, divided by the golden ratio, and made odd (Knuth, The Art of Computer
/// Programming, volume 3, section 6.4). The upper half of a product with it depends on all bits of the key.
const MULTIPLIER: usize = if usize::BITS == 64 { 0x9e37_79b9_7f4a_7c15_u64 as usize } else { 0x9e37_79b9 };

/// Half of a word's bits.
const HALF: u32 = usize::BITS / 2;

/// A table with a power of two of places.
pub struct Table {
    /// A place without a unit holds [`NO_UNIT`].
    places: WrappingSlice<NonNullRef<Unit>>,
}

static NO_PLACE: NonNullRef<Unit> = NonNullRef::new(&NO_UNIT);

/// The table of a pool without memory. No unit is added to it.
pub static EMPTY_TABLE: Table = Table { places: WrappingSlice::of_one(&NO_PLACE) };

impl Table {
    /// Returns the size of the places, in bytes. They follow the table in memory.
    pub fn tail_bytes(places: usize) -> Option<usize> {
        places.checked_mul(size_of::<NonNullRef<Unit>>())
    }

    /// Makes an empty table with `places` places, a power of two.
    pub fn new(places: usize, tail: &mut BumpAllocator) -> Self {
        let places = WrappingSlice::new(tail.slice_with(places, |_| Some(NonNullRef::new(&NO_UNIT))));
        Table { places: places.unwrap_or(WrappingSlice::of_one(&NO_PLACE)) }
    }

    /// Returns the number of places.
    pub fn len(&self) -> usize {
        self.places.length()
    }

    /// Returns the place at which most units are found. Units whose distance is a large power of two have one home
    /// place; a hash that kept them apart would cost each free three instructions.
    fn home(&self, key: usize) -> &'static NonNullRef<Unit> {
        self.places.at(key)
    }

    /// Returns all places that a unit with this key may have. The further places lie apart, because the home places of
    /// consecutive units fill long runs of the table.
    fn places(&self, key: usize) -> impl Iterator<Item = &'static NonNullRef<Unit>> {
        // The upper half of the product is mixed into the lower half, and a second product spreads both. With one
        // product on 32 bits, keys whose distance is a large power of two have few hashes. The table uses the low bits
        // of `first`: the rotation moves the upper half there, because it depends on more bits of the key.
        let product = key.wrapping_mul(MULTIPLIER);
        let hash = (product ^ (product >> HALF)).wrapping_mul(MULTIPLIER);
        let (first, distance) = (hash.rotate_right(HALF), hash | 1);
        let further = move |probe: usize| self.places.at(first.wrapping_add(probe.wrapping_mul(distance)));
        core::iter::once(self.home(key)).chain((0..PROBES).map(further))
    }

    /// Returns the unit in the home place of `key`. It may have another key, and may be [`NO_UNIT`].
    ///
    /// Context: any.
    pub fn home_unit(&self, key: usize) -> &'static Unit {
        self.home(key).get()
    }

    /// Returns all units that may have this key.
    ///
    /// Context: any.
    pub fn candidates(&self, key: usize) -> impl Iterator<Item = &'static Unit> {
        self.places(key).map(NonNullRef::get)
    }

    /// Adds a unit. Returns false if all its places are taken. The caller holds the pool's turn.
    pub fn insert(&self, key: usize, unit: &'static Unit) -> bool {
        match self.places(key).find(|place| core::ptr::eq(place.get(), &NO_UNIT)) {
            Some(place) if !core::ptr::eq(place, &NO_PLACE) => {
                place.set(unit);
                true
            }
            _ => false,
        }
    }

    /// Removes a unit. The caller holds the pool's turn.
    pub fn remove(&self, key: usize, unit: &'static Unit) {
        for place in self.places(key) {
            if core::ptr::eq(place.get(), unit) {
                place.set(&NO_UNIT);
            }
        }
    }
}

impl<K: Kernel, P: Pages> BlockPool<K, P> {
    /// Returns the table's key for a unit that has memory.
    fn key_of(&self, unit: &Unit) -> usize {
        self.groups.shape.key(unit.start(&self.groups.shape))
    }

    /// Returns the number of places of a table of which half is empty after a span is added.
    fn wanted_places(&self) -> Option<usize> {
        self.spans.unit_count.load(Relaxed).checked_add(self.groups.shape.span_units.get())?.checked_mul(2)
    }

    /// Makes sure that half of the table is empty after a span is added. `None` if the heap has no room. Called before
    /// units of that span are made.
    pub(super) fn make_places(&self) -> Option<()> {
        if self.has_places() {
            return Some(());
        }
        self.new_table(self.wanted_places()?.checked_next_power_of_two()?.max(TABLE_MIN), &[])
    }

    /// Returns whether half of the table is empty after a span is added.
    pub(super) fn has_places(&self) -> bool {
        self.wanted_places().is_some_and(|wanted| self.table.get().len() >= wanted)
    }

    /// Makes a table of `places` places, or of more if the units do not find places in it: those that have memory, and
    /// the `new` ones. The old table stays in the heap, because another call may be reading it. `None` if the heap has
    /// no room.
    #[allow(unsafe_code)]
    fn new_table(&self, mut places: usize, new: &'static [Unit]) -> Option<()> {
        if !self.kernel.can_sleep() {
            return None;
        }
        let max_places = places.saturating_mul(SPREAD_MAX).max(SPREAD_PLACES);
        while places <= max_places {
            let table = self.arena.place(Table::tail_bytes(places)?, |tail| Table::new(places, tail))?;
            if self.spans.units().chain(new).all(|unit| table.insert(self.key_of(unit), unit)) {
                self.table.set(table);
                return Some(());
            }
            // SAFETY: no other call knows the table, nor uses the arena: this one has the turn.
            unsafe { self.arena.release_last() }
            places = places.checked_mul(2)?;
        }
        None
    }

    /// Puts units into the table, or into a larger one if they find no places. Returns false if the heap has no room.
    pub(super) fn insert_units(&self, units: &'static [Unit]) -> bool {
        let table = self.table.get();
        units.iter().all(|unit| table.insert(self.key_of(unit), unit))
            || self.new_table(table.len().saturating_mul(2), units).is_some()
    }

    /// Takes units out of the table.
    pub(super) fn remove_units(&self, units: &'static [Unit]) {
        units.iter().for_each(|unit| self.table.get().remove(self.key_of(unit), unit));
    }
}
