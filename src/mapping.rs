//! Buffers that are mapped one by one, because their pool has no view of the memory type they want.
//!
//! Each has a record, found by its physical address, so that a free can tell the buffer's own mapping from any other that
//! leads to the same page. The lists of records only grow, and are read without a lock; the record of a buffer that was
//! given back is kept for the next one.

use core::mem::size_of;
use core::num::NonZeroUsize;
use core::sync::atomic::{
    AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

use crate::kernel::heap::{AtomicRef, Reserved};
use crate::kernel::{Kernel, PAGE_SHIFT, Pa, Va};

/// The buffer of a record that has none.
const FREE: Pa = 0;
/// The buffer of one that somebody fills in or takes out: no page begins there.
const BUSY: Pa = 1;

/// Where a buffer is mapped by itself.
pub struct Mapping {
    pa: AtomicUsize,
    va: AtomicUsize,
    next: AtomicRef<Mapping>,
}

/// Lists that the records are spread over.
const BUCKETS: usize = 32;

/// The records of all pools.
pub struct Mappings {
    first: [AtomicRef<Mapping>; BUCKETS],
}

impl Mapping {
    /// Whether it is the mapping at `va`. Any context.
    pub fn is_at(&self, va: Va) -> bool {
        self.va.load(Relaxed) == va
    }

    /// Says that the buffer at `pa` is mapped at `va`, or that nothing is. The caller [reserved](Mappings::reserve) it.
    pub fn fill(&self, pa: Pa, va: Option<NonZeroUsize>) {
        self.va.store(va.map_or(0, NonZeroUsize::get), Relaxed);
        self.pa.store(if va.is_some() { pa } else { FREE }, Release);
    }

    /// Where the buffer at `pa` is mapped, if the record is that buffer's still: for one caller only, who
    /// [fills](Self::fill) it anew. Any context.
    pub fn take(&self, pa: Pa) -> Option<Va> {
        self.pa.compare_exchange(pa, BUSY, Acquire, Relaxed).ok().map(|_| self.va.load(Relaxed))
    }
}

impl Mappings {
    /// No records.
    pub const fn new() -> Self {
        Mappings { first: [const { AtomicRef::new() }; BUCKETS] }
    }

    fn bucket(&self, pa: Pa) -> &AtomicRef<Mapping> {
        let [first, ..] = &self.first;
        self.first.get((pa >> PAGE_SHIFT) % BUCKETS).unwrap_or(first)
    }

    /// A record for the buffer at `pa`, for the caller to [fill](Mapping::fill); `None` if there is no memory for one.
    /// *Thread.*
    #[inline(never)]
    pub fn reserve<K: Kernel>(&self, kernel: K, pa: Pa) -> Option<&'static Mapping> {
        let bucket = self.bucket(pa);
        if let Some(record) = records(bucket).find(|record| record.take(FREE).is_some()) {
            return Some(record);
        }
        let record = Reserved::new(kernel, size_of::<Mapping>())?.place(|_| Mapping {
            pa: AtomicUsize::new(BUSY),
            va: AtomicUsize::new(0),
            next: AtomicRef::new(),
        })?;
        loop {
            let first = bucket.get();
            record.next.set(first);
            if bucket.replace(first, record) {
                return Some(record);
            }
        }
    }

    /// The record of the buffer at `pa`, if it is mapped by itself. Any context.
    pub fn find(&self, pa: Pa) -> Option<&'static Mapping> {
        records(self.bucket(pa)).find(|record| record.pa.load(Acquire) == pa)
    }

    /// Bytes of heap that are kept for the next records. Any context.
    pub fn kept_bytes(&self) -> usize {
        let free = |record: &&Mapping| record.pa.load(Relaxed) == FREE;
        self.first.iter().flat_map(records).filter(free).count() * size_of::<Mapping>()
    }
}

fn records(bucket: &AtomicRef<Mapping>) -> impl Iterator<Item = &'static Mapping> + use<> {
    core::iter::successors(bucket.get(), |record| record.next.get())
}
