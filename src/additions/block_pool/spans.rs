//! The bookkeeping of spans. A span is *vacant* until it gets memory, and again when its memory is freed:
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

use super::group::Unit;
use super::span_memory::{KeptMemory, SpanMemory};
use super::{BlockPool, Pages};
use crate::kernel::Kernel;
use crate::mem::atomic_ref::AtomicRef;
use crate::mem::atomics::{AtomicUsize, Ordering::Relaxed};
use crate::mem::turn::{Turn, TurnGuard};

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

    /// Puts a new span, which is vacant, into both lists. The caller holds the turn.
    pub fn add(&self, span: &'static Span) {
        span.older.set(self.newest.get());
        self.newest.set(Some(span));
        self.add_vacant(span);
    }

    /// Puts a span at the beginning of the list of vacant spans.
    fn add_vacant(&self, span: &'static Span) {
        span.next_vacant.set(self.first_vacant.get());
        self.first_vacant.set(Some(span));
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
    /// Makes the bookkeeping of a vacant span.
    pub fn new(units: &'static [Unit]) -> Self {
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

impl<K: Kernel, P: Pages> BlockPool<K, P> {
    /// Returns the first vacant span, after its units got the addresses of `memory` and buckets in the table. `None`
    /// if it needs memory of the heap, and the heap has no room or the caller may not sleep.
    pub(super) fn prepare_span(&self, memory: &SpanMemory<'_, K, P>, turn: &TurnGuard<'_, K>) -> Option<&'static Span> {
        let span = self.ensure_vacant_span(turn)?;
        for (number, unit) in span.units.iter().enumerate() {
            unit.set_addresses(self.shape(), memory.first_block_of(number));
        }
        self.insert_units(span.units, turn).then_some(span)
    }

    /// Gives memory to a span that is ready [for it](Self::prepare_span), and publishes its blocks.
    pub(super) fn give_memory(
        &self,
        span: &'static Span,
        memory: SpanMemory<'_, K, P>,
        first: FirstBlock,
        turn: &TurnGuard<'_, K>,
    ) {
        span.memory.put(memory, turn);
        // It is the first of the list: `prepare_span` has returned it, with this turn held.
        self.spans.first_vacant.set(span.next_vacant.get());
        self.spans.unit_count.fetch_add(span.units.len(), Relaxed);
        let (taken_blocks, fill) = match first {
            FirstBlock::Taken => (1, None),
            FirstBlock::Free(fill) => (0, fill),
        };
        span.set_fill(fill, turn);
        // The last unit comes first, so that blocks are allocated from the lowest address on.
        for (number, unit) in span.units.iter().enumerate().rev() {
            let taken = if number == 0 { unit.bits_of_first(taken_blocks) } else { 0 };
            self.publish(unit, unit.bits() & !taken);
        }
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
        self.spans.add_vacant(span);
        Some(memory)
    }
}
