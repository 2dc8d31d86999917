//! Units that enter a pool's table and leave it, and the larger table that replaces it.

use super::group::Unit;
use super::table::UnitTable;
use super::{BlockPool, Pages};
use crate::kernel::Kernel;
use crate::mem::atomics::Ordering::Relaxed;
use crate::mem::turn::TurnGuard;

/// The least length of a table.
const MIN_BUCKETS: usize = 8;
/// Units whose keys have one hash may find no bucket in a table that is long enough. Then it is made longer, up to this
/// many times the length that the number of units needs, or up to [`SPREAD_MIN_LIMIT`] buckets if that is more.
const SPREAD_FACTOR: usize = 64;
/// See [`SPREAD_FACTOR`].
const SPREAD_MIN_LIMIT: usize = 4096;

impl<K: Kernel, P: Pages> BlockPool<K, P> {
    /// Returns the table's key for a unit that has memory.
    fn key_of(&self, unit: &Unit) -> usize {
        self.shape().key(unit.start(self.shape()))
    }

    /// Returns the length of a table of which half is empty after a span is added; `None` if there is no such length.
    fn wanted_length(&self) -> Option<usize> {
        self.spans.unit_count.load(Relaxed).checked_add(self.shape().span_units.get())?.checked_mul(2)
    }

    /// Returns whether half of the table is empty after a span is added.
    ///
    /// Context: any.
    pub(super) fn is_table_long_enough(&self) -> bool {
        self.wanted_length().is_some_and(|wanted| self.table.get().length() >= wanted)
    }

    /// Makes sure that half of the table is empty after a span is added. `None` if the heap has no room, or if a longer
    /// table is needed and the caller may not sleep. Called before units of that span are made.
    ///
    /// Context: any.
    pub(super) fn ensure_table_length(&self, turn: &TurnGuard<'_, K>) -> Option<()> {
        if self.is_table_long_enough() {
            return Some(());
        }
        self.replace_table(self.wanted_length()?.checked_next_power_of_two()?.max(MIN_BUCKETS), &[], turn)
    }

    /// Makes a table of `length` buckets, or a longer one if the units do not find buckets in it: those that have
    /// memory, and the `added` ones. The old table stays in the heap, because another call may be reading it. `None` if
    /// the heap has no room, or if the caller may not sleep.
    #[allow(unsafe_code)]
    fn replace_table(&self, mut length: usize, added: &'static [Unit], turn: &TurnGuard<'_, K>) -> Option<()> {
        if !self.kernel.can_sleep() {
            return None;
        }
        let max_length = length.saturating_mul(SPREAD_FACTOR).max(SPREAD_MIN_LIMIT);
        while length <= max_length {
            let table = self.arena.alloc(UnitTable::tail_bytes(length)?, |tail| UnitTable::new(length, tail))?;
            if self.spans.units().chain(added).all(|unit| table.insert(self.key_of(unit), unit, turn)) {
                self.table.set(table);
                return Some(());
            }
            // SAFETY: no other call knows the table, nor uses the arena: this one has the turn.
            unsafe { self.arena.release_last() }
            length = length.checked_mul(2)?;
        }
        None
    }

    /// Puts units into the table, or into a longer one if they find no buckets. Returns false if the heap has no room,
    /// or if a longer table is needed and the caller may not sleep; then none of the units is in the table.
    ///
    /// Context: any.
    pub(super) fn insert_units(&self, units: &'static [Unit], turn: &TurnGuard<'_, K>) -> bool {
        let table = self.table.get();
        let is_done = units.iter().all(|unit| table.insert(self.key_of(unit), unit, turn))
            || self.replace_table(table.length().saturating_mul(2), units, turn).is_some();
        if !is_done {
            self.remove_units(units, turn);
        }
        is_done
    }

    /// Takes units out of the table.
    ///
    /// Context: any.
    pub(super) fn remove_units(&self, units: &'static [Unit], turn: &TurnGuard<'_, K>) {
        units.iter().for_each(|unit| self.table.get().remove(self.key_of(unit), unit, turn));
    }
}
