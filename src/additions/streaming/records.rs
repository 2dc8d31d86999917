//! The mappings that have a record: finding a record by a handle.
//!
//! A record lies in one list of a fixed table. Which list it is follows from the mapping's *reach*, which is the number of
//! pages that it touches, rounded up to a power of four, and from the place of its first page among blocks of that many pages.
//! A mapping touches at most two such blocks, so one that holds a given page begins in the page's block or in the one
//! before. A search looks at these two lists for each reach that is in use: at a number of lists that does not depend on the
//! number of mappings or on their sizes.

use crate::mem::atomics::{
    AtomicUsize,
    Ordering::{Acquire, Release},
};

use super::stock::{List, Owned, pop, push};
use super::{BadMapping, Direction, Mapping, Ops};
use crate::kernel::{Device, Kernel, PAGE_SHIFT};
use crate::mem::lock::IrqLock;
use crate::mem::shared::at_or_first;

/// Lists in the table.
const LISTS: usize = 256;
/// Counters of records outside the pools.
const COUNTERS: usize = 64;
/// Handles that differ only in this many low bits share a counter: blocks of 64 KiB. With a counter for each page, each further
/// page of a mapping takes 24 instructions (`benches/maps.c`, "elsewhere").
const COUNTED_BITS: usize = 16;
/// Kinds of reach: 1, 4, 16, 64, 256, 1,024 and 4,096 pages, and any number.
const REACHES: usize = 8;

/// What an unmap or a sync was called with.
#[derive(Clone, Copy)]
pub struct Query {
    /// The device, which is that of the [`Master`](super::Master) that the call gets.
    pub device: Device,
    /// The handle of a mapping. A sync may have that of any of its bytes.
    pub handle: usize,
    /// Bytes.
    pub size: usize,
    /// The direction of the mapping.
    pub direction: Direction,
}

impl Query {
    /// Whether the size and direction are those of the mapping.
    pub(super) fn check(&self, mapping: &Mapping) -> Result<(), BadMapping> {
        if mapping.size != self.size {
            Err(BadMapping::WrongSize)
        } else if mapping.direction != self.direction {
            Err(BadMapping::WrongDirection)
        } else {
            Ok(())
        }
    }

    /// Whether the mapping is the device's and has the handle.
    fn has_handle_of(&self, mapping: &Mapping) -> bool {
        mapping.master.device == self.device && mapping.handle == self.handle
    }

    /// Whether the range of a sync lies in the mapping; `None` if the handle is not one of the mapping's bytes.
    fn is_part_of(&self, mapping: &Mapping) -> Option<Result<(), BadMapping>> {
        let offset = self.handle.wrapping_sub(mapping.handle);
        if mapping.master.device != self.device || offset >= mapping.size {
            return None;
        }
        Some(if self.size > mapping.size - offset {
            Err(BadMapping::WrongSize)
        } else if ![self.direction, Direction::Bidirectional].contains(&mapping.direction) {
            Err(BadMapping::WrongDirection)
        } else {
            Ok(())
        })
    }
}

fn page_of(handle: usize) -> usize {
    handle >> PAGE_SHIFT
}

/// How many pages a mapping touches, rounded up: the base-four logarithm.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Reach(usize);

impl Reach {
    const LONGEST: Reach = Reach(REACHES - 1);

    /// The reach of a mapping of `size` bytes, which is not zero.
    fn of(handle: usize, size: usize) -> Self {
        let last = handle.wrapping_add(size.wrapping_sub(1));
        let further_pages = page_of(last).wrapping_sub(page_of(handle));
        let bits = usize::BITS - further_pages.leading_zeros();
        Reach((bits.div_ceil(2) as usize).min(Self::LONGEST.0))
    }

    /// The number of the block that holds the page. Mappings of the longest reach are all in one block.
    fn block(self, page: usize) -> usize {
        if self == Self::LONGEST { 0 } else { page >> (2 * self.0) }
    }

    /// The number of the block in which a mapping may begin that ends in `block`, if that is another block.
    fn block_before(self, block: usize) -> Option<usize> {
        // A mapping of the shortest reach lies in one page.
        if self.0 == 0 || self == Self::LONGEST { None } else { block.checked_sub(1) }
    }
}

/// The number of records that are in lists, by reach and by place.
struct Counts {
    by_reach: [AtomicUsize; REACHES],
    /// Records of mappings outside the pools, each counted for every block of `1 << COUNTED_BITS` bytes that it touches.
    outside: [AtomicUsize; COUNTERS],
}

impl Counts {
    /// Calls `change` with each counter of a record.
    #[inline(always)]
    fn each(&self, reach: Reach, mapping: &Mapping, is_outside: bool, change: impl Fn(&AtomicUsize)) {
        if let Some(count) = self.by_reach.get(reach.0) {
            change(count);
        }
        if is_outside {
            let last = mapping.handle.wrapping_add(mapping.size.wrapping_sub(1));
            let (first, last) = (mapping.handle >> COUNTED_BITS, last >> COUNTED_BITS);
            // From that many blocks on, each counter stands for one of them.
            let last = last.min(first.saturating_add(COUNTERS - 1));
            (first..=last).for_each(|block| change(self.outside(block)));
        }
    }

    /// The counter of a block.
    fn outside(&self, block: usize) -> &AtomicUsize {
        at_or_first(&self.outside, block % COUNTERS)
    }
}

pub(super) struct Records<K: Kernel> {
    lists: [IrqLock<List<K>>; LISTS],
    counts: Counts,
}

impl<K: Kernel> Records<K> {
    pub const fn new() -> Self {
        Records {
            lists: [const { IrqLock::new(None) }; LISTS],
            counts: Counts {
                by_reach: [const { AtomicUsize::new(0) }; REACHES],
                outside: [const { AtomicUsize::new(0) }; COUNTERS],
            },
        }
    }

    fn list(&self, reach: Reach, block: usize) -> &IrqLock<List<K>> {
        // Blocks of different reaches that begin at one page have different lists.
        at_or_first(&self.lists, block.wrapping_add(reach.0 * (LISTS / REACHES)) % LISTS)
    }

    /// The reaches of the records that there are.
    fn reaches(&self) -> impl Iterator<Item = Reach> {
        let counts = self.counts.by_reach.iter().enumerate();
        counts.filter(|(_, count)| count.load(Acquire) != 0).map(|(reach, _)| Reach(reach))
    }

    /// Returns false if no mapping outside the pools that has a record contains `handle`. True may be wrong. Takes no lock.
    /// Context: any.
    pub fn may_have_outside(&self, handle: usize) -> bool {
        self.counts.outside(handle >> COUNTED_BITS).load(Acquire) != 0
    }

    /// Records the mapping of `record`. `is_outside`: not every byte of it is a pool's. Context: any.
    #[inline(always)] // `map_recorded` alone calls it.
    pub fn insert(&self, kernel: K, mut record: Owned<K>, is_outside: bool) {
        record.is_outside = is_outside;
        let Some(mapping) = &record.mapping else { return };
        let reach = Reach::of(mapping.handle, mapping.size);
        // The counts rise before the driver has the handle, so that a search for it sees them.
        self.counts.each(reach, mapping, is_outside, |count| _ = count.fetch_add(1, Release));
        let list = self.list(reach, reach.block(page_of(mapping.handle)));
        push(&mut list.lock(kernel), record);
    }

    /// Takes the record out that a query is about. Of two callers at once, one gets it. Context: any.
    ///
    /// That is the record with the query's device, handle, size and direction; if there is none, the only one with its device
    /// and handle.
    pub fn take(&self, kernel: K, query: &Query) -> Result<Owned<K>, BadMapping> {
        let is_meant = |mapping: &Mapping| query.has_handle_of(mapping) && query.check(mapping).is_ok();
        let reach = Reach::of(query.handle, query.size);
        if let Some(found) = self.take_from(kernel, reach, query, is_meant) {
            return Ok(found);
        }
        // The size or the direction is wrong.
        let count = |reach: Reach| {
            let list = self.list(reach, reach.block(page_of(query.handle))).lock(kernel);
            list_of(&list).filter(|(its_reach, mapping)| *its_reach == reach && query.has_handle_of(mapping)).count()
        };
        match self.reaches().map(count).sum::<usize>() {
            0 => Err(BadMapping::Unknown),
            1 => {
                let mut reaches = self.reaches();
                let found = reaches
                    .find_map(|reach| self.take_from(kernel, reach, query, |mapping| query.has_handle_of(mapping)));
                found.ok_or(BadMapping::Unknown)
            }
            _ => Err(BadMapping::Ambiguous),
        }
    }

    /// Takes the record with the query's device, handle, size and direction out, if its mapping has the library's operations
    /// and no bounce buffer. Context: any.
    #[inline(always)] // In the fast path of mappings of pool memory.
    pub fn take_plain(&self, kernel: K, query: &Query) -> List<K> {
        let is_plain = |mapping: &Mapping| {
            query.has_handle_of(mapping)
                && query.check(mapping).is_ok()
                && mapping.bounce.is_none()
                && matches!(mapping.master.ops, Ops::Library(_))
        };
        self.take_from(kernel, Reach::of(query.handle, query.size), query, is_plain)
    }

    /// Takes the first record that `is_wanted` out of the list for mappings of this reach that begin at the query's handle.
    #[inline(always)]
    fn take_from(
        &self,
        kernel: K,
        reach: Reach,
        query: &Query,
        is_wanted: impl Fn(&Mapping) -> bool,
    ) -> Option<Owned<K>> {
        let record = take_first(kernel, self.list(reach, reach.block(page_of(query.handle))), is_wanted)?;
        self.uncount(reach, &record);
        Some(record)
    }

    /// Notes that a record has been taken out.
    #[inline(always)] // As `take_from`.
    fn uncount(&self, reach: Reach, record: &Owned<K>) {
        if let Some(mapping) = &record.mapping {
            self.counts.each(reach, mapping, record.is_outside, |count| _ = count.fetch_sub(1, Release));
        }
    }

    /// Takes all records of the device out for which `is_meant` returns true, and passes each to `use_record`. `is_meant` is
    /// called with a lock held. Context: any.
    pub fn take_all(
        &self,
        kernel: K,
        device: Device,
        is_meant: impl Fn() -> bool,
        mut use_record: impl FnMut(Owned<K>),
    ) {
        if self.reaches().next().is_none() {
            return;
        }
        let is_wanted = |mapping: &Mapping| mapping.master.device == device && is_meant();
        for list in &self.lists {
            while let Some(record) = take_first(kernel, list, is_wanted) {
                if let Some(mapping) = &record.mapping {
                    self.uncount(Reach::of(mapping.handle, mapping.size), &record);
                }
                use_record(record);
            }
        }
    }

    /// Calls `look` with the mapping that holds the query's range, and returns its result. `look` runs with a lock held.
    /// Context: any.
    pub fn find<T>(&self, kernel: K, query: &Query, look: impl FnOnce(&mut Mapping) -> T) -> Result<T, BadMapping> {
        if query.direction == Direction::Neither {
            return Err(BadMapping::Unknown);
        }
        let mut why = BadMapping::Unknown;
        for reach in self.reaches() {
            let block = reach.block(page_of(query.handle));
            for block in [Some(block), reach.block_before(block)].into_iter().flatten() {
                let mut list = self.list(reach, block).lock(kernel);
                let mut at = list.as_mut();
                while let Some(record) = at {
                    match record.mapping.as_mut().map(|mapping| (query.is_part_of(mapping), mapping)) {
                        Some((Some(Ok(())), mapping)) => return Ok(look(mapping)),
                        Some((Some(Err(error)), _)) => why = error,
                        _ => {}
                    }
                    at = record.next.as_mut();
                }
            }
        }
        Err(why)
    }
}

/// Takes the first record that `is_wanted` out of a list.
#[inline(always)] // As `Records::take_from`.
fn take_first<K: Kernel>(kernel: K, list: &IrqLock<List<K>>, is_wanted: impl Fn(&Mapping) -> bool) -> Option<Owned<K>> {
    let mut list = list.lock(kernel);
    let mut at: &mut List<K> = &mut list;
    while !at.as_ref()?.mapping.as_ref().is_some_and(&is_wanted) {
        at = &mut at.as_mut()?.next;
    }
    pop(at)
}

/// The mappings of a list, with their reaches.
fn list_of<K: Kernel>(list: &List<K>) -> impl Iterator<Item = (Reach, &Mapping)> {
    let records = core::iter::successors(list.as_ref(), |record| record.next.as_ref());
    let mappings = records.filter_map(|record| record.mapping.as_ref());
    mappings.map(|mapping| (Reach::of(mapping.handle, mapping.size), mapping))
}
