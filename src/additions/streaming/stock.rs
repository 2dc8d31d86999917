//! Records that no mapping uses: threads allocate a stock, from which interrupts take.

use crate::mem::atomics::{AtomicBool, Ordering::Relaxed};
use core::mem::{forget, replace};

use super::Mapping;
use crate::kernel::Kernel;
use crate::mem::heap::KBox;
use crate::mem::lock::IrqLock;

/// Records that a thread makes sure there are.
const LEAST: usize = 16;
/// Records that a thread leaves: an interrupt that unmaps and then maps finds the records that it gave back.
const MOST: usize = 64;

/// Heap memory for a mapping.
pub(super) struct Record<K: Kernel> {
    pub mapping: Option<Mapping>,
    /// The mapping is not wholly a pool's.
    pub is_outside: bool,
    pub next: List<K>,
}

pub(super) type Owned<K> = KBox<K, Record<K>>;
pub(super) type List<K> = Option<Owned<K>>;

pub(super) struct Stock<K: Kernel> {
    stacks: IrqLock<Stacks<K>>,
    /// Whether a thread has something to do, as the stacks are. Written with the lock held.
    needs_thread: AtomicBool,
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
    pub const fn new() -> Self {
        Stock {
            stacks: IrqLock::new(Stacks { spare: None, spares: 0, unfreed: None }),
            needs_thread: AtomicBool::new(true),
        }
    }

    /// Whether a thread has something to do: to free bounce buffers, or to [fill the stock up](Stock::refill). Takes no lock.
    /// Context: any.
    #[inline(always)]
    pub fn needs_thread(&self) -> bool {
        self.needs_thread.load(Relaxed)
    }

    fn with<T>(&self, kernel: K, change: impl FnOnce(&mut Stacks<K>) -> T) -> T {
        let mut stacks = self.stacks.lock(kernel);
        let result = change(&mut stacks);
        let needs_thread = stacks.unfreed.is_some() || !(LEAST..=MOST).contains(&stacks.spares);
        self.needs_thread.store(needs_thread, Relaxed);
        result
    }

    /// Takes a record, if there is one. Context: any.
    pub fn take(&self, kernel: K) -> List<K> {
        self.with(kernel, |stacks| {
            let record = pop(&mut stacks.spare)?;
            stacks.spares -= 1;
            Some(record)
        })
    }

    /// Gives a record back. Context: any.
    pub fn put(&self, kernel: K, mut record: Owned<K>) {
        record.mapping = None;
        self.with(kernel, |stacks| {
            stacks.spares += 1;
            push(&mut stacks.spare, record);
        });
    }

    /// Leaves a mapping whose bounce buffer cannot be freed in this context to the next thread. Context: any.
    pub fn leave(&self, kernel: K, record: Owned<K>) {
        self.with(kernel, |stacks| push(&mut stacks.unfreed, record));
    }

    /// Takes one that was left, with its mapping. Context: any.
    pub fn left(&self, kernel: K) -> Option<(Owned<K>, Option<Mapping>)> {
        let record = self.with(kernel, |stacks| pop(&mut stacks.unfreed))?;
        let mapping = record.mapping;
        Some((record, mapping))
    }

    /// Allocates what is missing in the stock, as far as the heap has memory, and frees what is too much. Context: thread.
    pub fn refill(&self, kernel: K) {
        while self.spares(kernel) < LEAST {
            match KBox::new(kernel, Record { mapping: None, is_outside: false, next: None }) {
                Ok(record) => self.put(kernel, record),
                Err(_) => return,
            }
        }
        while self.spares(kernel) > MOST {
            drop(self.take(kernel));
        }
    }

    fn spares(&self, kernel: K) -> usize {
        self.stacks.lock(kernel).spares
    }

    /// Frees the stock. Context: thread.
    pub fn clear(&self, kernel: K) {
        while let Some(record) = self.take(kernel) {
            drop(record);
        }
    }
}
