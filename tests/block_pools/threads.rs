//! Tests calls from several cores at the same time, each a host thread, and from interrupts where the fake
//! kernel lets them come.

use super::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;

/// Allocates and frees blocks, each with its owner's mark in its first word.
fn allocate_and_free_at_random(pool: &Pool, owners: &[AtomicUsize], core: usize, rounds: usize, max_held: usize) {
    let slot = |block: &Block| &owners[(block.handle - START) / pool.block_size()];
    let mut held: Vec<Block> = Vec::new();
    let mut state = core as u64 + 1;
    for _ in 0..rounds {
        // Knuth's MMIX generator.
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let random = (state >> 33) as usize;
        if held.len() < max_held && random & 1 == 0 {
            if let Some(block) = pool.allocate() {
                assert_eq!(slot(&block).swap(core + 1, Relaxed), 0, "a block has two owners");
                held.push(block);
            }
        } else if !held.is_empty() {
            let block = held.swap_remove(random / 2 % held.len());
            assert_eq!(slot(&block).swap(0, Relaxed), core + 1, "a block has two owners");
            pool.free(block.va, block.handle).unwrap();
        }
        if random % 512 == 1 {
            pool.trim();
        }
    }
    for block in held {
        assert_eq!(slot(&block).swap(0, Relaxed), core + 1, "a block has two owners");
        pool.free(block.va, block.handle).unwrap();
    }
}

#[test]
fn blocks_of_different_cores_never_overlap_whatever_is_trimmed() {
    // Few pages, so that the cores compete for them. The size of a block divides the page size.
    for (size, pages) in [(16, 2), (64, 3), (1024, 6), (2048, 40), (4096, 9)] {
        let rig = Rig::with_pages(pages);
        let pool = rig.create(size, 0, 0);
        let owners: Vec<_> = (0..pages * PAGE / size).map(|_| AtomicUsize::new(0)).collect();
        on_every_core(|core| allocate_and_free_at_random(pool, &owners, core, 20_000, owners.len() / 3));
        assert_eq!(pool.usage().in_use, 0);
        // Every block can be allocated again.
        let all: Vec<_> = std::iter::from_fn(|| pool.allocate()).collect();
        assert_eq!(all.len(), owners.len());
        all.into_iter().for_each(|block| pool.free(block.va, block.handle).unwrap());
        rig.destroy(pool);
        assert_eq!(rig.machine.balance().used_bytes, 0);
        assert_eq!(rig.machine.take_errors(), NO_LINES);
    }
}

/// The cores do nothing but call, so that their calls overlap. In some rounds the first core trims.
#[test]
fn calls_at_the_same_moment_lose_no_block_and_give_none_twice() {
    for (size, pages, trims) in [(4096, 1, false), (64, 1, false), (2048, 1, true), (1024, 1, true), (16, 1, true)] {
        let rig = Rig::with_pages(pages);
        let pool = rig.create(size, 0, 0);
        let owners: Vec<_> = (0..pages * PAGE / size).map(|_| AtomicBool::new(false)).collect();
        on_every_core(|core| {
            for _ in 0..if trims { 30_000 } else { 100_000 } {
                if trims && core == 0 {
                    pool.trim();
                } else if let Some(block) = pool.allocate() {
                    let owned = &owners[(block.handle - START) / size];
                    assert!(!owned.swap(true, Relaxed), "a block has two owners");
                    owned.store(false, Relaxed);
                    pool.free(block.va, block.handle).unwrap();
                }
            }
        });
        let all: Vec<_> = std::iter::from_fn(|| pool.allocate()).collect();
        assert_eq!(all.len(), owners.len(), "a block is lost, of {size} bytes");
        all.into_iter().for_each(|block| pool.free(block.va, block.handle).unwrap());
        rig.destroy(pool);
        assert_eq!(rig.machine.take_errors(), NO_LINES);
    }
}

/// The fake kernel lets an interrupt come before interrupts are masked, after they are unmasked, and in services that
/// may sleep.
#[test]
fn an_interrupt_of_the_fake_kernel_finds_the_free_block() {
    const MAX_HELD: usize = 90;
    for size in [64, 4096] {
        let rig = Arc::new(Rig::new());
        let pool = rig.create(size, 0, 0);
        // Then the pool has enough blocks for the threads and for all interrupts at the same time.
        let warm_up: Vec<_> = (0..CORES + MAX_HELD * CORES).map(|_| take(&rig, pool)).collect();
        warm_up.into_iter().for_each(|block| pool.free(block.va, block.handle).unwrap());
        let interrupts = Arc::new(AtomicUsize::new(0));
        let counted = interrupts.clone();
        rig.machine.set_interrupt(move || {
            counted.fetch_add(1, Relaxed);
            let block = pool.allocate().expect("a block is free");
            pool.free(block.va, block.handle).unwrap();
        });
        on_every_core(|core| {
            for round in 0..500 {
                let held: Vec<_> = (0..1 + (7 * round + core) % MAX_HELD).map(|_| pool.allocate().unwrap()).collect();
                free_all(pool, held);
            }
        });
        rig.machine.clear_interrupt();
        let interrupts = interrupts.load(Relaxed);
        assert!(interrupts > 1_000, "too few interrupts came: {interrupts}, with blocks of {size} bytes");
        assert_eq!(pool.usage().in_use, 0);
        rig.destroy(pool);
    }
}

#[test]
fn of_two_frees_of_one_block_one_is_refused() {
    for round in 0..200 {
        let rig = Rig::with_pages(4);
        let pool = rig.create(if round % 2 == 0 { 64 } else { 4096 }, 0, 0);
        let [block, other] = [take(&rig, pool), take(&rig, pool)];
        let freed = AtomicUsize::new(0);
        on_every_core(|_| {
            freed.fetch_add(pool.free(block.va, block.handle).is_ok() as usize, Relaxed);
        });
        assert_eq!(freed.into_inner(), 1);
        assert_eq!((pool.refused_calls(), pool.usage().in_use), (CORES - 1, 1));
        pool.free(other.va, other.handle).unwrap();
        rig.destroy(pool);
    }
}

/// One core frees blocks twice while another core trims. Every block in use must lie in a page of the pool and have one
/// owner. Only the first core allocates and frees, so that no block is allocated between its two frees.
#[test]
fn fault_20_second_frees_during_a_trim_are_refused() {
    for size in [64, 4096] {
        let rig = Rig::with_pages(8);
        let pool = rig.create(size, 0, 0);
        let (done, mut accepted) = (AtomicBool::new(false), 0);
        thread::scope(|scope| {
            let _end = SetAtEnd(&done);
            scope.spawn(|| {
                while !done.load(Relaxed) {
                    pool.trim();
                }
            });
            for _ in 0..60_000 {
                let block = pool.allocate().unwrap();
                pool.free(block.va, block.handle).unwrap();
                accepted += pool.free(block.va, block.handle).is_ok() as usize;
            }
        });
        assert_eq!(accepted, 0);
        pool.trim();
        assert_eq!(pool.usage(), usage(0, 0, 0));
        assert_eq!(pool.refused_calls(), 60_000);
        rig.destroy(pool);
    }
}

#[test]
fn cores_that_grow_at_once_share_one_page() {
    // A page has one block for each core.
    const SIZE: usize = PAGE / CORES;
    for _ in 0..50 {
        let rig = Rig::new();
        let pool = rig.create(SIZE, 0, 0);
        on_every_core(|_| {
            let block = pool.allocate().unwrap();
            // The fake kernel stops the test if a byte of the block is not mapped.
            rig.machine.poke(block.va, &[1; SIZE]);
        });
        assert_eq!(pool.usage(), usage(CORES, CORES, 1));
    }
}

#[test]
fn pools_come_and_go_while_they_are_listed() {
    let rig = Rig::new();
    // Every list has this one.
    let stays = rig.create(16, 0, 0);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let _end = SetAtEnd(&done);
        scope.spawn(|| {
            // At least one list.
            loop {
                rig.pools.list_pools();
                if done.load(Relaxed) {
                    break;
                }
            }
        });
        on_every_core(|core| {
            for _ in 0..200 {
                let pool = rig.create(16 << core, 0, 0);
                let block = pool.allocate().unwrap();
                pool.free(block.va, block.handle).unwrap();
                rig.destroy(pool);
            }
        });
    });
    let printed = rig.machine.take_printed();
    // A list is a header, a row for each pool, and the number of pools.
    for list in printed.split_inclusive(|line| line.ends_with(" found")) {
        let [header, rows @ .., count] = list else { panic!("a list of fewer than two lines: {list:?}") };
        assert!(header.starts_with("Name") && !rows.is_empty(), "{list:?}");
        assert!(rows.iter().all(|row| row.starts_with("blocks ")), "{list:?}");
        assert_eq!(*count, format!("{} DMA block pools found", rows.len()));
    }
    rig.destroy(stays);
    assert_eq!(rig.list().last().unwrap(), "0 DMA block pools found");
    assert_eq!(rig.machine.balance().used_bytes, 0);
}
