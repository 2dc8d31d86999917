//! Buffers with their own mappings: each is mapped alone, because its pool has no view with the memory type of the
//! request.
//!
//! Each such buffer has a record, which a free finds by the buffer's address or by its page. The record distinguishes
//! the buffer's own mapping from other mappings of the same page. The list of a pool's records only grows, and is read
//! without a lock; after a buffer is freed, its record is reused for a later buffer.

use core::num::NonZeroUsize;

use crate::dropin::page_map::CacheState;
use crate::error::Error;
use crate::kernel::{Kernel, PAGE_SHIFT, Va};
use crate::mem::atomics::{
    AtomicBool, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use crate::mem::heap::place;
use crate::mem::shared::AtomicRef;
use crate::mem::turn::Turn;

/// The value of `page` in a record that has no buffer.
const FREE: usize = usize::MAX;

/// The record of one buffer with its own mapping.
///
/// 1. [`reserve`](OwnMappings::reserve), which holds the turn, writes `page` and `pages` into a free record.
/// 2. Without the turn, the caller maps the buffer, and [`set_address`](OwnMappings::set_address) writes `va`. From then
///    on, a free finds the record by the address. If the buffer cannot be mapped, [`cancel`](OwnMappings::cancel) writes
///    [`FREE`] to `page`.
/// 3. [`claim`](OwnMappings::claim), which holds the turn, removes the address. Of several frees, one succeeds in this.
/// 4. Without the turn, that free unmaps the buffer, and [`release`](OwnMappings::release) writes [`FREE`] to `page`.
///    Then the record can be reused.
pub struct OwnMapping {
    /// The first page of the buffer, or [`FREE`].
    page: AtomicUsize,
    /// The address of the buffer; 0 if it is not mapped yet, or is being freed.
    va: AtomicUsize,
    /// The number of pages of the buffer.
    pages: AtomicUsize,
    /// The record that was made before this one.
    next: Option<&'static OwnMapping>,
}

/// The records of all buffers of a pool that have their own mappings.
pub struct OwnMappings {
    /// The turn of calls that reserve a record, or claim one.
    turn: Turn,
    /// The record that was made last.
    first: AtomicRef<OwnMapping>,
    /// Number of buffers that have their own mappings now.
    count: AtomicUsize,
    /// A buffer whose pages are dirty had its own mapping at least once.
    may_have_dirty: AtomicBool,
}

impl OwnMappings {
    /// Makes an empty list of records.
    pub const fn new() -> Self {
        OwnMappings {
            turn: Turn::new(),
            first: AtomicRef::new(),
            count: AtomicUsize::new(0),
            may_have_dirty: AtomicBool::new(false),
        }
    }

    /// Returns a record for the buffer of `pages` pages at `page`; `None` if the heap has no room for one. The caller
    /// then maps the buffer, and calls [`set_address`](OwnMappings::set_address), or [`cancel`](OwnMappings::cancel) if
    /// that failed. The pages will have the cache state `cache`.
    ///
    /// Context: any. A caller that may not sleep gets `None`.
    pub fn reserve<K: Kernel>(
        &self,
        kernel: K,
        page: usize,
        pages: usize,
        cache: CacheState,
    ) -> Option<&'static OwnMapping> {
        let _turn = self.turn.take(kernel)?;
        if cache == CacheState::Dirty {
            self.may_have_dirty.store(true, Relaxed);
        }
        // With the `Release` of the two stores of `FREE`: the record's last buffer is unmapped before it gets another.
        if let Some(record) = self.records().find(|record| record.page.load(Acquire) == FREE) {
            record.page.store(page, Relaxed);
            record.pages.store(pages, Relaxed);
            return Some(record);
        }
        let record = place(kernel, 0, |_| OwnMapping {
            page: AtomicUsize::new(page),
            va: AtomicUsize::new(0),
            pages: AtomicUsize::new(pages),
            next: self.first.get(),
        })?;
        self.first.set(Some(record));
        Some(record)
    }

    /// Writes the address of the buffer into a [reserved](OwnMappings::reserve) record.
    ///
    /// Context: any.
    pub fn set_address(&self, record: &OwnMapping, va: NonZeroUsize) {
        record.va.store(va.get(), Relaxed);
        self.count.fetch_add(1, Relaxed);
    }

    /// Makes a [reserved](OwnMappings::reserve) record whose buffer could not be mapped available to later buffers.
    ///
    /// Context: any.
    pub fn cancel(&self, record: &OwnMapping) {
        record.page.store(FREE, Release);
    }

    /// Claims the record: removes its address `va`, if the buffer is the one of `pages` pages at `page`. Of several
    /// calls that free the buffer, this succeeds for one. That call unmaps the buffer and then
    /// [releases](OwnMappings::release) the record.
    ///
    /// Context: any. A caller that may not sleep gets [`Error::Context`].
    ///
    /// # Errors
    /// [`Error::NotAllocated`] if another call has freed the buffer; [`Error::WrongSize`] if the record is for another
    /// size, or for another buffer that was mapped at the address since.
    pub fn claim<K: Kernel>(
        &self,
        kernel: K,
        record: &OwnMapping,
        va: Va,
        page: usize,
        pages: usize,
    ) -> Result<(), Error> {
        let _turn = self.turn.take(kernel).ok_or(Error::Context)?;
        // `Relaxed` is enough. A call that reads an address here has the turn after the call that reserved the record
        // for the buffer there, so it also reads the `page` and `pages` of this buffer.
        if record.va.load(Relaxed) != va {
            return Err(Error::NotAllocated);
        }
        if record.page.load(Relaxed) != page || record.pages.load(Relaxed) != pages {
            return Err(Error::WrongSize);
        }
        record.va.store(0, Relaxed);
        Ok(())
    }

    /// Returns the first page and the record of the buffer whose own mapping is at `va`, which is not zero: a record
    /// without a mapped buffer has the address zero.
    ///
    /// Context: any.
    pub fn find(&self, va: Va) -> Option<(usize, &'static OwnMapping)> {
        // The reads may be `Relaxed`. A driver frees a buffer after the call that allocated it has returned, so a right
        // free reads the address and the page of its buffer. What a wrong free reads is checked by `claim`.
        let record = self.records().find(|record| record.va.load(Relaxed) == va)?;
        Some((record.page.load(Relaxed), record))
    }

    /// Returns whether the buffer at `page` has its own mapping.
    ///
    /// Context: any.
    pub fn contains(&self, page: usize) -> bool {
        self.records().any(|record| record.page.load(Relaxed) == page)
    }

    /// Returns the address of `page` if it belongs to a buffer with its own mapping.
    ///
    /// Context: any.
    pub fn va_of(&self, page: usize) -> Option<Va> {
        // The reads may be `Relaxed`, as in `find`: the caller owns the buffer.
        self.records().find_map(|record| {
            let offset = page.checked_sub(record.page.load(Relaxed))?;
            let va = record.va.load(Relaxed);
            (va != 0 && offset < record.pages.load(Relaxed)).then(|| va.wrapping_add(offset << PAGE_SHIFT))
        })
    }

    /// Makes a record that was [claimed](OwnMappings::claim) available to later buffers.
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

    /// Returns whether a buffer whose pages are dirty may have its own mapping; false if there never was one.
    ///
    /// Context: any.
    pub fn may_have_dirty(&self) -> bool {
        self.may_have_dirty.load(Relaxed)
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
