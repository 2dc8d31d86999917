//! The checks: what the debug mode does at each call of a driver.

use super::calls::{Allocated, FreedMemory, GivenMapping, MappedBuffer};
use super::entry::{Entry, Kind, overlap};
use super::mistake::Mistake;
use super::{Call, Debug};
use crate::additions::streaming::MAPPING_ERROR;
use crate::dropin::registry::Dma;
use crate::flags::Flags;
use crate::kernel::{Handle, Kernel, Va};
use crate::log::Name;

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
    pub fn freeing(&'static self, call: &Call, freed: &FreedMemory) -> bool {
        self.with(call, |state, name| state.judge_free(call, name, freed, |number| self.shown(number)))
    }

    /// Reports that the library refused the free of memory that the table does not have.
    pub fn refused(&'static self, call: &Call, freed: &FreedMemory) {
        self.with(call, |state, name| {
            state.report(call, name, Mistake::FreeUnknown, [freed.va, freed.size, 0]);
        });
    }

    /// Checks a map, and records the mapping unless it failed: then `handle` is [`MAPPING_ERROR`].
    pub fn mapped(&'static self, call: &Call, buffer: &MappedBuffer, handle: Handle) {
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
                state.judge_map(call, name, buffer, handle, pa.unwrap_or(0), line);
            }
        });
    }

    /// Notes that the driver checked whether a map failed.
    pub fn checked(&'static self, call: &Call, handle: Handle) {
        self.with(call, |state, _| {
            let is_it = |entry: &&mut Entry| entry.handle == handle && entry.device == call.device.0;
            for entry in state.table.live_mut().iter_mut().filter(is_it) {
                entry.is_checked = true;
            }
        });
    }

    /// Checks an unmap, and forgets the mapping.
    pub fn unmapping(&'static self, call: &Call, given: &GivenMapping) {
        self.with(call, |state, name| state.judge_unmap(call, name, given, |number| self.shown(number)));
    }

    /// Checks a sync of a mapping.
    pub fn syncing(&'static self, call: &Call, given: &GivenMapping) {
        if given.size != 0 {
            self.with(call, |state, name| state.judge_sync(call, name, given, |number| self.shown(number)));
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
        let memory = self.memory_at(dma, va);
        let has_nocache = flags.contains(Flags::NOCACHE);
        let line = self.kernel.cache_line_max();
        self.with(call, |state, name| {
            let Some(Memory { is_cached, is_free }) = memory else {
                state.report(call, name, Mistake::Unmapped, [va, size, 0]);
                return;
            };
            let contains = |entry: &&Entry| entry.kind.is_memory() && va.wrapping_sub(entry.va) < entry.size;
            let mistake = if is_on_stack {
                Some((Mistake::Stack, 0))
            } else if let Some(buffer) = state.table.live().iter().find(contains) {
                mistake_in_buffer(buffer, va.saturating_add(size), has_nocache, line)
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

    /// Returns how the byte at an address is mapped and used; `None` if it is not mapped.
    fn memory_at(&self, dma: &Dma<K>, va: Va) -> Option<Memory> {
        let pa = self.kernel.v2p(va)?;
        Some(match dma.pool_in(pa, pa.saturating_add(1)) {
            Some(pool) => {
                let is_cached = pool.address_info(va, pa).is_some_and(|info| info.is_cached);
                Memory { is_cached, is_free: !pool.is_in_use(pa) }
            }
            // Outside of the pools only the linear map is known to be cached.
            None => Memory { is_cached: self.kernel.linear(pa) == va, is_free: false },
        })
    }

    /// Notes that the driver released its managed resources, because it is removed, and reports what the device still holds.
    pub fn released(&'static self, call: &Call) {
        let device = call.device.0;
        self.with(call, |state, _| {
            let mut index = 0;
            while let Some(entry) = state.table.at(index) {
                // A managed block pool of which blocks are in use stays.
                let has_blocks = || entry.kind == Kind::Pool && state.table.has_blocks(entry.va);
                if entry.is_managed && entry.device == device && !entry.is_reported && !has_blocks() {
                    state.table.take(index);
                } else {
                    index += 1;
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

/// How a byte that is mapped is mapped and used.
struct Memory {
    /// It is known to be cached.
    is_cached: bool,
    /// It lies in a page of a pool that is not in use.
    is_free: bool,
}

/// Returns the mistake of a sync that begins in `buffer` and ends before `end`, and the detail of the report; `None` if there is
/// none. `line` is the size of a cache line in bytes.
fn mistake_in_buffer(buffer: &Entry, end: Va, has_nocache: bool, line: usize) -> Option<(Mistake, usize)> {
    let buffer_end = buffer.va.saturating_add(buffer.size);
    let was_nocache = Flags::from_bits_retain(buffer.flags).contains(Flags::NOCACHE);
    // A driver may round the size up to a cache line.
    if end > buffer_end.saturating_add(line.wrapping_sub(1)) & !line.wrapping_sub(1) {
        Some((Mistake::SyncEnd, buffer_end))
    } else if was_nocache && buffer.kind != Kind::Block && !has_nocache {
        Some((Mistake::SyncCached, 0))
    } else {
        None
    }
}
