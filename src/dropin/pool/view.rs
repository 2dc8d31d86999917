//! The views of a pool. A view is a mapping of the whole pool with one memory type. It is made when it is first needed,
//! and kept.
//!
//! With a view, a buffer's address is the sum of two numbers, in every context. Before a view is used, it is checked
//! (see [`checked_mapping`](super::checked_mapping)).
//!
//! If a view cannot be mapped, the pool does not record that: the heap or the kernel's address space may have been full
//! for a short time only. The next call that needs the view, in a thread, tries again.

use crate::kernel::{PAGE_SHIFT, PAGE_SIZE, Va};
use crate::mem::atomics::{AtomicUsize, Ordering::Relaxed};

/// The value of a view that is not mapped. The value of a mapped view is the address of its first byte, a multiple of
/// the page size. This value is not such a multiple, so the distance from it to the start of a page is never a whole
/// number of pages.
const NOT_MAPPED: usize = usize::MAX;

/// The address at which a pool is mapped with one memory type, or [`NOT_MAPPED`].
pub struct View(AtomicUsize);

impl View {
    /// Makes a view that is not mapped yet.
    pub const fn new() -> Self {
        View(AtomicUsize::new(NOT_MAPPED))
    }

    /// Returns the address of the first byte of the view; `None` if it is not mapped.
    ///
    /// Context: any.
    pub fn base(&self) -> Option<Va> {
        // `Relaxed` suffices: the library reads nothing that was written before `put`, except the page tables. The
        // processor reads these, not the program, and `Mappings::map` makes them visible to every core before it
        // returns.
        let state = self.0.load(Relaxed);
        (state != NOT_MAPPED).then_some(state)
    }

    /// Returns the number of the page whose first byte is at `va`, in the view of a pool of `page_count` pages; `None`
    /// if no page of the view begins there, or the view is not mapped.
    ///
    /// Context: any.
    pub fn page_of(&self, va: Va, page_count: usize) -> Option<usize> {
        // The distance from `NOT_MAPPED` to an address that is not the start of a page may be a whole number of pages.
        if va.is_multiple_of(PAGE_SIZE) { self.page_of_aligned(va, page_count) } else { None }
    }

    /// Returns what [`page_of`](Self::page_of) does, for an address that is a multiple of a page.
    pub fn page_of_aligned(&self, va: Va, page_count: usize) -> Option<usize> {
        // If the distance is not a multiple of a page, its low bits become high bits: one comparison finds both.
        let page = va.wrapping_sub(self.0.load(Relaxed)).rotate_right(PAGE_SHIFT);
        (page < page_count).then_some(page)
    }

    /// Records that the view is not mapped any more. Returns the address at which it was mapped, if it was; the caller
    /// then unmaps it. The caller makes sure that no other call changes the view meanwhile.
    pub fn take(&self) -> Option<Va> {
        let base = self.base();
        self.0.store(NOT_MAPPED, Relaxed);
        base
    }

    /// Records that the whole pool is mapped from `base` on. The caller makes sure that no other call changes
    /// the view meanwhile.
    pub fn put(&self, base: Va) {
        self.0.store(base, Relaxed);
    }
}
