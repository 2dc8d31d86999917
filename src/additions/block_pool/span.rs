//! Growing by spans. In threads, one at a time for each pool.
//!
//! Bookkeeping is made in batches: the groups of one span, or the spans of one group. It stays when a span goes, because
//! a caller that holds no lock may still look at it, and serves the next span; it goes with the pool.

use crate::mem::atomics::{AtomicUsize, Ordering::Relaxed};

use super::group::{Group, Taken, Unit};
use super::shape::Shape;
use super::table::Table;
use super::word::present_bit;
use super::{Block, BlockPool, Pages};
use crate::kernel::{Kernel, PAGE_SIZE, Va};
use crate::mem::shared::{AtomicRef, Ring};
use crate::mem::turn::Turn;
use crate::text::apart;

/// Units of a group in the first batch, if as many fit; each batch has twice as many as the one before, up to eight times.
const FIRST_UNITS: usize = 8;
/// Fewest places of a table.
const TABLE_MIN: usize = 8;
/// A table is not made larger than this many times what its units need, or this many places, to keep apart addresses that
/// differ by large powers of two.
const SPREAD_MAX: usize = 64;
const SPREAD_PLACES: usize = 4096;

/// How often a thread that gets no memory waits for another that is just getting some.
const PATIENCE: usize = 8;

/// What is known of a pool's spans. Only the holder of the turn changes it.
pub struct Spans {
    pub turn: Turn,
    /// Threads that are getting memory.
    growing: AtomicUsize,
    /// All batches, the newest first.
    batches: AtomicRef<Batch>,
    /// The batches that have an empty room.
    pub vacant: AtomicRef<Batch>,
    /// How many batches there are.
    made: AtomicUsize,
    /// Units that are there.
    pub units: AtomicUsize,
    /// Pages that are there.
    pub pages: AtomicUsize,
}

/// Bookkeeping that is made at once.
pub struct Batch {
    pub units: &'static [Unit],
    pub rooms: &'static [Room],
    /// The batch that was made before.
    older: AtomicRef<Batch>,
    /// Rooms without a span.
    pub empty: AtomicUsize,
    /// The next batch that has an empty room.
    pub next_vacant: AtomicRef<Batch>,
}

/// The place for a span; its units are those of the batch with the room's number.
pub struct Room {
    pub va: AtomicUsize,
    pub handle: AtomicUsize,
    /// Bytes; zero while it is empty.
    pub size: AtomicUsize,
}

/// A span that came from the device's memory.
#[derive(Clone, Copy)]
pub struct Span {
    pub va: Va,
    pub handle: usize,
    pub size: usize,
}

impl Spans {
    pub const fn new() -> Self {
        Spans {
            turn: Turn::new(),
            growing: AtomicUsize::new(0),
            batches: AtomicRef::new(),
            vacant: AtomicRef::new(),
            made: AtomicUsize::new(0),
            units: AtomicUsize::new(0),
            pages: AtomicUsize::new(0),
        }
    }

    /// All batches.
    pub fn batches(&self) -> impl Iterator<Item = &'static Batch> {
        core::iter::successors(self.batches.get(), |batch| batch.older.get())
    }

    /// The units that are there.
    pub fn units(&self) -> impl Iterator<Item = &'static Unit> {
        self.batches().flat_map(|batch| batch.units).filter(|unit| unit.has_memory())
    }

    /// How many units there are.
    pub fn unit_count(&self) -> usize {
        self.units.load(Relaxed)
    }

    /// How many pages there are.
    pub fn page_count(&self) -> usize {
        self.pages.load(Relaxed)
    }
}

impl<K: Kernel, P: Pages> BlockPool<K, P> {
    /// Returns a block of a new span; `None` if the caller may not sleep, or there is no memory.
    ///
    /// The device's memory is allocated without the turn: its allocation may write lines to the log, and so call the driver of
    /// the console, which may need a block of this pool.
    pub(super) fn allocate_by_growing(&self) -> Option<Block> {
        if !self.kernel.can_sleep() {
            return self.grow_in_interrupt();
        }
        // A driver may have copied the operations of a device with a mask.
        if self.pages.limit(self.device) != self.limit.load(Relaxed) {
            self.follow_mask();
            if let Some(block) = self.take_from_any() {
                return Some(block);
            }
        }
        self.trim_unreachable();
        self.spans.growing.fetch_add(1, Relaxed);
        let span = self.get_span();
        let block = match span {
            Some(span) => self.use_span(span),
            None => self.wait_for_block(),
        };
        self.spans.growing.fetch_sub(1, Relaxed);
        block
    }

    /// A block of a span, or one that another thread has got memory for meanwhile; then the span goes back.
    pub(super) fn use_span(&self, span: Span) -> Option<Block> {
        let (block, is_used) = self.take_or_add(span);
        if !is_used {
            self.give_back(span);
        }
        block
    }

    fn take_or_add(&self, span: Span) -> (Option<Block>, bool) {
        let Some(_turn) = self.spans.turn.take_or_try(self.kernel) else { return (None, false) };
        if let Some(block) = self.take_from_any() {
            return (Some(block), false);
        }
        let block = self.add_span(span);
        (block, block.is_some())
    }

    /// A block, for a thread that gets no memory, if another thread gets some now.
    fn wait_for_block(&self) -> Option<Block> {
        for _ in 0..PATIENCE {
            if self.spans.growing.load(Relaxed) <= 1 {
                break;
            }
            if let Some(block) = self.take_from_any() {
                return Some(block);
            }
            self.kernel.pause();
        }
        self.take_from_any()
    }

    /// Gives a span back to the device's memory. Without the turn, as it was got.
    pub(super) fn give_back(&self, span: Span) {
        self.pages.free(self.device, span.size, span.va, span.handle);
    }

    /// A span in which a block fits.
    pub(super) fn get_span(&self) -> Option<Span> {
        let span = self.get_pages(self.shape.span_size)?;
        if self.shape.lead(span.handle).saturating_add(self.shape.stride) <= span.size {
            return Some(span);
        }
        // Its only block would cross the boundary.
        self.give_back(span);
        self.get_pages(self.shape.wide_span())
    }

    fn get_pages(&self, size: usize) -> Option<Span> {
        let align = self.shape.span_align;
        let (va, handle) = match align > PAGE_SIZE {
            true => self.pages.allocate_aligned(self.device, size, align)?,
            false => self.pages.allocate(self.device, size)?,
        };
        // Another mask was set meanwhile, or the device's own allocation does not obey it.
        if handle.saturating_add(size.saturating_sub(1)) > self.limit.load(Relaxed) {
            self.pages.free(self.device, size, va, handle);
            return None;
        }
        // A view of the processor begins at any page: only the device's address is aligned to more.
        if va != 0 && va.is_multiple_of(PAGE_SIZE) && handle.is_multiple_of(align) {
            return Some(Span { va, handle, size });
        }
        self.pages.free(self.device, size, va, handle);
        self.log(apart!("the device's memory is not aligned: 0x%lx, handle 0x%lx"), &[va, handle]);
        None
    }

    /// Makes blocks of a span: all are free but one, which is the caller's. `None` if the heap has no room.
    pub(super) fn add_span(&self, span: Span) -> Option<Block> {
        self.make_places(self.shape.span_units)?;
        let batch = match self.spans.vacant.get() {
            Some(batch) => batch,
            None => self.new_batch()?,
        };
        let mut rooms = batch.rooms.iter().zip(batch.units.chunks(self.shape.span_units.max(1)));
        let (room, units) = rooms.find(|(room, _)| room.size.load(Relaxed) == 0)?;

        let lead = self.shape.lead(span.handle);
        for (number, unit) in units.iter().enumerate() {
            let offset = lead.wrapping_add(self.shape.unit_offset(number));
            self.open.update(self.kernel, unit.group.get(), || {
                unit.set_addresses(span.va.wrapping_add(offset), span.handle.wrapping_add(offset), self.shape.stride);
                self.set_reach(unit);
            });
        }
        if !self.insert_all(units) {
            self.remove_all(units);
            return None;
        }
        room.va.store(span.va, Relaxed);
        room.handle.store(span.handle, Relaxed);
        room.size.store(span.size, Relaxed);
        if batch.empty.fetch_sub(1, Relaxed) == 1 {
            self.spans.vacant.set(batch.next_vacant.get());
        }
        self.spans.units.fetch_add(units.len(), Relaxed);
        self.spans.pages.fetch_add(Shape::pages(span.size), Relaxed);

        // The last first, so that blocks are taken from the lowest address on.
        let (first, others) = units.split_first()?;
        others.iter().rev().for_each(|unit| self.publish(unit, 0));
        self.publish(first, 1usize.wrapping_shl(first.first as u32));
        Some(self.block_of(&Taken { unit: first, base: first.base.load(Relaxed), slot: first.first }))
    }

    /// Lets every caller find the blocks of a unit, which are free but for those of `in_use`.
    pub(super) fn publish(&self, unit: &Unit, in_use: usize) {
        unit.group.get().word.add(unit.bits(), in_use);
        self.open.update(self.kernel, unit.group.get(), || {});
    }

    /// Bookkeeping for the next spans, none of which is there yet.
    pub(super) fn new_batch(&self) -> Option<&'static Batch> {
        if !self.kernel.can_sleep() {
            return None;
        }
        let shape = &self.shape;
        let made = self.spans.made.load(Relaxed);
        // A pool of few large blocks gets little bookkeeping. The groups of a pool with many are large, because a group that
        // runs empty costs time.
        let group_units = shape.group_units.min(FIRST_UNITS << made.min(3));
        let units = group_units.max(shape.span_units);
        let groups = units.checked_div(group_units)?;
        let rooms = units.checked_div(shape.span_units)?;
        let tail = groups * size_of::<Group>() + units * size_of::<Unit>() + rooms * size_of::<Room>();
        let batch = self.pieces.place(tail, |tail| {
            let unit_of = |number: usize| {
                let in_group = number & group_units.wrapping_sub(1);
                Unit::new(in_group << shape.slot_shift, shape.unit_blocks(number), present_bit(in_group))
            };
            let units = tail.slice_with(units, |number| Some(unit_of(number)));
            let mut chunks = units.chunks(group_units.max(1));
            let groups = tail.slice_with(groups, |_| Some(Group::new(Ring::new(chunks.next()?)?)));
            for (group, units) in groups.iter().zip(units.chunks(group_units.max(1))) {
                units.iter().for_each(|unit| unit.group.set(group));
            }
            let empty_room =
                |_| Some(Room { va: AtomicUsize::new(0), handle: AtomicUsize::new(0), size: AtomicUsize::new(0) });
            Batch {
                units,
                rooms: tail.slice_with(rooms, empty_room),
                older: AtomicRef::new(),
                empty: AtomicUsize::new(rooms),
                next_vacant: AtomicRef::new(),
            }
        })?;
        batch.older.set(self.spans.batches.get());
        self.spans.batches.set(Some(batch));
        self.spans.made.store(made.saturating_add(1), Relaxed);
        batch.next_vacant.set(self.spans.vacant.get());
        self.spans.vacant.set(Some(batch));
        Some(batch)
    }

    /// What the table looks a unit up by.
    fn key_of(&self, unit: &Unit) -> usize {
        self.key(unit.start.load(Relaxed))
    }

    // --- the table -------------------------------------------------------------------------------------------------

    /// Makes sure that half of the table is empty with `more` units. `None` if the heap has no room.
    pub(super) fn make_places(&self, more: usize) -> Option<()> {
        let wanted = self.spans.unit_count().checked_add(more)?.checked_mul(2)?;
        match self.table.get().len() >= wanted {
            true => Some(()),
            false => self.new_table(wanted.checked_next_power_of_two()?.max(TABLE_MIN)),
        }
    }

    /// Makes a table of `places` places, or of more if the addresses want that. The old one stays: another call may be
    /// reading it. `None` if the heap has no room.
    fn new_table(&self, mut places: usize) -> Option<()> {
        if !self.kernel.can_sleep() {
            return None;
        }
        let most = places.saturating_mul(SPREAD_MAX).max(SPREAD_PLACES);
        while places <= most {
            let table = self.pieces.place(Table::tail_bytes(places)?, |tail| Table::new(places, tail))?;
            if self.spans.units().all(|unit| table.insert(self.key_of(unit), unit)) {
                self.table.set(table);
                return Some(());
            }
            places = places.checked_mul(2)?;
        }
        None
    }

    /// Puts units into the table, a larger one if it must be; false if the heap has no room.
    fn insert_all(&self, units: &'static [Unit]) -> bool {
        let table = self.table.get();
        // A larger table takes all units that have an address, and so these too.
        units.iter().all(|unit| table.insert(self.key_of(unit), unit))
            || self.new_table(table.len().saturating_mul(2)).is_some()
    }

    /// Takes units out of the table.
    pub(super) fn remove_all(&self, units: &'static [Unit]) {
        for unit in units {
            self.table.get().remove(self.key_of(unit), unit);
            unit.start.store(0, Relaxed);
        }
    }
}
