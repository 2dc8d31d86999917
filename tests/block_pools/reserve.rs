//! Tests pools that keep memory ready for interrupts, by the rules of Linux's `dma_pool`.

use super::*;

#[test]
fn an_interrupt_gets_blocks_from_a_pool_that_was_never_used() {
    for (size, count) in [(64, 1000), (20, 3000), (4096, 30), (10000, 6)] {
        let rig = Rig::new();
        // The first use of the machine's memory maps it.
        rig.destroy(rig.create_linux(size, 0, 0));
        let before = rig.machine.balance().heap_bytes;
        let pool = rig.create_linux(size, 0, 0);
        let held: Vec<_> = rig.machine.in_interrupt(|| std::iter::from_fn(|| pool.allocate()).take(count).collect());
        // A thread leaves at least four blocks free, and bookkeeping with which the interrupt adds pages itself.
        assert!(held.len() >= 4, "{size}: {}", held.len());
        let refilled = take(&rig, pool);
        let more: Vec<_> = rig.machine.in_interrupt(|| std::iter::from_fn(|| pool.allocate()).take(4).collect());
        assert_eq!(more.len(), 4, "{size}: a thread that came by refilled the reserve");
        for block in held.iter().chain(&more).chain([&refilled]) {
            rig.machine.in_interrupt(|| pool.free(block.va, block.handle)).unwrap();
        }
        assert_eq!(pool.usage().in_use, 0);
        rig.destroy(pool);
        assert_eq!(rig.machine.balance().heap_bytes, before);
    }
}

#[test]
fn a_filled_pool_serves_an_interrupt_with_as_many_blocks() {
    let rig = Rig::new();
    let pool = rig.create_linux(4096, 0, 0);
    assert!(pool.fill(100));
    let held: Vec<_> = rig.machine.in_interrupt(|| std::iter::from_fn(|| pool.allocate()).take(100).collect());
    assert_eq!(held.len(), 100);
    assert!(!rig.machine.in_interrupt(|| pool.fill(1)), "it takes a thread");
    assert!(!pool.fill(1 << 20), "there is less memory");
    free_all(pool, held);
    rig.destroy(pool);
}

#[test]
fn a_pool_is_filled_without_heap_while_enough_blocks_are_free() {
    let rig = Rig::new();
    let pool = rig.create(4096, 0, 0);
    let held: Vec<_> = (0..8).map(|_| take(&rig, pool)).collect();
    free_all(pool, held);
    rig.machine.fail_always(Service::HeapAlloc);
    assert!(pool.fill(8), "eight blocks are free");
    assert!(!pool.fill(9), "there is no bookkeeping for another page");
    rig.machine.repair(Service::HeapAlloc);
    assert!(pool.fill(9));
    rig.destroy(pool);
}

#[test]
fn other_pools_have_no_memory_before_they_are_used() {
    let rig = Rig::new();
    let pool = rig.create(64, 64, 0);
    assert_eq!(rig.machine.in_interrupt(|| pool.allocate()), None);
    assert_eq!(pool.usage(), usage(0, 0, 0));
    rig.destroy(pool);
}

#[test]
fn a_pool_without_memory_is_made_all_the_same() {
    let rig = Rig::with_pages(1);
    let other = rig.create(4096, 0, 0);
    let block = take(&rig, other);
    let pool = rig.create_linux(64, 64, 0);
    assert_eq!(pool.allocate(), None);
    other.free(block.va, block.handle).unwrap();
    rig.destroy(other);
    let block = take(&rig, pool);
    pool.free(block.va, block.handle).unwrap();
    rig.destroy(pool);
}

/// The bookkeeping is ready before the memory is: made with the pool, and made again when it is used up.
#[test]
fn an_interrupt_gets_blocks_from_memory_that_was_freed_after_the_reserve_could_not_be_completed() {
    let rig = Rig::with_pages(20);
    let other = rig.create(PAGE, 0, 0);
    let all: Vec<_> = (0..20).map(|_| take(&rig, other)).collect();
    let pool = rig.create_linux(PAGE, 0, 0);
    let mut held = Vec::new();
    for block in all {
        free_all(other, [block]);
        other.trim();
        held.push(rig.machine.in_interrupt(|| pool.allocate()).expect("a page is free"));
        assert_eq!(pool.allocate(), None, "a thread finds no memory for the reserve");
    }
    free_all(pool, held);
    rig.destroy(pool);
    rig.destroy(other);
}

#[test]
fn blocks_are_as_dense_as_on_linux_and_aligned_beyond_a_page() {
    for (size, count) in [(20, 204), (24, 170), (48, 85), (56, 73), (100, 40), (128, 32)] {
        let rig = Rig::new();
        let pool = rig.create_linux(size, 0, 0);
        let held: Vec<_> = (0..count).map(|_| take(&rig, pool)).collect();
        let pages: std::collections::BTreeSet<_> = held.iter().map(|block| block.va / PAGE).collect();
        assert_eq!(pages.len(), 1, "{size}");
        // Each address inside of a block, and each after the last, is refused.
        for offset in 0..PAGE {
            let va = held[0].va / PAGE * PAGE + offset;
            assert_eq!(pool.free(va, 0).is_ok(), held.iter().any(|block| block.va == va), "{size}: {offset}");
        }
        assert_eq!(pool.usage().in_use, 0);
        rig.destroy(pool);
    }
    let rig = Rig::new();
    let pool = rig.create_linux(100, 1 << 16, 0);
    let held: Vec<_> = (0..3).map(|_| take(&rig, pool)).collect();
    assert!(held.iter().all(|block| block.handle.is_multiple_of(1 << 16)));
    free_all(pool, held);
    rig.destroy(pool);
}

#[test]
fn a_fill_that_fails_gives_back_the_pages_that_it_added() {
    let rig = Rig::with_pages(40);
    for pool in [rig.create(PAGE, 0, 0), rig.create_linux(PAGE, 0, 0)] {
        assert!(pool.fill(10));
        let before = pool.usage();
        for count in [41, 1 << 20, usize::MAX] {
            assert!(!pool.fill(count));
            assert_eq!(pool.usage(), before);
        }
        let block = take(&rig, pool);
        assert!(!pool.fill(41) && pool.fill(30));
        assert_eq!(pool.usage(), usage(1, 31, 31));
        free_all(pool, [block]);
        rig.destroy(pool);
    }
}
