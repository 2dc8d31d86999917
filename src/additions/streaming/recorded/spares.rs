//! Spare records, which no mapping uses. Threads allocate them, so that a map in an interrupt finds one.

use crate::mem::atomics::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use super::mapping::Mapping;
use super::record::{OwnedRecord, Record, RecordList, pop, push};
use crate::kernel::Kernel;
use crate::mem::heap::KBox;
use crate::mem::lock::IrqLock;

/// The number of records that threads make sure there are, unless [`SpareRecords::fill`] raises it.
const LEAST: usize = 16;
/// The number of further records that a thread leaves: an interrupt that unmaps and then maps finds the records that it gave
/// back.
const MARGIN: usize = 48;

/// The spare records, and records of ended mappings whose bounce buffers a thread has to free.
pub struct SpareRecords<K: Kernel> {
    stacks: IrqLock<Stacks<K>>,
    /// Whether a thread has something to do, as the stacks are. Written with the lock held.
    needs_thread: AtomicBool,
    /// The number of records that threads make sure there are. Written with the lock held.
    least: AtomicUsize,
}

struct Stacks<K: Kernel> {
    spare: RecordList<K>,
    /// Records in `spare`.
    spares: usize,
    /// Records of mappings that have ended in an interrupt, and whose bounce buffers a thread has to free.
    unfreed: RecordList<K>,
}

impl<K: Kernel> SpareRecords<K> {
    /// No spare records.
    pub const fn new() -> Self {
        SpareRecords {
            stacks: IrqLock::new(Stacks { spare: None, spares: 0, unfreed: None }),
            needs_thread: AtomicBool::new(true),
            least: AtomicUsize::new(LEAST),
        }
    }

    /// Returns whether a thread has something to do: to free bounce buffers, or to [allocate or free
    /// records](SpareRecords::refill). Takes no lock.
    ///
    /// Context: any.
    pub fn needs_thread(&self) -> bool {
        self.needs_thread.load(Relaxed)
    }

    /// Changes the stacks, and notes whether a thread has something to do then.
    fn with<T>(&self, kernel: K, change: impl FnOnce(&mut Stacks<K>) -> T) -> T {
        let mut stacks = self.stacks.lock(kernel);
        let result = change(&mut stacks);
        let least = self.least();
        let needs_thread = stacks.unfreed.is_some() || !(least..=least.saturating_add(MARGIN)).contains(&stacks.spares);
        self.needs_thread.store(needs_thread, Relaxed);
        result
    }

    /// Takes a spare record; `None` if there is none.
    ///
    /// Context: any.
    pub fn take(&self, kernel: K) -> RecordList<K> {
        self.with(kernel, |stacks| {
            let record = pop(&mut stacks.spare)?;
            stacks.spares -= 1;
            Some(record)
        })
    }

    /// Makes a record a spare one.
    ///
    /// Context: any.
    pub fn put(&self, kernel: K, mut record: OwnedRecord<K>) {
        record.mapping = None;
        self.with(kernel, |stacks| {
            stacks.spares += 1;
            push(&mut stacks.spare, record);
        });
    }

    /// Keeps the record of a mapping that has ended until a thread frees its bounce buffer, which cannot be freed in this context.
    ///
    /// Context: any.
    pub fn put_unfreed(&self, kernel: K, record: OwnedRecord<K>) {
        self.with(kernel, |stacks| push(&mut stacks.unfreed, record));
    }

    /// Takes a record that [`put_unfreed`](SpareRecords::put_unfreed) kept, with its mapping.
    ///
    /// Context: any.
    pub fn take_unfreed(&self, kernel: K) -> Option<(OwnedRecord<K>, Option<Mapping>)> {
        let record = self.with(kernel, |stacks| pop(&mut stacks.unfreed))?;
        let mapping = record.mapping;
        Some((record, mapping))
    }

    /// Allocates the records that are missing, as far as the heap has memory, and frees those that are too many.
    ///
    /// Context: thread.
    pub fn refill(&self, kernel: K) {
        self.grow_to(kernel, self.least());
        while self.spares(kernel) > self.least().saturating_add(MARGIN) {
            drop(self.take(kernel));
        }
    }

    /// Makes sure that there are at least `count` spare records, now and after each call of a thread. Returns false, and changes
    /// nothing, if the heap has too little memory.
    ///
    /// Context: thread.
    pub fn fill(&self, kernel: K, count: usize) -> bool {
        let is_full = self.grow_to(kernel, count);
        if is_full {
            self.with(kernel, |_| self.least.store(self.least().max(count), Relaxed));
        }
        self.refill(kernel);
        is_full
    }

    /// Allocates records until there are `count` spare ones. Returns false if the heap has too little memory.
    fn grow_to(&self, kernel: K, count: usize) -> bool {
        while self.spares(kernel) < count {
            match KBox::new(kernel, Record { mapping: None, is_outside: false, next: None }) {
                Ok(record) => self.put(kernel, record),
                Err(_) => return false,
            }
        }
        true
    }

    /// Returns the number of records that threads make sure there are.
    fn least(&self) -> usize {
        self.least.load(Relaxed)
    }

    /// Returns the number of spare records.
    fn spares(&self, kernel: K) -> usize {
        self.stacks.lock(kernel).spares
    }

    /// Frees the spare records.
    ///
    /// Context: thread.
    pub fn clear(&self, kernel: K) {
        while let Some(record) = self.take(kernel) {
            drop(record);
        }
    }
}
