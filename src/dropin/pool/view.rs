//! A pool's views: the whole pool, mapped once with one memory type, on first use, and kept.
//!
//! Then a buffer's address is an addition, from any context. A view is checked page by page against `v2p` before anyone
//! gets an address in it: RT-Thread's aarch64 block mapping can map the wrong memory without an error.

use core::num::NonZeroUsize;
use core::sync::atomic::{
    AtomicUsize,
    Ordering::{Relaxed, Release},
};

use crate::kernel::{Kernel, MemoryType, PAGE_SIZE, Pa, Va};
use crate::mem::turn::Turned;

// A view that is mapped is the address where it begins, on a page. The others are no such address: so the distance from
// them to a page is never a whole number of pages.

/// Not asked for yet.
const NONE: usize = usize::MAX;
/// It cannot be had: the pool is too large, or the kernel refused, or mapped something else. Buffers are mapped one by
/// one.
const REFUSED: usize = usize::MAX - 1;

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

    /// Where the view begins, if it is mapped. Any context.
    #[inline(always)]
    pub fn base(&self) -> Option<Va> {
        // Nothing is read but what the address leads to, which comes after it.
        let state = self.0.load(Relaxed);
        (state < REFUSED).then_some(state)
    }

    /// How far `va` is behind the view's first byte: a whole number of pages if it is that of a page in a view that is
    /// mapped, and less than its size. Any context.
    #[inline(always)]
    pub fn offset_of(&self, va: Va) -> usize {
        va.wrapping_sub(self.0.load(Relaxed))
    }

    /// Says that the pool, which nobody else sees yet, is mapped at `base` already.
    pub fn put(&self, base: Va) {
        self.0.store(base, Relaxed);
    }

    /// Where the view begins; maps `[pa, pa + size)` if nobody did. `None` if it cannot be had, now or later. The pool has
    /// one turn for all of its views. *Thread.*
    #[inline(always)]
    pub fn get_or_map<K: Kernel>(
        &self,
        _: &Turned<K>,
        kernel: K,
        pa: Pa,
        size: usize,
        memory: MemoryType,
    ) -> Option<Va> {
        if self.0.load(Relaxed) == NONE {
            let is_small = size <= kernel.view_limit();
            let base = if is_small { map_checked(kernel, pa, size, memory) } else { None };
            self.0.store(base.map_or(REFUSED, NonZeroUsize::get), Release);
        }
        self.base()
    }
}

/// Maps `[pa, pa + size)`, whole pages, and makes sure that the mapping leads there. *Thread.*
pub fn map_checked<K: Kernel>(kernel: K, pa: Pa, size: usize, memory: MemoryType) -> Option<NonZeroUsize> {
    debug_assert!(kernel.can_sleep(), "a mapping is made where sleeping is allowed");
    let base = kernel.map(pa, size, memory)?;
    // So it begins on a page, too, as `pa` does.
    if leads_to(kernel, base, size, pa) {
        return NonZeroUsize::new(base);
    }
    kernel.unmap(base);
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
