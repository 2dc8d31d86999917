//! The mappings that have a record: finding a record by a handle.
//!
//! A record lies in one list of a fixed table. Which list it is follows from the mapping's *size class*, which is the number of
//! pages that it touches, rounded up to a power of four, and from the place of its first page among blocks of that many pages.
//! A mapping touches at most two such blocks, so one that holds a given page begins in the page's block or in the one
//! before. A search looks at these two lists for each size class that is in use: at a number of lists that does not depend on
//! the number of mappings or on their sizes.

use crate::mem::atomics::{
    AtomicUsize,
    Ordering::{Acquire, Release},
};

use super::mapping::Mapping;
use super::record::{OwnedRecord, RecordList, pop, push};
use super::size_class::{SIZE_CLASSES, SizeClass, page_of};
use crate::additions::streaming::{BadMapping, Direction, Ops, Query};
use crate::kernel::{Device, Handle, Kernel};
use crate::mem::lock::IrqLock;
use crate::mem::shared::at_or_first;

/// Lists in the table.
const LISTS: usize = 256;
/// Counters of records outside the pools.
const COUNTERS: usize = 64;
/// Handles that differ only in this many low bits share a counter: blocks of 64 KiB. With a counter for each page, each further
/// page of a mapping takes 24 instructions (`benches/maps.c`, "elsewhere").
const COUNTED_BITS: usize = 16;

/// The number of records that are in lists, by size class and by place.
struct Counts {
    by_size_class: [AtomicUsize; SIZE_CLASSES],
    /// Records of mappings outside the pools, each counted for every block of `1 << COUNTED_BITS` bytes that it touches.
    outside: [AtomicUsize; COUNTERS],
}

impl Counts {
    /// Calls `change` with each counter of a record.
    fn each(&self, class: SizeClass, mapping: &Mapping, is_outside: bool, change: impl Fn(&AtomicUsize)) {
        if let Some(count) = self.by_size_class.get(class.0) {
            change(count);
        }
        if is_outside {
            let last = mapping.handle.wrapping_add(mapping.size.wrapping_sub(1));
            let (first, last) = (mapping.handle >> COUNTED_BITS, last >> COUNTED_BITS);
            // From that many blocks on, each counter stands for one of them.
            let end = (last + 1).min(first + COUNTERS);
            (first..end).for_each(|block| change(self.outside(block)));
        }
    }

    /// The counter of a block.
    fn outside(&self, block: usize) -> &AtomicUsize {
        at_or_first(&self.outside, block % COUNTERS)
    }
}

/// The records of all mappings.
pub struct Records<K: Kernel> {
    lists: [IrqLock<RecordList<K>>; LISTS],
    counts: Counts,
}

impl<K: Kernel> Records<K> {
    pub const fn new() -> Self {
        Records {
            lists: [const { IrqLock::new(None) }; LISTS],
            counts: Counts {
                by_size_class: [const { AtomicUsize::new(0) }; SIZE_CLASSES],
                outside: [const { AtomicUsize::new(0) }; COUNTERS],
            },
        }
    }

    fn list(&self, class: SizeClass, block: usize) -> &IrqLock<RecordList<K>> {
        // Blocks of different size classes that begin at one page have different lists.
        at_or_first(&self.lists, block.wrapping_add(class.0 * (LISTS / SIZE_CLASSES)) % LISTS)
    }

    /// Returns the size classes of the records that there are.
    fn size_classes(&self) -> impl Iterator<Item = SizeClass> {
        let counts = self.counts.by_size_class.iter().enumerate();
        counts.filter(|(_, count)| count.load(Acquire) != 0).map(|(class, _)| SizeClass(class))
    }

    /// Returns false if no mapping outside the pools that has a record contains `handle`. True may be wrong. Takes no lock.
    ///
    /// Context: any.
    pub fn may_have_outside(&self, handle: Handle) -> bool {
        self.counts.outside(handle >> COUNTED_BITS).load(Acquire) != 0
    }

    /// Records the mapping of `record`.
    ///
    /// Context: any.
    #[inline(always)] // As a function of its own it takes 10 instructions of a map ("pool").
    pub fn insert(&self, kernel: K, record: OwnedRecord<K>) {
        let Some(mapping) = &record.mapping else { return };
        let class = SizeClass::of(mapping.handle, mapping.size);
        // The counts rise before the driver has the handle, so that a search for it sees them.
        self.counts.each(class, mapping, record.is_outside, |count| _ = count.fetch_add(1, Release));
        let list = self.list(class, class.block(page_of(mapping.handle)));
        push(&mut list.lock(kernel), record);
    }

    /// Takes the record out that a query is about. Of two callers at once, one gets it.
    ///
    /// That is the record with the query's device, handle, size and direction; if there is none, the only one with its device
    /// and handle.
    ///
    /// Context: any.
    pub fn take(&self, kernel: K, query: &Query) -> Result<OwnedRecord<K>, BadMapping> {
        let is_meant = |mapping: &Mapping| mapping.has_handle_of(query) && mapping.check(query).is_ok();
        let class = SizeClass::of(query.handle, query.size);
        if let Some(found) = self.take_from(kernel, class, query, is_meant) {
            return Ok(found);
        }
        // No record fits. The driver passed a wrong size or direction, which is a mistake, so what follows may be slow: it searches a
        // list for each size class that is in use. (A few direct mappings come here too: see `may_have_outside`.)
        let count = |class: SizeClass| {
            let list = self.list(class, class.block(page_of(query.handle))).lock(kernel);
            list_of(&list).filter(|(its_class, mapping)| *its_class == class && mapping.has_handle_of(query)).count()
        };
        match self.size_classes().map(count).sum::<usize>() {
            0 => Err(BadMapping::Unknown),
            1 => {
                let mut classes = self.size_classes();
                let found = classes
                    .find_map(|class| self.take_from(kernel, class, query, |mapping| mapping.has_handle_of(query)));
                found.ok_or(BadMapping::Unknown)
            }
            _ => Err(BadMapping::Ambiguous),
        }
    }

    /// Takes the record with the query's device, handle, size and direction out, if its mapping has the library's operations
    /// and no bounce buffer.
    ///
    /// Context: any.
    pub fn take_plain(&self, kernel: K, query: &Query) -> RecordList<K> {
        let is_plain = |mapping: &Mapping| {
            mapping.has_handle_of(query)
                && mapping.check(query).is_ok()
                && mapping.bounce.is_none()
                && matches!(mapping.master.ops, Ops::Library(_))
        };
        self.take_from(kernel, SizeClass::of(query.handle, query.size), query, is_plain)
    }

    /// Takes the first record that `is_wanted` out of the list for mappings of this size class that begin at the query's handle.
    fn take_from(
        &self,
        kernel: K,
        class: SizeClass,
        query: &Query,
        is_wanted: impl Fn(&Mapping) -> bool,
    ) -> Option<OwnedRecord<K>> {
        let record = take_first(kernel, self.list(class, class.block(page_of(query.handle))), is_wanted)?;
        self.uncount(class, &record);
        Some(record)
    }

    /// Notes that a record has been taken out.
    fn uncount(&self, class: SizeClass, record: &OwnedRecord<K>) {
        if let Some(mapping) = &record.mapping {
            self.counts.each(class, mapping, record.is_outside, |count| _ = count.fetch_sub(1, Release));
        }
    }

    /// Takes all records of the device out for which `is_meant` returns true, and passes each to `use_record`. `is_meant` is
    /// called with a lock held.
    ///
    /// Context: any.
    pub fn take_all(
        &self,
        kernel: K,
        device: Device,
        is_meant: impl Fn() -> bool,
        mut use_record: impl FnMut(OwnedRecord<K>),
    ) {
        if self.size_classes().next().is_none() {
            return;
        }
        let is_wanted = |mapping: &Mapping| mapping.master.device == device && is_meant();
        for list in &self.lists {
            while let Some(record) = take_first(kernel, list, is_wanted) {
                if let Some(mapping) = &record.mapping {
                    self.uncount(SizeClass::of(mapping.handle, mapping.size), &record);
                }
                use_record(record);
            }
        }
    }

    /// Calls `look` with the mapping that holds the query's range, and returns its result. `look` runs with a lock held.
    ///
    /// Context: any.
    pub fn find<T>(&self, kernel: K, query: &Query, look: impl FnOnce(&mut Mapping) -> T) -> Result<T, BadMapping> {
        if query.direction == Direction::Neither {
            return Err(BadMapping::Unknown);
        }
        let mut why = BadMapping::Unknown;
        for class in self.size_classes() {
            let block = class.block(page_of(query.handle));
            for block in [Some(block), class.block_before(block)].into_iter().flatten() {
                let mut list = self.list(class, block).lock(kernel);
                let mut at = list.as_mut();
                while let Some(record) = at {
                    match record.mapping.as_mut().map(|mapping| (mapping.check_part(query), mapping)) {
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
fn take_first<K: Kernel>(
    kernel: K,
    list: &IrqLock<RecordList<K>>,
    is_wanted: impl Fn(&Mapping) -> bool,
) -> Option<OwnedRecord<K>> {
    let mut list = list.lock(kernel);
    let mut at: &mut RecordList<K> = &mut list;
    while !at.as_ref()?.mapping.as_ref().is_some_and(&is_wanted) {
        at = &mut at.as_mut()?.next;
    }
    pop(at)
}

/// Returns the mappings of a list, with their size classes.
fn list_of<K: Kernel>(list: &RecordList<K>) -> impl Iterator<Item = (SizeClass, &Mapping)> {
    let records = core::iter::successors(list.as_ref(), |record| record.next.as_ref());
    let mappings = records.filter_map(|record| record.mapping.as_ref());
    mappings.map(|mapping| (SizeClass::of(mapping.handle, mapping.size), mapping))
}
