//! Records that no mapping uses: threads allocate a stock, from which interrupts take.

use crate::mem::atomics::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use core::mem::{forget, replace};

use super::Mapping;
use crate::kernel::Kernel;
use crate::mem::heap::KBox;
use crate::mem::lock::IrqLock;

/// The number of records that threads make sure there are, unless [`Stock::fill`] raises it.
const LEAST: usize = 16;
/// The number of further records that a thread leaves: an interrupt that unmaps and then maps finds the records that it gave
/// back.
const MARGIN: usize = 48;

/// Heap memory for a mapping.
pub(super) struct Record<K: Kernel> {
    pub mapping: Option<Mapping>,
    /// Not every byte of the mapping is a pool's.
    pub is_outside: bool,
    pub next: List<K>,
}

pub(super) type Owned<K> = KBox<K, Record<K>>;
pub(super) type List<K> = Option<Owned<K>>;

pub(super) struct Stock<K: Kernel> {
    stacks: IrqLock<Stacks<K>>,
    /// Whether a thread has something to do, as the stacks are. Written with the lock held.
    needs_thread: AtomicBool,
    /// The number of records that threads make sure there are. Written with the lock held.
    least: AtomicUsize,
}

struct Stacks<K: Kernel> {
    spare: List<K>,
    /// Records in `spare`.
    spares: usize,
    /// Records of mappings that have ended in an interrupt, and whose bounce buffers a thread has to free.
    unfreed: List<K>,
}

/// Puts a record on a list, whose `next` is `None`.
#[inline(always)]
pub(super) fn push<K: Kernel>(list: &mut List<K>, mut record: Owned<K>) {
    // Nothing is dropped: the compiler would call code that finds out.
    forget(replace(&mut record.next, list.take()));
    forget(list.replace(record));
}

/// Takes the first record from a list.
#[inline(always)]
pub(super) fn pop<K: Kernel>(list: &mut List<K>) -> List<K> {
    let mut record = list.take()?;
    forget(replace(list, record.next.take()));
    Some(record)
}

impl<K: Kernel> Stock<K> {
    /// Makes an empty stock.
    pub const fn new() -> Self {
        Stock {
            stacks: IrqLock::new(Stacks { spare: None, spares: 0, unfreed: None }),
            needs_thread: AtomicBool::new(true),
            least: AtomicUsize::new(LEAST),
        }
    }

    /// Returns whether a thread has something to do: to free bounce buffers, or to [refill the stock](Stock::refill). Takes no
    /// lock.
    ///
    /// Context: any.
    #[inline(always)]
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

    /// Takes a record, if there is one.
    ///
    /// Context: any.
    pub fn take(&self, kernel: K) -> List<K> {
        self.with(kernel, |stacks| {
            let record = pop(&mut stacks.spare)?;
            stacks.spares -= 1;
            Some(record)
        })
    }

    /// Gives a record back.
    ///
    /// Context: any.
    pub fn put(&self, kernel: K, mut record: Owned<K>) {
        record.mapping = None;
        self.with(kernel, |stacks| {
            stacks.spares += 1;
            push(&mut stacks.spare, record);
        });
    }

    /// Leaves a mapping whose bounce buffer cannot be freed in this context to the next thread.
    ///
    /// Context: any.
    pub fn leave(&self, kernel: K, record: Owned<K>) {
        self.with(kernel, |stacks| push(&mut stacks.unfreed, record));
    }

    /// Takes a record that was left, with its mapping.
    ///
    /// Context: any.
    pub fn left(&self, kernel: K) -> Option<(Owned<K>, Option<Mapping>)> {
        let record = self.with(kernel, |stacks| pop(&mut stacks.unfreed))?;
        let mapping = record.mapping;
        Some((record, mapping))
    }

    /// Allocates what is missing in the stock, as far as the heap has memory, and frees what is too much.
    ///
    /// Context: thread.
    pub fn refill(&self, kernel: K) {
        self.grow_to(kernel, self.least());
        while self.spares(kernel) > self.least().saturating_add(MARGIN) {
            drop(self.take(kernel));
        }
    }

    /// Makes sure that the stock has at least `count` records, now and after each call of a thread. Returns false, and changes
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

    /// Allocates records until the stock has `count`. Returns false if the heap has too little memory.
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

    /// Returns the number of records in the stock.
    fn spares(&self, kernel: K) -> usize {
        self.stacks.lock(kernel).spares
    }

    /// Frees the stock.
    ///
    /// Context: thread.
    pub fn clear(&self, kernel: K) {
        while let Some(record) = self.take(kernel) {
            drop(record);
        }
    }
}
