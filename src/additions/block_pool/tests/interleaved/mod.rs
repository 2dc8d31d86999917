//! Each call is interrupted before each of its steps, in turn, by what another core could do at that moment.

mod trims;

use crate::additions::block_pool::shape::Shape;
use crate::additions::block_pool::tests::preemption::run_before_step;
use crate::additions::block_pool::{Block, BlockPool, Effort, FreeError, Pages, PoolName};
use crate::kernel::testing::HeapOnly;
use crate::kernel::{Device, Handle, Va};
use std::sync::Mutex;
use std::vec::Vec;

/// What becomes of the addresses of pages that were freed.
#[derive(Clone, Copy, PartialEq)]
enum Freed {
    NeverUsedAgain,
    UsedAgain,
}

/// The pages of one test.
struct Memory {
    /// The lowest address that was never used.
    next: Va,
    /// The addresses of pages that were freed.
    freed: Vec<Va>,
}

/// Gives a pool pages. It never runs out of them.
#[derive(Clone, Copy)]
struct Source {
    freed: Freed,
    memory: &'static Mutex<Memory>,
}

// SAFETY: the tests do not touch the memory.
#[allow(unsafe_code)]
unsafe impl Pages for Source {
    fn allocate(&self, _: Device, size: usize, _: usize, _: Effort) -> Option<(Va, Handle)> {
        let mut memory = self.memory.lock().unwrap();
        let reused = if self.freed == Freed::UsedAgain { memory.freed.pop() } else { None };
        let va = reused.unwrap_or(memory.next);
        memory.next = memory.next.max(va + size);
        Some((va, va))
    }
    unsafe fn free(&self, _: Device, _: usize, va: Va, _: Handle) {
        self.memory.lock().unwrap().freed.push(va);
    }
    fn last_reachable(&self, _: Device) -> usize {
        usize::MAX
    }
}

type Pool = BlockPool<HeapOnly, Source>;

fn pool(size: usize, freed: Freed) -> &'static Pool {
    let memory = Mutex::new(Memory { next: 0x1000_0000, freed: Vec::new() });
    let source = Source { freed, memory: std::boxed::Box::leak(std::boxed::Box::new(memory)) };
    let shape = Shape::new(size, 0, 0).unwrap();
    BlockPool::new(HeapOnly, source, PoolName::new([]), Device::at(1), shape, 0).unwrap()
}

/// Runs `scenario` with the interruption before step 0, 1, and so on, until it returns that the call has no such step.
fn at_every_step(scenario: impl FnMut(usize) -> bool) {
    let steps = (0..).map(scenario).take_while(|was_interrupted| *was_interrupted).count();
    assert_ne!(steps, 0, "the call is never interrupted");
}

/// Returns how many of two frees were accepted, if the second one was made at all.
fn accepted(first: Result<(), FreeError>, second: Option<Result<(), FreeError>>) -> usize {
    first.is_ok() as usize + second.is_some_and(|freed| freed.is_ok()) as usize
}

/// Checks that no two blocks have one address, and that each holder can free its block. Frees all blocks.
fn check_holders(pool: &Pool, held: &[Block]) {
    let mut all = held.to_vec();
    all.extend((0..200).map(|_| pool.allocate().unwrap()));
    let mut addresses: Vec<_> = all.iter().map(|block| block.va).collect();
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), all.len(), "a block has two holders");
    for block in all {
        assert_eq!(pool.free(block.va, block.handle), Ok(()), "the holder's free is refused");
    }
    assert_eq!(pool.usage().in_use, 0);
}

#[test]
fn fault_20_of_two_frees_one_is_refused_at_whatever_step_they_meet() {
    for size in [64, 4096] {
        at_every_step(|step| {
            let pool = pool(size, Freed::NeverUsedAgain);
            let block = pool.allocate().unwrap();
            let free = move || pool.free(block.va, block.handle);
            let (freed, freed_by_other) = run_before_step(step, free, free);
            assert_eq!(accepted(freed, freed_by_other), 1);
            check_holders(pool, &[]);
            freed_by_other.is_some()
        });
    }
}

/// When the interrupted free comes to its exchange, the unit is gone, and the free bits and the listed bit are as
/// before.
#[test]
fn fault_20_of_two_frees_one_is_refused_if_the_unit_goes_between_them() {
    at_every_step(|step| {
        let pool = pool(4096, Freed::NeverUsedAgain);
        let blocks = [(); 2].map(|()| pool.allocate().unwrap());
        pool.free(blocks[1].va, blocks[1].handle).unwrap();
        assert_eq!(pool.allocate(), Some(blocks[1]), "the group is the current one");
        let other = move || {
            let freed = pool.free(blocks[0].va, blocks[0].handle);
            pool.trim();
            pool.free(blocks[1].va, blocks[1].handle).unwrap();
            assert_eq!(pool.allocate_from_core(0).or_else(|| pool.allocate_from_any()), Some(blocks[1]));
            freed
        };
        let (freed, freed_by_other) = run_before_step(step, other, || pool.free(blocks[0].va, blocks[0].handle));
        assert_eq!(accepted(freed, freed_by_other), 1, "step {step}");
        check_holders(pool, &blocks[1..]);
        freed_by_other.is_some()
    });
}

/// When the interrupted free comes to the slot of its block, the slot is in use again, and the rest of the group looks
/// as before. But the block there has another address, and another holder.
#[test]
fn fault_20_a_free_never_frees_a_block_that_has_come_to_the_slot_since() {
    for size in [64, 512, 2048, 4096] {
        for (regrown, has_handle) in [(1, true), (1, false), (2, true), (3, false)] {
            at_every_step(|step| {
                let pool = pool(size, Freed::NeverUsedAgain);
                let block = pool.allocate().unwrap();
                let other = move || {
                    let freed = pool.free(block.va, block.handle);
                    pool.trim();
                    (freed, (0..regrown).map(|_| pool.allocate().unwrap()).collect::<Vec<_>>())
                };
                let handle = if has_handle { block.handle } else { 0 };
                let (freed, other) = run_before_step(step, other, || pool.free(block.va, handle));
                let was_interrupted = other.is_some();
                let (freed_by_other, held) = other.unzip();
                let accepted = accepted(freed, freed_by_other);
                assert_eq!(accepted, 1, "{size}: step {step}: of two frees of a block one is right");
                let held = held.unwrap_or_default();
                assert_eq!(pool.usage().in_use, held.len());
                check_holders(pool, &held);
                was_interrupted
            });
        }
    }
}

#[test]
fn fault_21_a_block_whose_free_has_returned_is_found_at_whatever_step_another_free_stands() {
    for size in [64, 512, 4096] {
        at_every_step(|step| {
            let pool = pool(size, Freed::NeverUsedAgain);
            // No group has a free block, and the current group is none of those that are used below.
            let held: Vec<_> = (0..256).map(|_| pool.allocate().unwrap()).collect();
            let (first, others) = (held[0], held[1..].to_vec());
            let free_others = move || {
                let in_use = pool.usage().in_use;
                for (count, block) in others.iter().enumerate() {
                    pool.free(block.va, block.handle).unwrap();
                    // This is what an interrupt does: it gets no memory.
                    let found =
                        pool.allocate_from_core(0).or_else(|| pool.allocate_from_any()).expect("it can be found");
                    assert!(found == first || others.contains(&found));
                    pool.free(found.va, found.handle).unwrap();
                    assert_eq!(pool.usage().in_use, in_use - 1 - count);
                }
                // All of them can be allocated at once, too.
                let found: Vec<_> =
                    others.iter().map(|_| pool.allocate_from_core(0).or_else(|| pool.allocate_from_any())).collect();
                assert!(found.iter().all(Option::is_some), "a block whose free has returned is hidden");
                found.into_iter().flatten().for_each(|block| pool.free(block.va, block.handle).unwrap());
            };
            let (freed, other) = run_before_step(step, free_others, || pool.free(first.va, first.handle));
            assert_eq!(freed, Ok(()));
            if other.is_some() {
                check_holders(pool, &[]);
            }
            other.is_some()
        });
    }
}
