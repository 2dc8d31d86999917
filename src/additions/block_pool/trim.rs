//! Freeing spans, in threads. One thread at a time changes the bookkeeping of a pool.

use crate::mem::atomics::Ordering::Relaxed;

use super::bookkeeping::{Span, SpanMemory};
use super::group::Unit;
use super::shape::Shape;
use super::{BlockPool, Pages};
use crate::kernel::Kernel;

impl<K: Kernel, P: Pages> BlockPool<K, P> {
    /// Frees the spans without a block in use, and returns the number of their pages; 0 where the caller may not sleep.
    ///
    /// Context: thread.
    pub fn trim(&self) -> usize {
        self.trim_where(|_| true)
    }

    /// Frees the spans without a block in use of which the device does not reach every block.
    ///
    /// Context: thread.
    pub(super) fn trim_unreachable(&self) {
        if self.has_unreachable.swap(false, Relaxed) {
            self.trim_where(|unit| !self.reaches_all(unit));
            if self.spans.units().any(|unit| !self.reaches_all(unit)) {
                self.has_unreachable.store(true, Relaxed);
            }
        }
    }

    /// Frees the spans without a block in use that have a unit which is wanted. Returns the number of their pages.
    fn trim_where(&self, is_wanted: impl Fn(&Unit) -> bool) -> usize {
        let mut pages = 0;
        for span in self.spans.all() {
            if span.units.iter().any(&is_wanted)
                && let Some(memory) = self.remove_span(span)
            {
                pages += Shape::pages(memory.size);
                self.free_span(memory);
            }
        }
        pages
    }

    /// Removes the units of a span, if none of its blocks is in use, and returns its memory.
    fn remove_span(&self, span: &'static Span) -> Option<SpanMemory> {
        // A span without memory needs no turn.
        if !span.has_memory() {
            return None;
        }
        let _turn = self.spans.turn.take(self.kernel)?;
        if !span.has_memory() || !self.claim_all(span.units) {
            return None;
        }
        self.remove_all(span.units);
        Some(self.empty_span(span))
    }

    /// Removes all blocks of `units` and returns true; if one of them is in use, changes nothing and returns false.
    fn claim_all(&self, units: &'static [Unit]) -> bool {
        // A look comes first, because an interrupt does not find blocks that are claimed, until they are put back.
        if !units.iter().all(Unit::is_free) {
            return false;
        }
        let claim = |unit: &Unit| self.groups.update(self.kernel, unit.group.get(), || unit.remove());
        let claimed = units.iter().take_while(|unit| claim(unit)).count();
        if claimed != units.len() {
            units.iter().take(claimed).for_each(|unit| self.publish(unit, 0));
        }
        claimed == units.len()
    }
}
