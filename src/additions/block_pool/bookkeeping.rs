//! The bookkeeping of spans, and the table of units.
//!
//! It is made for one span at a time if the span has several groups, or else for the spans of one group. It stays when
//! a span is freed, because a caller that holds no lock may still look at it, and serves the next span. It is freed
//! with the pool.

use crate::mem::atomics::{AtomicUsize, Ordering::Relaxed};

use super::group::{Group, Unit};
use super::shape::Shape;
use super::table::Table;
use super::{BlockPool, Pages};
use crate::kernel::{Handle, Kernel, Va};
use crate::mem::bump::{BumpAllocator, slice_bytes};
use crate::mem::shared::{AtomicRef, WrappingSlice};
use crate::mem::turn::Turn;

/// The number of units of the first group, if as many fit. The groups that are made next have twice as many as those
/// before, up to eight times: a pool of few large blocks gets little bookkeeping, and in a pool of many blocks a group
/// seldom runs out of free ones, which costs time.
const FIRST_UNITS: usize = 8;
/// The least number of places of a table.
const TABLE_MIN: usize = 8;
/// A table is not made larger than this many times what its units need, or than [`SPREAD_PLACES`], to find places for
/// units whose keys have one hash.
const SPREAD_MAX: usize = 64;
/// See [`SPREAD_MAX`].
const SPREAD_PLACES: usize = 4096;

/// The bookkeeping of a pool's spans. It is changed with the turn held.
pub struct Spans {
    pub turn: Turn,
    /// The number of threads that are getting memory.
    pub growing: AtomicUsize,
    /// All spans, the newest first.
    newest: AtomicRef<Span>,
    /// The first of the spans without memory.
    pub vacant: AtomicRef<Span>,
    /// How often bookkeeping was made.
    made: AtomicUsize,
    /// The number of units that have memory.
    unit_count: AtomicUsize,
    /// The number of pages.
    page_count: AtomicUsize,
}

/// The bookkeeping of a span. It stays when the span has no memory.
pub struct Span {
    pub units: &'static [Unit],
    va: AtomicUsize,
    handle: AtomicUsize,
    /// Bytes; zero while the span has no memory.
    size: AtomicUsize,
    /// The span that was made before.
    older: AtomicRef<Span>,
    /// The next span without memory.
    next_vacant: AtomicRef<Span>,
}

/// The memory of a span, which the value owns: it is made of memory that no other code uses, and moved to the span or
/// freed.
pub struct SpanMemory {
    pub va: Va,
    pub handle: Handle,
    pub size: usize,
}

impl Spans {
    /// Makes the bookkeeping of a pool without memory.
    pub const fn new() -> Self {
        Spans {
            turn: Turn::new(),
            growing: AtomicUsize::new(0),
            newest: AtomicRef::new(),
            vacant: AtomicRef::new(),
            made: AtomicUsize::new(0),
            unit_count: AtomicUsize::new(0),
            page_count: AtomicUsize::new(0),
        }
    }

    /// Returns all spans.
    pub fn all(&self) -> impl Iterator<Item = &'static Span> {
        core::iter::successors(self.newest.get(), |span| span.older.get())
    }

    /// Returns the units that have memory.
    pub fn units(&self) -> impl Iterator<Item = &'static Unit> {
        self.all().flat_map(|span| span.units).filter(|unit| unit.has_memory())
    }

    /// Returns the number of pages.
    pub fn page_count(&self) -> usize {
        self.page_count.load(Relaxed)
    }
}

impl Span {
    /// Makes the spans of `units` units, which have no memory, in groups of `group_units`, in the memory of `tail`.
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
        let [va, handle, size] = [const { AtomicUsize::new(0) }; 3];
        Span { units, va, handle, size, older: AtomicRef::new(), next_vacant: AtomicRef::new() }
    }

    /// Returns whether the span has memory.
    pub fn has_memory(&self) -> bool {
        self.size.load(Relaxed) != 0
    }
}

impl<K: Kernel, P: Pages> BlockPool<K, P> {
    /// Makes bookkeeping for the next spans, which have no memory yet, and returns the first. The caller holds the
    /// turn.
    pub(super) fn make_spans(&self) -> Option<&'static Span> {
        if !self.kernel.can_sleep() {
            return None;
        }
        let shape = &self.groups.shape;
        let made = self.spans.made.load(Relaxed);
        let group_units = shape.group_units.min(FIRST_UNITS << made.min(3));
        let units = group_units.max(shape.span_units);
        let (groups, spans) = (units.checked_div(group_units)?, units.checked_div(shape.span_units)?);
        let tail = slice_bytes::<Group>(groups) + slice_bytes::<Unit>(units) + slice_bytes::<Span>(spans);
        let spans = *self.arena.place(tail, |tail| Span::make(shape, units, group_units, tail))?;
        for span in spans.iter().rev() {
            span.older.set(self.spans.newest.get());
            self.spans.newest.set(Some(span));
            self.add_vacant(span);
        }
        self.spans.made.store(made.saturating_add(1), Relaxed);
        spans.first()
    }

    /// Puts a span at the beginning of the list of those without memory.
    fn add_vacant(&self, span: &'static Span) {
        span.next_vacant.set(self.spans.vacant.get());
        self.spans.vacant.set(Some(span));
    }

    /// Gives memory to `span`, the first of those without memory. The caller holds the turn.
    pub(super) fn fill_span(&self, span: &'static Span, memory: SpanMemory) {
        span.va.store(memory.va, Relaxed);
        span.handle.store(memory.handle, Relaxed);
        span.size.store(memory.size, Relaxed);
        self.spans.vacant.set(span.next_vacant.get());
        self.spans.unit_count.fetch_add(span.units.len(), Relaxed);
        self.spans.page_count.fetch_add(Shape::pages(memory.size), Relaxed);
    }

    /// Takes the memory from a span. It has some, and no block of it is in use or can be allocated. The caller holds
    /// the turn.
    pub(super) fn empty_span(&self, span: &'static Span) -> SpanMemory {
        let size = span.size.load(Relaxed);
        self.spans.unit_count.fetch_sub(span.units.len(), Relaxed);
        self.spans.page_count.fetch_sub(Shape::pages(size), Relaxed);
        span.size.store(0, Relaxed);
        self.add_vacant(span);
        SpanMemory { va: span.va.load(Relaxed), handle: span.handle.load(Relaxed), size }
    }

    /// Returns the table's key for a unit that has memory.
    fn key_of(&self, unit: &Unit) -> usize {
        self.groups.shape.key(unit.start(&self.groups.shape))
    }

    /// Returns whether there is bookkeeping for a span more: a span without memory, and places in the table. Takes no
    /// turn.
    pub(super) fn is_prepared(&self) -> bool {
        let wanted = self.wanted_places();
        self.spans.vacant.get().is_some() && wanted.is_some_and(|wanted| self.table.get().len() >= wanted)
    }

    /// Returns the number of places of a table of which half is empty after a span is added.
    fn wanted_places(&self) -> Option<usize> {
        self.spans.unit_count.load(Relaxed).checked_add(self.groups.shape.span_units)?.checked_mul(2)
    }

    /// Makes sure that half of the table is empty after a span is added. `None` if the heap has no room. Called before
    /// units of that span are made.
    pub(super) fn make_places(&self) -> Option<()> {
        let wanted = self.wanted_places()?;
        if self.table.get().len() >= wanted {
            Some(())
        } else {
            self.new_table(wanted.checked_next_power_of_two()?.max(TABLE_MIN), &[])
        }
    }

    /// Makes a table of `places` places, or of more if the units do not find places in it: those that have memory, and
    /// the `new` ones. The old table stays, because another call may be reading it. `None` if the heap has no room.
    #[allow(unsafe_code)]
    fn new_table(&self, mut places: usize, new: &'static [Unit]) -> Option<()> {
        if !self.kernel.can_sleep() {
            return None;
        }
        let max_places = places.saturating_mul(SPREAD_MAX).max(SPREAD_PLACES);
        while places <= max_places {
            let table = self.arena.place(Table::tail_bytes(places)?, |tail| Table::new(places, tail))?;
            if self.spans.units().chain(new).all(|unit| table.insert(self.key_of(unit), unit)) {
                self.table.set(table);
                return Some(());
            }
            // SAFETY: no other call knows the table, nor uses the arena: this one has the turn.
            unsafe { self.arena.release_last() }
            places = places.checked_mul(2)?;
        }
        None
    }

    /// Puts units into the table, or into a larger one if they find no places. Returns false if the heap has no room.
    pub(super) fn insert_all(&self, units: &'static [Unit]) -> bool {
        let table = self.table.get();
        units.iter().all(|unit| table.insert(self.key_of(unit), unit))
            || self.new_table(table.len().saturating_mul(2), units).is_some()
    }

    /// Takes units out of the table.
    pub(super) fn remove_all(&self, units: &'static [Unit]) {
        units.iter().for_each(|unit| self.table.get().remove(self.key_of(unit), unit));
    }
}
