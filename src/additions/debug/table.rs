//! The table of what devices hold, and of what they gave back last. Its memory is the board's, and does not grow.

use super::entry::{DebugEntry, HeldMapping, HeldPool, Kind};
use crate::kernel::{Device, Handle, Va};

/// How many things that were given back are remembered, so that a second free or unmap is known as such.
const MAX_REMEMBERED: usize = 64;

/// Something that was freed or unmapped.
#[derive(Clone, Copy)]
struct Gone {
    /// The device; [`Device::NONE`] if the record is empty.
    device: Device,
    is_mapping: bool,
    /// What the free or unmap took.
    address: usize,
    size: usize,
    caller: usize,
}

/// The live entries, in no order, at the front of the board's memory.
///
/// Searches go through all live entries, with interrupts masked.
pub struct EntryTable {
    entries: Option<&'static mut [DebugEntry]>,
    /// The number of live entries.
    live_count: usize,
    /// The most live entries that there were at one time.
    peak: usize,
    /// How many things were not recorded because the table was full.
    unrecorded: usize,
    /// How many of these things devices may still hold.
    unrecorded_held: usize,
    /// What was given back last.
    gone: [Gone; MAX_REMEMBERED],
    /// The place in `gone` that is written next.
    next_gone: usize,
}

/// How full a table is.
pub struct TableUsage {
    /// Live entries.
    pub live: usize,
    /// The most live entries that there were at one time.
    pub peak: usize,
    /// How many entries there is room for.
    pub room: usize,
    /// How many things were not recorded because the table was full.
    pub unrecorded: usize,
}

impl EntryTable {
    /// Makes a table without memory.
    pub const fn new() -> Self {
        let gone = [Gone { device: Device::NONE, is_mapping: false, address: 0, size: 0, caller: 0 }; MAX_REMEMBERED];
        EntryTable { entries: None, live_count: 0, peak: 0, unrecorded: 0, unrecorded_held: 0, gone, next_gone: 0 }
    }

    /// Gives the table the memory that `entries` returns, if it has none.
    pub fn start(&mut self, entries: impl FnOnce() -> &'static mut [DebugEntry]) {
        self.entries.get_or_insert_with(entries);
    }

    /// Returns how full the table is.
    pub fn usage(&self) -> TableUsage {
        let room = self.entries.as_deref().unwrap_or_default().len();
        TableUsage { live: self.live_count, peak: self.peak, room, unrecorded: self.unrecorded }
    }

    /// Returns whether devices may hold things that are not recorded, because the table was full.
    pub fn is_incomplete(&self) -> bool {
        self.unrecorded_held != 0
    }

    /// Notes that one of the things that are not recorded was given back.
    pub fn note_unrecorded_given_back(&mut self) {
        self.unrecorded_held = self.unrecorded_held.saturating_sub(1);
    }

    /// Returns the live entries.
    pub fn live(&self) -> &[DebugEntry] {
        self.entries.as_deref().unwrap_or_default().get(..self.live_count).unwrap_or_default()
    }

    /// Returns the live entries, to be changed.
    pub fn live_mut(&mut self) -> &mut [DebugEntry] {
        self.entries.as_deref_mut().unwrap_or_default().get_mut(..self.live_count).unwrap_or_default()
    }

    /// Records what a device holds from now on. Returns false if there is no room.
    pub fn add(&mut self, new: DebugEntry) -> bool {
        // The address is in use again: a free of it is now the free of what is added, not a second free.
        let is_again = |gone: &Gone| gone.is_mapping == new.is_mapping() && gone.address == new.address();
        for gone in self.gone.iter_mut().filter(|gone| is_again(gone)) {
            gone.device = Device::NONE;
        }
        let Some(slot) = self.entries.as_deref_mut().unwrap_or_default().get_mut(self.live_count) else {
            self.unrecorded += 1;
            self.unrecorded_held += 1;
            return false;
        };
        *slot = new;
        self.live_count += 1;
        self.peak = self.peak.max(self.live_count);
        true
    }

    /// Returns the live entry for which `score` is highest, and its index; `None` if the score is `None` for all. Of
    /// equal ones, the newest counts. A score may be a tuple of what speaks for an entry, the most important first.
    pub fn best<T: Ord>(&self, score: impl Fn(&DebugEntry) -> Option<T>) -> Option<(usize, DebugEntry)> {
        let scored = self.live().iter().enumerate().filter_map(|(index, entry)| Some((score(entry)?, index)));
        let (_, index) = scored.max()?;
        Some((index, *self.at(index)?))
    }

    /// Returns the live mapping for which `score` is highest, as [`best`](Self::best) does, and its index.
    pub fn best_mapping<T: Ord>(
        &self,
        score: impl Fn(&DebugEntry, &HeldMapping) -> Option<T>,
    ) -> Option<(usize, DebugEntry, HeldMapping)> {
        let (index, entry) = self.best(|entry| score(entry, &entry.mapping()?))?;
        Some((index, entry, entry.mapping()?))
    }

    /// Returns the live entry at an index.
    pub fn at(&self, index: usize) -> Option<&DebugEntry> {
        self.live().get(index)
    }

    /// Takes the live entry at an index out. The last one moves there.
    pub fn remove(&mut self, index: usize) {
        if let Some(last) = self.live().last().copied()
            && let Some(slot) = self.live_mut().get_mut(index)
        {
            *slot = last;
            self.live_count -= 1;
        }
    }

    /// Takes out every live entry for which `is_old` returns true. It also gets the table, to look at other entries.
    pub fn forget(&mut self, is_old: impl Fn(&EntryTable, &DebugEntry) -> bool) {
        let mut index = 0;
        while let Some(entry) = self.at(index) {
            if is_old(self, entry) {
                self.remove(index);
            } else {
                index += 1;
            }
        }
    }

    /// Remembers that an entry was given back, for `device`, by `caller`.
    pub fn remember_gone(&mut self, entry: &DebugEntry, device: Device, caller: usize) {
        let (is_mapping, address) = (entry.is_mapping(), entry.address());
        if let Some(slot) = self.gone.get_mut(self.next_gone) {
            *slot = Gone { device, is_mapping, address, size: entry.size, caller };
        }
        self.next_gone = (self.next_gone + 1) % MAX_REMEMBERED;
    }

    /// Returns the caller that freed the memory at the address last. Memory that another device freed counts only if
    /// all that devices hold is recorded.
    pub fn caller_that_freed(&self, device: Device, va: Va) -> Option<usize> {
        self.last_caller(|gone| {
            !gone.is_mapping && gone.address == va && (gone.device == device || !self.is_incomplete())
        })
    }

    /// Returns the caller that unmapped the device's mapping with this handle last.
    pub fn caller_that_unmapped(&self, device: Device, handle: Handle) -> Option<usize> {
        self.last_caller(|gone| gone.is_mapping && gone.address == handle && gone.device == device)
    }

    /// Returns the caller that freed last the memory that contains the address.
    pub fn caller_that_freed_around(&self, va: Va) -> Option<usize> {
        self.last_caller(|gone| !gone.is_mapping && va.wrapping_sub(gone.address) < gone.size)
    }

    /// Returns the caller that gave back the last thing that fulfils a condition.
    fn last_caller(&self, fits: impl Fn(&Gone) -> bool) -> Option<usize> {
        let (newer, older) = self.gone.split_at_checked(self.next_gone)?;
        let newest_first = newer.iter().rev().chain(older.iter().rev());
        let mut used = newest_first.filter(|gone| gone.device != Device::NONE);
        used.find(|gone| fits(gone)).map(|gone| gone.caller)
    }

    /// Returns whether a block of a pool is live.
    pub fn has_blocks(&self, pool: Va) -> bool {
        self.live().iter().any(|entry| entry.is_block_of(pool))
    }

    /// Returns what is known of a block pool, to be changed.
    pub fn held_pool(&mut self, pool: Va) -> Option<&mut HeldPool> {
        self.live_mut().iter_mut().find_map(|entry| match &mut entry.kind {
            Kind::BlockPool(held) if entry.va == pool => Some(held),
            _ => None,
        })
    }

    /// Takes a block pool out, and its blocks.
    pub fn forget_pool(&mut self, pool: Va) {
        self.forget(|_, entry| entry.is_block_pool_at(pool) || entry.is_block_of(pool));
    }

    /// Returns the entry of a block pool.
    pub fn block_pool(&self, pool: Va) -> Option<&DebugEntry> {
        self.live().iter().find(|entry| entry.is_block_pool_at(pool))
    }
}
