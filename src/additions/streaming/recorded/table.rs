//! The table of the mappings that have a record: finding a record by a handle.
//!
//! A record is in the list `page % 256`, where `page` is the page of the first handle of its mapping. An unmap has the
//! first handle, so it searches one list. A sync may have a handle in the middle, so it also visits the lists of
//! earlier pages, back to `longest_of_all` bytes before the handle. It skips a list whose longest mapping, if it began
//! at the last byte of that page, would end before the handle.
//!
//! For example, a mapping of 0x3000 bytes at 0x5000 is in list 5, and no mapping was ever longer. A sync of handle
//! 0x7100 visits the lists of pages 7, 6, 5 and 4: 0x7100 - 0x3000 lies in page 4. Only list 5 has a mapping, and so it
//! is the only one that is searched.
//!
//! `longest` and `longest_of_all` never fall: after one long mapping, all later syncs visit more lists.
//!
//! The counters `outside` answer without a lock whether a handle that leads to no pool can have a record at all.

use core::iter::from_fn;

use super::mapping::{LiveMapping, Part};
use crate::additions::streaming::{BadMapping, MappedBuffer};
use crate::kernel::{Device, Handle, Kernel, PAGE_SHIFT, PAGE_SIZE};
use crate::mem::atomics::{
    AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use crate::mem::index::at_or_first;
use crate::mem::list::{Element, List};
use crate::mem::lock::IrqLock;

/// The record of a mapping. Its memory is from the heap, so only a thread can allocate it.
pub type Record<K> = Element<K, LiveMapping>;

/// Lists in the table. Among 1,024 live mappings a map and unmap take 676 instructions on a host; with 64 lists 757,
/// with one 9,819 (`benches/host/records.c`).
const LISTS: usize = 256;
/// Counters of records outside the pools.
const COUNTERS: usize = 64;
/// The handles of a chunk of 64 KiB share a counter. With a counter for each page, each further page of a mapping takes
/// 24 instructions (`benches/maps.c`, "flash").
const CHUNK_SHIFT: usize = 16;

/// One of the lists of records.
struct RecordList<K: Kernel> {
    records: IrqLock<List<K, LiveMapping>>,
    /// The size of the longest mapping that was ever in the list. A search takes the lock only if a mapping of this
    /// size reaches as far as the handle. Written with the lock held.
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
    longest_of_all: AtomicUsize,
    /// The number of records of mappings outside the pools, each counted for every chunk that it touches.
    outside: [AtomicUsize; COUNTERS],
}

impl<K: Kernel> RecordTable<K> {
    pub const fn new() -> Self {
        RecordTable {
            lists: [const { RecordList::new() }; LISTS],
            longest_of_all: AtomicUsize::new(0),
            outside: [const { AtomicUsize::new(0) }; COUNTERS],
        }
    }

    /// Returns the list of the mappings that begin in a page.
    fn list(&self, page: usize) -> &RecordList<K> {
        at_or_first(&self.lists, page % LISTS)
    }

    /// Returns false only if no record of a mapping that leads outside the pools contains `handle`. If it returns true,
    /// there need not be one. Takes no lock.
    ///
    /// Context: any.
    pub fn may_have_record_outside_pools(&self, handle: Handle) -> bool {
        self.counter(handle >> CHUNK_SHIFT).load(Acquire) != 0
    }

    /// Returns the counter of a chunk.
    fn counter(&self, chunk: usize) -> &AtomicUsize {
        at_or_first(&self.outside, chunk % COUNTERS)
    }

    /// Returns the counters of the chunks that a mapping touches.
    fn counters_of(&self, mapping: &LiveMapping) -> impl Iterator<Item = &AtomicUsize> {
        let (first, last) = (mapping.handle >> CHUNK_SHIFT, mapping.last_handle() >> CHUNK_SHIFT);
        // A mapping of more chunks than there are counters has each counter once.
        (first..=last).take(COUNTERS).map(|chunk| self.counter(chunk))
    }

    /// Puts the record of a new mapping into its list.
    ///
    /// Context: any.
    pub fn insert(&self, kernel: K, record: Record<K>) {
        // The numbers rise before the driver has the handle, so that a search for it sees them.
        if record.leads_outside_pools {
            // As a `for` loop this takes 9 instructions more (`ci/bench`, rows "flash").
            self.counters_of(&record).for_each(|counter| _ = counter.fetch_add(1, Release));
        }
        let list = self.list(page_of(record.handle));
        let mut records = list.records.lock(kernel);
        if record.size > list.longest.load(Relaxed) {
            list.longest.store(record.size, Release);
            self.longest_of_all.fetch_max(record.size, Release);
        }
        records.push(record);
    }

    /// Takes the record out that an unmap of the device is about: the one with the handle, size and direction of
    /// `mapped`; if there is none, the only one with its handle. Of two callers at once, one gets it.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`Unknown`](BadMapping::Unknown) if there is no record with the handle, and
    /// [`Ambiguous`](BadMapping::Ambiguous) if there are several, none with the size and direction.
    pub fn take(&self, kernel: K, device: Device, mapped: &MappedBuffer) -> Result<Record<K>, BadMapping> {
        let has_handle = |mapping: &LiveMapping| mapping.is_of(device, mapped.handle);
        let mut records = self.list(page_of(mapped.handle)).records.lock(kernel);
        let taken = if let Some(exact) = records.take_first(|mapping| mapping.is_exactly(device, mapped)) {
            Some(exact)
        } else if records.iter().filter(|mapping| has_handle(mapping)).count() > 1 {
            return Err(BadMapping::Ambiguous);
        } else {
            records.take_first(has_handle)
        };
        drop(records);
        let record = taken.ok_or(BadMapping::Unknown)?;
        self.uncount(&record);
        Ok(record)
    }

    /// Returns whether there is a record with the handle, size and direction of an unmap of the device.
    ///
    /// Context: any.
    pub fn has_exact(&self, kernel: K, device: Device, mapped: &MappedBuffer) -> bool {
        let records = self.list(page_of(mapped.handle)).records.lock(kernel);
        records.iter().any(|mapping| mapping.is_exactly(device, mapped))
    }

    /// Notes that a record has been taken out.
    fn uncount(&self, mapping: &LiveMapping) {
        if mapping.leads_outside_pools {
            // As a `for` loop this takes 7 instructions more (`ci/bench`, rows "flash").
            self.counters_of(mapping).for_each(|counter| _ = counter.fetch_sub(1, Release));
        }
    }

    /// Takes out all records for which `is_wanted` returns true, and returns them one by one: each is taken out only
    /// when the iterator is asked for it. `is_wanted` is called with a lock held.
    ///
    /// Context: any.
    pub fn take_all(&self, kernel: K, is_wanted: &impl Fn(&LiveMapping) -> bool) -> impl Iterator<Item = Record<K>> {
        let used_lists = self.lists.iter().filter(|list| list.longest.load(Acquire) != 0);
        let records = used_lists.flat_map(move |list| from_fn(move || list.records.lock(kernel).take_first(is_wanted)));
        records.inspect(|record| self.uncount(record))
    }

    /// Returns the mapping of the device that contains the range of a sync. The direction of `mapped` is not `Neither`.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`Unknown`](BadMapping::Unknown) if no mapping of the device contains the first byte of the range. Otherwise
    /// [`PastEnd`](BadMapping::PastEnd) or [`WrongDirection`](BadMapping::WrongDirection), of the mapping that was
    /// looked at last.
    pub fn find(&self, kernel: K, device: Device, mapped: &MappedBuffer) -> Result<LiveMapping, BadMapping> {
        self.with_mapping(kernel, device, mapped, |mapping| *mapping)
    }

    /// Sets [`synced_in`](LiveMapping::synced_in) of the mapping that [`find`](Self::find) returns, and returns what it
    /// was before. `None` also if the mapping has ended.
    ///
    /// Context: any.
    pub fn replace_synced_in(
        &self,
        kernel: K,
        device: Device,
        mapped: &MappedBuffer,
        part: Option<Part>,
    ) -> Option<Part> {
        let replace = |mapping: &mut LiveMapping| core::mem::replace(&mut mapping.synced_in, part);
        self.with_mapping(kernel, device, mapped, replace).ok().flatten()
    }

    /// Calls `act` with the mapping that [`find`](Self::find) returns, under the lock of its list, and returns the
    /// result. `act` may change `synced_in` only: the table depends on the other fields.
    fn with_mapping<T>(
        &self,
        kernel: K,
        device: Device,
        mapped: &MappedBuffer,
        act: impl FnOnce(&mut LiveMapping) -> T,
    ) -> Result<T, BadMapping> {
        let mut error = BadMapping::Unknown;
        for list in self.lists_that_reach(mapped.handle) {
            for mapping in list.records.lock(kernel).iter_mut() {
                match mapping.check_part(device, mapped) {
                    Ok(()) => return Ok(act(mapping)),
                    Err(BadMapping::Unknown) => {}
                    Err(other) => error = other,
                }
            }
        }
        Err(error)
    }

    /// Returns the lists that may have a mapping that contains `handle`.
    fn lists_that_reach(&self, handle: Handle) -> impl Iterator<Item = &RecordList<K>> {
        // Such a mapping begins in one of these pages. The lists repeat after `LISTS` pages.
        let lowest = handle.saturating_sub(self.longest_of_all.load(Acquire));
        let pages = (page_of(lowest)..=page_of(handle)).rev().take(LISTS);
        pages.filter_map(move |page| {
            let list = self.list(page);
            let last_of_page = page << PAGE_SHIFT | (PAGE_SIZE - 1);
            // Otherwise no mapping of the list reaches the handle, even from the last byte of the page.
            (list.longest.load(Acquire) > handle.saturating_sub(last_of_page)).then_some(list)
        })
    }
}

/// Returns the number of the page that a handle lies in.
fn page_of(handle: Handle) -> usize {
    handle >> PAGE_SHIFT
}
