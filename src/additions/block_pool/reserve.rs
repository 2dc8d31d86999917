//! Memory that is ready for interrupts.
//!
//! An interrupt cannot use the heap, so it cannot make bookkeeping. A pool that keeps a reserve has threads make it in
//! advance: whenever a thread leaves the fast path, it makes sure that a few blocks are free, and that there is
//! bookkeeping for another span at least. With that bookkeeping an interrupt can add a span itself.
//!
//! A fill marks each span that it adds with its number. If it fails, it frees the free spans that still have this
//! number. If it succeeds, it clears the numbers of all spans. So a fill that fails never frees a block that a fill
//! which succeeded has counted.

use super::spans::{FillNumber, FirstBlock};
use super::{BlockPool, Effort, Pages};
use crate::kernel::Kernel;
use crate::mem::atomics::Ordering::Relaxed;

/// The number of blocks that threads leave free. Any small number serves: when these are taken, an interrupt can add a
/// span itself, if there are free pages and no other call adds one. That takes longer.
const RESERVE_BLOCKS: usize = 4;

impl<K: Kernel, P: Pages> BlockPool<K, P> {
    /// Has threads keep memory ready for interrupts from now on, and makes it ready as far as there is memory.
    ///
    /// Context: thread.
    pub fn start_reserve(&self) {
        self.keeps_reserve.store(true, Relaxed);
        self.make_ready(RESERVE_BLOCKS, Effort::AsksBorrowers, None);
    }

    /// Makes the reserve complete again, if the pool keeps one and the caller may sleep. The caller has what it needs,
    /// so only memory that is free is used, and no failure is counted or logged.
    ///
    /// Context: any.
    pub(super) fn keep_reserve(&self) {
        if self.keeps_reserve.load(Relaxed) {
            self.make_ready(RESERVE_BLOCKS, Effort::FailsUncounted, None);
        }
    }

    /// Makes sure that `count` blocks are free, and, as far as the heap has room, that there is bookkeeping for another
    /// span. If the memory does not suffice for the blocks, frees the spans that the call added, and returns false.
    /// Spans of which a block is in use meanwhile stay, and spans whose blocks another fill has counted. Where the
    /// caller may not sleep, the call is counted as refused, returns false, and changes nothing else.
    ///
    /// Context: thread.
    pub fn fill(&self, count: usize) -> bool {
        if !self.may_sleep_or_count() {
            return false;
        }
        let fill = self.spans.next_fill();
        while self.make_ready(count, Effort::AsksBorrowers, Some(fill)) {
            if self.keep_counted(count) {
                return true;
            }
        }
        self.trim_where(|span| span.is_of_fill(fill));
        false
    }

    /// If `count` blocks are free, makes them stay when another fill fails, and returns true.
    ///
    /// Context: thread.
    fn keep_counted(&self, count: usize) -> bool {
        // With the turn held, no span is removed between the count and the change of the numbers.
        let Some(turn) = self.spans.turn.take(self.kernel) else { return false };
        let are_free = self.missing(count) == 0;
        if are_free {
            self.spans.all().for_each(|span| span.set_fill(None, &turn));
        }
        are_free
    }

    /// Makes sure that `count` blocks are free, and, as far as the heap has room, that there is bookkeeping for another
    /// span. Returns false if the memory does not suffice for the blocks, or the caller may not sleep. The spans that
    /// it adds get the number of `fill`.
    ///
    /// Context: any.
    fn make_ready(&self, count: usize, effort: Effort, fill: Option<FillNumber>) -> bool {
        if !self.kernel.can_sleep() {
            return false;
        }
        let is_ready = self.add_spans(count, effort, fill);
        // Also without memory: an interrupt may come when other code has freed some.
        self.prepare_bookkeeping();
        is_ready
    }

    /// Adds spans until `count` blocks are free. Returns false if the memory does not suffice. Before it adds any, it
    /// frees spans that the device does not reach.
    ///
    /// Context: thread.
    fn add_spans(&self, count: usize, mut effort: Effort, fill: Option<FillNumber>) -> bool {
        let failed_waits = self.pages.failed_waits();
        let span_blocks = self.groups.shape.span_blocks().max(1);
        let mut missing = self.missing(count);
        while missing != 0 {
            self.follow_copied_mask();
            self.trim_unreachable();
            // Half of the missing blocks are added, and the rest is counted anew: other callers may add or take blocks.
            for _ in 0..missing.div_ceil(2).div_ceil(span_blocks) {
                // Borrowers that kept their memory are not asked again: each span would wait for them.
                if effort == Effort::AsksBorrowers && self.pages.failed_waits() != failed_waits {
                    effort = Effort::FailsCounted;
                }
                if self.add_span_unless(FirstBlock::Free(fill), effort, || None).is_none() {
                    // Other callers may have added the last memory.
                    return self.missing(count) == 0;
                }
            }
            missing = self.missing(count);
        }
        true
    }

    /// Returns how many blocks are missing until `count` are free.
    fn missing(&self, count: usize) -> usize {
        self.groups.missing(self.kernel, count)
    }

    /// Makes sure that a span can be added without the heap, if the heap has room now.
    ///
    /// Context: thread.
    fn prepare_bookkeeping(&self) {
        // If nothing has to be done, the call takes no turn, for which it might wait.
        if self.spans.first_vacant.get().is_none() || !self.is_table_long_enough() {
            let Some(turn) = self.spans.turn.take(self.kernel) else { return };
            let _ = self.ensure_vacant_span(&turn);
        }
    }

    /// Returns whether an interrupt may add a span.
    pub(super) fn may_grow_in_interrupt(&self) -> bool {
        self.keeps_reserve.load(Relaxed) && self.spans.first_vacant.get().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::additions::block_pool::PoolName;
    use crate::additions::block_pool::shape::Shape;
    use crate::additions::block_pool::tests::Endless;
    use crate::additions::block_pool::tests::preemption::run_before_step;
    use crate::kernel::testing::Services;
    use crate::kernel::{Device, PAGE_SIZE, Va};
    use std::cell::{Cell, RefCell};

    /// Stops a test that waits for a turn.
    #[derive(Clone, Copy)]
    struct NeverWaits;

    // SAFETY: it maps nothing.
    #[allow(unsafe_code)]
    unsafe impl Services for NeverWaits {
        fn pause(&self) {
            panic!("a wait for the turn");
        }
    }

    #[test]
    fn no_call_waits_for_a_turn_while_the_reserve_is_complete() {
        // Large enough that 90 blocks are in several groups: some calls leave the fast path.
        for size in [1024, 4096, 10000] {
            let shape = Shape::linux(size, 0, 0).unwrap();
            let pool = BlockPool::new(NeverWaits, Endless, PoolName::new([]), Device::at(1), shape, 0).unwrap();
            pool.start_reserve();
            assert!(pool.fill(100));
            let turn = pool.spans.turn.take(NeverWaits).unwrap();
            let held: std::vec::Vec<_> = (0..90).map(|_| pool.allocate().unwrap()).collect();
            held.iter().for_each(|block| pool.free(block.va, block.handle).unwrap());
            drop(turn);
            assert_eq!(pool.usage().in_use, 0);
        }
    }

    std::thread_local! {
        static WAITS: Cell<usize> = const { Cell::new(0) };
        static IS_EMPTY: Cell<bool> = const { Cell::new(false) };
    }

    #[derive(Clone, Copy)]
    struct CountsWaits;

    // SAFETY: it maps nothing.
    #[allow(unsafe_code)]
    unsafe impl Services for CountsWaits {
        fn pause(&self) {
            WAITS.set(WAITS.get() + 1);
        }
    }

    #[derive(Clone, Copy)]
    struct OnePage;

    // SAFETY: the test does not touch the memory.
    #[allow(unsafe_code)]
    unsafe impl Pages for OnePage {
        fn allocate(&self, _: Device, _: usize) -> Option<(Va, usize)> {
            if IS_EMPTY.replace(true) { None } else { Some((0x1000_0000, 0x1000_0000)) }
        }
        unsafe fn free(&self, _: Device, _: usize, _: Va, _: usize) {}
        fn last_reachable(&self, _: Device) -> usize {
            usize::MAX
        }
    }

    std::thread_local! {
        static FREE_PAGES: RefCell<std::vec::Vec<Va>> = const { RefCell::new(std::vec::Vec::new()) };
        /// What runs before a call for pages, and how many such calls come before that one.
        static OTHER: RefCell<Option<(usize, std::boxed::Box<dyn Fn()>)>> = const { RefCell::new(None) };
    }

    /// Four pages. Before a call for pages, another thread may run.
    #[derive(Clone, Copy)]
    struct FourPages;

    impl FourPages {
        fn let_other_run() {
            let is_now = OTHER.with_borrow_mut(|other| match other {
                Some((0, _)) => true,
                Some((calls, _)) => {
                    *calls -= 1;
                    false
                }
                None => false,
            });
            if is_now && let Some((_, other)) = OTHER.take() {
                other();
            }
        }
    }

    // SAFETY: the test does not touch the memory.
    #[allow(unsafe_code)]
    unsafe impl Pages for FourPages {
        fn allocate(&self, _: Device, _: usize) -> Option<(Va, usize)> {
            Self::let_other_run();
            FREE_PAGES.with_borrow_mut(|pages| pages.pop().map(|va| (va, va)))
        }
        unsafe fn free(&self, _: Device, _: usize, va: Va, _: usize) {
            Self::let_other_run();
            FREE_PAGES.with_borrow_mut(|pages| pages.push(va));
        }
        fn last_reachable(&self, _: Device) -> usize {
            usize::MAX
        }
    }

    /// The other fill runs while the first one adds pages, before it frees any, and between two that it frees.
    #[test]
    fn a_fill_that_fails_leaves_another_fill_its_blocks() {
        let mut times_filled = 0;
        for calls in 0.. {
            FREE_PAGES.set((1..=4).map(|page| page * PAGE_SIZE).collect());
            let shape = Shape::new(PAGE_SIZE, 0, 0).unwrap();
            let pool = BlockPool::new(NeverWaits, FourPages, PoolName::new([]), Device::at(1), shape, 0).unwrap();
            OTHER.set(Some((calls, std::boxed::Box::new(move || assert!(pool.fill(2))))));
            assert!(!pool.fill(5));
            if OTHER.take().is_some() {
                break;
            }
            assert_eq!(pool.groups.missing(NeverWaits, 2), 0, "before call {calls} for pages");
            times_filled += 1;
        }
        assert!(times_filled > 5, "also while the first fill frees pages");
        FREE_PAGES.take();
    }

    /// The other thread asks for a block while the fill has the last page, whose blocks are not free yet.
    #[test]
    fn a_thread_that_gets_no_memory_waits_for_a_fill() {
        let shape = Shape::new(64, 0, 0).unwrap();
        let pool = BlockPool::new(CountsWaits, OnePage, PoolName::new([]), Device::at(1), shape, 0).unwrap();
        let other = move || _ = pool.allocate();
        let (is_filled, other) = run_before_step(0, other, || pool.fill(1));
        assert!(is_filled && other.is_some());
        assert_ne!(WAITS.get(), 0);
    }
}
