//! Memory that is ready for interrupts, and fills.

use super::Endless;
use super::preemption::run_before_step;
use crate::additions::block_pool::shape::Shape;
use crate::additions::block_pool::{BlockPool, Effort, Pages, PoolName};
use crate::kernel::testing::Services;
use crate::kernel::{Device, Handle, Kernel, PAGE_SIZE, Va};
use std::boxed::Box;
use std::cell::{Cell, RefCell};
use std::vec::Vec;

fn new_pool<K: Kernel, P: Pages>(kernel: K, pages: P, shape: Shape) -> &'static BlockPool<K, P> {
    BlockPool::new(kernel, pages, PoolName::new([]), Device::at(1), shape, 0).unwrap()
}

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
        let pool = new_pool(NeverWaits, Endless, Shape::linux(size, 0, 0).unwrap());
        pool.start_reserve();
        assert!(pool.fill(100));
        let turn = pool.spans.turn.take(NeverWaits).unwrap();
        let held: Vec<_> = (0..90).map(|_| pool.allocate().unwrap()).collect();
        held.iter().for_each(|block| pool.free(block.va, block.handle).unwrap());
        drop(turn);
        assert_eq!(pool.usage().in_use, 0);
    }
}

/// Another thread, which runs between calls for pages.
struct OtherThread {
    /// How many calls for pages come before it runs.
    calls_before: usize,
    run: Box<dyn FnOnce()>,
}

std::thread_local! {
    static FREE_PAGES: RefCell<Vec<Va>> = const { RefCell::new(Vec::new()) };
    /// `None` after it has run.
    static OTHER_THREAD: RefCell<Option<OtherThread>> = const { RefCell::new(None) };
}

/// The pages of [`FREE_PAGES`]. Before a call for pages, [`OTHER_THREAD`] may run.
#[derive(Clone, Copy)]
struct FewPages;

impl FewPages {
    fn let_other_run() {
        match OTHER_THREAD.take() {
            Some(OtherThread { calls_before: 0, run }) => run(),
            Some(OtherThread { calls_before, run }) => {
                OTHER_THREAD.set(Some(OtherThread { calls_before: calls_before - 1, run }));
            }
            None => {}
        }
    }
}

// SAFETY: the test does not touch the memory.
#[allow(unsafe_code)]
unsafe impl Pages for FewPages {
    fn allocate(&self, _: Device, _: usize, _: usize, _: Effort) -> Option<(Va, Handle)> {
        Self::let_other_run();
        FREE_PAGES.with_borrow_mut(|pages| pages.pop().map(|va| (va, va)))
    }
    unsafe fn free(&self, _: Device, _: usize, va: Va, _: Handle) {
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
    for calls_before in 0.. {
        FREE_PAGES.set((1..=4).map(|page| page * PAGE_SIZE).collect());
        let pool = new_pool(NeverWaits, FewPages, Shape::new(PAGE_SIZE, 0, 0).unwrap());
        let run = Box::new(move || assert!(pool.fill(2)));
        OTHER_THREAD.set(Some(OtherThread { calls_before, run }));
        assert!(!pool.fill(5));
        if OTHER_THREAD.take().is_some() {
            break;
        }
        assert_eq!(pool.groups.missing(NeverWaits, 2), 0, "before call {calls_before} for pages");
        times_filled += 1;
    }
    assert!(times_filled > 5, "also while the first fill frees pages");
    FREE_PAGES.take();
}

std::thread_local! {
    /// How often a call waited for the turn.
    static WAITS: Cell<usize> = const { Cell::new(0) };
    /// Whether the only page of [`OnePage`] was allocated.
    static IS_EMPTY: Cell<bool> = const { Cell::new(false) };
}

/// Counts the waits for a turn.
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
    fn allocate(&self, _: Device, _: usize, _: usize, _: Effort) -> Option<(Va, Handle)> {
        if IS_EMPTY.replace(true) { None } else { Some((0x1000_0000, 0x1000_0000)) }
    }
    unsafe fn free(&self, _: Device, _: usize, _: Va, _: Handle) {}
    fn last_reachable(&self, _: Device) -> usize {
        usize::MAX
    }
}

/// The other thread asks for a block while the fill has the last page, whose blocks are not free yet.
#[test]
fn a_thread_that_gets_no_memory_waits_for_a_fill() {
    let pool = new_pool(CountsWaits, OnePage, Shape::new(64, 0, 0).unwrap());
    let other = move || _ = pool.allocate();
    let (is_filled, other) = run_before_step(0, other, || pool.fill(1));
    assert!(is_filled && other.is_some());
    assert_ne!(WAITS.get(), 0);
}
