//! Buffers with their own mappings: each is mapped alone, because its pool has no view with the memory type of the
//! request.
//!
//! Each such buffer has a record, which a free finds by the buffer's address or by its page. The record distinguishes
//! the buffer's own mapping from other mappings of the same page. The list of a pool's records only grows, and is read
//! without a lock; after a buffer is freed, its record is reused for a later buffer.

use crate::mem::atomics::{
    AtomicBool, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use core::num::NonZeroUsize;

use crate::error::Error;
use crate::kernel::{Kernel, PAGE_SIZE, Va};
use crate::mem::heap::place;
use crate::mem::shared::AtomicRef;
use crate::mem::turn::{Turn, TurnGuard};

/// The value of `page` in a record that has no buffer.
const FREE: usize = usize::MAX;
/// The bits of `va_and_uses` that count how often the record was used. An address has none of them, because it is that
/// of a page. The count wraps: a wrong free would succeed if the record had exactly 4,096 further buffers at this
/// address while the free is between two instructions of [`OwnMapping::take`]. Each of them is mapped and unmapped
/// meanwhile, which takes far longer.
const USES: usize = PAGE_SIZE - 1;

/// The record of one buffer with its own mapping.
///
/// 1. The holder of the turn writes `page` and `pages` into a free record.
/// 2. After the buffer is mapped, it writes `va_and_uses`. From then on, a free finds the record by the address.
/// 3. The call that removes the address frees the buffer. Only one call succeeds in this.
/// 4. After the buffer is unmapped, this call writes [`FREE`] to `page`. From then on, the record can be reused.
pub struct OwnMapping {
    /// The first page of the buffer, or [`FREE`].
    page: AtomicUsize,
    /// The address of the buffer; 0 if it is not mapped yet, or is being freed. Added to it is the number of buffers
    /// that had the record (see [`USES`]). So the value changes also if the record and the address are used again, for
    /// another buffer.
    va_and_uses: AtomicUsize,
    /// The number of pages of the buffer.
    pages: AtomicUsize,
    next: Option<&'static OwnMapping>,
}

/// The records of all buffers of a pool that have their own mappings.
pub struct OwnMappings {
    /// The turn of calls that add a record.
    turn: Turn,
    first: AtomicRef<OwnMapping>,
    /// Number of buffers that have their own mappings now.
    count: AtomicUsize,
    /// A buffer that counts as cached (see `Pool::counts_as_cached`) had its own mapping at least once.
    may_have_cached: AtomicBool,
}

impl OwnMapping {
    /// Takes the address `va` out of the record, if the buffer is the one of `pages` pages at `page`. This succeeds for
    /// one call only. That call unmaps the buffer and then [releases](OwnMappings::release) the record.
    ///
    /// # Errors
    /// [`Error::WrongSize`] if the record is for another size; [`Error::NotAllocated`] if another call has freed the
    /// buffer.
    pub fn take(&self, va: Va, page: usize, pages: usize) -> Result<(), Error> {
        let uses = self.va_and_uses.load(Acquire) & USES;
        // The size is checked before the address is removed, so that a free with a wrong size cannot make a concurrent
        // correct free fail.
        if self.page.load(Relaxed) != page || self.pages.load(Relaxed) != pages {
            return Err(Error::WrongSize);
        }
        // If two calls free the buffer at the same time, this succeeds for one of them. It fails also if the buffer was
        // freed since `uses` was read, and another one was mapped at the address: then the number of uses is another.
        self.va_and_uses.compare_exchange(va | uses, uses, Acquire, Relaxed).map_err(|_| Error::NotAllocated)?;
        Ok(())
    }
}

impl OwnMappings {
    /// Makes an empty list of records.
    pub const fn new() -> Self {
        OwnMappings {
            turn: Turn::new(),
            first: AtomicRef::new(),
            count: AtomicUsize::new(0),
            may_have_cached: AtomicBool::new(false),
        }
    }

    /// Waits for the turn to add a record. Returns `None` if the caller may not sleep.
    ///
    /// Context: any. A caller that may not sleep gets `None`.
    pub fn turn<K: Kernel>(&self, kernel: K) -> Option<TurnGuard<'_, K>> {
        self.turn.take(kernel)
    }

    /// Returns a record for the buffer of `pages` pages at `page`; `None` if the heap has no room for one. The caller
    /// then maps the buffer, and calls [`set_address`](OwnMappings::set_address). `is_cached` is whether the buffer
    /// counts as cached. Ends the turn.
    ///
    /// Context: thread.
    pub fn reserve<K: Kernel>(
        &self,
        _: TurnGuard<K>,
        kernel: K,
        page: usize,
        pages: usize,
        is_cached: bool,
    ) -> Option<&'static OwnMapping> {
        if is_cached {
            self.may_have_cached.store(true, Relaxed);
        }
        if let Some(record) = self.records().find(|record| record.page.load(Acquire) == FREE) {
            record.page.store(page, Relaxed);
            record.pages.store(pages, Relaxed);
            return Some(record);
        }
        let record = place(kernel, 0, |_| OwnMapping {
            page: AtomicUsize::new(page),
            va_and_uses: AtomicUsize::new(0),
            pages: AtomicUsize::new(pages),
            next: self.first.get(),
        })?;
        self.first.set(Some(record));
        Some(record)
    }

    /// Writes the address of the buffer into a [reserved](OwnMappings::reserve) record. `None` means that the buffer
    /// could not be mapped: then the record becomes free.
    pub fn set_address(&self, record: &OwnMapping, va: Option<NonZeroUsize>) {
        match va {
            Some(va) => {
                let uses = record.va_and_uses.load(Relaxed).wrapping_add(1) & USES;
                record.va_and_uses.store(va.get() | uses, Release);
                self.count.fetch_add(1, Relaxed);
            }
            None => record.page.store(FREE, Release),
        }
    }

    /// Returns the first page and the record of the buffer whose own mapping is at `va`.
    ///
    /// Context: any.
    pub fn find(&self, va: Va) -> Option<(usize, &'static OwnMapping)> {
        let record = self.records().find(|record| record.va_and_uses.load(Relaxed) & !USES == va)?;
        Some((record.page.load(Relaxed), record))
    }

    /// Returns whether the buffer at `page` has its own mapping.
    ///
    /// Context: any.
    pub fn contains(&self, page: usize) -> bool {
        self.records().any(|record| record.page.load(Relaxed) == page)
    }

    /// Makes a record that was [taken](OwnMapping::take) available to later buffers.
    ///
    /// Context: any.
    pub fn release(&self, record: &OwnMapping) {
        record.page.store(FREE, Release);
        self.count.fetch_sub(1, Relaxed);
    }

    /// Returns the number of buffers that have their own mappings.
    ///
    /// Context: any.
    pub fn count(&self) -> usize {
        self.count.load(Relaxed)
    }

    /// Returns whether a buffer that counts as cached may have its own mapping; false if there never was one.
    ///
    /// Context: any.
    pub fn may_have_cached(&self) -> bool {
        self.may_have_cached.load(Relaxed)
    }

    /// Returns the number of bytes of heap in free records.
    ///
    /// Context: any.
    #[cfg(feature = "internals")]
    pub fn kept_bytes(&self) -> usize {
        self.records().filter(|record| record.page.load(Relaxed) == FREE).count() * size_of::<OwnMapping>()
    }

    fn records(&self) -> impl Iterator<Item = &'static OwnMapping> + use<> {
        core::iter::successors(self.first.get(), |record| record.next)
    }
}
