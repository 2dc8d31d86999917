//! Compares the page map with a bit-by-bit first fit: each call must return the same, and leave the same bits.

mod bits;
// The example has words of 4 bits.
#[cfg(rt_dma_word_bits = "4")]
mod example;
mod exhaustive;
mod hostile;
mod model;
mod search;
mod wrong_sizes;

use super::*;
use crate::error::Error;
use crate::kernel::testing::HeapOnly;
use core::sync::atomic::Ordering::Relaxed;
use model::*;
use proptest::prelude::*;
use std::vec::Vec;

/// Allocates and frees at random, up to `longest` pages at once; some frees are wrong.
fn walk(pages: usize, operations: usize, seed: u64, longest: usize) {
    let mut numbers = Random(seed | 1);
    let mut random = |below: usize| numbers.below(below);
    let mut both = Compared::new(pages);
    let mut held: Vec<(usize, usize)> = Vec::new();
    for step in 0..operations {
        let filling = (step / 512) % 2 == 0;
        match random(16) {
            0 => {
                let (page, count) = (random(pages + 3), random(longest + 2));
                if both.free(page, count).is_ok() {
                    held.retain(|allocation| allocation.0 != page);
                }
            }
            choice if (choice < 11) == filling => {
                let count = if random(3) == 0 { 1 + random(longest) } else { 1 + random(3) };
                held.extend(both.allocate(count).map(|page| (page, count)));
            }
            _ if !held.is_empty() => {
                let (page, count) = held.swap_remove(random(held.len()));
                assert_eq!(both.map.check_allocation(page, count).err(), None);
                assert_eq!(both.free(page, count), Ok(()));
                assert_eq!(both.free(page, count), Err(Error::NotAllocated), "second free");
            }
            _ => {}
        }
        if pages <= 400 && step % (1 + pages / 32) == 0 {
            assert_tree_is_exact(&mut both.map);
        }
        if step % 1024 == 0 {
            both.assert_consistent();
        }
    }
    both.assert_consistent();
    for (page, count) in held {
        both.free(page, count).unwrap();
    }
    assert_eq!(both.allocate(pages), Some(0), "the whole pool, to its last page");
}

#[test]
fn a_million_random_operations_place_as_first_fit_does() {
    for (pages, operations, longest) in [
        (1, 1_000, 1),
        (2, 1_000, 3),
        (63, 50_000, 20),
        (64, 50_000, 70),
        (65, 50_000, 66),
        (200, 50_000, 5),
        (400, 50_000, 150),
        (512, 250_000, 40),
        (1_000, 250_000, 300),
        (4_097, 250_000, 700),
        (20_000, 150_000, 4_000),
    ] {
        walk(pages, operations, 0x9e37_79b9_7f4a_7c15 ^ pages as u64, longest);
    }
}

proptest! {
    #[test]
    fn random_pools_place_as_first_fit_does(pages in 1usize..1_200, seed: u64, longest in 1usize..200) {
        walk(pages, 3_000, seed, longest);
    }
}

#[test]
fn every_page_can_be_allocated_one_by_one_and_as_a_whole() {
    for pages in [1, 2, 63, 64, 65, 511, 512, 513, 4_096, 32_769, 262_144] {
        let mut map = map_of(pages);
        for page in 0..pages {
            assert_eq!(map.allocate(1), Some(page));
        }
        assert_eq!(map.allocate(1), None);
        for page in 0..pages {
            assert_eq!(map.free(page, 1), Ok(()));
        }
        assert_eq!(map.allocate(pages + 1), None);
        assert_eq!(map.allocate(pages), Some(0));
        assert_eq!(map.allocate(1), None);
        assert_eq!(map.free(0, pages), Ok(()));
    }
}

#[test]
fn runs_that_cross_the_largest_pool_are_found() {
    let pages = 262_144;
    let mut map = map_of(pages);
    assert_eq!(map.allocate(pages), Some(0));
    map.free(0, pages).unwrap();
    // Checkerboard of single pages, then one hole across the middle.
    for page in 0..pages {
        assert_eq!(map.allocate(1), Some(page));
    }
    for page in (0..pages).step_by(2) {
        map.free(page, 1).unwrap();
    }
    assert_eq!(map.allocate(2), None);
    for page in (pages / 2 - 99..pages / 2 + 100).step_by(2) {
        map.free(page, 1).unwrap();
    }
    map.settle_all();
    assert_eq!(map.longest_free(), 201);
    assert_eq!(map.allocate(202), None);
    assert_eq!(map.allocate(201), Some(pages / 2 - 100));
}

#[test]
fn bookkeeping_is_at_most_four_bits_a_page_and_576_bytes_a_pool() {
    if BITS < usize::BITS as usize {
        return; // The figures are for whole words.
    }
    // 64 bytes of a pool keep what its users write out of the cache line that other cores read.
    // Where a word has 32 bits there are twice as many nodes, and it is four and a third.
    let thirds = if BITS == 64 { 12 } else { 13 };
    for pages in (1..=4_096).chain([16_384, 262_144]) {
        let words = words_for(pages);
        let slices = 3 * words * size_of::<usize>() + TreeShape::new(words).nodes() * size_of::<TreeNode>();
        let bytes = size_of::<crate::dropin::pool::Pool<HeapOnly>>() + slices;
        assert!(bytes <= 576 + pages * thirds / 24, "{pages} pages: {bytes} bytes");
    }
}

#[test]
fn runs_grow_and_shrink_across_every_boundary_of_the_tree() {
    let pages = 262_144;
    let mut map = map_of(pages);
    for boundary in (3..9).map(|power| 4usize.pow(power)) {
        for at in (1..4).flat_map(|times| [-65isize, -1, 0, 1, 64].map(|o| (boundary * times).wrapping_add_signed(o))) {
            if !(140..pages - 200).contains(&at) {
                continue;
            }
            assert_eq!(map.allocate(at - 70), Some(0), "{at}");
            assert_eq!(map.allocate(70), Some(at - 70));
            assert_eq!(map.allocate(37), Some(at));
            assert_eq!(map.allocate(pages - at - 37), Some(at + 37));
            assert_eq!(map.allocate(1), None);
            map.free(at + 37, pages - at - 37).unwrap();
            map.free(at, 37).unwrap();
            map.free(at - 70, 70).unwrap();
            assert_eq!(map.allocate(3), Some(at - 70));
            map.free(0, at - 70).unwrap();
            assert_eq!(map.allocate(5), Some(0));
            map.free(at - 70, 3).unwrap();
            assert_eq!(map.allocate(pages - 4), None);
            assert_eq!(map.allocate(at - 80), Some(5));
            map.free(0, 5).unwrap();
            map.free(5, at - 80).unwrap();
        }
    }
}

proptest! {
    /// As drivers do: what is taken comes back soon, the oldest first, or the youngest, or one in between.
    #[test]
    fn what_comes_back_in_order_is_placed_as_first_fit_does(
        pages in 65usize..1_500,
        calls in proptest::collection::vec((0usize..8, 1usize..130), 1..200),
        longest in 1usize..130,
    ) {
        let mut both = Compared::new(pages);
        let mut held: std::collections::VecDeque<(usize, usize)> = Default::default();
        for (choice, number) in calls {
            let freed = match choice {
                0 | 1 => held.pop_front(),
                2 => held.pop_back(),
                3 => held.remove(held.len().saturating_sub(1 + number % 4)),
                _ => {
                    let count = 1 + number % longest;
                    held.extend(both.allocate(count).map(|page| (page, count)));
                    None
                }
            };
            if let Some((page, count)) = freed {
                both.free(page, count).unwrap();
            }
            assert_tree_is_exact(&mut both.map);
        }
        both.assert_consistent();
    }
}

/// Rings of buffers, as drivers have them: some of the first are recycled, and all are given back in either order.
#[test]
fn rings_are_given_back_in_either_order() {
    for unit in [1, 3, 31, 64, 65, 100, 128, 200] {
        for before in [0, 1, 40, 64, 130] {
            for recycled in 0..6 {
                for (is_settled, is_reversed) in [(false, false), (false, true), (true, false), (true, true)] {
                    give_a_ring_back(&Ring { unit, before, recycled, is_settled, is_reversed });
                }
            }
        }
    }
}

/// A ring of eight buffers.
#[derive(Debug)]
struct Ring {
    /// Pages of a buffer.
    unit: usize,
    /// Pages that are allocated before the ring.
    before: usize,
    /// How many of the first buffers are freed, and allocated again.
    recycled: usize,
    /// Whether the map is settled before the ring is allocated.
    is_settled: bool,
    /// Whether the last buffer is freed first.
    is_reversed: bool,
}

fn give_a_ring_back(ring: &Ring) {
    let pages = 2_000;
    let mut both = Compared::new(pages);
    if ring.before != 0 {
        assert_eq!(both.allocate(ring.before), Some(0));
    }
    if ring.is_settled {
        both.map.settle_all();
    }
    let mut buffers: Vec<_> = (0..8).map(|_| both.allocate(ring.unit).unwrap()).collect();
    for page in &buffers[..ring.recycled] {
        both.free(*page, ring.unit).unwrap();
    }
    for page in &mut buffers[..ring.recycled] {
        *page = both.allocate(ring.unit).unwrap();
    }
    if ring.is_reversed {
        buffers.reverse();
    }
    for page in buffers {
        both.free(page, ring.unit).unwrap();
    }
    both.assert_consistent();
    if ring.before != 0 {
        both.free(0, ring.before).unwrap();
    }
    assert_eq!(both.allocate(pages), Some(0), "{ring:?}");
}
