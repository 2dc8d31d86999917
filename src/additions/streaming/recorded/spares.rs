//! Spare records, which no mapping uses. Threads allocate them, so that a map in an interrupt finds one.

use super::mapping::LiveMapping;
use super::table::Record;
use crate::kernel::Kernel;
use crate::mem::atomics::{AtomicBool, Ordering::Relaxed};
use crate::mem::list::{Element, List};
use crate::mem::lock::IrqLock;

/// The number of records that threads make sure there are, unless [`SpareRecords::fill`] raises it.
const LEAST: usize = 16;
/// The number of further records that a thread leaves: an interrupt that unmaps and then maps finds the records that it
/// gave back.
const MARGIN: usize = 48;

/// The spare records, and records of ended mappings whose bounce buffers a thread has to free.
pub struct SpareRecords<K: Kernel> {
    stacks: IrqLock<Stacks<K>>,
    /// Whether a thread has something to do, as the stacks are. Written with the lock held.
    needs_thread: AtomicBool,
}

struct Stacks<K: Kernel> {
    spare: List<K, LiveMapping>,
    /// The number of records in `spare`.
    spare_count: usize,
    /// The number of records that threads make sure there are.
    least: usize,
    /// Records of mappings that have ended in an interrupt, and whose bounce buffers a thread has to free.
    unfreed: List<K, LiveMapping>,
}

impl<K: Kernel> SpareRecords<K> {
    /// No spare records.
    pub const fn new() -> Self {
        SpareRecords {
            stacks: IrqLock::new(Stacks { spare: List::new(), spare_count: 0, least: LEAST, unfreed: List::new() }),
            needs_thread: AtomicBool::new(true),
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
    #[inline(always)] // `take`, below, has the figure.
    fn with<T>(&self, kernel: K, change: impl FnOnce(&mut Stacks<K>) -> T) -> T {
        let mut stacks = self.stacks.lock(kernel);
        let result = change(&mut stacks);
        // There are too many spare records, or fewer than `least`, where the difference wraps to a large number.
        let needs_thread = !stacks.unfreed.is_empty() || stacks.spare_count.wrapping_sub(stacks.least) > MARGIN;
        self.needs_thread.store(needs_thread, Relaxed);
        result
    }

    /// Takes a spare record; `None` if there is none.
    ///
    /// Context: any.
    // As functions of their own, this, `put` and `with` take 33 instructions more (`ci/bench`, rows "pool").
    #[inline(always)]
    pub fn take(&self, kernel: K) -> Option<Record<K>> {
        self.with(kernel, |stacks| {
            let record = stacks.spare.pop()?;
            stacks.spare_count -= 1;
            Some(record)
        })
    }

    /// Makes a record a spare one.
    ///
    /// Context: any.
    #[inline(always)] // `take`, above, has the figure.
    pub fn put(&self, kernel: K, record: Record<K>) {
        self.with(kernel, |stacks| {
            stacks.spare_count += 1;
            stacks.spare.push(record);
        });
    }

    /// Keeps the record of a mapping that has ended until a thread frees its bounce buffer, which cannot be freed in
    /// this context.
    ///
    /// Context: any.
    pub fn put_unfreed(&self, kernel: K, record: Record<K>) {
        self.with(kernel, |stacks| stacks.unfreed.push(record));
    }

    /// Takes a record that [`put_unfreed`](SpareRecords::put_unfreed) kept.
    ///
    /// Context: any.
    pub fn take_unfreed(&self, kernel: K) -> Option<Record<K>> {
        self.with(kernel, |stacks| stacks.unfreed.pop())
    }

    /// Allocates the records that are missing, as far as the heap has memory, and frees those that are too many.
    ///
    /// Context: thread.
    pub fn refill(&self, kernel: K) {
        let least = self.with(kernel, |stacks| stacks.least);
        self.grow_to(kernel, least);
        while self.spare_count(kernel) > least.saturating_add(MARGIN) {
            drop(self.take(kernel));
        }
    }

    /// Makes sure that there are at least `count` spare records, now and after each call of a thread. Returns false,
    /// and changes nothing, if the heap has too little memory.
    ///
    /// Context: thread.
    pub fn fill(&self, kernel: K, count: usize) -> bool {
        let is_full = self.grow_to(kernel, count);
        if is_full {
            self.with(kernel, |stacks| stacks.least = stacks.least.max(count));
        }
        self.refill(kernel);
        is_full
    }

    /// Allocates records until there are `count` spare ones. Returns false if the heap has too little memory.
    fn grow_to(&self, kernel: K, count: usize) -> bool {
        while self.spare_count(kernel) < count {
            let Some(record) = Element::new(kernel, LiveMapping::NONE) else { return false };
            self.put(kernel, record);
        }
        true
    }

    /// Returns the number of spare records.
    fn spare_count(&self, kernel: K) -> usize {
        self.stacks.lock(kernel).spare_count
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
