//! The views of a pool. A view is a mapping of the whole pool with one memory type. It is made when it is first needed,
//! and kept.
//!
//! With a view, a buffer's address is the sum of two numbers, in every context. Before a view is used, each page of it
//! is checked with `v2p`, because RT-Thread's aarch64 block mapping can map the wrong memory without an error.
//!
//! If a view cannot be mapped, the pool does not record that: the heap or the kernel's address space may have been full
//! for a short time only. The next call that needs the view, in a thread, tries again.

use core::num::NonZeroUsize;

use crate::kernel::{Kernel, MemoryType, PAGE_SHIFT, PAGE_SIZE, Pa, Va};
use crate::mem::atomics::{AtomicUsize, Ordering::Relaxed};

/// The value of a view that is not mapped. The value of a mapped view is the address of its first byte, a multiple of
/// the page size. This value is not such a multiple, so the distance from it to the start of a page is never a whole
/// number of pages.
const NONE: usize = usize::MAX;

/// The address at which a pool is mapped with one memory type, or [`NONE`].
pub struct View(AtomicUsize);

impl View {
    /// Makes a view that is not mapped yet.
    pub const fn new() -> Self {
        View(AtomicUsize::new(NONE))
    }

    /// Makes a view that is mapped from `base` on.
    pub const fn at(base: Va) -> Self {
        View(AtomicUsize::new(base))
    }

    /// Returns the address of the first byte of the view; `None` if it is not mapped.
    ///
    /// Context: any.
    pub fn base(&self) -> Option<Va> {
        // `Relaxed` suffices: the library reads nothing that was written before `put`, except the page tables. The
        // processor reads these, not the program, and `Mappings::map` makes them visible to every core before it
        // returns.
        let state = self.0.load(Relaxed);
        (state != NONE).then_some(state)
    }

    /// Returns the number of the page whose first byte is at `va`, in the view of a pool of `pages` pages; `None` if no
    /// page of the view begins there, or the view is not mapped.
    ///
    /// Context: any.
    pub fn page_of(&self, va: Va, pages: usize) -> Option<usize> {
        // The distance from `NONE` to an address that is not the start of a page may be a whole number of pages.
        if va.is_multiple_of(PAGE_SIZE) { self.page_of_aligned(va, pages) } else { None }
    }

    /// Returns what [`page_of`](Self::page_of) does, for an address that is a multiple of a page.
    pub fn page_of_aligned(&self, va: Va, pages: usize) -> Option<usize> {
        // If the distance is not a multiple of a page, its low bits become high bits: one comparison finds both.
        let page = va.wrapping_sub(self.0.load(Relaxed)).rotate_right(PAGE_SHIFT);
        (page < pages).then_some(page)
    }

    /// Records that the view is not mapped any more. Returns the address at which it was mapped, if it was; the caller
    /// then unmaps it. The caller makes sure that no other call changes the view meanwhile.
    pub fn take(&self) -> Option<Va> {
        let base = self.base();
        self.0.store(NONE, Relaxed);
        base
    }

    /// Records that the whole pool is mapped from `base` on. The caller makes sure that no other call changes
    /// the view meanwhile.
    pub fn put(&self, base: Va) {
        self.0.store(base, Relaxed);
    }
}

/// Maps `[pa, pa + size)`, which consists of whole pages, and returns the address. Returns `None` if the kernel cannot
/// map it, or if the new mapping leads to other memory, in which case it is removed.
///
/// Context: thread.
pub fn map_checked<K: Kernel>(kernel: K, pa: Pa, size: usize, memory: MemoryType) -> Option<NonZeroUsize> {
    debug_assert!(kernel.can_sleep(), "a mapping is made where sleeping is allowed");
    let base = kernel.map(pa, size, memory)?;
    // If this is true, `base` is a multiple of the page size, as `pa` is. It is not zero either: RT-Thread returns
    // address zero if a map fails. So `NonZeroUsize::new` always succeeds.
    if view_leads_to(kernel, base, size, pa) {
        return NonZeroUsize::new(base);
    }
    // SAFETY: `map` returned it, and no other code knows it.
    #[allow(unsafe_code)]
    unsafe {
        kernel.unmap(base)
    }
    None
}

/// Returns whether each page of `[va, va + size)` is mapped to the page at the same distance from `pa`. The range
/// consists of whole pages.
// With `Addresses::v2p_of_range`, the first view of a pool takes 12 % fewer instructions on aarch64, but the linked
// core has 168 bytes more, and a map outside the linear map takes 13 instructions more.
#[inline(never)]
pub fn view_leads_to<K: Kernel>(kernel: K, va: Va, size: usize, pa: Pa) -> bool {
    pages_of(size).all(|offset| kernel.v2p(va.wrapping_add(offset)) == Some(pa.wrapping_add(offset)))
}

/// Returns whether no page of `[va, va + size)` is mapped. The range consists of whole pages.
pub fn is_unmapped<K: Kernel>(kernel: K, va: Va, size: usize) -> bool {
    pages_of(size).all(|offset| kernel.v2p(va.wrapping_add(offset)).is_none())
}

/// Returns the distance of each page of `size` bytes from the first byte.
fn pages_of(size: usize) -> impl Iterator<Item = usize> {
    (0..size).step_by(PAGE_SIZE)
}
