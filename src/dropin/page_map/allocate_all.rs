//! Taking all pages while a pool is uninstalled.

use super::PageMap;
use super::bits::{BitRange, change};
use super::mark::{PageState, mark_start};

impl PageMap {
    /// Marks all pages as in use, but none as the first of an allocation: a second free of a buffer that had all pages
    /// finds none to free. Returns false, and changes nothing, if a page is in use already. The map must be
    /// [settled](Self::settle_step), with no run open.
    pub fn allocate_all(&mut self) -> bool {
        if self.longest_free() != self.page_count {
            return false;
        }
        // Not by `allocate_from_tree`: a second caller of it makes the longest stretches 20 instructions longer.
        self.lower_values(self.runs.lowering(0, self.page_count, 0), usize::MAX);
        self.in_use.add(self.page_count);
        change(self.used(), BitRange::new(0, self.page_count), true);
        true
    }

    /// Marks all pages, which [`allocate_all`](Self::allocate_all) took, as one allocation. The caller frees it.
    pub fn mark_as_one_allocation(&mut self) {
        mark_start(&self.bits, 0, PageState::InUse);
    }
}
