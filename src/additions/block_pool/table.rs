//! A hash table from addresses to units. It is read without a lock.
//!
//! An element of the table is a *bucket*, which holds a unit or none. A unit is in the home bucket of its key, or else
//! in one of [`PROBES`] further buckets, so that a look-up has a fixed bound. Consecutive units have consecutive home
//! buckets, so that most look-ups read one bucket.

use super::group::{NO_UNIT, Unit};
use crate::kernel::Kernel;
use crate::mem::atomic_ref::AlwaysSetRef;
use crate::mem::bump::BumpAllocator;
use crate::mem::turn::TurnGuard;
use crate::mem::wrapping_slice::WrappingSlice;

/// The number of buckets that a look-up reads in addition to the home bucket.
const PROBES: usize = 8;

/// Two to the power of a word's bits, divided by the golden ratio, and made odd (Knuth, The Art of Computer
/// Programming, volume 3, section 6.4). The upper half of a product with it depends on all bits of the key.
const MULTIPLIER: usize = if usize::BITS == 64 { 0x9e37_79b9_7f4a_7c15_u64 as usize } else { 0x9e37_79b9 };

/// Half of a word's bits.
const HALF: u32 = usize::BITS / 2;

/// A table of units. Its length is a power of two. It is changed with the pool's turn held.
pub struct UnitTable {
    /// A bucket without a unit holds [`NO_UNIT`].
    buckets: WrappingSlice<AlwaysSetRef<Unit>>,
}

/// The bucket of a table to which no unit is added.
static NO_BUCKET: AlwaysSetRef<Unit> = AlwaysSetRef::new(&NO_UNIT);

/// The table of a pool without memory. It takes no unit.
pub static EMPTY_TABLE: UnitTable = UnitTable { buckets: WrappingSlice::of_one(&NO_BUCKET) };

impl UnitTable {
    /// Returns the size of `length` buckets, in bytes; `None` if that is more than the address space. The buckets
    /// follow the table in memory.
    pub fn tail_bytes(length: usize) -> Option<usize> {
        length.checked_mul(size_of::<AlwaysSetRef<Unit>>())
    }

    /// Makes a table of `length` buckets without units in the memory of `tail`. `length` is a power of two.
    pub fn new(length: usize, tail: &mut BumpAllocator) -> Self {
        let buckets = tail.slice_of((0..length).map(|_| AlwaysSetRef::new(&NO_UNIT)));
        // With fewer bytes than `tail_bytes(length)`, the table would have `NO_BUCKET` only, and take no unit.
        UnitTable { buckets: WrappingSlice::new(buckets, &NO_BUCKET) }
    }

    /// Returns the number of buckets.
    pub fn length(&self) -> usize {
        self.buckets.length()
    }

    /// Returns the home bucket of a key. Keys whose distance is a large power of two have one home bucket; a hash that
    /// kept them apart would cost each free three instructions.
    fn home(&self, key: usize) -> &'static AlwaysSetRef<Unit> {
        self.buckets.at(key)
    }

    /// Returns all buckets that a unit with this key may have. The further buckets lie apart, because the home buckets
    /// of consecutive units fill long runs of the table.
    fn buckets_of(&self, key: usize) -> impl Iterator<Item = &'static AlwaysSetRef<Unit>> {
        // The upper half of the product is mixed into the lower half, and a second product spreads both. With one
        // product on 32 bits, keys whose distance is a large power of two have few hashes. The table uses the low bits
        // of `first`: the rotation moves the upper half there, because it depends on more bits of the key.
        let product = key.wrapping_mul(MULTIPLIER);
        let hash = (product ^ (product >> HALF)).wrapping_mul(MULTIPLIER);
        let (first, distance) = (hash.rotate_right(HALF), hash | 1);
        let further = move |probe: usize| self.buckets.at(first.wrapping_add(probe.wrapping_mul(distance)));
        core::iter::once(self.home(key)).chain((0..PROBES).map(further))
    }

    /// Returns the unit in the home bucket of `key`. It may have another key, and may be [`NO_UNIT`].
    ///
    /// Context: any.
    pub fn home_unit(&self, key: usize) -> &'static Unit {
        self.home(key).get()
    }

    /// Returns all units that may have this key.
    ///
    /// Context: any.
    pub fn candidates(&self, key: usize) -> impl Iterator<Item = &'static Unit> {
        self.buckets_of(key).map(AlwaysSetRef::get)
    }

    /// Adds a unit. Returns false if all its buckets are taken. The caller holds the pool's turn.
    ///
    /// Context: any.
    pub fn insert<K: Kernel>(&self, key: usize, unit: &'static Unit, _turn: &TurnGuard<'_, K>) -> bool {
        let is_free = |bucket: &&'static AlwaysSetRef<Unit>| {
            core::ptr::eq(bucket.get(), &NO_UNIT) && !core::ptr::eq(*bucket, &NO_BUCKET)
        };
        let Some(bucket) = self.buckets_of(key).find(is_free) else { return false };
        bucket.set(unit);
        true
    }

    /// Removes a unit. The caller holds the pool's turn.
    ///
    /// Context: any.
    pub fn remove<K: Kernel>(&self, key: usize, unit: &'static Unit, _turn: &TurnGuard<'_, K>) {
        for bucket in self.buckets_of(key) {
            if core::ptr::eq(bucket.get(), unit) {
                bucket.set(&NO_UNIT);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::testing::HeapOnly;
    use crate::mem::heap::alloc_static;
    use crate::mem::turn::Turn;
    use std::boxed::Box;

    fn table(length: usize) -> &'static UnitTable {
        alloc_static(HeapOnly, UnitTable::tail_bytes(length).unwrap(), |tail| UnitTable::new(length, tail)).unwrap()
    }

    fn unit() -> &'static Unit {
        Box::leak(Box::new(Unit::new(0, 1)))
    }

    /// Returns how many candidates for `key` are this unit.
    fn count(table: &UnitTable, key: usize, unit: &Unit) -> usize {
        table.candidates(key).filter(|found| core::ptr::eq(*found, unit)).count()
    }

    #[test]
    fn a_unit_is_found_until_it_is_removed() {
        let (table, turn) = (table(64), Turn::new());
        let turn = turn.take(HeapOnly).unwrap();
        let [first, second] = [unit(), unit()];
        // Both have one home bucket.
        assert!(table.insert(3, first, &turn) && table.insert(3 + 64, second, &turn));
        assert!(core::ptr::eq(table.home_unit(3), first));
        assert_eq!((count(table, 3, first), count(table, 3 + 64, second)), (1, 1));
        table.remove(3, first, &turn);
        assert_eq!((count(table, 3, first), count(table, 3 + 64, second)), (0, 1));
        assert!(core::ptr::eq(table.home_unit(3), &NO_UNIT));
    }

    #[test]
    fn nine_units_of_one_key_are_found_and_a_tenth_has_no_bucket() {
        let (table, turn) = (table(1024), Turn::new());
        let turn = turn.take(HeapOnly).unwrap();
        let units = [(); PROBES + 1].map(|()| unit());
        assert!(units.iter().all(|unit| table.insert(5, unit, &turn)));
        assert!(units.iter().all(|unit| count(table, 5, unit) == 1));
        assert!(!table.insert(5, unit(), &turn));
        table.remove(5, units[4], &turn);
        assert!(table.insert(5, unit(), &turn));
    }

    #[test]
    fn the_table_of_a_pool_without_memory_takes_no_unit() {
        let turn = Turn::new();
        let turn = turn.take(HeapOnly).unwrap();
        assert_eq!(EMPTY_TABLE.length(), 1);
        assert!(!EMPTY_TABLE.insert(0, unit(), &turn));
        assert!(EMPTY_TABLE.candidates(0).all(|found| core::ptr::eq(found, &NO_UNIT)));
    }
}
