//! Checks frees.

use super::Checker;
use crate::additions::debug::calls::{FreedBy, FreedMemory};
use crate::additions::debug::entry::{DebugEntry, Kind};
use crate::additions::debug::finding::Finding;
use crate::kernel::Device;

/// What is left to do after a free that was checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AfterFree {
    /// Nothing, even if the library refuses the free.
    Nothing,
    /// If the library refuses the free, [`report_refused_free`](crate::additions::debug::Watch::report_refused_free) is
    /// to be called: the table does not have the memory.
    ReportRefusal,
}

/// Whether the handle of a free is right.
#[derive(Clone, Copy)]
pub enum HandleRule {
    /// It is: `rt_dma_free` accepts it.
    Accepted,
    /// It is not: `rt_dma_free` will refuse it.
    Refused,
    /// It must be the one that the allocation returned, or 0.
    AsAllocated,
}

impl Checker<'_> {
    /// Checks a free, and takes the entry of the memory out of the table unless the library refuses the free.
    ///
    /// If the table has the memory, or remembers an earlier free of it, what is wrong is reported here. If it has
    /// neither, the free is a mistake only if the library refuses it.
    pub fn free(&mut self, freed: &FreedMemory, rule: HandleRule) -> AfterFree {
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
            // A buffer that is not mapped may have the address of a mapped one, and then has another handle.
            let score = (by.may_free(entry), entry.device == device, is_right_handle(entry), entry.handle == handle);
            is_freed_memory.then_some(score)
        });
        // Two devices may hold memory at one address (see `record_allocation`). If the table was full, the entry found
        // may be that of the other device, while this device's is missing: then nothing is known of this free.
        let found = best.filter(|(_, entry)| entry.device == device || !table.is_incomplete());
        if let Some((index, entry)) = found {
            self.report_free(freed, &entry, is_right_handle(&entry));
            if is_right_handle(&entry) && freed.fits(&entry, device) {
                self.give_back(index, &entry);
            }
            AfterFree::Nothing
        } else if let Some(first) = table.caller_that_freed(device, va) {
            self.report(Finding::FreeTwice, va, size, first);
            AfterFree::Nothing
        } else {
            self.state.table.note_unrecorded_given_back();
            AfterFree::ReportRefusal
        }
    }

    /// Reports what is wrong with the free of this memory.
    fn report_free(&mut self, freed: &FreedMemory, entry: &DebugEntry, is_right_handle: bool) {
        let FreedMemory { by, va, size, .. } = *freed;
        let is_owner = match by {
            FreedBy::BlockFree { pool } => entry.is_block_of(pool),
            // What an earlier device held is no device's, but only `rt_dma_free` frees it.
            FreedBy::ManagedFree => entry.device == self.call.device,
            FreedBy::Free { .. } => entry.device == self.call.device || entry.device == Device::NONE,
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
}
