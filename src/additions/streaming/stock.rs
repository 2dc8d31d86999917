//! Records that no mapping uses: threads allocate a stock, from which interrupts take.

use core::sync::atomic::{
    AtomicUsize,
    Ordering::{Acquire, Release},
};

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

/// A stack of records. Context: any.
struct Stack<K: Kernel> {
    top: IrqLock<List<K>>,
    length: AtomicUsize,
}

impl<K: Kernel> Stack<K> {
    const fn new() -> Self {
        Stack { top: IrqLock::new(None), length: AtomicUsize::new(0) }
    }

    fn length(&self) -> usize {
        self.length.load(Acquire)
    }

    fn push(&self, kernel: K, mut record: Owned<K>) {
        let mut top = self.top.lock(kernel);
        record.next = top.take();
        *top = Some(record);
        self.length.fetch_add(1, Release);
    }

    fn pop(&self, kernel: K) -> List<K> {
        let mut top = self.top.lock(kernel);
        let mut record = top.take()?;
        *top = record.next.take();
        self.length.fetch_sub(1, Release);
        Some(record)
    }
}

pub(super) struct Stock<K: Kernel> {
    spare: Stack<K>,
    /// Records of mappings that have ended in an interrupt, and whose bounce buffers a thread has to free.
    unfreed: Stack<K>,
}

impl<K: Kernel> Stock<K> {
    pub const fn new() -> Self {
        Stock { spare: Stack::new(), unfreed: Stack::new() }
    }

    /// Whether a thread has something to do: to free bounce buffers, or to [fill the stock up](Stock::refill). Takes no lock.
    /// Context: any.
    pub fn needs_thread(&self) -> bool {
        self.unfreed.length() != 0 || !(LEAST..=MOST).contains(&self.spare.length())
    }

    /// Takes a record, if there is one. Context: any.
    pub fn take(&self, kernel: K) -> List<K> {
        self.spare.pop(kernel)
    }

    /// Gives a record back. Context: any.
    pub fn put(&self, kernel: K, mut record: Owned<K>) {
        record.mapping = None;
        self.spare.push(kernel, record);
    }

    /// Leaves a mapping whose bounce buffer cannot be freed in this context to the next thread. Context: any.
    pub fn leave(&self, kernel: K, record: Owned<K>) {
        self.unfreed.push(kernel, record);
    }

    /// Takes one that was left, with its mapping. Context: any.
    pub fn left(&self, kernel: K) -> Option<(Owned<K>, Option<Mapping>)> {
        if self.unfreed.length() == 0 {
            return None;
        }
        let record = self.unfreed.pop(kernel)?;
        let mapping = record.mapping;
        Some((record, mapping))
    }

    /// Allocates what is missing in the stock, as far as the heap has memory, and frees what is too much. Context: thread.
    pub fn refill(&self, kernel: K) {
        for _ in self.spare.length()..LEAST {
            match KBox::new(kernel, Record { mapping: None, is_outside: false, next: None }) {
                Ok(record) => self.spare.push(kernel, record),
                Err(_) => return,
            }
        }
        for _ in MOST..self.spare.length() {
            drop(self.spare.pop(kernel));
        }
    }

    /// Frees the stock. Context: thread.
    pub fn clear(&self, kernel: K) {
        while let Some(record) = self.spare.pop(kernel) {
            drop(record);
        }
    }
}
