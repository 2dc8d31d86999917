//! The table of the mappings that have a record: finding a record by a handle.
//!
//! A record lies in one list of a fixed table, which follows from the page in which its mapping begins. So an unmap,
//! which has the handle of the first byte, searches one list. A sync may have the handle of any byte: it also looks
//! at the lists of the pages before, as far as the longest mapping reaches, and searches those that have one so long.

use crate::mem::atomics::{
    AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

use super::mapping::Mapping;
use crate::additions::streaming::{BadMapping, Direction, Query};
use crate::kernel::{Device, Handle, Kernel, PAGE_SHIFT, PAGE_SIZE};
use crate::mem::index::at_or_first;
use crate::mem::list::{Element, List};
use crate::mem::lock::IrqLock;

/// A mapping, in memory that threads allocate.
pub type Record<K> = Element<K, Mapping>;

/// Lists in the table. Among 1,024 live mappings a map and unmap take 677 instructions on a host; with 64 lists 757,
/// with one 9,819 (`benches/host/records.c`).
const LISTS: usize = 256;
/// Counters of records outside the pools.
const COUNTERS: usize = 64;
/// Handles that differ only in this many low bits share a counter: blocks of 64 KiB. With a counter for each page, each
/// further page of a mapping takes 24 instructions (`benches/maps.c`, "elsewhere").
const COUNTED_BITS: usize = 16;

/// One of the lists of records.
struct RecordList<K: Kernel> {
    records: IrqLock<List<K, Mapping>>,
    /// The size of the longest mapping that was ever in the list. A search takes the lock only if a mapping of this size
    /// reaches as far as the handle. Written with the lock held.
    longest: AtomicUsize,
}

impl<K: Kernel> RecordList<K> {
    const fn new() -> Self {
        RecordList { records: IrqLock::new(List::new()), longest: AtomicUsize::new(0) }
    }
}

/// The records of all mappings, in lists.
pub struct RecordTable<K: Kernel> {
    lists: [RecordList<K>; LISTS],
    /// The size of the longest mapping that was ever recorded; 0 before the first one.
    longest: AtomicUsize,
    /// The number of records of mappings outside the pools, each counted for every block of `1 << COUNTED_BITS` bytes
    /// that it touches.
    outside: [AtomicUsize; COUNTERS],
}

impl<K: Kernel> RecordTable<K> {
    pub const fn new() -> Self {
        RecordTable {
            lists: [const { RecordList::new() }; LISTS],
            longest: AtomicUsize::new(0),
            outside: [const { AtomicUsize::new(0) }; COUNTERS],
        }
    }

    /// Returns the list of the mappings that begin in a page.
    fn list(&self, page: usize) -> &RecordList<K> {
        at_or_first(&self.lists, page % LISTS)
    }

    /// Returns false if no mapping outside the pools that has a record contains `handle`. True may be wrong. Takes no
    /// lock.
    ///
    /// Context: any.
    pub fn may_have_outside_pools(&self, handle: Handle) -> bool {
        self.counter(handle >> COUNTED_BITS).load(Acquire) != 0
    }

    /// Returns the counter of a block.
    fn counter(&self, block: usize) -> &AtomicUsize {
        at_or_first(&self.outside, block % COUNTERS)
    }

    /// Calls `change` with each counter of a record.
    fn count(&self, mapping: &Mapping, change: impl Fn(&AtomicUsize)) {
        if mapping.reaches_outside_pools {
            let (first, last) = (mapping.handle >> COUNTED_BITS, mapping.last() >> COUNTED_BITS);
            // A mapping of more blocks than there are counters changes each counter once.
            let end = (last + 1).min(first + COUNTERS);
            (first..end).for_each(|block| change(self.counter(block)));
        }
    }

    /// Puts the record of a new mapping into its list.
    ///
    /// Context: any.
    pub fn insert(&self, kernel: K, record: Record<K>) {
        // The numbers rise before the driver has the handle, so that a search for it sees them.
        self.count(&record, |count| _ = count.fetch_add(1, Release));
        let list = self.list(page_of(record.handle));
        let mut records = list.records.lock(kernel);
        if record.size > list.longest.load(Relaxed) {
            list.longest.store(record.size, Release);
            self.longest.fetch_max(record.size, Release);
        }
        records.push(record);
    }

    /// Takes the record out that an unmap of the device is about: the one with the query's handle, size and direction;
    /// if there is none, the only one with its handle. Of two callers at once, one gets it.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`Unknown`](BadMapping::Unknown) if there is no record with the handle, and
    /// [`Ambiguous`](BadMapping::Ambiguous) if there are several, none with the size and direction.
    pub fn take(&self, kernel: K, device: Device, query: &Query) -> Result<Record<K>, BadMapping> {
        let has_handle = |mapping: &Mapping| mapping.is_of(device, query.handle);
        let mut records = self.list(page_of(query.handle)).records.lock(kernel);
        let exact = records.take_first(|mapping| has_handle(mapping) && mapping.check(query).is_ok());
        let record = match exact {
            Some(record) => record,
            // The driver passed a wrong size or direction.
            None if records.iter().filter(|mapping| has_handle(mapping)).count() > 1 => {
                return Err(BadMapping::Ambiguous);
            }
            None => records.take_first(has_handle).ok_or(BadMapping::Unknown)?,
        };
        drop(records);
        self.uncount(&record);
        Ok(record)
    }

    /// Returns whether there is a record with the handle, size and direction of an unmap of the device.
    ///
    /// Context: any.
    pub fn has(&self, kernel: K, device: Device, query: &Query) -> bool {
        let is_it = |mapping: &Mapping| mapping.is_of(device, query.handle) && mapping.check(query).is_ok();
        self.list(page_of(query.handle)).records.lock(kernel).iter().any(is_it)
    }

    /// Notes that a record has been taken out.
    fn uncount(&self, mapping: &Mapping) {
        self.count(mapping, |count| _ = count.fetch_sub(1, Release));
    }

    /// Takes all records of the device out for which `is_meant` returns true, and passes each to `use_record`.
    /// `is_meant` is called with a lock held.
    ///
    /// Context: any.
    pub fn take_all(
        &self,
        kernel: K,
        device: Device,
        is_meant: impl Fn() -> bool,
        mut use_record: impl FnMut(Record<K>),
    ) {
        for list in self.lists.iter().filter(|list| list.longest.load(Acquire) != 0) {
            let is_it = |mapping: &Mapping| mapping.master.device == device && is_meant();
            let take = || list.records.lock(kernel).take_first(is_it);
            while let Some(record) = take() {
                self.uncount(&record);
                use_record(record);
            }
        }
    }

    /// Calls `look` with the mapping of the device that contains the range of a sync, and returns its result. `look`
    /// runs with a lock held.
    ///
    /// Context: any.
    pub fn find<T>(
        &self,
        kernel: K,
        device: Device,
        query: &Query,
        look: impl FnOnce(&mut Mapping) -> T,
    ) -> Result<T, BadMapping> {
        if query.direction == Direction::Neither {
            return Err(BadMapping::Unknown);
        }
        let mut why = BadMapping::Unknown;
        // A mapping that contains the byte begins in one of these pages. The lists repeat after `LISTS` pages.
        let lowest = query.handle.saturating_sub(self.longest.load(Acquire));
        for page in (page_of(lowest)..=page_of(query.handle)).rev().take(LISTS) {
            let list = self.list(page);
            let last_of_page = page << PAGE_SHIFT | (PAGE_SIZE - 1);
            // Even from the last byte of the page, no mapping of the list reaches the handle.
            if list.longest.load(Acquire) <= query.handle.saturating_sub(last_of_page) {
                continue;
            }
            let mut records = list.records.lock(kernel);
            let found = records.find_mut(|mapping| match mapping.check_part(device, query) {
                Err(BadMapping::Unknown) => false,
                Err(error) => {
                    why = error;
                    false
                }
                Ok(()) => true,
            });
            if let Some(mapping) = found {
                return Ok(look(mapping));
            }
        }
        Err(why)
    }
}

/// Returns the number of the page that a handle lies in.
fn page_of(handle: Handle) -> usize {
    handle >> PAGE_SHIFT
}
