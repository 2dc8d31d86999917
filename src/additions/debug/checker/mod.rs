//! Compares a call of a driver with the table, while the lock is held, and reports what does not fit: here allocations
//! and the release of managed resources, in the files of this folder frees, mappings and syncs.

mod free;
mod mappings;
mod sync;

pub use free::{AfterFree, HandleRule};
pub use sync::FirstByte;

use super::devices::Names;
use super::entry::{DebugEntry, Kind, overlap};
use super::finding::{Finding, Values};
use super::{Call, State};
use crate::log::Name;

/// A call that is checked, and what the debug mode knows.
pub struct Checker<'a> {
    pub state: &'a mut State,
    pub names: &'static Names,
    pub call: &'a Call,
    /// The index of the calling device's name.
    pub name_index: usize,
}

impl Checker<'_> {
    /// Has a finding about the call reported, and counts it if it is a mistake. `number` is what its text adds to the
    /// address and the size; 0 if it adds nothing.
    pub fn report(&mut self, finding: Finding, address: usize, size: usize, number: usize) {
        self.report_values(finding, Values { address, size, number, ..Values::NONE });
    }

    /// Has a finding reported, as [`report`](Self::report) does, whose text adds a name.
    fn report_with_name(&mut self, finding: Finding, address: usize, size: usize, name: Name<'static>) {
        self.report_values(finding, Values { address, size, name, ..Values::NONE });
    }

    /// Has a finding about the call reported, and counts it if it is a mistake.
    fn report_values(&mut self, finding: Finding, values: Values) {
        self.state.devices.count(self.name_index, finding);
        let values = Values { caller: self.call.caller, ..values };
        self.state.reports.add(finding, self.call.device, self.name_index, values);
    }

    /// Records what the device holds from now on: `new`, for which the call gives the device, the caller and the time.
    /// The first one for which there is no room is reported.
    fn add(&mut self, new: DebugEntry) {
        let Call { device, caller, made_at_ms, .. } = *self.call;
        let new = DebugEntry { device, name_index: self.name_index, caller, made_at_ms, ..new };
        let is_added = self.state.table.add(new);
        if !is_added && !self.state.has_reported_full {
            self.state.has_reported_full = true;
            let room = self.state.table.usage().room;
            self.report(Finding::TableFull, room, 0, 0);
        }
    }

    /// Takes the entry at an index out of the table, and remembers that the call gave it back.
    fn give_back(&mut self, index: usize, entry: &DebugEntry) {
        self.state.table.remove(index);
        self.state.table.remember_gone(entry, self.call.device, self.call.caller);
    }

    /// Records memory that was allocated, or a block pool that was created. `is_identity` states whether its address,
    /// as one of the processor's, leads to the equal physical address.
    pub fn record_allocation(&mut self, new: DebugEntry, is_identity: bool) {
        let Call { device, made_at_ms, .. } = *self.call;
        // An operation of the BSP may have allocated the memory for another device, after the call began. (The counter
        // of milliseconds wraps, so the difference of two times is compared with 0.)
        let is_of_this_call =
            |old: &DebugEntry| old.device != device && old.made_at_ms.wrapping_sub(made_at_ms).cast_signed() >= 0;
        // What else the table has at the same address was given back in a way that did not pass here.
        let table = &mut self.state.table;
        if let Kind::BlockPool(_) = new.kind {
            table.forget_pool(new.va);
        } else {
            // The address of one that is not mapped may also be that of other memory.
            let is_comparable = |old: &DebugEntry| is_identity || old.is_unmapped_buffer() == new.is_unmapped_buffer();
            table.forget(|_, old| {
                let overlaps = old.kind.is_memory() && overlap(old.va, old.size, new.va, new.size);
                overlaps && is_comparable(old) && !is_of_this_call(old)
            });
        }
        if let Kind::Block { pool } = new.kind
            && let Some(held) = table.held_pool(pool)
        {
            held.had_blocks = true;
        }
        self.add(new);
    }

    /// Takes out of the table what the release of the device's managed resources has ended, and reports which of the
    /// mappings were never checked, and what the device still holds.
    pub fn release(&mut self) {
        self.report_unchecked_managed();
        let (device, table) = (self.call.device, &mut self.state.table);
        table.forget(|table, entry| {
            let is_used_pool = matches!(entry.kind, Kind::BlockPool(_)) && table.has_blocks(entry.va);
            entry.is_managed && entry.device == device && !is_used_pool
        });
        // A managed block pool of which blocks are in use stays, and is not managed any more.
        for entry in table.live_mut().iter_mut().filter(|entry| entry.device == device) {
            entry.is_managed = false;
        }
        self.state.report_held(device, |_| true);
    }

    /// Reports the managed mappings of the calling device whose handles were never checked.
    fn report_unchecked_managed(&mut self) {
        // By index, because `report` changes the state that an iterator would borrow.
        let mut index = 0;
        while let Some(entry) = self.state.table.at(index).copied() {
            let is_unchecked = entry.mapping().is_some_and(|mapping| !mapping.is_checked);
            if entry.device == self.call.device && entry.is_managed && is_unchecked {
                self.report(Finding::Unchecked, entry.handle, entry.size, entry.caller);
            }
            index += 1;
        }
    }
}
