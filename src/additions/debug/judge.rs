//! Compares a call of a driver with the table, while the lock is held, and reports what does not fit.

use super::calls::{Allocated, FreedMemory, GivenMapping, MappedBuffer, SyncedData};
use super::devices::Names;
use super::entry::{Entry, Kind, direction_label, overlap};
use super::mistake::Mistake;
use super::{Call, State};
use crate::additions::streaming::{Direction, MAPPING_ERROR};
use crate::flags::Flags;
use crate::kernel::{Handle, PAGE_SHIFT, Pa};

/// A call that is judged, and what the debug mode knows.
pub(super) struct Judge<'a> {
    pub(super) state: &'a mut State,
    pub(super) names: &'static Names,
    pub(super) call: &'a Call,
    /// The number of the calling device's name.
    pub(super) name: usize,
}

/// How the first byte of a buffer is mapped and used.
pub(super) struct Memory {
    /// It is known to be cached.
    pub(super) is_cached: bool,
    /// It lies in a page of a pool that is not in use.
    pub(super) is_free: bool,
}

impl Judge<'_> {
    /// Returns the address of the calling device.
    fn device(&self) -> usize {
        self.call.device.0
    }

    /// Counts a mistake of the call, and has it reported. The values are the address, the size, and the detail.
    pub(super) fn report(&mut self, mistake: Mistake, values: [usize; 3]) {
        let ([address, size, detail], device) = (values, self.device());
        self.state.devices.count(self.name, mistake);
        self.state.reports.add(mistake, device, self.name, [address, size, detail, self.call.caller]);
    }

    /// Records what the device holds from now on: `new`, for which the call gives the device, the caller and the time.
    /// The first one for which there is no room is reported.
    fn add(&mut self, new: Entry) {
        let Call { device, caller, time, .. } = *self.call;
        let is_added = self.state.table.add(Entry { device: device.0, name: self.name, caller, time, ..new });
        if !is_added && !self.state.has_said_full {
            self.state.has_said_full = true;
            let (_, _, room) = self.state.table.usage();
            self.report(Mistake::TableFull, [room, 0, 0]);
        }
    }

    /// Takes the entry at an index out of the table, and remembers that the call gave it back.
    fn give_back(&mut self, index: usize, entry: &Entry) {
        let device = self.device();
        self.state.table.remove(index);
        self.state.table.remember_gone(entry, device, self.call.caller);
    }

    /// Records memory that was allocated, or a block pool that was created. `pa` is the physical address of a buffer,
    /// or 0; of a block its pool.
    pub(super) fn allocation(&mut self, new: &Allocated, pa: Pa) {
        let Allocated { kind, va, handle, size, flags, pool, is_managed } = *new;
        // What the table has at the same address was given back in a way that did not pass here.
        self.state.table.forget(|entry| match kind {
            Kind::Pool => entry.kind == Kind::Pool && entry.va == va,
            _ => entry.kind.is_memory() && overlap(entry.va, entry.size, va, size),
        });
        if kind == Kind::Block {
            self.state.table.note_block(pool);
        }
        self.add(Entry { handle, va, pa, size, flags, kind, is_managed, ..Entry::EMPTY });
    }

    /// Judges a free, and takes the entry of the memory out of the table unless the library refuses the free.
    ///
    /// Returns true if the table has the memory, or remembers an earlier free of it, which is reported. Returns false
    /// if it has neither: the free is a mistake then only if the library refuses it.
    pub(super) fn free(&mut self, freed: &FreedMemory) -> bool {
        let device = self.device();
        let FreedMemory { kind, va, size, handle, pool, is_managed } = *freed;
        let best = self.state.table.best(|entry| {
            let is_it = entry.kind.is_memory() && entry.va == va;
            is_it.then_some((entry.kind == kind, entry.device == device, handle == 0 || entry.handle == handle))
        });
        let Some((index, entry)) = best else {
            if let Some(first) = self.state.table.gone_at(false, device, va) {
                self.report(Mistake::FreeTwice, [va, size, first]);
                return true;
            }
            self.state.table.note_missing();
            return false;
        };
        let is_block = entry.kind == Kind::Block;
        let is_kind = entry.kind == kind && (entry.is_managed || !is_managed);
        let is_handle = handle == 0 || handle == entry.handle;
        let is_pool = !is_block || entry.pa == pool;
        let is_device = entry.device == device;
        let pages = |size: usize| size.wrapping_sub(1) >> PAGE_SHIFT;
        if !is_kind {
            let label = entry.kind.label().argument();
            self.report(Mistake::FreeKind, [va, size, label]);
        } else if !is_pool || !is_device && entry.device != 0 {
            self.report(Mistake::FreeDevice, [va, entry.size, self.names.shown(entry.name).argument()]);
        }
        if !is_handle {
            self.report(Mistake::FreeHandle, [va, entry.size, entry.handle]);
        }
        if !is_block && is_kind && size != entry.size {
            self.report(Mistake::FreeSize, [va, size, entry.size]);
        }
        // What the library refuses stays allocated.
        let is_refused = !is_kind
            || !is_handle
            || !is_pool
            || !is_block && pages(size) != pages(entry.size)
            || is_managed && !is_device;
        if !is_refused {
            self.give_back(index, &entry);
        }
        true
    }

    /// Judges a map that returned `handle`, and records the mapping. If devices write to the buffer and to that of an
    /// earlier mapping, of this device or another, the two may not share a byte, nor a cache line of `line` bytes if a
    /// driver owns its lines. `pa` is the physical address of the buffer, or 0.
    pub(super) fn map(&mut self, buffer: &MappedBuffer, handle: Handle, pa: Pa, line: usize) {
        let entry = Entry {
            handle,
            va: if buffer.kind == Kind::Page { 0 } else { buffer.address },
            pa,
            size: buffer.size,
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
            && let Some(first) = self.state.table.live().iter().find(is_second).map(|other| other.caller)
        {
            self.report(Mistake::MapTwice, [buffer.address, buffer.size, first]);
        }
        self.add(entry);
    }

    /// Judges an unmap, and takes the entry of the mapping out of the table unless the library refuses the unmap.
    pub(super) fn unmap(&mut self, given: &GivenMapping) {
        let GivenMapping { handle, size, direction, count, .. } = *given;
        let device = self.device();
        let is_there = |entry: &Entry| entry.kind.is_mapping() && entry.handle == handle;
        let best = self.state.table.best(|entry| {
            let fits = (given.is_for(entry), entry.size == size, entry.direction == direction, entry.is_checked);
            (is_there(entry) && entry.device == device).then_some(fits)
        });
        let Some((index, entry)) = best else { return self.unmap_unknown(given) };
        // What the library refuses stays mapped.
        if entry.is_managed || !given.is_managed {
            self.give_back(index, &entry);
        }
        if !given.is_for(&entry) {
            let label = entry.kind.label().argument();
            self.report(Mistake::UnmapKind, [handle, size, label]);
        } else if entry.kind == Kind::List && entry.flags != count {
            self.report(Mistake::UnmapCount, [handle, count, entry.flags]);
        }
        if entry.size != size {
            self.report(Mistake::UnmapSize, [handle, size, entry.size]);
        }
        if entry.direction != direction {
            let label = direction_label(entry.direction).argument();
            self.report(Mistake::UnmapDirection, [handle, size, label]);
        }
        if !entry.is_checked {
            self.report(Mistake::Unchecked, [handle, entry.size, entry.caller]);
        }
    }

    /// Judges the unmap of a mapping that the calling device does not hold, and reports why it does not. If the table
    /// had no room for some mappings, this may be one of them, and nothing is reported.
    fn unmap_unknown(&mut self, given: &GivenMapping) {
        let GivenMapping { handle, size, .. } = *given;
        let others = |entry: &&Entry| entry.kind.is_mapping() && entry.handle == handle && entry.device != 0;
        let memory = |entry: &&Entry| entry.kind.is_memory() && entry.handle == handle;
        if handle == MAPPING_ERROR {
            self.report(Mistake::UnmapFailed, [handle, size, 0]);
        } else if let Some(first) = self.state.table.gone_at(true, self.device(), handle) {
            self.report(Mistake::UnmapTwice, [handle, size, first]);
        } else if let Some(other) = self.state.table.live().iter().find(others).map(|entry| entry.name) {
            self.report(Mistake::UnmapDevice, [handle, size, self.names.shown(other).argument()]);
        } else if let Some(kind) = self.state.table.live().iter().find(memory).map(|entry| entry.kind) {
            self.report(Mistake::UnmapKind, [handle, size, kind.label().argument()]);
        } else if self.state.table.may_miss() {
            self.state.table.note_missing();
        } else {
            self.report(Mistake::UnmapUnknown, [handle, size, 0]);
        }
    }

    /// Judges a sync of a mapping or of a part of it.
    pub(super) fn sync(&mut self, given: &GivenMapping) {
        let GivenMapping { handle, size, direction, .. } = *given;
        let device = self.device();
        let end = handle.saturating_add(size);
        let best = self.state.table.best(|entry| {
            let is_long_enough = end <= entry.handle.saturating_add(entry.size);
            let is_direction = entry.direction == direction || entry.direction == Direction::Bidirectional;
            let is_it = entry.has_handle(handle) && entry.device == device;
            is_it.then_some((is_long_enough && is_direction, is_long_enough))
        });
        let Some((_, entry)) = best else {
            let others = |entry: &&Entry| entry.has_handle(handle) && entry.device != 0;
            if let Some(other) = self.state.table.live().iter().find(others).map(|entry| entry.name) {
                self.report(Mistake::SyncDevice, [handle, size, self.names.shown(other).argument()]);
            } else if !self.state.table.may_miss() {
                self.report(Mistake::SyncUnknown, [handle, size, 0]);
            }
            return;
        };
        if end > entry.handle.saturating_add(entry.size) {
            self.report(Mistake::SyncEnd, [handle, size, entry.handle.wrapping_add(entry.size)]);
        }
        if entry.direction != direction && entry.direction != Direction::Bidirectional
            || direction == Direction::Neither
        {
            let label = direction_label(entry.direction).argument();
            self.report(Mistake::SyncDirection, [handle, size, label]);
        }
    }

    /// Judges a sync of a buffer that needs no mapping. `memory` describes its first byte; it is `None` if the byte is
    /// not mapped. `line` is the size of a cache line in bytes.
    pub(super) fn sync_data(&mut self, data: &SyncedData, memory: Option<Memory>, line: usize) {
        let SyncedData { va, size, flags } = *data;
        let Some(Memory { is_cached, is_free }) = memory else {
            return self.report(Mistake::Unmapped, [va, size, 0]);
        };
        let has_nocache = flags.contains(Flags::NOCACHE);
        let table = &self.state.table;
        let contains = |entry: &&Entry| entry.kind.is_memory() && va.wrapping_sub(entry.va) < entry.size;
        let mistake = if self.call.has_on_stack(va) {
            Some((Mistake::Stack, 0))
        } else if let Some(buffer) = table.live().iter().find(contains) {
            mistake_in_buffer(buffer, data, line)
        } else if is_free {
            table.freed_around(va).map(|caller| (Mistake::SyncFreed, caller))
        } else {
            None
        };
        let mistake = mistake.or((has_nocache && is_cached).then_some((Mistake::SyncNocache, 0)));
        if let Some((mistake, detail)) = mistake {
            self.report(mistake, [va, size, detail]);
        }
    }

    /// Takes out of the table what the release of the device's managed resources has ended, and reports what the device
    /// still holds.
    pub(super) fn release(&mut self) {
        let device = self.device();
        let table = &mut self.state.table;
        let mut index = 0;
        while let Some(entry) = table.at(index) {
            // A managed block pool of which blocks are in use stays.
            let has_blocks = || entry.kind == Kind::Pool && table.has_blocks(entry.va);
            if entry.is_managed && entry.device == device && !entry.is_reported && !has_blocks() {
                table.remove(index);
            } else {
                index += 1;
            }
        }
        self.state.report_held(device, |_| true);
    }
}

/// Returns the mistake of a sync that begins in `buffer`, and the detail of the report; `None` if there is none. `line`
/// is the size of a cache line in bytes.
fn mistake_in_buffer(buffer: &Entry, data: &SyncedData, line: usize) -> Option<(Mistake, usize)> {
    let end = data.va.saturating_add(data.size);
    let buffer_end = buffer.va.saturating_add(buffer.size);
    let was_nocache = Flags::from_bits_retain(buffer.flags).contains(Flags::NOCACHE);
    // A driver may round the size up to a cache line.
    if end > buffer_end.saturating_add(line.wrapping_sub(1)) & !line.wrapping_sub(1) {
        Some((Mistake::SyncEnd, buffer_end))
    } else if was_nocache && buffer.kind != Kind::Block && !data.flags.contains(Flags::NOCACHE) {
        Some((Mistake::SyncCached, 0))
    } else {
        None
    }
}
