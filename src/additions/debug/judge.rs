//! Compares a call of a driver with the table, while the table's lock is held, and reports what does not fit.

use super::calls::{FreedMemory, GivenMapping, MappedBuffer};
use super::entry::{Entry, Kind, direction_label};
use super::mistake::Mistake;
use super::{Call, State};
use crate::additions::streaming::{Direction, MAPPING_ERROR};
use crate::kernel::{Handle, PAGE_SHIFT};
use crate::log::Name;

impl State {
    /// Judges a free, and takes the entry of the memory out of the table unless the library refuses the free. `name` is the number
    /// of the calling device's name; `names` returns the name with a number.
    ///
    /// Returns true if the table has the memory, or remembers an earlier free of it, which is reported. Returns false if it has
    /// neither: the free is a mistake then only if the library refuses it.
    pub(super) fn judge_free(
        &mut self,
        call: &Call,
        name: usize,
        freed: &FreedMemory,
        names: impl Fn(usize) -> Name,
    ) -> bool {
        let FreedMemory { kind, va, size, handle, pool, is_managed } = *freed;
        let index = self.table.best(|entry| {
            let is_it = entry.kind.is_memory() && entry.va == va;
            is_it.then_some((entry.kind == kind, entry.device == call.device.0, handle == 0 || entry.handle == handle))
        });
        let Some(entry) = index.and_then(|index| self.table.at(index)).copied() else {
            if let Some(first) = self.table.gone_at(false, call.device.0, va) {
                self.report(call, name, Mistake::FreeTwice, [va, size, first]);
                return true;
            }
            self.table.note_missing();
            return false;
        };
        let is_block = entry.kind == Kind::Block;
        let is_kind = entry.kind == kind && (entry.is_managed || !is_managed);
        let is_handle = handle == 0 || handle == entry.handle;
        let is_pool = !is_block || entry.pa == pool;
        let is_device = entry.device == call.device.0;
        let pages = |size: usize| size.wrapping_sub(1) >> PAGE_SHIFT;
        if !is_kind {
            let label = Name::of(entry.kind.label()).argument();
            self.report(call, name, Mistake::FreeKind, [va, size, label]);
        } else if !is_pool || !is_device && entry.device != 0 {
            self.report(call, name, Mistake::FreeDevice, [va, entry.size, names(entry.name).argument()]);
        }
        if !is_handle {
            self.report(call, name, Mistake::FreeHandle, [va, entry.size, entry.handle]);
        }
        if !is_block && is_kind && size != entry.size {
            self.report(call, name, Mistake::FreeSize, [va, size, entry.size]);
        }
        // What the library refuses stays allocated.
        let is_refused = !is_kind
            || !is_handle
            || !is_pool
            || !is_block && pages(size) != pages(entry.size)
            || is_managed && !is_device;
        if let Some(index) = index
            && !is_refused
            && let Some(entry) = self.table.take(index)
        {
            self.table.remember_gone(&entry, call.device.0, call.caller);
        }
        true
    }

    /// Judges a map that returned `handle`, and records the mapping. If devices write to the buffer and to that of an earlier mapping,
    /// of this device or another, the two may not share a byte, nor a cache line of `line` bytes if a driver owns its lines. `pa` is
    /// the physical address of the buffer, or 0.
    pub(super) fn judge_map(
        &mut self,
        call: &Call,
        name: usize,
        buffer: &MappedBuffer,
        handle: Handle,
        pa: usize,
        line: usize,
    ) {
        let entry = Entry {
            device: call.device.0,
            name,
            handle,
            va: buffer.va,
            pa,
            size: buffer.size,
            caller: call.caller,
            time: call.time,
            flags: buffer.count,
            kind: buffer.kind,
            direction: buffer.direction,
            // The result of a list's map is a number of entries, which has to be checked for another reason.
            is_checked: buffer.kind == Kind::List,
            has_own_lines: buffer.has_own_lines,
            is_managed: buffer.is_managed,
            ..Entry::EMPTY
        };
        let is_second = |other: &&Entry| {
            other.kind.is_mapping() && other.direction.device_writes() && other.shares_bytes(&entry, line)
        };
        if buffer.direction.device_writes()
            && let Some(first) = self.table.live().iter().find(is_second).map(|other| other.caller)
        {
            let address = if buffer.va == 0 { pa } else { buffer.va };
            self.report(call, name, Mistake::MapTwice, [address, buffer.size, first]);
        }
        self.add(entry);
    }

    /// Judges an unmap, and takes the entry of the mapping out of the table unless the library refuses the unmap. `name` and `names`
    /// are those of [`judge_free`](Self::judge_free).
    pub(super) fn judge_unmap(
        &mut self,
        call: &Call,
        name: usize,
        given: &GivenMapping,
        names: impl Fn(usize) -> Name,
    ) {
        let GivenMapping { handle, size, direction, count, .. } = *given;
        let device = call.device.0;
        let is_there = |entry: &Entry| entry.kind.is_mapping() && entry.handle == handle;
        let index = self.table.best(|entry| {
            let fits = (given.is_for(entry), entry.size == size, entry.direction == direction, entry.is_checked);
            (is_there(entry) && entry.device == device).then_some(fits)
        });
        let Some(entry) = index.and_then(|index| self.table.at(index)).copied() else {
            return self.judge_unmap_unknown(call, name, given, names);
        };
        // What the library refuses stays mapped.
        if (entry.is_managed || !given.is_managed)
            && let Some(index) = index
        {
            self.table.take(index);
            self.table.remember_gone(&entry, device, call.caller);
        }
        if !given.is_for(&entry) {
            let label = Name::of(entry.kind.label()).argument();
            self.report(call, name, Mistake::UnmapKind, [handle, size, label]);
        } else if entry.kind == Kind::List && entry.flags != count {
            self.report(call, name, Mistake::UnmapCount, [handle, count, entry.flags]);
        }
        if entry.size != size {
            self.report(call, name, Mistake::UnmapSize, [handle, size, entry.size]);
        }
        if entry.direction != direction {
            let label = Name::of(direction_label(entry.direction)).argument();
            self.report(call, name, Mistake::UnmapDirection, [handle, size, label]);
        }
        if !entry.is_checked {
            self.report(call, name, Mistake::Unchecked, [handle, entry.size, entry.caller]);
        }
    }

    /// Judges the unmap of a mapping that the calling device does not hold, and reports why it does not. If the table had no room
    /// for some mappings, this may be one of them, and nothing is reported. `name` and `names` as of
    /// [`judge_free`](Self::judge_free).
    fn judge_unmap_unknown(&mut self, call: &Call, name: usize, given: &GivenMapping, names: impl Fn(usize) -> Name) {
        let GivenMapping { handle, size, .. } = *given;
        let others = |entry: &&Entry| entry.kind.is_mapping() && entry.handle == handle && entry.device != 0;
        let memory = |entry: &&Entry| entry.kind.is_memory() && entry.handle == handle;
        if handle == MAPPING_ERROR {
            self.report(call, name, Mistake::UnmapFailed, [handle, size, 0]);
        } else if let Some(first) = self.table.gone_at(true, call.device.0, handle) {
            self.report(call, name, Mistake::UnmapTwice, [handle, size, first]);
        } else if let Some(other) = self.table.live().iter().find(others).map(|entry| entry.name) {
            self.report(call, name, Mistake::UnmapDevice, [handle, size, names(other).argument()]);
        } else if let Some(kind) = self.table.live().iter().find(memory).map(|entry| entry.kind) {
            self.report(call, name, Mistake::UnmapKind, [handle, size, Name::of(kind.label()).argument()]);
        } else if self.table.may_miss() {
            self.table.note_missing();
        } else {
            self.report(call, name, Mistake::UnmapUnknown, [handle, size, 0]);
        }
    }

    /// Judges a sync of a mapping or of a part of it. `name` and `names` are those of
    /// [`judge_free`](Self::judge_free).
    pub(super) fn judge_sync(&mut self, call: &Call, name: usize, given: &GivenMapping, names: impl Fn(usize) -> Name) {
        let GivenMapping { handle, size, direction, .. } = *given;
        let end = handle.saturating_add(size);
        let best = self.table.best(|entry| {
            let is_long_enough = end <= entry.handle.saturating_add(entry.size);
            let is_direction = entry.direction == direction || entry.direction == Direction::Bidirectional;
            let is_it = entry.has_handle(handle) && entry.device == call.device.0;
            is_it.then_some((is_long_enough && is_direction, is_long_enough))
        });
        let Some(entry) = best.and_then(|index| self.table.at(index)).copied() else {
            let others = |entry: &&Entry| entry.has_handle(handle) && entry.device != 0;
            if let Some(other) = self.table.live().iter().find(others).map(|entry| entry.name) {
                self.report(call, name, Mistake::SyncDevice, [handle, size, names(other).argument()]);
            } else if !self.table.may_miss() {
                self.report(call, name, Mistake::SyncUnknown, [handle, size, 0]);
            }
            return;
        };
        if end > entry.handle.saturating_add(entry.size) {
            self.report(call, name, Mistake::SyncEnd, [handle, size, entry.handle.wrapping_add(entry.size)]);
        }
        if entry.direction != direction && entry.direction != Direction::Bidirectional
            || direction == Direction::Neither
        {
            let label = Name::of(direction_label(entry.direction)).argument();
            self.report(call, name, Mistake::SyncDirection, [handle, size, label]);
        }
    }
}
