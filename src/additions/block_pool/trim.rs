//! Freeing the memory of spans whose blocks are all free.

use super::group::Unit;
use super::span_memory::SpanMemory;
use super::spans::Span;
use super::{BlockPool, Pages};
use crate::kernel::Kernel;
use crate::mem::atomics::Ordering::Relaxed;

impl<K: Kernel, P: Pages> BlockPool<K, P> {
    /// Frees the spans without a block in use, and returns the number of their pages. Where the caller may not sleep,
    /// the call is refused, and returns 0.
    ///
    /// Context: thread.
    pub fn trim(&self) -> usize {
        if self.may_sleep_or_count() { self.trim_where(|_| true) } else { 0 }
    }

    /// Frees the spans without a block in use of which the device does not reach every block.
    ///
    /// Context: thread.
    pub(super) fn trim_unreachable(&self) {
        if self.has_unreachable.swap(false, Relaxed) {
            self.trim_where(|span| !span.units.iter().all(|unit| self.reaches_all(unit)));
            if self.spans.units().any(|unit| !self.reaches_all(unit)) {
                self.has_unreachable.store(true, Relaxed);
            }
        }
    }

    /// Frees the spans without a block in use for which `is_wanted` returns true, also when it is asked again with the
    /// turn held. Returns the number of their pages.
    pub(super) fn trim_where(&self, is_wanted: impl Fn(&Span) -> bool) -> usize {
        let removed = self.spans.all().filter_map(|span| self.remove_span(span, &is_wanted));
        removed.map(|memory| memory.pages()).sum()
    }

    /// Removes the units of a span, if it is wanted and none of its blocks is in use, and returns its memory.
    fn remove_span(&self, span: &'static Span, is_wanted: impl Fn(&Span) -> bool) -> Option<SpanMemory<'_, K, P>> {
        let may_remove = || span.has_memory() && is_wanted(span);
        // Other spans need no turn.
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
        // A look comes first, because a call in an interrupt does not find blocks that are removed, until they are put
        // back.
        if !units.iter().all(Unit::is_free) {
            return false;
        }
        let remove = |unit: &Unit| self.groups.update(self.kernel, unit.group.get(), || unit.remove_blocks());
        let removed = units.iter().take_while(|unit| remove(unit)).count();
        if removed != units.len() {
            units.iter().take(removed).for_each(|unit| self.publish(unit, unit.bits()));
        }
        removed == units.len()
    }
}
