//! The checks: what each call of a driver is held against.

use super::entry::{Entry, Kind, direction_label, overlap};
use super::mistake::Mistake;
use super::{Call, Debug, State};
use crate::additions::streaming::{Direction, MAPPING_ERROR};
use crate::dropin::registry::Dma;
use crate::flags::Flags;
use crate::kernel::{Kernel, PAGE_SHIFT, Va};
use crate::log::Name;

/// Memory, or a block pool, that a device was given.
#[derive(Clone, Copy, Debug)]
pub struct Allocated {
    /// What it is.
    pub kind: Kind,
    /// The address for the processor.
    pub va: Va,
    /// The address for the device; 0 of a block pool.
    pub handle: usize,
    /// Bytes; of a block pool those of a block.
    pub size: usize,
    /// The flags of the allocation.
    pub flags: usize,
    /// The block pool of a block; else 0.
    pub pool: usize,
    /// `rt_dmam_release` gives it back.
    pub is_managed: bool,
}

/// A buffer or a block as a driver frees it.
#[derive(Clone, Copy, Debug)]
pub struct Freed {
    /// What the call frees.
    pub kind: Kind,
    /// The address for the processor.
    pub va: Va,
    /// Bytes; 0 if the call does not state it.
    pub size: usize,
    /// The handle; 0 if the caller did not ask for it.
    pub handle: usize,
    /// The block pool of a block; else 0.
    pub pool: usize,
    /// The call is for managed resources only.
    pub is_managed: bool,
}

/// A mapping, or a part of it, as a driver unmaps or syncs it.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// What the call is for; `None` if it is for single and page mappings.
    pub kind: Option<Kind>,
    /// The handle.
    pub handle: usize,
    /// Bytes.
    pub size: usize,
    /// The direction.
    pub direction: Direction,
    /// Entries of the list; 0 if it is none.
    pub count: usize,
    /// The call is for managed resources only.
    pub is_managed: bool,
}

/// A buffer as a driver maps it.
#[derive(Clone, Copy, Debug)]
pub struct Buffer {
    /// What the call makes.
    pub kind: Kind,
    /// The address for the processor; 0 of a page.
    pub va: Va,
    /// The physical address of a page.
    pub pa: usize,
    /// Bytes.
    pub size: usize,
    /// The direction.
    pub direction: Direction,
    /// Entries of the list; 0 if it is none.
    pub count: usize,
    /// The driver owns the cache lines of the buffer.
    pub has_own_lines: bool,
    /// It lies on the stack of the calling thread.
    pub is_on_stack: bool,
    /// `rt_dmam_release` ends the mapping.
    pub is_managed: bool,
}

impl Named {
    /// Returns whether the call is for this kind of mapping.
    fn is_for(&self, entry: &Entry) -> bool {
        let is_kind = self.kind.map_or(entry.kind != Kind::List, |own| own == entry.kind);
        is_kind && (entry.is_managed || !self.is_managed)
    }
}

impl State {
    fn free(&mut self, call: &Call, name: usize, freed: &Freed, names: impl Fn(usize) -> Name) -> bool {
        let Freed { kind, va, size, handle, pool, is_managed } = *freed;
        let place = self.table.best(|entry| {
            let is_it = entry.kind.is_memory() && entry.va == va;
            is_it.then_some((entry.kind == kind, entry.device == call.device.0, handle == 0 || entry.handle == handle))
        });
        let Some(entry) = place.and_then(|place| self.table.at(place)).copied() else {
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
        let pages = |size: usize| size.wrapping_sub(1) >> PAGE_SHIFT;
        if !is_kind {
            let label = Name::of(entry.kind.label()).argument();
            self.report(call, name, Mistake::FreeKind, [va, size, label]);
        } else if is_block && entry.pa != pool || entry.device != call.device.0 && entry.device != 0 {
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
            || is_block && entry.pa != pool
            || !is_block && pages(size) != pages(entry.size)
            || is_managed && entry.device != call.device.0;
        if let Some(place) = place
            && !is_refused
            && let Some(entry) = self.table.take(place)
        {
            self.table.remember_gone(&entry, call.device.0, call.caller);
        }
        true
    }

    fn map(&mut self, call: &Call, name: usize, buffer: &Buffer, handle: usize, pa: usize, line: usize) {
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

    fn unmap(&mut self, call: &Call, name: usize, named: &Named, names: impl Fn(usize) -> Name) {
        let Named { handle, size, direction, count, .. } = *named;
        let device = call.device.0;
        let is_there = |entry: &Entry| entry.kind.is_mapping() && entry.handle == handle;
        let place = self.table.best(|entry| {
            let fits = (named.is_for(entry), entry.size == size, entry.direction == direction, entry.is_checked);
            (is_there(entry) && entry.device == device).then_some(fits)
        });
        let Some(entry) = place.and_then(|place| self.table.at(place)).copied() else {
            return self.unmap_unknown(call, name, named, names);
        };
        // What the library refuses stays mapped.
        if (entry.is_managed || !named.is_managed)
            && let Some(place) = place
        {
            self.table.take(place);
            self.table.remember_gone(&entry, device, call.caller);
        }
        if !named.is_for(&entry) {
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

    fn unmap_unknown(&mut self, call: &Call, name: usize, named: &Named, names: impl Fn(usize) -> Name) {
        let Named { handle, size, .. } = *named;
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

    fn sync(&mut self, call: &Call, name: usize, named: &Named, names: impl Fn(usize) -> Name) {
        let Named { handle, size, direction, .. } = *named;
        let end = handle.saturating_add(size);
        let best = self.table.best(|entry| {
            let is_long_enough = end <= entry.handle.saturating_add(entry.size);
            let is_direction = entry.direction == direction || entry.direction == Direction::Bidirectional;
            let is_it = entry.has_handle(handle) && entry.device == call.device.0;
            is_it.then_some((is_long_enough && is_direction, is_long_enough))
        });
        let Some(entry) = best.and_then(|place| self.table.at(place)).copied() else {
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

impl<K: Kernel> Debug<K> {
    /// Records memory that was allocated for the device, or a block pool that was created. What the table has at the same
    /// address was given back in a way that did not pass here.
    pub fn allocated(&'static self, call: &Call, new: &Allocated) {
        let Allocated { kind, va, handle, size, flags, pool, is_managed } = *new;
        let pa = if kind == Kind::Buffer { self.kernel.v2p(va).unwrap_or(0) } else { pool };
        let is_old = |entry: &Entry| match kind {
            Kind::Pool => entry.kind == Kind::Pool && entry.va == va,
            _ => entry.kind.is_memory() && overlap(entry.va, entry.size, va, size),
        };
        let (device, caller, time) = (call.device.0, call.caller, call.time);
        self.with(call, |state, name| {
            state.table.forget(is_old);
            if kind == Kind::Block {
                state.table.note_block(pool);
            }
            state.add(Entry {
                device,
                name,
                handle,
                va,
                pa,
                size,
                caller,
                time,
                flags,
                kind,
                is_managed,
                ..Entry::EMPTY
            });
        });
    }

    /// Forgets a block pool, and its blocks.
    pub fn destroyed(&self, pool: usize) {
        let is_its = |entry: &Entry| match entry.kind {
            Kind::Pool => entry.va == pool,
            Kind::Block => entry.pa == pool,
            _ => false,
        };
        self.state.lock(self.kernel).table.forget(is_its);
    }

    /// Returns the device of a block pool; `None` if the pool is not in the table.
    pub fn device_of_pool(&self, pool: usize) -> Option<usize> {
        self.state.lock(self.kernel).table.pool(pool).map(|entry| entry.device)
    }

    /// Returns the size of the blocks of a pool, in bytes; 0 if the pool is not in the table.
    pub fn block_size(&self, pool: usize) -> usize {
        let state = self.state.lock(self.kernel);
        state.table.pool(pool).map_or(0, |entry| entry.size)
    }

    /// Checks a free, and forgets what it frees. Returns false if the table does not have it: then the caller calls
    /// [`refused`](Self::refused) if the library refuses the free.
    pub fn freeing(&'static self, call: &Call, freed: &Freed) -> bool {
        self.with(call, |state, name| state.free(call, name, freed, |number| self.shown(number)))
    }

    /// Reports that the library refused the free of memory that the table does not have.
    pub fn refused(&'static self, call: &Call, freed: &Freed) {
        self.with(call, |state, name| {
            state.report(call, name, Mistake::FreeUnknown, [freed.va, freed.size, 0]);
        });
    }

    /// Checks a map, and records the mapping unless it failed: then `handle` is [`MAPPING_ERROR`].
    pub fn mapped(&'static self, call: &Call, buffer: &Buffer, handle: usize) {
        let (va, size) = (buffer.va, buffer.size);
        let pa = if buffer.kind == Kind::Page { Some(buffer.pa) } else { self.kernel.v2p(va) };
        let last = va.wrapping_add(size.wrapping_sub(1));
        let is_unmapped = pa.is_none() || buffer.kind != Kind::Page && self.kernel.v2p(last).is_none();
        let line = self.kernel.cache_line_max();
        self.with(call, |state, name| {
            if is_unmapped {
                state.report(call, name, Mistake::Unmapped, [va, size, 0]);
            } else if buffer.is_on_stack {
                state.report(call, name, Mistake::Stack, [va, size, 0]);
            }
            if handle != MAPPING_ERROR {
                state.map(call, name, buffer, handle, pa.unwrap_or(0), line);
            }
        });
    }

    /// Notes that the driver checked whether a map failed.
    pub fn checked(&'static self, call: &Call, handle: usize) {
        self.with(call, |state, _| {
            let is_it = |entry: &&mut Entry| entry.handle == handle && entry.device == call.device.0;
            for entry in state.table.live_mut().iter_mut().filter(is_it) {
                entry.is_checked = true;
            }
        });
    }

    /// Checks an unmap, and forgets the mapping.
    pub fn unmapping(&'static self, call: &Call, named: &Named) {
        self.with(call, |state, name| state.unmap(call, name, named, |number| self.shown(number)));
    }

    /// Checks a sync of a mapping.
    pub fn syncing(&'static self, call: &Call, named: &Named) {
        if named.size != 0 {
            self.with(call, |state, name| state.sync(call, name, named, |number| self.shown(number)));
        }
    }

    /// Checks a call of `rt_dma_sync_out_data` or `rt_dma_sync_in_data`. Such a call needs no mapping: it is one itself.
    pub fn syncing_data(
        &'static self,
        dma: &Dma<K>,
        call: &Call,
        va: Va,
        size: usize,
        flags: Flags,
        is_on_stack: bool,
    ) {
        let kernel = self.kernel;
        let pa = kernel.v2p(va);
        let pool = pa.and_then(|pa| dma.covering(pa, pa.saturating_add(1)));
        // Outside of the pools only the linear map is known to be cached.
        let is_cached = match (pool, pa) {
            (Some(pool), Some(pa)) => pool.address_info(va, pa).is_some_and(|info| info.is_cached),
            (_, pa) => pa.is_some_and(|pa| kernel.linear(pa) == va),
        };
        let is_free = pool.is_some_and(|pool| pa.is_some_and(|pa| !pool.is_in_use(pa)));
        let has_nocache = flags.contains(Flags::NOCACHE);
        let line = kernel.cache_line_max();
        self.with(call, |state, name| {
            let contains = |entry: &&Entry| entry.kind.is_memory() && va.wrapping_sub(entry.va) < entry.size;
            let buffer = state.table.live().iter().find(contains).copied();
            let mistake = if pa.is_none() {
                Some((Mistake::Unmapped, 0))
            } else if is_on_stack {
                Some((Mistake::Stack, 0))
            } else if let Some(buffer) = buffer {
                let end = buffer.va.saturating_add(buffer.size);
                let was_nocache = Flags::from_bits_retain(buffer.flags).contains(Flags::NOCACHE);
                // A driver may round the size up to a cache line.
                let is_too_long =
                    va.saturating_add(size) > end.saturating_add(line.wrapping_sub(1)) & !line.wrapping_sub(1);
                match (is_too_long, was_nocache && buffer.kind != Kind::Block && !has_nocache) {
                    (true, _) => Some((Mistake::SyncEnd, end)),
                    (_, true) => Some((Mistake::SyncCached, 0)),
                    _ => None,
                }
            } else if is_free {
                state.table.freed_around(va).map(|caller| (Mistake::SyncFreed, caller))
            } else {
                None
            };
            let mistake = mistake.or((has_nocache && is_cached).then_some((Mistake::SyncNocache, 0)));
            if let Some((mistake, detail)) = mistake {
                state.report(call, name, mistake, [va, size, detail]);
            }
        });
    }

    /// Notes that the driver released its managed resources, because it is removed: what it holds besides is reported.
    pub fn released(&'static self, call: &Call) {
        let device = call.device.0;
        self.with(call, |state, _| {
            let mut place = 0;
            while let Some(entry) = state.table.at(place) {
                // A managed block pool of which blocks are in use stays.
                let has_blocks = || entry.kind == Kind::Pool && state.table.has_blocks(entry.va);
                if entry.is_managed && entry.device == device && !entry.is_reported && !has_blocks() {
                    state.table.take(place);
                } else {
                    place += 1;
                }
            }
            state.report_held(device, |_| true);
        });
    }

    /// A name for `%s` in a line: never a null pointer.
    pub(super) fn shown(&'static self, number: usize) -> Name {
        let name = self.name(number);
        if name.as_ptr().is_null() { Name::of(crate::text::apart!("an unnamed device")) } else { name }
    }
}
