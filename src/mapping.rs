//! Buffers that are mapped one by one, because their pool has no view of the memory type they want.
//!
//! Each has a record, found by its address and by its page, so that a free can tell the buffer's own mapping from any other
//! that leads to the same page. The list of a pool's records only grows, and is read without a lock; the record of a
//! buffer that was given back is kept for the next one.

use core::mem::size_of;
use core::num::NonZeroUsize;
use core::sync::atomic::{
    AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

use crate::error::Error;
use crate::kernel::heap::{AtomicRef, Reserved};
use crate::kernel::{Kernel, Pa, Va};
use crate::turn::{Turn, Turned};

/// The buffer of a record that has none, and its address: no buffer has these.
const NONE: usize = 0;

/// Where a buffer is mapped by itself.
pub struct Mapping {
    pa: AtomicUsize,
    /// [`NONE`] once somebody frees the buffer.
    va: AtomicUsize,
    pages: AtomicUsize,
    next: Option<&'static Mapping>,
}

/// The records of a pool.
pub struct Mappings {
    /// Who maps memory of the pool.
    turn: Turn,
    first: AtomicRef<Mapping>,
    /// Buffers that are mapped by themselves.
    count: AtomicUsize,
}

impl Mapping {
    /// Whether it is the mapping at `va`. Any context.
    pub fn is_at(&self, va: Va) -> bool {
        self.va.load(Relaxed) == va
    }

    /// The memory that it leads to.
    pub fn pa(&self) -> Pa {
        self.pa.load(Relaxed)
    }

    /// Ends that the buffer of `pages` pages is found at `va`: for one caller only, who unmaps it, and lets the record be
    /// [kept](Mappings::keep).
    #[inline(always)]
    pub fn take(&self, va: Va, pages: usize) -> Result<(), Error> {
        // Of two that free it at once, one gets the record.
        self.va.compare_exchange(va, NONE, Acquire, Relaxed).map_err(|_| Error::NotAllocated)?;
        if self.pages.load(Relaxed) != pages {
            self.va.store(va, Release);
            return Err(Error::WrongSize);
        }
        Ok(())
    }
}

impl Mappings {
    /// No records.
    pub const fn new() -> Self {
        Mappings { turn: Turn::new(), first: AtomicRef::new(), count: AtomicUsize::new(0) }
    }

    /// Waits for the turn to map memory of the pool; `None` where the caller may not sleep.
    pub fn turn<K: Kernel>(&self, kernel: K) -> Option<Turned<'_>> {
        self.turn.take(kernel)
    }

    /// A record for a buffer, to be [filled](Mappings::fill); `None` if there is no memory for one. *Thread.*
    #[inline(always)]
    pub fn reserve<K: Kernel>(&self, _: &Turned, kernel: K) -> Option<&'static Mapping> {
        if let Some(record) = self.records().find(|record| record.pa.load(Acquire) == NONE) {
            return Some(record);
        }
        let record = Reserved::new(kernel, size_of::<Mapping>())?.place(|_| Mapping {
            pa: AtomicUsize::new(NONE),
            va: AtomicUsize::new(NONE),
            pages: AtomicUsize::new(0),
            next: self.first.get(),
        });
        self.first.set(record);
        record
    }

    /// Says that the buffer of `pages` pages at `pa` is mapped at `va`, in a record that was [reserved](Mappings::reserve).
    #[inline(always)]
    pub fn fill(&self, _: &Turned, record: &Mapping, pa: Pa, pages: usize, va: NonZeroUsize) {
        record.pa.store(pa, Relaxed);
        record.pages.store(pages, Relaxed);
        record.va.store(va.get(), Release);
        self.count.fetch_add(1, Relaxed);
    }

    /// The record of the buffer that is mapped by itself at `va`, or whose memory is at `pa`. Any context.
    #[inline(always)]
    pub fn find(&self, pa: Pa, va: Va) -> Option<&'static Mapping> {
        self.records().find(|record| record.pa() == pa || record.is_at(va))
    }

    /// Keeps a record that was [taken](Mapping::take) for the next buffer. Any context.
    #[inline(always)]
    pub fn keep(&self, record: &Mapping) {
        record.pa.store(NONE, Release);
        self.count.fetch_sub(1, Relaxed);
    }

    /// Buffers that are mapped by themselves. Any context.
    #[inline(always)]
    pub fn count(&self) -> usize {
        self.count.load(Relaxed)
    }

    /// Bytes of heap that are kept for the next records. Any context.
    pub fn kept_bytes(&self) -> usize {
        self.records().filter(|record| record.pa() == NONE).count() * size_of::<Mapping>()
    }

    #[inline(always)]
    fn records(&self) -> impl Iterator<Item = &'static Mapping> + use<> {
        core::iter::successors(self.first.get(), |record| record.next)
    }
}
