//! Each call is interrupted before each of its steps, in turn, by what another core could do at that moment.

mod trims;

use crate::additions::block_pool::shape::Shape;
use crate::additions::block_pool::tests::preemption::run_before_step;
use crate::additions::block_pool::{Block, BlockPool, FreeError, Pages, PoolName};
use crate::kernel::testing::HeapOnly;
use crate::kernel::{Device, Va};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Mutex;
use std::vec::Vec;

/// Pages at addresses that are never used twice; if `again`, pages at addresses that are used again at once.
#[derive(Clone, Copy)]
struct Source {
    again: bool,
    free: &'static Mutex<(Va, Vec<Va>)>,
}

// SAFETY: the tests do not touch the memory.
#[allow(unsafe_code)]
unsafe impl Pages for Source {
    fn allocate(&self, _: Device, size: usize) -> Option<(Va, usize)> {
        let mut free = self.free.lock().unwrap();
        let fresh = free.0;
        let va = if self.again { free.1.pop() } else { None }.unwrap_or(fresh);
        free.0 = fresh.max(va + size);
        Some((va, va))
    }
    unsafe fn free(&self, _: Device, _: usize, va: Va, _: usize) {
        self.free.lock().unwrap().1.push(va);
    }
    fn limit(&self, _: Device) -> usize {
        usize::MAX
    }
}

type Pool = BlockPool<HeapOnly, Source>;

fn pool(size: usize, again: bool) -> &'static Pool {
    let free = std::boxed::Box::leak(std::boxed::Box::new(Mutex::new((0x1000_0000, Vec::new()))));
    let shape = Shape::new(size, 0, 0).unwrap();
    BlockPool::new(HeapOnly, Source { again, free }, PoolName::new([]), Device::at(1), shape, 0).unwrap()
}

/// Runs `scenario` with the interruption before step 0, 1, and so on, until the call has no such step.
fn at_every_step(mut scenario: impl FnMut(usize) -> bool) {
    let steps = (0..).take_while(|step| scenario(*step)).count();
    assert!(steps >= 3, "a call has more steps than {steps}");
}

/// Checks that no block has two holders, and that each holder can free its block.
fn are_right_owners(pool: &Pool, held: &[Block]) {
    let mut all = held.to_vec();
    all.extend((0..200).map(|_| pool.allocate().unwrap()));
    let mut addresses: Vec<_> = all.iter().map(|block| block.va).collect();
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), all.len(), "a block has two owners");
    for block in all {
        assert_eq!(pool.free(block.va, block.handle), Ok(()), "the right owner's free is refused");
    }
    assert_eq!(pool.usage().in_use, 0);
}

#[test]
fn fault_20_of_two_frees_one_is_refused_at_whatever_step_they_meet() {
    for size in [64, 4096] {
        at_every_step(|step| {
            let pool = pool(size, false);
            let block = pool.allocate().unwrap();
            let other = Rc::new(RefCell::new(None));
            let result = other.clone();
            let free = move || pool.free(block.va, block.handle);
            let (freed, was_interrupted) = run_before_step(step, move || *result.borrow_mut() = Some(free()), free);
            let accepted = [Some(freed), *other.borrow()].into_iter().flatten().filter(Result::is_ok).count();
            assert_eq!(accepted, 1);
            are_right_owners(pool, &[]);
            was_interrupted
        });
    }
}

/// When the interrupted free comes to its exchange, the unit is gone, and the free bits and the listed bit are as
/// before.
#[test]
fn fault_20_of_two_frees_one_is_refused_if_the_unit_goes_between_them() {
    at_every_step(|step| {
        let pool = pool(4096, false);
        let blocks = [(); 2].map(|()| pool.allocate().unwrap());
        pool.free(blocks[1].va, blocks[1].handle).unwrap();
        assert_eq!(pool.allocate(), Some(blocks[1]), "the group is the current one");
        let accepted = Rc::new(RefCell::new(0));
        let count = accepted.clone();
        let other = move || {
            *count.borrow_mut() += pool.free(blocks[0].va, blocks[0].handle).is_ok() as usize;
            pool.trim();
            pool.free(blocks[1].va, blocks[1].handle).unwrap();
            assert_eq!(pool.take(0).or_else(|| pool.take_from_any()), Some(blocks[1]));
        };
        let (freed, was_interrupted) = run_before_step(step, other, || pool.free(blocks[0].va, blocks[0].handle));
        let accepted = *accepted.borrow() + freed.is_ok() as usize;
        assert_eq!(accepted, 1, "step {step}");
        are_right_owners(pool, &blocks[1..]);
        was_interrupted
    });
}

/// When the interrupted free comes to the slot of its block, the slot is in use again, and the rest of the group looks
/// as before. But the block there has another address, and another owner.
#[test]
fn fault_20_a_free_never_frees_a_block_that_has_come_to_the_slot_since() {
    for size in [64, 512, 2048, 4096] {
        for (regrown, has_handle) in [(1, true), (1, false), (2, true), (3, false)] {
            at_every_step(|step| {
                let pool = pool(size, false);
                let block = pool.allocate().unwrap();
                let held = Rc::new(RefCell::new(Vec::new()));
                let owned = held.clone();
                let accepted = Rc::new(RefCell::new(0));
                let count = accepted.clone();
                let other = move || {
                    *count.borrow_mut() += pool.free(block.va, block.handle).is_ok() as usize;
                    pool.trim();
                    owned.borrow_mut().extend((0..regrown).map(|_| pool.allocate().unwrap()));
                };
                let (freed, was_interrupted) =
                    run_before_step(step, other, || pool.free(block.va, if has_handle { block.handle } else { 0 }));
                let accepted = *accepted.borrow() + freed.is_ok() as usize;
                assert_eq!(accepted, 1, "{size}: step {step}: of two frees of a block one is right");
                assert_eq!(pool.usage().in_use, held.borrow().len());
                are_right_owners(pool, &held.borrow());
                was_interrupted
            });
        }
    }
}

#[test]
fn fault_21_a_block_whose_free_has_returned_is_found_at_whatever_step_another_free_stands() {
    for size in [64, 512, 4096] {
        at_every_step(|step| {
            let pool = pool(size, false);
            // No group has a free block, and the current group is none of those that are used below.
            let held: Vec<_> = (0..256).map(|_| pool.allocate().unwrap()).collect();
            let (first, others) = (held[0], held[1..].to_vec());
            let frees = others.clone();
            let free_others = move || {
                let in_use = pool.usage().in_use;
                for (count, block) in frees.iter().enumerate() {
                    pool.free(block.va, block.handle).unwrap();
                    // This is what an interrupt does: it gets no memory.
                    let found = pool.take(0).or_else(|| pool.take_from_any()).expect("it can be found");
                    assert!(found == first || frees.contains(&found));
                    pool.free(found.va, found.handle).unwrap();
                    assert_eq!(pool.usage().in_use, in_use - 1 - count);
                }
                // All of them can be allocated at once, too.
                let found: Vec<_> = frees.iter().map(|_| pool.take(0).or_else(|| pool.take_from_any())).collect();
                assert!(found.iter().all(Option::is_some), "a block whose free has returned is hidden");
                found.into_iter().flatten().for_each(|block| pool.free(block.va, block.handle).unwrap());
            };
            let (freed, was_interrupted) = run_before_step(step, free_others, || pool.free(first.va, first.handle));
            assert_eq!(freed, Ok(()));
            if was_interrupted {
                are_right_owners(pool, &[]);
            }
            was_interrupted
        });
    }
}
