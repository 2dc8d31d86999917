//! Trims that are interrupted, and calls that trims interrupt.

use super::*;
use crate::additions::block_pool::tests::preemption::run_without_lock_before_step;

/// Returns a pool of which one block was allocated and freed, and that block.
fn pool_after_a_free(size: usize, again: bool) -> (&'static Pool, Block) {
    let pool = pool(size, again);
    let block = pool.allocate().unwrap();
    pool.free(block.va, block.handle).unwrap();
    (pool, block)
}

#[test]
fn fault_20_a_second_free_is_refused_at_whatever_step_trim_and_growth_come() {
    for (size, again) in [(64, false), (4096, false), (2048, false), (64, true), (4096, true)] {
        // After its trim, the other core does nothing, or allocates one block, or enough blocks to fill every slot.
        for regrown in [0, 1, 200] {
            // If the address has another owner, the pool cannot distinguish a second free by the first owner from a
            // free by the other.
            if again && regrown != 0 {
                continue;
            }
            at_every_step(|step| {
                let (pool, block) = pool_after_a_free(size, again);
                let held = Rc::new(RefCell::new(Vec::new()));
                let owned = held.clone();
                let trim = move || {
                    assert!(pool.trim() != 0);
                    owned.borrow_mut().extend((0..regrown).map(|_| pool.allocate().unwrap()));
                };
                let (freed, was_interrupted) = run_before_step(step, trim, || pool.free(block.va, block.handle));
                assert!(
                    matches!(freed, Err(FreeError::Foreign | FreeError::NotAllocated)),
                    "{size}: step {step}: accepted"
                );
                assert_eq!(pool.usage().in_use, held.borrow().len());
                are_right_owners(pool, &held.borrow());
                was_interrupted
            });
        }
    }
}

#[test]
fn fault_20_a_trim_that_is_interrupted_by_second_frees_gives_no_block_that_is_gone() {
    for (size, count) in [(16, 600), (64, 150), (2048, 40), (4096, 20)] {
        at_every_step(|step| {
            let pool = pool(size, false);
            let held: Vec<_> = (0..count).map(|_| pool.allocate().unwrap()).collect();
            let kept = held[count / 2];
            held.iter().filter(|block| **block != kept).for_each(|block| pool.free(block.va, block.handle).unwrap());
            let blocks = held.clone();
            let second_frees = move || {
                for block in blocks.iter().filter(|block| **block != kept) {
                    assert!(pool.free(block.va, block.handle).is_err(), "a second free is accepted");
                }
            };
            let (_, was_interrupted) = run_before_step(step, second_frees, || pool.trim());
            assert_eq!(pool.usage().in_use, 1);
            are_right_owners(pool, &[kept]);
            was_interrupted
        });
    }
}

/// The trim comes before the free, and the growth while the free stands between two of its steps: the unit has another
/// address.
#[test]
fn fault_20_a_second_free_after_a_trim_is_refused_at_whatever_step_growth_comes() {
    for size in [64, 512, 4096] {
        at_every_step(|step| {
            let (pool, block) = pool_after_a_free(size, false);
            assert!(pool.trim() != 0);
            // A unit that is gone is not in the table any more, but this free has found it there.
            let unit = pool.spans.all().next().unwrap().units.first().unwrap();
            let turn = pool.spans.turn.take(pool.kernel).unwrap();
            assert!(pool.table.get().insert(pool.groups.shape.key(block.va), unit, &turn));
            drop(turn);
            let held = Rc::new(RefCell::new(None));
            let owned = held.clone();
            let grow = move || *owned.borrow_mut() = pool.allocate();
            let (freed, was_interrupted) = run_before_step(step, grow, || pool.free(block.va, block.handle));
            assert_eq!(freed, Err(FreeError::Foreign), "{size}: step {step}");
            let held: Vec<_> = held.borrow().into_iter().collect();
            assert_eq!(pool.usage().in_use, held.len());
            are_right_owners(pool, &held);
            was_interrupted
        });
    }
}

#[test]
fn an_allocation_that_is_interrupted_by_trim_and_growth_has_a_block_of_its_own() {
    for size in [64, 2048, 4096] {
        for again in [false, true] {
            at_every_step(|step| {
                let (pool, _) = pool_after_a_free(size, again);
                let held = Rc::new(RefCell::new(Vec::new()));
                let owned = held.clone();
                let other = move || {
                    pool.trim();
                    owned.borrow_mut().extend((0..70).map(|_| pool.allocate().unwrap()));
                };
                let (taken, was_interrupted) = run_before_step(step, other, || pool.allocate().unwrap());
                held.borrow_mut().push(taken);
                assert_eq!(pool.usage().in_use, held.borrow().len());
                are_right_owners(pool, &held.borrow());
                was_interrupted || step < 3
            });
        }
    }
}

/// An allocation from a core's current group takes no lock, and so comes at any step of a trim.
#[test]
fn a_trim_removes_no_block_that_is_allocated_while_it_holds_the_lock() {
    for size in [64, 2048, 4096] {
        at_every_step(|step| {
            let pool = pool(size, false);
            // The second block comes from the group, and so makes it the current one.
            for _ in 0..2 {
                let block = pool.allocate().unwrap();
                pool.free(block.va, block.handle).unwrap();
            }
            let held = Rc::new(RefCell::new(None));
            let owned = held.clone();
            let other = move || *owned.borrow_mut() = pool.take(0);
            let (_, was_interrupted) = run_without_lock_before_step(step, other, || pool.trim());
            let held: Vec<_> = held.borrow().into_iter().collect();
            assert_eq!(pool.usage().in_use, held.len(), "{size}: step {step}");
            are_right_owners(pool, &held);
            was_interrupted || step < 3
        });
    }
}

/// The units of a span are taken one by one. If a block of one is in use by then, those that were taken before come
/// back.
#[test]
fn a_trim_that_is_interrupted_by_an_allocation_leaves_the_block_and_loses_no_other() {
    for size in [16, 64, 512, 2048, 4096] {
        at_every_step(|step| {
            let (pool, _) = pool_after_a_free(size, false);
            let blocks = pool.usage().blocks;
            let held = Rc::new(RefCell::new(Vec::new()));
            let owned = held.clone();
            // An interrupt's: no memory is got.
            let other = move || owned.borrow_mut().extend(pool.take(0).or_else(|| pool.take_from_any()));
            let (_, was_interrupted) = run_before_step(step, other, || pool.trim());
            let (usage, mut all) = (pool.usage(), held.borrow().clone());
            assert_eq!(usage.in_use, all.len(), "{size}: step {step}");
            assert!([0, blocks].contains(&usage.blocks), "{size}: step {step}: blocks are lost");
            all.extend((usage.in_use..usage.blocks).map(|_| pool.allocate().unwrap()));
            assert_eq!(pool.usage().pages, usage.pages, "{size}: step {step}: a free block is not found");
            are_right_owners(pool, &all);
            was_interrupted || step < 3
        });
    }
}
