//! A pool's views: the whole pool, mapped once with one memory type, on first use, and kept.
//!
//! Then a buffer's address is an addition, from any context. A view is checked page by page against `v2p` before anyone
//! gets an address in it: RT-Thread's aarch64 block mapping can map the wrong memory without an error.

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
/// It cannot be had: the kernel refused, or mapped something else. Buffers are mapped one by one.
const REFUSED: usize = usize::MAX - 2;

/// Where a pool is mapped with one memory type.
pub struct View(AtomicUsize);

/// Why a view has no address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoView {
    /// It cannot be had now or later.
    Refused,
    /// It is not mapped yet, and the caller may not sleep.
    NotNow,
}

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

    /// Says that the pool is mapped at `base` already.
    pub fn put(&self, base: Va) {
        self.0.store(base, Release);
    }

    /// Says that the view shall not be made.
    pub fn refuse(&self) {
        self.0.store(REFUSED, Relaxed);
    }

    /// Where the view begins; maps `[pa, pa + size)` if nobody did. Any context once it is mapped; before, *thread*.
    pub fn get_or_map<K: Kernel>(&self, kernel: K, pa: Pa, size: usize, memory: MemoryType) -> Result<Va, NoView> {
        loop {
            match self.0.compare_exchange(NONE, MAKING, Acquire, Acquire) {
                Ok(_) if !kernel.can_sleep() => {
                    self.0.store(NONE, Release);
                    return Err(NoView::NotNow);
                }
                Ok(_) => {
                    let base = map_checked(kernel, pa, size, memory);
                    self.0.store(base.unwrap_or(REFUSED), Release);
                    return base.ok_or(NoView::Refused);
                }
                Err(REFUSED) => return Err(NoView::Refused),
                Err(MAKING) if !kernel.can_sleep() => return Err(NoView::NotNow),
                Err(MAKING) => kernel.pause(),
                Err(base) => return Ok(base),
            }
        }
    }
}

/// Maps `[pa, pa + size)`, whole pages, and makes sure that the mapping leads there. *Thread.*
pub fn map_checked<K: Kernel>(kernel: K, pa: Pa, size: usize, memory: MemoryType) -> Option<Va> {
    debug_assert!(kernel.can_sleep(), "a mapping is made where sleeping is allowed");
    let base = kernel.map(pa, size, memory)?;
    if base.is_multiple_of(PAGE_SIZE) && leads_to(kernel, base, pa, size) {
        return Some(base);
    }
    kernel.unmap(base);
    None
}

/// Whether every page of `[va, va + size)` is mapped to the page at the same distance from `pa`.
pub fn leads_to<K: Kernel>(kernel: K, va: Va, pa: Pa, size: usize) -> bool {
    (0..size).step_by(PAGE_SIZE).all(|offset| kernel.v2p(va + offset) == Some(pa + offset))
}
