//! Memory that is ready for interrupts.
//!
//! An interrupt cannot use the heap, so it cannot make bookkeeping. A pool that keeps a reserve has threads make it in
//! advance: whenever a thread leaves the fast path, it makes sure that a few blocks are free, and that there is
//! bookkeeping for another span at least. With that bookkeeping an interrupt can add a span itself.
//!
//! A *fill* ([`BlockPool::fill`]) makes a given number of blocks ready. Each fill has a number, which the spans that it
//! adds get. If it fails, it frees those of them that are free and still have its number. If it succeeds, all spans
//! lose their numbers. So a fill that fails never frees a block that a fill which succeeded has counted.

use super::spans::{FillNumber, FirstBlock};
use super::{BlockPool, Effort, Pages};
use crate::kernel::Kernel;
use crate::mem::atomics::Ordering::Relaxed;

/// The number of blocks that threads leave free. Any small number serves: when these are taken, an interrupt can add a
/// span itself, if there are free pages and no other call adds one. That takes longer.
const RESERVE_BLOCKS: usize = 4;

impl<K: Kernel, P: Pages> BlockPool<K, P> {
    /// Has threads keep memory ready for interrupts from now on, and makes it ready as far as there is memory.
    ///
    /// Context: thread.
    pub fn start_reserve(&self) {
        self.keeps_reserve.store(true, Relaxed);
        self.make_ready(RESERVE_BLOCKS, Effort::AsksBorrowers, None);
    }

    /// Makes the reserve complete again, if the pool keeps one and the caller may sleep. The caller has what it needs,
    /// so only memory that is free is used, and no failure is counted or logged.
    ///
    /// Context: any.
    pub(super) fn keep_reserve(&self) {
        if self.keeps_reserve.load(Relaxed) {
            self.make_ready(RESERVE_BLOCKS, Effort::FailsUncounted, None);
        }
    }

    /// Makes sure that `count` blocks are free, and, as far as the heap has room, that there is bookkeeping for another
    /// span. If the memory does not suffice for the blocks, frees the spans that the call added, and returns false.
    /// Spans of which a block is in use meanwhile stay, and spans whose blocks another fill has counted. Where the
    /// caller may not sleep, the call is counted as refused, returns false, and changes nothing else.
    ///
    /// Context: thread.
    pub fn fill(&self, count: usize) -> bool {
        if !self.may_sleep_or_count() {
            return false;
        }
        let fill = self.spans.next_fill();
        let is_filled = self.make_ready(count, Effort::AsksBorrowers, Some(fill));
        if !is_filled {
            self.trim_where(|span| span.is_of_fill(fill));
        }
        is_filled
    }

    /// Makes sure that `count` blocks are free, and, as far as the heap has room, that there is bookkeeping for another
    /// span. Returns false if the memory does not suffice for the blocks, or the caller may not sleep. The spans that
    /// it adds get the number of `fill`.
    ///
    /// Context: any.
    fn make_ready(&self, count: usize, effort: Effort, fill: Option<FillNumber>) -> bool {
        if !self.kernel.can_sleep() {
            return false;
        }
        let is_ready = self.add_spans(count, effort, fill);
        // Also without memory: an interrupt may come when other code has freed some.
        self.prepare_bookkeeping();
        is_ready
    }

    /// Adds spans until `count` blocks are free. Returns false if the memory does not suffice. Before it adds any, it
    /// frees spans that the device does not reach.
    ///
    /// Context: thread.
    fn add_spans(&self, count: usize, mut effort: Effort, fill: Option<FillNumber>) -> bool {
        let failed_waits = self.pages.failed_waits();
        let span_blocks = self.shape().span_blocks().max(1);
        while !self.end_if_free(count, fill) {
            self.follow_copied_mask();
            self.trim_unreachable();
            // Half of the missing blocks are added, and the rest is counted anew: other callers may add or take blocks.
            for _ in 0..self.missing(count).div_ceil(2).div_ceil(span_blocks) {
                // Borrowers that kept their memory are not asked again: each span would wait for them.
                if effort == Effort::AsksBorrowers && self.pages.failed_waits() != failed_waits {
                    effort = Effort::FailsCounted;
                }
                if self.add_span(FirstBlock::Free(fill), effort).is_none() {
                    // Other callers may have added the last memory.
                    return self.end_if_free(count, fill);
                }
            }
        }
        true
    }

    /// Returns whether `count` blocks are free. If they are, a fill ends: they stay when another fill fails.
    ///
    /// Context: thread.
    fn end_if_free(&self, count: usize, fill: Option<FillNumber>) -> bool {
        if fill.is_none() {
            return self.missing(count) == 0;
        }
        // With the turn held, no span is removed between the count and the change of the numbers.
        let Some(turn) = self.spans.turn.take(self.kernel) else { return false };
        let are_free = self.missing(count) == 0;
        if are_free {
            self.spans.all().for_each(|span| span.set_fill(None, &turn));
        }
        are_free
    }

    /// Returns how many blocks are missing until `count` are free.
    fn missing(&self, count: usize) -> usize {
        self.groups.missing(self.kernel, count)
    }

    /// Makes sure that a span can be added without the heap, if the heap has room now.
    ///
    /// Context: thread.
    fn prepare_bookkeeping(&self) {
        // If nothing has to be done, the call takes no turn, for which it might wait.
        if self.spans.first_vacant.get().is_none() || !self.is_table_long_enough() {
            let Some(turn) = self.spans.turn.take(self.kernel) else { return };
            let _ = self.ensure_vacant_span(&turn);
        }
    }

    /// Returns whether an interrupt may add a span.
    pub(super) fn may_grow_in_interrupt(&self) -> bool {
        self.keeps_reserve.load(Relaxed) && self.spans.first_vacant.get().is_some()
    }
}
