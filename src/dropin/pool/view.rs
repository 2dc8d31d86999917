//! A pool's views: the whole pool, mapped once with one memory type, on first use, and kept.
//!
//! Then a buffer's address is an addition, from any context. A view is checked page by page against `v2p` before a caller
//! gets an address in it: RT-Thread's aarch64 block mapping can map the wrong memory without an error.
//!
//! A view that could not be made is not remembered as impossible: the heap or the kernel's address space may have been
//! full only for a moment. The next call that needs the view, in a thread, tries again.

use crate::mem::atomics::{
    AtomicUsize,
    Ordering::{Relaxed, Release},
};
use core::num::NonZeroUsize;

use crate::kernel::{Kernel, MemoryType, PAGE_SHIFT, PAGE_SIZE, Pa, Va};

/// The value of a view that is not mapped. A mapped view has the address of its first byte, which begins a page; this
/// value does not, so the distance from it to a page is never a whole number of pages.
const NONE: usize = usize::MAX;

/// Where a pool is mapped with one memory type.
pub struct View(AtomicUsize);

impl View {
    /// A view that is not mapped yet.
    pub const fn new() -> Self {
        View(AtomicUsize::new(NONE))
    }

    /// One that begins at `base`.
    pub const fn at(base: Va) -> Self {
        View(AtomicUsize::new(base))
    }

    /// Where the view begins, if it is mapped. Context: any.
    #[inline(always)]
    pub fn base(&self) -> Option<Va> {
        // Nothing is read but what the address leads to, which comes after it.
        let state = self.0.load(Relaxed);
        (state != NONE).then_some(state)
    }

    /// Returns the number of the page whose first byte is at `va`, in the view of a pool of `pages` pages; `None` if no page
    /// of the view begins there, or the view is not mapped. Context: any.
    #[inline(always)]
    pub fn page_of(&self, va: Va, pages: usize) -> Option<usize> {
        // The distance from `NONE` to an address that begins no page may be whole pages.
        if va.is_multiple_of(PAGE_SIZE) { self.page_of_aligned(va, pages) } else { None }
    }

    /// Returns what [`page_of`](Self::page_of) does, for an address that is a multiple of a page.
    #[inline(always)]
    pub fn page_of_aligned(&self, va: Va, pages: usize) -> Option<usize> {
        // If the distance is not a multiple of a page, its low bits become high bits: one comparison finds both.
        let page = va.wrapping_sub(self.0.load(Relaxed)).rotate_right(PAGE_SHIFT);
        (page < pages).then_some(page)
    }

    /// Records that the pool is not mapped any more, and returns where the view began, if it was mapped. The caller excludes
    /// other callers, and unmaps the pool afterwards.
    pub fn take(&self) -> Option<Va> {
        let base = self.base();
        self.0.store(NONE, Release);
        base
    }

    /// Records that the whole pool is mapped from `base` on. The caller excludes other callers.
    pub fn put(&self, base: Va) {
        self.0.store(base, Release);
    }
}

/// Maps `[pa, pa + size)`, whole pages, and makes sure that the mapping leads there. Context: thread.
pub fn map_checked<K: Kernel>(kernel: K, pa: Pa, size: usize, memory: MemoryType) -> Option<NonZeroUsize> {
    debug_assert!(kernel.can_sleep(), "a mapping is made where sleeping is allowed");
    let base = kernel.map(pa, size, memory)?;
    // So it begins on a page, too, as `pa` does.
    if leads_to(kernel, base, size, pa) {
        return NonZeroUsize::new(base);
    }
    // SAFETY: `map` returned it, and no other code knows it.
    #[allow(unsafe_code)]
    unsafe {
        kernel.unmap(base)
    }
    None
}

/// Where an address leads that is not mapped: no page begins there.
pub const NOWHERE: Pa = Pa::MAX;

/// Whether every page of `[va, va + size)`, whole pages, at least one, is mapped to the page at the same distance from
/// `pa`; or none of them to any, if that is [`NOWHERE`].
#[inline(never)]
pub fn leads_to<K: Kernel>(kernel: K, va: Va, size: usize, pa: Pa) -> bool {
    let (mut at, mut expected) = (va, pa);
    loop {
        if kernel.v2p(at).unwrap_or(NOWHERE) != expected {
            return false;
        }
        at = at.wrapping_add(PAGE_SIZE);
        if at == va.wrapping_add(size) {
            return true;
        }
        if pa != NOWHERE {
            expected = expected.wrapping_add(PAGE_SIZE);
        }
    }
}
