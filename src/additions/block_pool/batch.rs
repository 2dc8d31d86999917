//! The bookkeeping of new spans, with their groups and units. It is made in batches: for one span if the span's units
//! fill whole groups, otherwise for all the spans that share one group.

use core::num::NonZeroUsize;

use super::group::{Group, NO_UNIT, Unit};
use super::shape::{Shape, previous_power_of_two};
use super::spans::Span;
use super::{BlockPool, Pages};
use crate::kernel::Kernel;
use crate::mem::atomics::Ordering::Relaxed;
use crate::mem::bump::{BumpAllocator, slice_bytes};
use crate::mem::turn::TurnGuard;
use crate::mem::wrapping_slice::WrappingSlice;

/// A new group has as many units as the pool has plus this number, rounded down to a power of two: with 0, 8 and 24
/// units in the pool it has 8, 16 and 32. No group has more than [`Shape::group_units`]. So a pool of few large blocks
/// gets little bookkeeping, and in a pool of many blocks a group seldom runs out of free ones, which costs time.
const FIRST_UNITS: usize = 8;

/// The size of the bookkeeping that is made at once: of whole groups, and of whole spans.
struct Batch<'a> {
    shape: &'a Shape,
    /// Units in the batch.
    unit_count: usize,
    /// Units in a group.
    group_units: NonZeroUsize,
}

impl<'a> Batch<'a> {
    /// Returns the next batch of a pool that has `pool_units` units.
    fn for_pool(shape: &'a Shape, pool_units: usize) -> Self {
        let group_units = shape.group_units.min(previous_power_of_two(pool_units.saturating_add(FIRST_UNITS)));
        Batch { shape, unit_count: group_units.max(shape.span_units).get(), group_units }
    }

    /// Returns the number of bytes that [`lay_out`](Self::lay_out) needs. With fewer, its slices would be shorter.
    fn bytes(&self) -> usize {
        let group_count = self.unit_count / self.group_units;
        let span_count = self.unit_count / self.shape.span_units;
        slice_bytes::<Unit>(self.unit_count) + slice_bytes::<Group>(group_count) + slice_bytes::<Span>(span_count)
    }

    /// Lays out the units, their groups and their spans, which are vacant, in `memory`, which has
    /// [`bytes`](Self::bytes).
    fn lay_out(&self, memory: &mut BumpAllocator) -> &'static [Span] {
        let units = memory.slice_of((0..self.unit_count).map(|number| self.new_unit(number)));
        let group_units = self.group_units.get();
        let groups = memory.slice_of(units.chunks(group_units).map(new_group));
        for (group, units) in groups.iter().zip(units.chunks(group_units)) {
            for unit in units {
                unit.group.set(group);
            }
        }
        memory.slice_of(units.chunks(self.shape.span_units.get()).map(Span::new))
    }

    /// Makes the unit with this number in the batch.
    fn new_unit(&self, number: usize) -> Unit {
        let first_slot = (number % self.group_units) << self.shape.slot_shift;
        // `unit_blocks` takes a unit's number in its span. The result is the same for its number in the batch, because
        // it depends on the number in the piece only, and a span has whole pieces.
        Unit::new(first_slot, self.shape.unit_blocks(number))
    }
}

/// Makes the group of these units, whose number is a power of two. ([`NO_UNIT`] would stand for any other number.)
fn new_group(units: &'static [Unit]) -> Group {
    Group::new(WrappingSlice::new(units, &NO_UNIT))
}

impl<K: Kernel, P: Pages> BlockPool<K, P> {
    /// Makes buckets in the table for the units of one more span, and returns the first vacant span. `None` if it
    /// needs memory of the heap, and the heap has no room or the caller may not sleep.
    pub(super) fn ensure_vacant_span(&self, turn: &TurnGuard<'_, K>) -> Option<&'static Span> {
        self.ensure_table_length(turn)?;
        self.spans.first_vacant.get().or_else(|| self.make_spans(turn))
    }

    /// Makes vacant spans, and returns the first. `None` if the heap has no room, or the caller may not sleep.
    fn make_spans(&self, _turn: &TurnGuard<'_, K>) -> Option<&'static Span> {
        if !self.kernel.can_sleep() {
            return None;
        }
        // No span is vacant now: these are all units.
        let batch = Batch::for_pool(self.shape(), self.spans.unit_count.load(Relaxed));
        let spans = *self.arena.alloc(batch.bytes(), |memory| batch.lay_out(memory))?;
        for span in spans.iter().rev() {
            self.spans.add(span);
        }
        spans.first()
    }
}
