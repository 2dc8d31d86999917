//! Trims that are interrupted, and calls that trims interrupt.

use super::*;
use crate::additions::block_pool::tests::preemption::run_in_lock_before_step;

/// Returns a pool of which one block was allocated and freed, and that block.
fn pool_after_a_free(size: usize, freed: Freed) -> (&'static Pool, Block) {
    let pool = pool(size, freed);
    let block = pool.allocate().unwrap();
    pool.free(block.va, block.handle).unwrap();
    (pool, block)
}

#[test]
fn fault_20_a_second_free_is_refused_at_whatever_step_trim_and_growth_come() {
    use Freed::{NeverUsedAgain, UsedAgain};
    let cases =
        [(64, NeverUsedAgain), (4096, NeverUsedAgain), (2048, NeverUsedAgain), (64, UsedAgain), (4096, UsedAgain)];
    for (size, addresses) in cases {
        // After its trim, the other core does nothing, or allocates one block, or enough blocks to fill every slot.
        for regrown in [0, 1, 200] {
            // If the address has another holder, the pool cannot distinguish a second free by the first holder from a
            // free by the other.
            if addresses == UsedAgain && regrown != 0 {
                continue;
            }
            at_every_step(|step| {
                let (pool, block) = pool_after_a_free(size, addresses);
                let trim = move || {
                    assert!(pool.trim() != 0);
                    (0..regrown).map(|_| pool.allocate().unwrap()).collect::<Vec<_>>()
                };
                let (freed, held) = run_before_step(step, trim, || pool.free(block.va, block.handle));
                assert!(
                    matches!(freed, Err(FreeError::Foreign | FreeError::NotAllocated)),
                    "{size}: step {step}: accepted"
                );
                let was_interrupted = held.is_some();
                let held = held.unwrap_or_default();
                assert_eq!(pool.usage().in_use, held.len());
                check_holders(pool, &held);
                was_interrupted
            });
        }
    }
}

#[test]
fn fault_20_a_trim_that_is_interrupted_by_second_frees_gives_no_block_that_is_gone() {
    for (size, count) in [(16, 600), (64, 150), (2048, 40), (4096, 20)] {
        at_every_step(|step| {
            let pool = pool(size, Freed::NeverUsedAgain);
            let held: Vec<_> = (0..count).map(|_| pool.allocate().unwrap()).collect();
            let kept = held[count / 2];
            held.iter().filter(|block| **block != kept).for_each(|block| pool.free(block.va, block.handle).unwrap());
            let blocks = held.clone();
            let second_frees = move || {
                for block in blocks.iter().filter(|block| **block != kept) {
                    assert!(pool.free(block.va, block.handle).is_err(), "a second free is accepted");
                }
            };
            let (_, other) = run_before_step(step, second_frees, || pool.trim());
            assert_eq!(pool.usage().in_use, 1);
            check_holders(pool, &[kept]);
            other.is_some()
        });
    }
}

/// The trim comes before the free, and the growth while the free stands between two of its steps: the unit has another
/// address.
#[test]
fn fault_20_a_second_free_after_a_trim_is_refused_at_whatever_step_growth_comes() {
    for size in [64, 512, 4096] {
        at_every_step(|step| {
            let (pool, block) = pool_after_a_free(size, Freed::NeverUsedAgain);
            assert!(pool.trim() != 0);
            // A unit that is gone is not in the table any more, but this free has found it there.
            let unit = pool.spans.all().next().unwrap().units.first().unwrap();
            let turn = pool.spans.turn.take(pool.kernel).unwrap();
            assert!(pool.table.get().insert(pool.shape().key(block.va), unit, &turn));
            drop(turn);
            let grow = move || pool.allocate().unwrap();
            let (freed, held) = run_before_step(step, grow, || pool.free(block.va, block.handle));
            assert_eq!(freed, Err(FreeError::Foreign), "{size}: step {step}");
            assert_eq!(pool.usage().in_use, held.iter().len());
            check_holders(pool, held.as_slice());
            held.is_some()
        });
    }
}

#[test]
fn an_allocation_that_is_interrupted_by_trim_and_growth_has_a_block_of_its_own() {
    for size in [64, 2048, 4096] {
        for freed in [Freed::NeverUsedAgain, Freed::UsedAgain] {
            at_every_step(|step| {
                let (pool, _) = pool_after_a_free(size, freed);
                let other = move || {
                    pool.trim();
                    (0..70).map(|_| pool.allocate().unwrap()).collect::<Vec<_>>()
                };
                let (block, held) = run_before_step(step, other, || pool.allocate().unwrap());
                let was_interrupted = held.is_some();
                let mut held = held.unwrap_or_default();
                held.push(block);
                assert_eq!(pool.usage().in_use, held.len());
                check_holders(pool, &held);
                was_interrupted
            });
        }
    }
}

/// An allocation from a core's current group takes no lock, and so comes at any step of a trim.
#[test]
fn a_trim_removes_no_block_that_is_allocated_while_it_holds_the_lock() {
    for size in [64, 2048, 4096] {
        at_every_step(|step| {
            let pool = pool(size, Freed::NeverUsedAgain);
            // The second block comes from the group, and so makes it the current one.
            for _ in 0..2 {
                let block = pool.allocate().unwrap();
                pool.free(block.va, block.handle).unwrap();
            }
            let (_, other) = run_in_lock_before_step(step, move || pool.allocate_from_core(0), || pool.trim());
            let held = other.flatten();
            assert_eq!(pool.usage().in_use, held.iter().len(), "{size}: step {step}");
            check_holders(pool, held.as_slice());
            other.is_some()
        });
    }
}

/// The units of a span are taken one by one. If a block of one is in use by then, those that were taken before come
/// back.
#[test]
fn a_trim_that_is_interrupted_by_an_allocation_leaves_the_block_and_loses_no_other() {
    for size in [16, 64, 512, 2048, 4096] {
        at_every_step(|step| {
            let (pool, _) = pool_after_a_free(size, Freed::NeverUsedAgain);
            let blocks = pool.usage().blocks;
            // This is what an interrupt does: it gets no memory.
            let allocate = move || pool.allocate_from_core(0).or_else(|| pool.allocate_from_any());
            let (_, other) = run_before_step(step, allocate, || pool.trim());
            let usage = pool.usage();
            let mut all: Vec<_> = other.flatten().into_iter().collect();
            assert_eq!(usage.in_use, all.len(), "{size}: step {step}");
            assert!([0, blocks].contains(&usage.blocks), "{size}: step {step}: blocks are lost");
            all.extend((usage.in_use..usage.blocks).map(|_| pool.allocate().unwrap()));
            assert_eq!(pool.usage().pages, usage.pages, "{size}: step {step}: a free block is not found");
            check_holders(pool, &all);
            other.is_some()
        });
    }
}
