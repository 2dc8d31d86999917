//! Buffers that are mapped one by one, because their pool has no view of the memory type they want.
//!
//! Each has a record, found by its address and by its page, so that a free can tell the buffer's own mapping from any other
//! that leads to the same page. The list of a pool's records only grows, and is read without a lock; the record of a
//! buffer that was given back is kept for the next one.

use crate::mem::atomics::{
    AtomicBool, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use core::mem::size_of;
use core::num::NonZeroUsize;

use crate::error::Error;
use crate::kernel::{Kernel, Va};
use crate::mem::heap::HeapMemory;
use crate::mem::shared::AtomicRef;
use crate::mem::turn::{Turn, TurnGuard};

/// The page of a record that has no buffer.
const FREE: usize = usize::MAX;
/// The address of a buffer that is being freed, or that is not mapped yet.
const GONE: Va = 0;

/// Where a buffer is mapped by itself.
///
/// The caller that has the turn writes `page` and `pages` into a free record, and `va` once the mapping is made: then the
/// record is found. The caller that takes `va` away frees the buffer; when the mapping is gone, `page` marks the record
/// as free.
pub struct Mapping {
    /// The buffer's first page in the pool, or [`FREE`].
    page: AtomicUsize,
    /// Its address, or [`GONE`].
    va: AtomicUsize,
    /// Its length.
    pages: AtomicUsize,
    next: Option<&'static Mapping>,
}

/// The records of a pool.
pub struct Mappings {
    /// The turn of callers that map memory of the pool.
    turn: Turn,
    first: AtomicRef<Mapping>,
    /// Buffers that are mapped by themselves.
    count: AtomicUsize,
    /// A buffer that counts as cached (see `hand_out`) was mapped by itself once.
    has_cached: AtomicBool,
}

impl Mapping {
    /// Ends that the buffer of `pages` pages at `page` is found at `va`: for one caller only, which unmaps it, and lets the
    /// record be [kept](Mappings::keep).
    #[inline(always)]
    pub fn take(&self, va: Va, page: usize, pages: usize) -> Result<(), Error> {
        let is_its = || self.page.load(Relaxed) == page && self.pages.load(Relaxed) == pages;
        // Check the size before the address is claimed: a free with a wrong size must not make a concurrent correct free
        // fail.
        if !is_its() {
            return Err(Error::WrongSize);
        }
        // Of two that free it at once, one gets the record.
        self.va.compare_exchange(va, GONE, Acquire, Relaxed).map_err(|_| Error::NotAllocated)?;
        // No other call changes it now; before, another buffer may have got the record, and the address.
        if !is_its() {
            self.va.store(va, Release);
            return Err(Error::NotAllocated);
        }
        Ok(())
    }
}

impl Mappings {
    /// No records.
    pub const fn new() -> Self {
        Mappings {
            turn: Turn::new(),
            first: AtomicRef::new(),
            count: AtomicUsize::new(0),
            has_cached: AtomicBool::new(false),
        }
    }

    /// Waits for the turn to map memory of the pool; `None` where the caller may not sleep.
    pub fn turn<K: Kernel>(&self, kernel: K) -> Option<TurnGuard<'_, K>> {
        self.turn.take(kernel)
    }

    /// A record for the buffer of `pages` pages at `page`, which the caller maps and [puts](Mappings::put) there; `None` if
    /// there is no memory for one. With `is_cached` the buffer counts as cached. Ends the turn. Context: thread.
    #[inline(always)]
    pub fn reserve<K: Kernel>(
        &self,
        _: TurnGuard<K>,
        kernel: K,
        page: usize,
        pages: usize,
        is_cached: bool,
    ) -> Option<&'static Mapping> {
        if is_cached {
            self.has_cached.store(true, Relaxed);
        }
        if let Some(record) = self.records().find(|record| record.page.load(Acquire) == FREE) {
            record.page.store(page, Relaxed);
            record.pages.store(pages, Relaxed);
            return Some(record);
        }
        let record = HeapMemory::new(kernel, size_of::<Mapping>())?.place(|_| Mapping {
            page: AtomicUsize::new(page),
            va: AtomicUsize::new(GONE),
            pages: AtomicUsize::new(pages),
            next: self.first.get(),
        })?;
        self.first.set(Some(record));
        Some(record)
    }

    /// Stores where the buffer of a [reserved](Mappings::reserve) record is mapped; if it is not mapped, frees the record.
    #[inline(always)]
    pub fn put(&self, record: &Mapping, va: Option<NonZeroUsize>) {
        match va {
            Some(va) => {
                record.va.store(va.get(), Release);
                self.count.fetch_add(1, Relaxed);
            }
            None => record.page.store(FREE, Release),
        }
    }

    /// The first page of the buffer that is mapped by itself at `va`, and its record. Context: any.
    #[inline(always)]
    pub fn at(&self, va: Va) -> Option<(usize, &'static Mapping)> {
        let record = self.records().find(|record| record.va.load(Relaxed) == va)?;
        Some((record.page.load(Relaxed), record))
    }

    /// Whether the buffer at `page` is mapped by itself. Context: any.
    #[inline(always)]
    pub fn has(&self, page: usize) -> bool {
        self.records().any(|record| record.page.load(Relaxed) == page)
    }

    /// Keeps a record that was [taken](Mapping::take) for the next buffer. Context: any.
    #[inline(always)]
    pub fn keep(&self, record: &Mapping) {
        record.page.store(FREE, Release);
        self.count.fetch_sub(1, Relaxed);
    }

    /// Buffers that are mapped by themselves. Context: any.
    #[inline(always)]
    pub fn count(&self) -> usize {
        self.count.load(Relaxed)
    }

    /// Whether a buffer that counts as cached may be mapped by itself. Context: any.
    #[inline(always)]
    pub fn has_cached(&self) -> bool {
        self.has_cached.load(Relaxed)
    }

    /// Bytes of heap that are kept for the next records. Context: any.
    pub fn kept_bytes(&self) -> usize {
        self.records().filter(|record| record.page.load(Relaxed) == FREE).count() * size_of::<Mapping>()
    }

    #[inline(always)]
    fn records(&self) -> impl Iterator<Item = &'static Mapping> + use<> {
        core::iter::successors(self.first.get(), |record| record.next)
    }
}
