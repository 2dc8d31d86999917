//! Freeing the memory of spans whose blocks are all free.

use super::group::Unit;
use super::span_memory::SpanMemory;
use super::spans::Span;
use super::{BlockPool, Pages};
use crate::kernel::Kernel;
use crate::mem::atomics::Ordering::{Acquire, Release};

impl<K: Kernel, P: Pages> BlockPool<K, P> {
    /// Frees the spans without a block in use, and returns the number of their pages. Where the caller may not sleep,
    /// the call is refused, and returns 0.
    ///
    /// Context: thread.
    pub fn trim(&self) -> usize {
        if self.may_sleep_or_count() { self.trim_where(|_| true) } else { 0 }
    }

    /// Frees the spans that have no block in use, and at least one block that the device does not reach.
    ///
    /// Context: thread.
    pub(super) fn trim_unreachable(&self) {
        // Acquire: the `last_reachable` that is read below is at least as new as the one with which the flag was set.
        if !self.has_unreachable.swap(false, Acquire) {
            return;
        }
        self.trim_where(|span| !span.units.iter().all(|unit| self.reaches_all(unit)));
        // A span with a block in use stays. A later call looks at it again.
        if self.spans.units().any(|unit| !self.reaches_all(unit)) {
            self.note_unreachable();
        }
    }

    /// Notes that the device may not reach some blocks.
    pub(super) fn note_unreachable(&self) {
        // Release: the call that reads the flag also reads the `last_reachable` that the caller has read. A swap, so
        // that it also reads those with which other calls have set the flag: a store would hide them. No test covers
        // this order.
        self.has_unreachable.swap(true, Release);
    }

    /// Frees the spans without a block in use for which `should_free` returns true. `should_free` is called without the
    /// turn, and, if it returned true, again with the turn held. Returns the number of pages of the spans that were
    /// freed.
    pub(super) fn trim_where(&self, should_free: impl Fn(&Span) -> bool) -> usize {
        let mut pages = 0;
        for memory in self.spans.all().filter_map(|span| self.remove_span(span, &should_free)) {
            pages += memory.pages();
            // This frees the memory. No turn is held here.
            drop(memory);
        }
        pages
    }

    /// Removes the units of a span, if it should be freed and none of its blocks is in use, and returns its memory.
    fn remove_span(&self, span: &'static Span, should_free: impl Fn(&Span) -> bool) -> Option<SpanMemory<'_, K, P>> {
        let may_remove = || span.has_memory() && should_free(span);
        // Checked first without the turn, so that a span that stays costs no wait for it; checked again with the turn.
        if !may_remove() {
            return None;
        }
        let turn = self.spans.turn.take(self.kernel)?;
        if !may_remove() || !self.remove_blocks(span.units) {
            return None;
        }
        self.remove_units(span.units, &turn);
        self.take_memory(span, &turn)
    }

    /// Removes all blocks of `units` and returns true; if one of them is in use, changes nothing and returns false.
    fn remove_blocks(&self, units: &'static [Unit]) -> bool {
        // Checked before any block is removed: an interrupt cannot allocate a removed block, even if it is put back at
        // once.
        if !units.iter().all(Unit::is_free) {
            return false;
        }
        for (removed, unit) in units.iter().enumerate() {
            let is_removed = self.groups.update(self.kernel, unit.group.get(), || unit.remove_blocks());
            if !is_removed {
                units.iter().take(removed).for_each(|unit| self.publish(unit, unit.bits()));
                return false;
            }
        }
        true
    }
}
