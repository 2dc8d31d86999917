//! Checks maps and unmaps.

use super::Checker;
use crate::additions::debug::calls::UnmappedBy;
use crate::additions::debug::entry::{DebugEntry, HeldMapping, Kind, direction_label};
use crate::additions::debug::finding::Finding;
use crate::additions::streaming::{MAPPING_ERROR, MappedBuffer};
use crate::kernel::{Device, Handle};

impl Checker<'_> {
    /// Checks a map that did not fail, and records the mapping. If devices write to the buffer and to that of an
    /// earlier mapping, of this device or another, the two may not share a byte, nor a cache line of `line` bytes if a
    /// driver owns its lines.
    pub fn map(&mut self, new: DebugEntry, line: usize) {
        let is_second = |other: &&DebugEntry| new.conflicts_with(other, line);
        if let Some(first) = self.state.table.live().iter().find(is_second).map(|other| other.caller) {
            self.report(Finding::MapTwice, new.mapped_address(), new.size, first);
        }
        self.add(new);
    }

    /// Notes that the driver checked whether the map that returned `handle` failed.
    pub fn mark_checked(&mut self, handle: Handle) {
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

    /// Checks an unmap, and takes the entry of the mapping out of the table unless the library refuses the unmap.
    pub fn unmap(&mut self, by: UnmappedBy, given: MappedBuffer, has_record: impl Fn(MappedBuffer) -> bool) {
        let MappedBuffer { handle, size, direction, .. } = given;
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
    fn is_ambiguous(&self, given: &MappedBuffer, has_record: impl Fn(MappedBuffer) -> bool) -> bool {
        let recorded = self.state.table.live().iter().filter_map(|entry| {
            let (size, direction) = (entry.size, entry.mapping()?.direction);
            let has_handle = entry.device == self.call.device && entry.handle == given.handle;
            (has_handle && has_record(MappedBuffer { size, direction, ..*given })).then_some((size, direction))
        });
        recorded.clone().count() > 1 && recorded.clone().all(|mapping| mapping != (given.size, given.direction))
    }

    /// Returns whether `rt_dmam_unmap_single` ends this mapping of the calling device. What the library refuses stays
    /// mapped.
    fn is_ended_as_managed(&self, given: &MappedBuffer, entry: &DebugEntry, mapping: &HeldMapping) -> bool {
        // If several managed mappings have the handle, one must fit exactly.
        let is_exact = entry.size == given.size && mapping.direction == given.direction;
        let has_the_handle = |other: &&DebugEntry| {
            other.is_mapping() && other.is_managed && other.device == entry.device && other.handle == entry.handle
        };
        let is_the_only_one = || self.state.table.live().iter().filter(has_the_handle).count() == 1;
        entry.is_managed && (is_exact || is_the_only_one())
    }

    /// Reports what is wrong with the unmap of this mapping.
    fn report_unmap(&mut self, by: UnmappedBy, given: &MappedBuffer, entry: &DebugEntry, mapping: &HeldMapping) {
        let MappedBuffer { handle, size, direction, .. } = *given;
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

    /// Checks the unmap of a mapping that the calling device does not hold, and reports why it does not. If the table
    /// had no room for some mappings, this may be one of them, and nothing is reported.
    fn unmap_unknown(&mut self, given: MappedBuffer) {
        let MappedBuffer { handle, size, .. } = given;
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
}
