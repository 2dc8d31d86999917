//! Spare records, which no mapping uses. Threads allocate them, so that a map in an interrupt finds one.

use super::mapping::LiveMapping;
use super::table::Record;
use crate::kernel::Kernel;
use crate::mem::atomics::{AtomicBool, Ordering::Relaxed};
use crate::mem::list::{Element, List};
use crate::mem::lock::IrqLock;

/// What [`Stacks::target`] is before a [`SpareRecords::fill`] raises it.
const FIRST_TARGET: usize = 16;
/// The number of further records that a thread leaves: an interrupt that unmaps and then maps finds the records that it
/// gave back.
const MARGIN: usize = 48;

/// The spare records, and records of ended mappings whose bounce buffers a thread has to free.
pub struct SpareRecords<K: Kernel> {
    stacks: IrqLock<Stacks<K>>,
    /// Whether a thread has to allocate or free spare records, or to free a record of `unfreed`. Written with the lock
    /// held.
    needs_thread: AtomicBool,
}

struct Stacks<K: Kernel> {
    spare: List<K, LiveMapping>,
    /// The number of records in `spare`.
    spare_count: usize,
    /// If there are fewer spare records, a thread allocates the missing ones.
    target: usize,
    /// Records of mappings that have ended in an interrupt, and whose bounce buffers a thread has to free.
    unfreed: List<K, LiveMapping>,
}

impl<K: Kernel> Stacks<K> {
    /// Returns whether there are fewer spare records than `target`.
    fn is_short(&self) -> bool {
        self.spare_count < self.target
    }

    /// Returns whether there are more spare records than threads leave.
    fn has_surplus(&self) -> bool {
        self.spare_count > self.target.saturating_add(MARGIN)
    }

    /// Returns whether there are too few spare records or too many.
    fn needs_adjustment(&self) -> bool {
        // With fewer than `target`, the difference wraps to a large number. With `is_short() || has_surplus()`, a map
        // and an unmap take 12 instructions more (`ci/bench`, rows "pool").
        self.spare_count.wrapping_sub(self.target) > MARGIN
    }

    /// Takes a spare record.
    fn pop_spare(&mut self) -> Option<Record<K>> {
        let record = self.spare.pop()?;
        self.spare_count -= 1;
        Some(record)
    }
}

impl<K: Kernel> SpareRecords<K> {
    /// No spare records.
    pub const fn new() -> Self {
        SpareRecords {
            stacks: IrqLock::new(Stacks {
                spare: List::new(),
                spare_count: 0,
                target: FIRST_TARGET,
                unfreed: List::new(),
            }),
            needs_thread: AtomicBool::new(true),
        }
    }

    /// Returns whether a thread has something to do: to free bounce buffers, or to [allocate or free
    /// records](SpareRecords::adjust). Takes no lock.
    ///
    /// Context: any.
    pub fn needs_thread(&self) -> bool {
        self.needs_thread.load(Relaxed)
    }

    /// Changes the stacks, and notes whether a thread has something to do then.
    #[inline(always)] // `take`, below, has the figure.
    fn change_stacks<T>(&self, kernel: K, change: impl FnOnce(&mut Stacks<K>) -> T) -> T {
        let mut stacks = self.stacks.lock(kernel);
        let result = change(&mut stacks);
        let needs_thread = !stacks.unfreed.is_empty() || stacks.needs_adjustment();
        self.needs_thread.store(needs_thread, Relaxed);
        result
    }

    /// Takes a spare record; `None` if there is none.
    ///
    /// Context: any.
    // As functions of their own, this, `put` and `change_stacks` take 33 instructions more (`ci/bench`, rows "pool").
    #[inline(always)]
    pub fn take(&self, kernel: K) -> Option<Record<K>> {
        self.change_stacks(kernel, Stacks::pop_spare)
    }

    /// Makes a record a spare one.
    ///
    /// Context: any.
    #[inline(always)] // `take`, above, has the figure.
    pub fn put(&self, kernel: K, record: Record<K>) {
        self.change_stacks(kernel, |stacks| {
            stacks.spare_count += 1;
            stacks.spare.push(record);
        });
    }

    /// Keeps the record of a mapping that has ended until a thread frees its bounce buffer, which cannot be freed in
    /// this context.
    ///
    /// Context: any.
    pub fn put_unfreed(&self, kernel: K, record: Record<K>) {
        self.change_stacks(kernel, |stacks| stacks.unfreed.push(record));
    }

    /// Takes a record that [`put_unfreed`](SpareRecords::put_unfreed) kept.
    ///
    /// Context: any.
    pub fn take_unfreed(&self, kernel: K) -> Option<Record<K>> {
        self.change_stacks(kernel, |stacks| stacks.unfreed.pop())
    }

    /// Allocates the records that are missing, as far as the heap has memory, and frees those that are too many.
    ///
    /// Context: thread.
    pub fn adjust(&self, kernel: K) {
        while self.stacks.lock(kernel).is_short() {
            let Some(record) = Element::new(kernel, LiveMapping::NONE) else { break };
            self.put(kernel, record);
        }
        while let Some(record) = self.take_surplus(kernel) {
            drop(record);
        }
    }

    /// Takes a spare record if there are too many. It is decided with the lock held: another thread may have raised
    /// `target`, and then its records must stay.
    fn take_surplus(&self, kernel: K) -> Option<Record<K>> {
        self.change_stacks(kernel, |stacks| if stacks.has_surplus() { stacks.pop_spare() } else { None })
    }

    /// Makes sure that there are at least `count` spare records, now and after each call of a thread. Returns false,
    /// and changes nothing, if the heap has too little memory.
    ///
    /// Context: thread.
    pub fn fill(&self, kernel: K, count: usize) -> bool {
        let (mut made, mut made_count) = (List::new(), 0);
        while !self.raise_target(kernel, count, made_count) {
            let Some(record) = Element::new(kernel, LiveMapping::NONE) else { return false };
            made.push(record);
            made_count += 1;
        }
        // `target` is raised already. If it were raised after this, other threads could free the records.
        while let Some(record) = made.pop() {
            self.put(kernel, record);
        }
        true
    }

    /// Raises [`target`](Stacks::target) to `count` if there are as many spare records together with `made_count`
    /// further ones. Returns whether there are.
    fn raise_target(&self, kernel: K, count: usize, made_count: usize) -> bool {
        self.change_stacks(kernel, |stacks| {
            let suffices = stacks.spare_count.saturating_add(made_count) >= count;
            if suffices {
                stacks.target = stacks.target.max(count);
            }
            suffices
        })
    }

    /// Frees the spare records.
    ///
    /// Context: thread.
    #[cfg(feature = "internals")]
    pub fn clear(&self, kernel: K) {
        while let Some(record) = self.take(kernel) {
            drop(record);
        }
    }
}
