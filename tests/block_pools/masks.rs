//! A coherent mask that is set after a pool has memory.

use super::*;
use std::collections::HashSet;

/// The mask that reaches the first `pages` pages.
fn reaching(pages: usize) -> usize {
    START + pages * PAGE - 1
}

fn page_of(block: &Block) -> usize {
    (block.handle - START) / PAGE
}

#[test]
fn fault_08_blocks_beyond_a_mask_that_is_set_later_are_not_handed_out() {
    for size in [16, 64, 1000, 2048, 4096] {
        let rig = Rig::with_pages(8);
        let pool = rig.create(size, 0, 0);
        let held: Vec<_> = std::iter::from_fn(|| pool.allocate()).collect();
        let of_a_page = held.len() / 8;
        free_all(pool, held);
        // In an interrupt, so that no memory comes or goes.
        let take_all =
            || -> Vec<Block> { rig.machine.in_interrupt(|| std::iter::from_fn(|| pool.allocate()).collect()) };
        for pages in [3, 1, 5, 0, 8] {
            rig.set_mask(reaching(pages));
            let held = take_all();
            assert!(held.iter().all(|block| page_of(block) < pages), "{size}: a block is out of reach");
            assert_eq!(
                held.iter().collect::<HashSet<_>>().len(),
                pages * of_a_page,
                "{size}: blocks in reach are missed"
            );
            assert_eq!(pool.usage(), usage(held.len(), 8 * of_a_page, 8));
            free_all(pool, held);
        }
        rig.set_mask(usize::MAX);
        assert_eq!(take_all().len(), 8 * of_a_page);
    }
}

#[test]
fn fault_08_blocks_that_are_out_of_reach_when_they_are_freed_are_not_handed_out_again() {
    let rig = Rig::with_pages(8);
    let pool = rig.create(512, 0, 0);
    let mut held: Vec<_> = (0..64).map(|_| take(&rig, pool)).collect();
    held.sort_by_key(|block| block.handle);
    rig.set_mask(reaching(2));
    for block in held.drain(16..) {
        pool.free(block.va, block.handle).unwrap();
        assert!(pool.free(block.va, block.handle).is_err(), "it is free already");
        assert_eq!(pool.allocate(), None, "all that it reaches is in use");
    }
    free_all(pool, held);
    let held: Vec<_> = std::iter::from_fn(|| pool.allocate()).collect();
    assert_eq!(held.len(), 16);
    assert!(held.iter().all(|block| page_of(block) < 2));
    assert_eq!(pool.usage().pages, 2, "a thread that needs memory gives back what it cannot use");
    free_all(pool, held);
    rig.destroy(pool);
    assert_eq!(rig.machine.balance().used_bytes, 0);
}

#[test]
fn fault_08_spans_out_of_reach_are_trimmed_and_make_room_within_reach() {
    let rig = Rig::with_pages(4);
    let pool = rig.create(4096, 0, 0);
    let held: Vec<_> = (0..4).map(|_| take(&rig, pool)).collect();
    let [low, kept] = [held[0], held[3]];
    free_all(pool, held.iter().copied().filter(|block| *block != kept));
    rig.set_mask(reaching(1));
    assert_eq!(pool.allocate(), Some(low));
    assert_eq!(pool.allocate(), None);
    assert_eq!(pool.usage(), usage(2, 2, 2));
    free_all(pool, [low, kept]);
    assert_eq!(pool.trim(), 2);
    rig.destroy(pool);
}

#[test]
fn fault_08_a_mask_set_in_an_interrupt_counts_at_once() {
    let rig = Rig::with_pages(4);
    let pool = rig.create(64, 0, 0);
    let held: Vec<_> = std::iter::from_fn(|| pool.allocate()).collect();
    free_all(pool, held);
    let held: Vec<Block> = rig.machine.in_interrupt(|| {
        rig.set_mask(reaching(1) - 1);
        std::iter::from_fn(|| pool.allocate()).collect()
    });
    assert_eq!(held.len(), 63, "the last block ends beyond the mask");
    free_all(pool, held);
    rig.set_mask(usize::MAX);
    rig.destroy(pool);
}

#[test]
fn a_mask_of_another_device_changes_nothing() {
    let rig = Rig::with_pages(4);
    let pool = rig.create(4096, 0, 0);
    let held: Vec<_> = (0..4).map(|_| take(&rig, pool)).collect();
    rig.mask.store(reaching(1), Relaxed);
    rig.pools.follow_mask(rig.machine.plain_device());
    free_all(pool, held);
    let held = rig.machine.in_interrupt(|| std::iter::from_fn(|| pool.allocate()).count());
    assert_eq!(held, 4);
}

/// A driver copies the operations of a device with a wider mask. No call of the library reports that.
#[test]
fn a_fill_uses_what_a_mask_of_copied_operations_reaches() {
    let rig = Rig::with_pages(8);
    rig.mask.store(reaching(2), Relaxed);
    let pool = rig.create(4096, 0, 0);
    assert!(!pool.fill(8), "two pages are within reach");
    rig.mask.store(usize::MAX, Relaxed);
    assert!(pool.fill(8));
    rig.destroy(pool);
}

/// The pool's second span ends beyond the mask. When it is given back, two pages within reach lie next to each other.
#[test]
fn a_fill_gives_back_what_is_out_of_reach_before_it_takes_memory() {
    let rig = Rig::with_pages(6);
    let (pages, pool) = (rig.create(PAGE, 0, 0), rig.create(2 * PAGE, 0, 0));
    let [first, a, page, b] = [pages, pool, pages, pool].map(|pool| take(&rig, pool));
    free_all(pages, [page]);
    assert_eq!(pages.trim(), 1);
    free_all(pool, [a, b]);
    rig.set_mask(reaching(5));
    assert!(pool.fill(2));
    free_all(pages, [first]);
    [pages, pool].into_iter().for_each(|pool| rig.destroy(pool));
}
