//! Checks syncs.

use super::Checker;
use crate::additions::debug::calls::SyncedData;
use crate::additions::debug::entry::{DebugEntry, Kind, direction_label};
use crate::additions::debug::finding::Finding;
use crate::additions::streaming::{Direction, MappedBuffer};
use crate::flags::Flags;
use crate::kernel::Device;

/// How the first byte of a buffer is mapped and used.
pub struct FirstByte {
    /// Its address is its physical address.
    pub is_identity: bool,
    /// It is known to be cached.
    pub is_cached: bool,
    /// It lies in a page of a pool that is not in use.
    pub is_free: bool,
}

impl Checker<'_> {
    /// Checks a sync of a mapping or of a part of it.
    pub fn sync(&mut self, given: MappedBuffer) {
        let MappedBuffer { handle, size, direction, .. } = given;
        let device = self.call.device;
        let end = handle.saturating_add(size);
        let is_long_enough = |entry: &DebugEntry| end <= entry.handle.saturating_add(entry.size);
        let best = self.state.table.best_mapping(|entry, mapping| {
            let score = (is_long_enough(entry) && mapping.direction.allows_sync(direction), is_long_enough(entry));
            (entry.has_handle(handle) && entry.device == device).then_some(score)
        });
        let Some((_, entry, mapping)) = best else { return self.sync_unknown(given) };
        if !is_long_enough(&entry) {
            self.report(Finding::SyncEnd, handle, size, entry.handle.wrapping_add(entry.size));
        }
        if !mapping.direction.allows_sync(direction) || direction == Direction::Neither {
            self.report_with_name(Finding::SyncDirection, handle, size, direction_label(mapping.direction));
        }
    }

    /// Checks a sync of a mapping that the calling device does not hold. If the table had no room for some mappings,
    /// this may be one of them, and nothing is reported.
    fn sync_unknown(&mut self, given: MappedBuffer) {
        let MappedBuffer { handle, size, .. } = given;
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

    /// Checks a sync of a buffer that needs no mapping. `first_byte` is `None` if the byte is not mapped. `line` is the
    /// size of a cache line in bytes.
    pub fn sync_data(&mut self, data: &SyncedData, first_byte: Option<FirstByte>, line: usize) {
        let SyncedData { va, size, flags } = *data;
        let Some(FirstByte { is_identity, is_cached, is_free }) = first_byte else {
            return self.report(Finding::BadAddress, va, size, 0);
        };
        let has_nocache = flags.contains(Flags::NOCACHE);
        let (table, device) = (&self.state.table, self.call.device);
        let is_mapped_memory =
            |entry: &DebugEntry| entry.kind.is_memory() && (is_identity || !entry.is_unmapped_buffer());
        let contains = |entry: &&DebugEntry| is_mapped_memory(entry) && va.wrapping_sub(entry.va) < entry.size;
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
}

/// Returns the mistake of a sync that begins in `buffer`, and the number that its text adds; `None` if there is none.
/// `line` is the size of a cache line in bytes.
fn mistake_in_buffer(buffer: &DebugEntry, data: &SyncedData, line: usize) -> Option<(Finding, usize)> {
    let end = data.va.saturating_add(data.size);
    let buffer_end = buffer.va.saturating_add(buffer.size);
    let was_nocache =
        !buffer.is_unmapped_buffer() && matches!(buffer.kind, Kind::Buffer { flags } if flags.contains(Flags::NOCACHE));
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
