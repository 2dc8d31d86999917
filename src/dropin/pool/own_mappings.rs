//! Buffers with their own mappings: a buffer has one if its pool has no view with the memory type of the request.
//!
//! Each such buffer has a record, which a free finds by the buffer's address or by its page. The record distinguishes
//! the buffer's own mapping from other mappings of the same page. The list of a pool's records only grows, and is read
//! without a lock; after a buffer is freed, its record is reused for a later buffer.

use core::num::NonZeroUsize;

use crate::dropin::page_map::CacheState;
use crate::error::Error;
use crate::kernel::{Kernel, PAGE_SHIFT, Va};
use crate::mem::atomic_ref::AtomicRef;
use crate::mem::atomics::{
    AtomicBool, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use crate::mem::heap::alloc_static;
use crate::mem::turn::Turn;

/// The value of `first_page` in a record that has no buffer.
const NO_BUFFER: usize = usize::MAX;

/// The pages of a buffer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BufferPages {
    /// The first page.
    pub first_page: usize,
    /// The number of pages.
    pub page_count: usize,
}

/// The record of one buffer with its own mapping.
///
/// 1. [`reserve`](OwnMappings::reserve), which holds the turn, writes `first_page` and `page_count` into a free record.
/// 2. Without the turn, the caller maps the buffer, and [`set_address`](OwnMapping::set_address) writes `va`. From
///    then on, a free finds the record by the address. If the buffer cannot be mapped, step 4 follows.
/// 3. [`claim`](OwnMappings::claim), which holds the turn, removes the address. Of several frees, one succeeds in this,
///    and unmaps the buffer without the turn.
/// 4. [`release`](OwnMappings::release) writes [`NO_BUFFER`] to `first_page`. Then the record can be reused.
pub struct OwnMapping {
    /// The first page of the buffer, or [`NO_BUFFER`].
    first_page: AtomicUsize,
    /// The address of the buffer; 0 if it is not mapped yet, or is being freed.
    va: AtomicUsize,
    /// The number of pages of the buffer.
    page_count: AtomicUsize,
    /// The record that was made before this one.
    next: Option<&'static OwnMapping>,
}

impl OwnMapping {
    /// Writes the address of the buffer into a record that was [reserved](OwnMappings::reserve) for it.
    ///
    /// Context: any.
    pub fn set_address(&self, va: NonZeroUsize) {
        self.va.store(va.get(), Relaxed);
    }

    /// Returns whether no buffer has the record.
    fn is_free(&self) -> bool {
        // Pairs with the `Release` store of `NO_BUFFER`: the earlier buffer is unmapped before its record is used
        // again.
        self.first_page.load(Acquire) == NO_BUFFER
    }

    /// Returns the pages of the buffer.
    fn pages(&self) -> BufferPages {
        BufferPages { first_page: self.first_page.load(Relaxed), page_count: self.page_count.load(Relaxed) }
    }
}

/// The records of all buffers of a pool that have their own mappings.
pub struct OwnMappings {
    /// The turn of calls that reserve a record, or claim one.
    turn: Turn,
    /// The record that was made last.
    newest: AtomicRef<OwnMapping>,
    /// The number of records that are not free. It counts a buffer from before it is mapped until after it is unmapped.
    count: AtomicUsize,
    /// A buffer whose pages are dirty may have had its own mapping. If it is false, no record is searched when a cached
    /// buffer is freed.
    may_have_dirty: AtomicBool,
}

impl OwnMappings {
    /// Makes an empty list of records.
    pub const fn new() -> Self {
        OwnMappings {
            turn: Turn::new(),
            newest: AtomicRef::new(),
            count: AtomicUsize::new(0),
            may_have_dirty: AtomicBool::new(false),
        }
    }

    /// Returns a record for the buffer; `None` if the heap has no room for one. The caller then maps the buffer, and
    /// calls [`set_address`](OwnMapping::set_address), or [`release`](OwnMappings::release) if that failed. The pages
    /// will have the cache state `cache`.
    ///
    /// Context: any. A caller that may not sleep gets `None`.
    pub fn reserve<K: Kernel>(&self, kernel: K, pages: BufferPages, cache: CacheState) -> Option<&'static OwnMapping> {
        let _turn = self.turn.take(kernel)?;
        if cache == CacheState::Dirty {
            self.may_have_dirty.store(true, Relaxed);
        }
        let record = match self.records().find(|record| record.is_free()) {
            Some(record) => record,
            None => self.add_free_record(kernel)?,
        };
        record.first_page.store(pages.first_page, Relaxed);
        record.page_count.store(pages.page_count, Relaxed);
        self.count.fetch_add(1, Relaxed);
        Some(record)
    }

    /// Adds a free record to the list. The caller holds the turn. Returns `None` if the heap has no room.
    fn add_free_record<K: Kernel>(&self, kernel: K) -> Option<&'static OwnMapping> {
        let record = alloc_static(kernel, 0, |_| OwnMapping {
            first_page: AtomicUsize::new(NO_BUFFER),
            va: AtomicUsize::new(0),
            page_count: AtomicUsize::new(0),
            next: self.newest.get(),
        })?;
        self.newest.set(Some(record));
        Some(record)
    }

    /// Claims the record: removes its address `va`, if the buffer has these pages. Of several calls that free the
    /// buffer, this succeeds for one. That call unmaps the buffer and then [releases](OwnMappings::release) the record.
    ///
    /// Context: any. A caller that may not sleep gets [`Error::Context`].
    ///
    /// # Errors
    /// [`Error::NotAllocated`] if another call has freed the buffer; [`Error::WrongSize`] if the record is for another
    /// size, or for another buffer that was mapped at the address since.
    pub fn claim<K: Kernel>(&self, kernel: K, record: &OwnMapping, va: Va, pages: BufferPages) -> Result<(), Error> {
        let _turn = self.turn.take(kernel).ok_or(Error::Context)?;
        // `Relaxed` is enough. A call that reads an address here has the turn after the call that reserved the record
        // for the buffer there, so it also reads the pages of this buffer.
        if record.va.load(Relaxed) != va {
            return Err(Error::NotAllocated);
        }
        if record.pages() != pages {
            return Err(Error::WrongSize);
        }
        record.va.store(0, Relaxed);
        Ok(())
    }

    /// Makes a record available to later buffers: one that was [claimed](OwnMappings::claim), or that was
    /// [reserved](OwnMappings::reserve) for a buffer that could not be mapped.
    ///
    /// Context: any.
    pub fn release(&self, record: &OwnMapping) {
        record.first_page.store(NO_BUFFER, Release);
        self.count.fetch_sub(1, Relaxed);
    }

    /// Returns the first page and the record of the buffer whose own mapping is at `va`, which is not zero: a record
    /// without a mapped buffer has the address zero.
    ///
    /// Context: any.
    pub fn find(&self, va: Va) -> Option<(usize, &'static OwnMapping)> {
        // The reads may be `Relaxed`. A driver frees a buffer after the call that allocated it has returned, so a right
        // free reads the address and the page of its buffer. What a wrong free reads is checked by `claim`.
        let record = self.records().find(|record| record.va.load(Relaxed) == va)?;
        Some((record.first_page.load(Relaxed), record))
    }

    /// Returns whether the buffer whose first page is `first_page` has its own mapping. A mapping that is being made or
    /// removed counts: its record is not free.
    ///
    /// Context: any.
    pub fn has_buffer_at(&self, first_page: usize) -> bool {
        self.records().any(|record| record.first_page.load(Relaxed) == first_page)
    }

    /// Returns the address of `page` if it belongs to a buffer with its own mapping. `is_there` returns whether the
    /// page is mapped at an address.
    ///
    /// Context: any.
    pub fn va_of(&self, page: usize, is_there: impl Fn(Va) -> bool) -> Option<Va> {
        // The reads may be `Relaxed`, as in `find`: the caller owns the buffer, so its record does not change. Another
        // record may be reused meanwhile. Its values are then of two buffers, and `is_there` refuses the address.
        self.records().find_map(|record| {
            let pages = record.pages();
            let offset = page.checked_sub(pages.first_page)?;
            let va = record.va.load(Relaxed);
            let address = va.wrapping_add(offset << PAGE_SHIFT);
            (va != 0 && offset < pages.page_count && is_there(address)).then_some(address)
        })
    }

    /// Returns the number of buffers that have their own mappings. As in [`has_buffer_at`](OwnMappings::has_buffer_at),
    /// a mapping that is being made or removed counts.
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
        self.records().filter(|record| record.is_free()).count() * size_of::<OwnMapping>()
    }

    fn records(&self) -> impl Iterator<Item = &'static OwnMapping> + use<> {
        core::iter::successors(self.newest.get(), |record| record.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::testing::HeapOnly;

    /// A record that is reused while it is read may show the first page of one buffer with the length and the address
    /// of another. It is examined first here, because it was made last.
    #[test]
    fn a_record_with_values_of_two_buffers_hides_no_other() {
        let mappings = OwnMappings::new();
        for (first_page, page_count, va) in [(1, 1, 0x1000), (0, 10, 0x10_0000)] {
            let record = mappings.reserve(HeapOnly, BufferPages { first_page, page_count }, CacheState::Clean).unwrap();
            record.set_address(NonZeroUsize::new(va).unwrap());
        }
        assert_eq!(mappings.va_of(1, |va| va == 0x1000), Some(0x1000));
    }
}
