//! A pool's views: the whole pool, mapped once with one memory type, on first use, and kept.
//!
//! Then a buffer's address is an addition, from any context. A view is checked page by page against `v2p` before anyone
//! gets an address in it: RT-Thread's aarch64 block mapping can map the wrong memory without an error.

use core::num::NonZeroUsize;
use core::sync::atomic::{
    AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

use crate::kernel::{Kernel, MemoryType, PAGE_SIZE, Pa, Va};

// A view that is mapped is the address where it begins, on a page. The others are no such address: so the distance from
// them to a page is never a whole number of pages.

/// Not asked for yet.
const NONE: usize = usize::MAX;
/// Somebody is mapping it.
const MAKING: usize = usize::MAX - 1;
/// It cannot be had: the pool is too large, or the kernel refused, or mapped something else. Buffers are mapped one by
/// one.
const REFUSED: usize = usize::MAX - 2;

/// Where a pool is mapped with one memory type.
pub struct View(AtomicUsize);

impl View {
    /// A view that is not mapped yet.
    pub const fn new() -> Self {
        View(AtomicUsize::new(NONE))
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

    /// Where the view begins; maps `[pa, pa + size)` if nobody did. `None` if it cannot be had, now or later. *Thread.*
    pub fn get_or_map<K: Kernel>(&self, kernel: K, pa: Pa, size: usize, memory: MemoryType) -> Option<Va> {
        while self.0.load(Acquire) >= MAKING {
            if self.0.compare_exchange(NONE, MAKING, Relaxed, Relaxed).is_err() {
                kernel.pause();
                continue;
            }
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
    if base.is_multiple_of(PAGE_SIZE) && leads_to(kernel, base, size, pa) {
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
