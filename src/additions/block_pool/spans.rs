//! The bookkeeping of spans, with their groups and units.
//!
//! It is allocated in batches: for one span if the span's units fill whole groups, otherwise for all the spans that
//! share one group. A span is *vacant* until it gets memory, and again when its memory is freed:
//!
//! ```text
//! make_spans -> vacant -> prepare_span      its units get addresses, and buckets in the table
//!                 ^            v
//!                 |       give_memory       it is no longer vacant, and its blocks are published
//!                 |            v
//!            take_memory <- has memory      a trim has removed its blocks, and its units from the table
//! ```
//!
//! The bookkeeping of a vacant span stays: a caller that holds no lock may still look at it. It serves the memory that
//! is added next. It is freed with the pool.

use core::num::NonZeroUsize;

use super::group::{Group, Unit};
use super::shape::{Shape, previous_power_of_two};
use super::span_memory::{KeptMemory, SpanMemory};
use super::{Block, BlockPool, Pages};
use crate::kernel::Kernel;
use crate::mem::atomic_ref::AtomicRef;
use crate::mem::atomics::{AtomicUsize, Ordering::Relaxed};
use crate::mem::bump::{BumpAllocator, slice_bytes};
use crate::mem::turn::{Turn, TurnGuard};
use crate::mem::wrapping_slice::WrappingSlice;

/// A new group has as many units as the pool has plus this number, rounded down to a power of two: with 0, 8 and 24
/// units in the pool it has 8, 16 and 32. No group has more than [`Shape::group_units`]. So a pool of few large blocks
/// gets little bookkeeping, and in a pool of many blocks a group seldom runs out of free ones, which costs time.
const FIRST_UNITS: usize = 8;

/// The bookkeeping of a pool's spans. It is changed with the turn held, except for `growing_calls` and `last_fill`.
/// These fields are also read without the turn:
///
/// | field | by | an old value does no harm, because |
/// | --- | --- | --- |
/// | `newest` | trims, changes of a mask | each reference publishes the span to which it leads |
/// | `first_vacant` | a call that keeps the reserve, an interrupt | they take the turn, and read again |
/// | `unit_count` | a call that keeps the reserve | it takes the turn, and reads again |
///
/// The turn orders all accesses with it held. So `Relaxed` suffices for the numbers, except for `growing_calls`, whose
/// last decrement publishes a new span to a thread that waits for it.
pub struct Spans {
    /// The turn of calls that make bookkeeping, give memory to a span, or take it away. An interrupt tries once for it,
    /// and does not wait.
    pub turn: Turn,
    /// The number of calls that are getting memory, or adding it.
    pub growing_calls: AtomicUsize,
    /// All spans, with memory and vacant, the newest first.
    newest: AtomicRef<Span>,
    /// The first vacant span.
    pub first_vacant: AtomicRef<Span>,
    /// The number of units that have memory.
    pub unit_count: AtomicUsize,
    /// The number of the last fill that began.
    last_fill: AtomicUsize,
}

/// The bookkeeping of a span.
pub struct Span {
    pub units: &'static [Unit],
    memory: KeptMemory,
    /// The number of the fill that added the memory, if no fill has succeeded since; otherwise 0. Written with the turn
    /// held. A fill that fails frees the spans with its number. It reads the number without the turn, and again with
    /// it.
    fill_number: AtomicUsize,
    /// The span that was made before.
    older: AtomicRef<Span>,
    /// The next vacant span.
    next_vacant: AtomicRef<Span>,
}

/// The number of a call that [fills](BlockPool::fill) a pool.
pub type FillNumber = NonZeroUsize;

/// What becomes of the first block of a span that gets memory.
#[derive(Clone, Copy)]
pub enum FirstBlock {
    /// It is the caller's.
    Taken,
    /// It is free, as the others are. The number is that of the fill that adds the span, if one does.
    Free(Option<FillNumber>),
}

impl Spans {
    /// Makes the bookkeeping of a pool without memory.
    pub const fn new() -> Self {
        Spans {
            turn: Turn::new(),
            growing_calls: AtomicUsize::new(0),
            newest: AtomicRef::new(),
            first_vacant: AtomicRef::new(),
            unit_count: AtomicUsize::new(0),
            last_fill: AtomicUsize::new(0),
        }
    }

    /// Returns all spans, with memory and vacant.
    pub fn all(&self) -> impl Iterator<Item = &'static Span> {
        core::iter::successors(self.newest.get(), |span| span.older.get())
    }

    /// Returns the number of a new fill.
    pub fn next_fill(&self) -> FillNumber {
        let number = self.last_fill.fetch_add(1, Relaxed).wrapping_add(1);
        // After the highest number, 1 comes twice.
        FillNumber::new(number).unwrap_or(FillNumber::MIN)
    }

    /// Returns the units that have memory.
    pub fn units(&self) -> impl Iterator<Item = &'static Unit> {
        self.all().flat_map(|span| span.units).filter(|unit| unit.has_memory())
    }
}

impl Span {
    fn new(units: &'static [Unit]) -> Self {
        Span {
            units,
            memory: KeptMemory::new(),
            fill_number: AtomicUsize::new(0),
            older: AtomicRef::new(),
            next_vacant: AtomicRef::new(),
        }
    }

    /// Returns whether the span has memory.
    pub fn has_memory(&self) -> bool {
        self.pages() != 0
    }

    /// Returns whether the fill with this number added the memory, and no fill has counted its blocks.
    pub fn is_of_fill(&self, fill: FillNumber) -> bool {
        self.fill_number.load(Relaxed) == fill.get()
    }

    /// Sets the number of the fill that added the memory.
    pub fn set_fill<K: Kernel>(&self, fill: Option<FillNumber>, _turn: &TurnGuard<'_, K>) {
        self.fill_number.store(fill.map_or(0, FillNumber::get), Relaxed);
    }

    /// Returns the number of pages of its memory; zero while it is vacant.
    pub fn pages(&self) -> usize {
        self.memory.pages()
    }
}

/// How many units are made at once. They are all the units of one or several groups, and of one or several spans.
struct Batch {
    unit_count: usize,
    /// Units in a group.
    group_units: NonZeroUsize,
}

impl Batch {
    /// Returns the next batch of a pool that has `pool_units` units.
    fn for_pool(shape: &Shape, pool_units: usize) -> Self {
        let group_units = shape.group_units.min(previous_power_of_two(pool_units.saturating_add(FIRST_UNITS)));
        Batch { unit_count: group_units.max(shape.span_units).get(), group_units }
    }

    /// Returns the number of bytes that [`lay_out`](Self::lay_out) needs. With fewer, its slices would be shorter.
    fn bytes(&self, shape: &Shape) -> usize {
        let (group_count, span_count) = (self.unit_count / self.group_units, self.unit_count / shape.span_units);
        slice_bytes::<Unit>(self.unit_count) + slice_bytes::<Group>(group_count) + slice_bytes::<Span>(span_count)
    }

    /// Lays out the units, their groups and their spans, which are vacant, in `memory`, which has
    /// [`bytes`](Self::bytes).
    fn lay_out(&self, shape: &Shape, memory: &mut BumpAllocator) -> &'static [Span] {
        let slot_of = |number: usize| (number % self.group_units) << shape.slot_shift;
        // `unit_blocks` takes a unit's number in its span, and `number` counts the units of the batch. The result is
        // the same, because it depends on the number in the piece only, and a span has whole pieces.
        let new_unit = |number: usize| Some(Unit::new(slot_of(number), shape.unit_blocks(number)));
        let units = memory.slice_with(self.unit_count, new_unit);
        let chunks = units.chunks(self.group_units.get());
        let groups = memory.slice_from(chunks.clone().map(|units| WrappingSlice::new(units).map(Group::new)));
        for (group, units) in groups.iter().zip(chunks) {
            units.iter().for_each(|unit| unit.group.set(group));
        }
        memory.slice_from(units.chunks(shape.span_units.get()).map(|units| Some(Span::new(units))))
    }
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
        let shape = self.shape();
        // No span is vacant now: these are all units.
        let batch = Batch::for_pool(shape, self.spans.unit_count.load(Relaxed));
        let spans = *self.arena.alloc(batch.bytes(shape), |memory| batch.lay_out(shape, memory))?;
        for span in spans.iter().rev() {
            span.older.set(self.spans.newest.get());
            self.spans.newest.set(Some(span));
            self.add_vacant(span);
        }
        spans.first()
    }

    /// Puts a span at the beginning of the list of vacant spans.
    fn add_vacant(&self, span: &'static Span) {
        span.next_vacant.set(self.spans.first_vacant.get());
        self.spans.first_vacant.set(Some(span));
    }

    /// Returns the first vacant span, after its units got the addresses of `memory` and buckets in the table. `None`
    /// where [`ensure_vacant_span`](Self::ensure_vacant_span) returns that.
    pub(super) fn prepare_span(&self, memory: &SpanMemory<'_, K, P>, turn: &TurnGuard<'_, K>) -> Option<&'static Span> {
        let span = self.ensure_vacant_span(turn)?;
        let (shape, first_block_offset) = (self.shape(), memory.first_block_offset());
        for (number, unit) in span.units.iter().enumerate() {
            let (va, handle) = memory.addresses_at(first_block_offset.wrapping_add(shape.unit_offset(number)));
            unit.set_addresses(shape, va, handle);
        }
        self.insert_units(span.units, turn).then_some(span)
    }

    /// Gives memory to a span that is ready [for it](Self::prepare_span), and returns its first block.
    pub(super) fn give_memory(
        &self,
        span: &'static Span,
        memory: SpanMemory<'_, K, P>,
        first: FirstBlock,
        turn: &TurnGuard<'_, K>,
    ) -> Option<Block> {
        // `None` does not occur: a span has units.
        let (first_unit, others) = span.units.split_first()?;
        span.memory.put(memory, turn);
        // It is the first of the list: `prepare_span` has returned it, with this turn held.
        self.spans.first_vacant.set(span.next_vacant.get());
        self.spans.unit_count.fetch_add(span.units.len(), Relaxed);
        let all = first_unit.bits();
        let (free, fill) = match first {
            FirstBlock::Taken => (all & !first_unit.bits_of_first(1), None),
            FirstBlock::Free(fill) => (all, fill),
        };
        span.set_fill(fill, turn);
        // The last unit comes first, so that blocks are allocated from the lowest address on.
        others.iter().rev().for_each(|unit| self.publish(unit, unit.bits()));
        self.publish(first_unit, free);
        Some(first_unit.block(self.shape(), first_unit.first_slot as usize))
    }

    /// Adds the blocks of a unit that has none. Those of `free`, which are bits of the group's word, can be allocated;
    /// the others are the caller's.
    pub(super) fn publish(&self, unit: &'static Unit, free: usize) {
        self.groups.update(self.kernel, unit.group.get(), || {
            self.set_reach(unit);
            unit.add_blocks(free);
        });
    }

    /// Takes the memory from a span, which is vacant then; `None` if it was vacant already. No block of it is in use or
    /// can be allocated.
    pub(super) fn take_memory(&self, span: &'static Span, turn: &TurnGuard<'_, K>) -> Option<SpanMemory<'_, K, P>> {
        let memory = span.memory.take(self, turn)?;
        self.spans.unit_count.fetch_sub(span.units.len(), Relaxed);
        self.add_vacant(span);
        Some(memory)
    }
}
