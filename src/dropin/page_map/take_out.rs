//! Taking all pages while a pool is uninstalled.

use super::{PageMap, PageState, TimeLeft, mark_start};

impl PageMap {
    /// Marks all pages as in use, but none as the first of an allocation: a second free of a buffer that had all pages
    /// finds none to free. Returns false if a page is in use already. The map must be [settled](Self::settle).
    pub fn take_out(&mut self) -> bool {
        let is_taken = self.allocate_from_tree(self.pages).is_some();
        if is_taken {
            // A free of the last allocation from the open run does not look at the bitmap of first pages. So the open
            // run is closed, without releasing the lock.
            while self.settle() != TimeLeft::All {}
            mark_start(&self.bits, 0, PageState::Free);
        }
        is_taken
    }

    /// Makes one allocation of all pages, which [`take_out`](Self::take_out) marked. The caller frees it.
    pub fn put_back(&mut self) {
        mark_start(&self.bits, 0, PageState::InUse);
    }
}
