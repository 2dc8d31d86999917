//! Buffers that are mapped one by one, because their pool has no view of the memory type they want.
//!
//! Each has a record in the heap, found by its physical address, so that a free can tell the buffer's own mapping from
//! any other that leads to the same page.

use crate::kernel::heap::KBox;
use crate::kernel::{Kernel, PAGE_SHIFT, Pa, Va};
use crate::lock::IrqLock;

/// Lists that the records are spread over.
const BUCKETS: usize = 32;

/// A buffer with a mapping of its own.
pub struct Mapping<K: Kernel> {
    va: Va,
    pa: Pa,
    next: Option<KBox<K, Mapping<K>>>,
}

type List<K> = Option<KBox<K, Mapping<K>>>;

/// The records of all pools.
pub struct Mappings<K: Kernel> {
    buckets: [IrqLock<List<K>>; BUCKETS],
}

impl<K: Kernel> Mappings<K> {
    /// No records.
    pub const fn new() -> Self {
        Mappings { buckets: [const { IrqLock::new(None) }; BUCKETS] }
    }

    fn bucket(&self, pa: Pa) -> &IrqLock<List<K>> {
        let index = (pa >> PAGE_SHIFT) % BUCKETS;
        let [first, ..] = &self.buckets;
        self.buckets.get(index).unwrap_or(first)
    }

    /// Records that the buffer at `pa` is mapped at `va`; false if there is no memory for it. *Thread.*
    pub fn insert(&self, kernel: K, va: Va, pa: Pa) -> bool {
        let Ok(mut record) = KBox::new(kernel, Mapping { va, pa, next: None }) else {
            return false;
        };
        let mut list = self.bucket(pa).lock(kernel);
        record.next = list.take();
        *list = Some(record);
        true
    }

    /// Where the buffer at `pa` is mapped by itself, if it is. Any context.
    pub fn find(&self, kernel: K, pa: Pa) -> Option<Va> {
        let list = self.bucket(pa).lock(kernel);
        let mut at = list.as_ref();
        while let Some(record) = at {
            if record.pa == pa {
                return Some(record.va);
            }
            at = record.next.as_ref();
        }
        None
    }

    /// Takes out the record that says so; only one caller gets it. *Thread.*
    pub fn remove(&self, kernel: K, va: Va, pa: Pa) -> Option<KBox<K, Mapping<K>>> {
        let mut list = self.bucket(pa).lock(kernel);
        let mut at: &mut List<K> = &mut list;
        while at.as_ref().is_some_and(|record| (record.pa, record.va) != (pa, va)) {
            at = &mut at.as_mut()?.next;
        }
        let mut record = at.take()?;
        *at = record.next.take();
        Some(record)
    }
}
