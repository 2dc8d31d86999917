//! The bookkeeping of spans, with their groups and units.
//!
//! It is made for one span at a time if the span has several groups, or else for the spans of one group. A span is
//! *vacant* until it gets memory, and again when its memory is freed: a caller that holds no lock may still look at its
//! bookkeeping, which therefore stays, serves the memory that is added next, and is freed with the pool.

use crate::mem::atomics::{AtomicUsize, Ordering::Relaxed};

use super::group::{Group, Unit};
use super::shape::{Shape, previous_power_of_two};
use super::span_memory::{KeptMemory, SpanMemory};
use super::{Block, BlockPool, Pages};
use crate::kernel::Kernel;
use crate::mem::bump::{BumpAllocator, slice_bytes};
use crate::mem::shared::{AtomicRef, WrappingSlice};
use crate::mem::turn::Turn;

/// The number of units of the first group, if as many fit. A later group has this many more than the pool has units,
/// rounded down to a power of two, if as many fit: a pool of few large blocks gets little bookkeeping, and in a pool of
/// many blocks a group seldom runs out of free ones, which costs time.
const FIRST_UNITS: usize = 8;

/// The bookkeeping of a pool's spans. It is changed with the turn held.
pub struct Spans {
    pub turn: Turn,
    /// The number of calls that are getting memory, or adding it.
    pub growing: AtomicUsize,
    /// All spans, with memory and vacant, the newest first.
    newest: AtomicRef<Span>,
    /// The first vacant span.
    pub vacant: AtomicRef<Span>,
    /// The number of units that have memory.
    pub unit_count: AtomicUsize,
}

/// The bookkeeping of a span.
pub struct Span {
    pub units: &'static [Unit],
    memory: KeptMemory,
    /// The span that was made before.
    older: AtomicRef<Span>,
    /// The next vacant span.
    next_vacant: AtomicRef<Span>,
}

impl Spans {
    /// Makes the bookkeeping of a pool without memory.
    pub const fn new() -> Self {
        Spans {
            turn: Turn::new(),
            growing: AtomicUsize::new(0),
            newest: AtomicRef::new(),
            vacant: AtomicRef::new(),
            unit_count: AtomicUsize::new(0),
        }
    }

    /// Returns all spans, with memory and vacant.
    pub fn all(&self) -> impl Iterator<Item = &'static Span> {
        core::iter::successors(self.newest.get(), |span| span.older.get())
    }

    /// Returns the units that have memory.
    pub fn units(&self) -> impl Iterator<Item = &'static Unit> {
        self.all().flat_map(|span| span.units).filter(|unit| unit.has_memory())
    }
}

impl Span {
    /// Makes vacant spans with `units` units in all, in groups of `group_units`, in the memory of `tail`.
    fn make(shape: &Shape, units: usize, group_units: usize, tail: &mut BumpAllocator) -> &'static [Span] {
        let slot_of = |number: usize| number.checked_rem(group_units).unwrap_or(0) << shape.slot_shift;
        let units = tail.slice_with(units, |number| Some(Unit::new(slot_of(number), shape.unit_blocks(number))));
        let mut chunks = units.chunks(group_units.max(1));
        let groups = tail.slice_with(chunks.len(), |_| Some(Group::new(WrappingSlice::new(chunks.next()?)?)));
        for (group, units) in groups.iter().zip(units.chunks(group_units.max(1))) {
            units.iter().for_each(|unit| unit.group.set(group));
        }
        let mut chunks = units.chunks(shape.span_units.max(1));
        tail.slice_with(chunks.len(), |_| Some(Span::new(chunks.next()?)))
    }

    fn new(units: &'static [Unit]) -> Self {
        Span { units, memory: KeptMemory::new(), older: AtomicRef::new(), next_vacant: AtomicRef::new() }
    }

    /// Returns whether the span has memory.
    pub fn has_memory(&self) -> bool {
        self.pages() != 0
    }

    /// Returns the number of pages of its memory; zero while it is vacant.
    pub fn pages(&self) -> usize {
        self.memory.pages()
    }
}

impl<K: Kernel, P: Pages> BlockPool<K, P> {
    /// Makes places in the table for the units of one more span, and returns a vacant span. `None` if the heap has no
    /// room. The caller holds the turn.
    pub(super) fn vacant_span(&self) -> Option<&'static Span> {
        self.make_places()?;
        self.spans.vacant.get().or_else(|| self.make_spans())
    }

    /// Makes vacant spans, and returns the first. `None` if the heap has no room, or the caller may not sleep. The
    /// caller holds the turn.
    fn make_spans(&self) -> Option<&'static Span> {
        if !self.kernel.can_sleep() {
            return None;
        }
        let shape = &self.groups.shape;
        // No span is vacant now: these are all units.
        let unit_count = self.spans.unit_count.load(Relaxed);
        let group_units = shape.group_units.min(previous_power_of_two(unit_count.saturating_add(FIRST_UNITS)));
        let units = group_units.max(shape.span_units);
        let (groups, spans) = (units.checked_div(group_units)?, units.checked_div(shape.span_units)?);
        let tail = slice_bytes::<Group>(groups) + slice_bytes::<Unit>(units) + slice_bytes::<Span>(spans);
        let spans = *self.arena.place(tail, |tail| Span::make(shape, units, group_units, tail))?;
        for span in spans.iter().rev() {
            span.older.set(self.spans.newest.get());
            self.spans.newest.set(Some(span));
            self.add_vacant(span);
        }
        spans.first()
    }

    /// Puts a span at the beginning of the list of vacant spans.
    fn add_vacant(&self, span: &'static Span) {
        span.next_vacant.set(self.spans.vacant.get());
        self.spans.vacant.set(Some(span));
    }

    /// Returns a vacant span whose units have the addresses of `memory` and places in the table. `None` if the heap has
    /// no room. The caller holds the turn.
    pub(super) fn span_for(&self, memory: &SpanMemory<'_, K, P>) -> Option<&'static Span> {
        let span = self.vacant_span()?;
        let (shape, lead) = (&self.groups.shape, memory.lead());
        for (number, unit) in span.units.iter().enumerate() {
            let Block { va, handle } = memory.at(lead.wrapping_add(shape.unit_offset(number)));
            unit.set_addresses(shape, va, handle);
        }
        if !self.insert_units(span.units) {
            self.remove_units(span.units);
            return None;
        }
        Some(span)
    }

    /// Gives memory to a span that is ready [for it](Self::span_for), and returns its first block. Its blocks are free
    /// but the first `taken`, 0 or 1, which is the caller's. The caller holds the turn.
    pub(super) fn give_memory(&self, span: &'static Span, memory: SpanMemory<'_, K, P>, taken: usize) -> Option<Block> {
        span.memory.put(memory);
        self.spans.vacant.set(span.next_vacant.get());
        self.spans.unit_count.fetch_add(span.units.len(), Relaxed);
        // `None` does not occur: a span has units.
        let (first, others) = span.units.split_first()?;
        // The last unit comes first, so that blocks are taken from the lowest address on.
        others.iter().rev().for_each(|unit| self.publish(unit, unit.bits()));
        self.publish(first, first.bits() & !first.first_bits(taken));
        Some(first.block(&self.groups.shape, first.first_slot as usize))
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
    /// can be allocated. The caller holds the turn.
    pub(super) fn take_memory(&self, span: &'static Span) -> Option<SpanMemory<'_, K, P>> {
        let memory = span.memory.take(self)?;
        self.spans.unit_count.fetch_sub(span.units.len(), Relaxed);
        self.add_vacant(span);
        Some(memory)
    }
}
