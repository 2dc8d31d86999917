//! Compares a call of a driver with the table, while the lock is held, and reports what does not fit.

use super::calls::{FreedBy, FreedMemory, MappedPart, SyncedData, UnmappedBy};
use super::devices::Names;
use super::entry::{DebugEntry, HeldMapping, Kind, direction_label, overlap};
use super::finding::{Finding, Values};
use super::{Call, State};
use crate::additions::streaming::{Direction, MAPPING_ERROR};
use crate::flags::Flags;
use crate::kernel::{Device, Handle};
use crate::log::Name;

/// A call that is judged, and what the debug mode knows.
pub(super) struct Checker<'a> {
    pub(super) state: &'a mut State,
    pub(super) names: &'static Names,
    pub(super) call: &'a Call,
    /// The index of the calling device's name.
    pub(super) name_index: usize,
}

/// How the first byte of a buffer is mapped and used.
pub(super) struct FirstByte {
    /// It is known to be cached.
    pub(super) is_cached: bool,
    /// It lies in a page of a pool that is not in use.
    pub(super) is_free: bool,
}

/// Whether the handle of a free is right.
#[derive(Clone, Copy)]
pub(super) enum HandleRule {
    /// It is: `rt_dma_free` accepts it.
    Accepted,
    /// It is not: `rt_dma_free` will refuse it.
    Refused,
    /// It must be the one that the allocation returned, or 0.
    AsAllocated,
}

impl Checker<'_> {
    /// Has a finding about the call reported, and counts it if it is a mistake. `number` is what its text adds to the
    /// address and the size; 0 if it adds nothing.
    pub(super) fn report(&mut self, finding: Finding, address: usize, size: usize, number: usize) {
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

    /// Records memory that was allocated, or a block pool that was created.
    pub(super) fn record_allocation(&mut self, new: DebugEntry) {
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
            table.forget(|_, old| {
                old.kind.is_memory() && overlap(old.va, old.size, new.va, new.size) && !is_of_this_call(old)
            });
        }
        if let Kind::Block { pool } = new.kind
            && let Some(held) = table.held_pool(pool)
        {
            held.had_blocks = true;
        }
        self.add(new);
    }

    /// Judges a free, and takes the entry of the memory out of the table unless the library refuses the free.
    ///
    /// Returns true if the table has the memory, or remembers an earlier free of it, which is reported. Returns false
    /// if it has neither: the free is a mistake then only if the library refuses it.
    pub(super) fn free(&mut self, freed: &FreedMemory, rule: HandleRule) -> bool {
        let device = self.call.device;
        let FreedMemory { by, va, size, handle } = *freed;
        let is_right_handle = |entry: &DebugEntry| match rule {
            HandleRule::Accepted => true,
            HandleRule::Refused => false,
            HandleRule::AsAllocated => handle == 0 || handle == entry.handle,
        };
        let table = &self.state.table;
        let best = table.best(|entry| {
            let is_freed_memory = entry.kind.is_memory() && entry.va == va;
            is_freed_memory.then_some((by.may_free(entry), entry.device == device, is_right_handle(entry)))
        });
        // Of two devices for which one call allocated, a full table may have one: see `record_allocation`.
        let found = best.filter(|(_, entry)| entry.device == device || !table.is_incomplete());
        if let Some((index, entry)) = found {
            self.report_free(freed, &entry, is_right_handle(&entry));
            if is_right_handle(&entry) && freed.fits(&entry, device) {
                self.give_back(index, &entry);
            }
            true
        } else if let Some(first) = table.caller_that_freed(device, va) {
            self.report(Finding::FreeTwice, va, size, first);
            true
        } else {
            self.state.table.note_unrecorded_given_back();
            false
        }
    }

    /// Reports what is wrong with the free of this memory.
    fn report_free(&mut self, freed: &FreedMemory, entry: &DebugEntry, is_right_handle: bool) {
        let FreedMemory { by, va, size, .. } = *freed;
        let is_owner = match by {
            FreedBy::BlockFree { pool } => entry.is_block_of(pool),
            // What an earlier device held is no device's, but only `rt_dma_free` frees it.
            FreedBy::ManagedFree => entry.device == self.call.device,
            FreedBy::Free { .. } => [self.call.device, Device::NONE].contains(&entry.device),
        };
        if !by.may_free(entry) {
            self.report_with_name(Finding::FreeKind, va, size, entry.kind.label());
        } else if !is_owner {
            self.report_with_name(Finding::FreeDevice, va, entry.size, self.names.shown(entry.name_index));
        }
        if !is_right_handle {
            self.report(Finding::FreeHandle, va, entry.size, entry.handle);
        }
        if matches!(entry.kind, Kind::Buffer { .. }) && by.may_free(entry) && size != entry.size {
            self.report(Finding::FreeSize, va, size, entry.size);
        }
    }

    /// Judges a map that did not fail, and records the mapping. If devices write to the buffer and to that of an
    /// earlier mapping, of this device or another, the two may not share a byte, nor a cache line of `line` bytes if a
    /// driver owns its lines.
    pub(super) fn map(&mut self, new: DebugEntry, line: usize) {
        let is_second = |other: &&DebugEntry| new.conflicts_with(other, line);
        if let Some(first) = self.state.table.live().iter().find(is_second).map(|other| other.caller) {
            self.report(Finding::MapTwice, new.mapped_address(), new.size, first);
        }
        self.add(new);
    }

    /// Notes that the driver checked whether the map that returned `handle` failed.
    pub(super) fn mark_checked(&mut self, handle: Handle) {
        let device = self.call.device;
        for entry in self.state.table.live_mut() {
            if let Kind::Mapping(mapping) = &mut entry.kind
                && entry.handle == handle
                && entry.device == device
            {
                mapping.is_checked = true;
            }
        }
    }

    /// Judges an unmap, and takes the entry of the mapping out of the table unless the library refuses the unmap.
    pub(super) fn unmap(&mut self, by: UnmappedBy, given: MappedPart, has_record: impl Fn(MappedPart) -> bool) {
        let MappedPart { handle, size, direction } = given;
        let device = self.call.device;
        let best = self.state.table.best_mapping(|entry, mapping| {
            let (has_size, has_direction) = (entry.size == size, mapping.direction == direction);
            let score = (by.may_unmap(mapping, entry.is_managed), has_size, has_direction, mapping.is_checked);
            (entry.handle == handle && entry.device == device).then_some(score)
        });
        let Some((index, entry, mapping)) = best else { return self.unmap_unknown(given) };
        let is_ended = match by {
            UnmappedBy::ManagedSingle => self.is_ended_as_managed(&given, &entry, &mapping),
            _ => !self.is_ambiguous(&given, has_record),
        };
        if is_ended {
            self.give_back(index, &entry);
        }
        self.report_unmap(by, &given, &entry, &mapping);
    }

    /// Returns whether the library refuses an unmap by the calling device because its mappings with this handle are
    /// several that have a record, and none of them fits exactly.
    fn is_ambiguous(&self, given: &MappedPart, has_record: impl Fn(MappedPart) -> bool) -> bool {
        let recorded = self.state.table.live().iter().filter_map(|entry| {
            let (size, direction) = (entry.size, entry.mapping()?.direction);
            let has_handle = (entry.device, entry.handle) == (self.call.device, given.handle);
            (has_handle && has_record(MappedPart { size, direction, ..*given })).then_some((size, direction))
        });
        recorded.clone().count() > 1 && recorded.clone().all(|mapping| mapping != (given.size, given.direction))
    }

    /// Returns whether `rt_dmam_unmap_single` ends this mapping of the calling device. What the library refuses stays
    /// mapped.
    fn is_ended_as_managed(&self, given: &MappedPart, entry: &DebugEntry, mapping: &HeldMapping) -> bool {
        // If several managed mappings have the handle, one must fit exactly.
        let is_exact = (entry.size, mapping.direction) == (given.size, given.direction);
        let has_the_handle = |other: &&DebugEntry| {
            other.is_mapping() && other.is_managed && (other.device, other.handle) == (entry.device, entry.handle)
        };
        let is_the_only_one = || self.state.table.live().iter().filter(has_the_handle).count() == 1;
        entry.is_managed && (is_exact || is_the_only_one())
    }

    /// Reports what is wrong with the unmap of this mapping.
    fn report_unmap(&mut self, by: UnmappedBy, given: &MappedPart, entry: &DebugEntry, mapping: &HeldMapping) {
        let MappedPart { handle, size, direction } = *given;
        if !by.may_unmap(mapping, entry.is_managed) {
            self.report_with_name(Finding::UnmapKind, handle, size, entry.kind.label());
        } else if let UnmappedBy::List { entries } = by
            && entries != mapping.list_entries
        {
            self.report(Finding::UnmapCount, handle, entries, mapping.list_entries);
        }
        if entry.size != size {
            self.report(Finding::UnmapSize, handle, size, entry.size);
        }
        if mapping.direction != direction {
            self.report_with_name(Finding::UnmapDirection, handle, size, direction_label(mapping.direction));
        }
        if !mapping.is_checked {
            self.report(Finding::Unchecked, handle, entry.size, entry.caller);
        }
    }

    /// Judges the unmap of a mapping that the calling device does not hold, and reports why it does not. If the table
    /// had no room for some mappings, this may be one of them, and nothing is reported.
    fn unmap_unknown(&mut self, given: MappedPart) {
        let MappedPart { handle, size, .. } = given;
        let is_of_other_device =
            |entry: &&DebugEntry| entry.is_mapping() && entry.handle == handle && entry.device != Device::NONE;
        let is_memory_at_handle = |entry: &&DebugEntry| entry.kind.is_memory() && entry.handle == handle;
        let live = self.state.table.live();
        if handle == MAPPING_ERROR {
            self.report(Finding::UnmapFailed, handle, size, 0);
        } else if let Some(first) = self.state.table.caller_that_unmapped(self.call.device, handle) {
            self.report(Finding::UnmapTwice, handle, size, first);
        } else if self.state.table.is_incomplete() {
            self.state.table.note_unrecorded_given_back();
        } else if let Some(other) = live.iter().find(is_of_other_device) {
            self.report_with_name(Finding::UnmapDevice, handle, size, self.names.shown(other.name_index));
        } else if let Some(memory) = live.iter().find(is_memory_at_handle) {
            self.report_with_name(Finding::UnmapKind, handle, size, memory.kind.label());
        } else {
            self.report(Finding::UnmapUnknown, handle, size, 0);
        }
    }

    /// Judges a sync of a mapping or of a part of it.
    pub(super) fn sync(&mut self, given: MappedPart) {
        let MappedPart { handle, size, direction } = given;
        let device = self.call.device;
        let end = handle.saturating_add(size);
        let is_long_enough = |entry: &DebugEntry| end <= entry.handle.saturating_add(entry.size);
        let best = self.state.table.best_mapping(|entry, mapping| {
            let score = (is_long_enough(entry) && mapping.allows_sync(direction), is_long_enough(entry));
            (entry.has_handle(handle) && entry.device == device).then_some(score)
        });
        let Some((_, entry, mapping)) = best else { return self.sync_unknown(given) };
        if !is_long_enough(&entry) {
            self.report(Finding::SyncEnd, handle, size, entry.handle.wrapping_add(entry.size));
        }
        if !mapping.allows_sync(direction) || direction == Direction::Neither {
            self.report_with_name(Finding::SyncDirection, handle, size, direction_label(mapping.direction));
        }
    }

    /// Judges a sync of a mapping that the calling device does not hold. If the table had no room for some mappings,
    /// this may be one of them, and nothing is reported.
    fn sync_unknown(&mut self, given: MappedPart) {
        let MappedPart { handle, size, .. } = given;
        let is_of_other_device = |entry: &&DebugEntry| entry.has_handle(handle) && entry.device != Device::NONE;
        if self.state.table.is_incomplete() {
            return;
        }
        if let Some(other) = self.state.table.live().iter().find(is_of_other_device) {
            self.report_with_name(Finding::SyncDevice, handle, size, self.names.shown(other.name_index));
        } else {
            self.report(Finding::SyncUnknown, handle, size, 0);
        }
    }

    /// Judges a sync of a buffer that needs no mapping. `first_byte` is `None` if the byte is not mapped. `line` is the
    /// size of a cache line in bytes.
    pub(super) fn sync_data(&mut self, data: &SyncedData, first_byte: Option<FirstByte>, line: usize) {
        let SyncedData { va, size, flags } = *data;
        let Some(FirstByte { is_cached, is_free }) = first_byte else {
            return self.report(Finding::BadAddress, va, size, 0);
        };
        let has_nocache = flags.contains(Flags::NOCACHE);
        let (table, device) = (&self.state.table, self.call.device);
        let contains = |entry: &&DebugEntry| entry.kind.is_memory() && va.wrapping_sub(entry.va) < entry.size;
        let mistake = if self.call.has_on_stack(va) {
            Some((Finding::Stack, 0))
        } else if let Some(buffer) = table.live().iter().filter(contains).max_by_key(|entry| entry.device == device) {
            mistake_in_buffer(buffer, data, line)
        } else if is_free {
            table.caller_that_freed_around(va).map(|caller| (Finding::SyncFreed, caller))
        } else {
            None
        };
        let mistake = mistake.or((has_nocache && is_cached).then_some((Finding::SyncNocache, 0)));
        if let Some((mistake, number)) = mistake {
            self.report(mistake, va, size, number);
        }
    }

    /// Takes out of the table what the release of the device's managed resources has ended, and reports which of the
    /// mappings were never checked, and what the device still holds.
    pub(super) fn release(&mut self) {
        self.report_unchecked_managed();
        let (device, table) = (self.call.device, &mut self.state.table);
        table.forget(|table, entry| {
            let is_used_pool = matches!(entry.kind, Kind::BlockPool(_)) && table.has_blocks(entry.va);
            entry.is_managed && entry.device == device && !is_used_pool
        });
        // A managed block pool of which blocks are in use stays, and is not managed any more.
        for pool in table.live_mut().iter_mut().filter(|entry| entry.device == device) {
            pool.is_managed = false;
        }
        self.state.report_held(device, |_| true);
    }

    /// Reports the managed mappings of the calling device whose handles were never checked.
    fn report_unchecked_managed(&mut self) {
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

/// Returns the mistake of a sync that begins in `buffer`, and the number that its text adds; `None` if there is none.
/// `line` is the size of a cache line in bytes.
fn mistake_in_buffer(buffer: &DebugEntry, data: &SyncedData, line: usize) -> Option<(Finding, usize)> {
    let end = data.va.saturating_add(data.size);
    let buffer_end = buffer.va.saturating_add(buffer.size);
    let was_nocache = matches!(buffer.kind, Kind::Buffer { flags } if flags.contains(Flags::NOCACHE));
    // A driver may round the size up to a cache line.
    let rounded_end = buffer_end.saturating_add(line.wrapping_sub(1)) & !line.wrapping_sub(1);
    if end > rounded_end {
        Some((Finding::SyncEnd, buffer_end))
    } else if was_nocache && !data.flags.contains(Flags::NOCACHE) {
        Some((Finding::SyncCached, 0))
    } else {
        None
    }
}
