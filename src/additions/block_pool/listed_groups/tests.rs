//! Tests of the listed groups alone: no unit has memory.

use super::*;
use crate::additions::block_pool::group::{NO_UNIT, Unit};
use crate::additions::block_pool::tests::preemption::{interrupt_before_step, run_in_lock_before_step};
use crate::kernel::testing::HeapOnly as Heap;
use crate::mem::wrapping_slice::WrappingSlice;
use std::cell::Cell;
use std::rc::Rc;

/// The blocks of slots 1 and 2, as bits of the word.
const BLOCKS: usize = 0b110;

fn leak<T>(value: T) -> &'static T {
    std::boxed::Box::leak(std::boxed::Box::new(value))
}

fn new_list() -> ListedGroups {
    ListedGroups::new(Shape::new(64, 0, 0).unwrap())
}

/// Returns a group without units, whose blocks are free and in reach, but which is not listed.
fn group_without_units() -> &'static Group {
    let group = leak(Group::new(WrappingSlice::of_one(&NO_UNIT)));
    group.states.set_reach(BLOCKS, BLOCKS);
    group.states.add(BLOCKS);
    group
}

/// Puts the group into the list or takes it off, as its free blocks demand.
fn relist(pool_groups: &ListedGroups, group: &'static Group) {
    pool_groups.update(Heap, group, || {});
}

fn list(pool_groups: &ListedGroups) -> std::vec::Vec<*const Group> {
    pool_groups.in_list(Heap).into_iter().map(core::ptr::from_ref).collect()
}

#[test]
fn a_group_without_free_blocks_leaves_the_list_wherever_it_stands() {
    for gone in [[0, 2, 4], [4, 3, 1], [2, 1, 0], [1, 2, 3]] {
        let pool_groups = new_list();
        let groups = [(); 5].map(|()| group_without_units());
        for group in groups {
            // The second call finds it in the list.
            relist(&pool_groups, group);
            relist(&pool_groups, group);
        }
        assert_eq!(list(&pool_groups).len(), 5);
        for index in gone {
            // Slot 0 has no block, so not all three are free.
            assert!(!groups[index].states.remove(0b111));
            assert!(groups[index].states.remove(BLOCKS));
            relist(&pool_groups, groups[index]);
            relist(&pool_groups, groups[index]);
        }
        let left = (0..5).rev().filter(|index| !gone.contains(index));
        let left: std::vec::Vec<*const Group> = left.map(|index| core::ptr::from_ref(groups[index])).collect();
        assert_eq!(list(&pool_groups), left);
        for group in groups {
            group.states.remove(BLOCKS);
            relist(&pool_groups, group);
        }
        assert!(list(&pool_groups).is_empty());
    }
}

/// Other cores change the word also while this core holds the list's lock.
#[test]
fn fault_21_a_group_is_found_whatever_others_do_while_it_leaves_the_list() {
    let give_back = |pool_groups: &ListedGroups, group: &'static Group, slot| {
        if !group.states.free(group.states.load(), slot).unwrap() {
            relist(pool_groups, group);
        }
    };
    // The other core frees a block at one step, and takes it again `pause` steps later, or not at all.
    for pause in [0, 1, 2, 3, 4, 100] {
        for step in 0.. {
            let pool_groups = groups_with(1);
            let group = pool_groups.in_list(Heap)[0];
            // It is the core's current group, and all its blocks are in use.
            assert!(
                pool_groups.allocate_from_any(Heap, 0).is_some() && pool_groups.allocate_from_any(Heap, 0).is_some()
            );
            let was_retaken = Rc::new(Cell::new(false));
            let retaken_by_other = was_retaken.clone();
            let other = move || {
                let is_listed = group.states.free(group.states.load(), 1).unwrap();
                interrupt_before_step(pause, move || retaken_by_other.set(group.states.allocate().is_some()));
                is_listed
            };
            let (taken, is_listed) = run_in_lock_before_step(step, other, || pool_groups.allocate_from_any(Heap, 0));
            let Some(is_listed) = is_listed else {
                assert_ne!(step, 0, "the call is never interrupted");
                break;
            };
            // If the group was not listed, the other core has waited for the lock, and lists the group after this call.
            if !is_listed {
                relist(&pool_groups, group);
            }
            // Before the next free, which may list the group.
            let is_found = was_retaken.get() || taken.is_some() || pool_groups.allocate_from_any(Heap, 0).is_some();
            assert!(is_found, "steps {step} and {pause}: a block is hidden until the next free");
            give_back(&pool_groups, group, 1);
            give_back(&pool_groups, group, 2);
            let found = || pool_groups.allocate_from_any(Heap, 0).is_some();
            assert!(found() && found() && !found(), "steps {step} and {pause}: a block is hidden");
        }
    }
}

#[test]
fn a_group_out_of_reach_leaves_the_list_and_comes_back() {
    let (pool_groups, group) = (new_list(), group_without_units());
    let reach = |bits| pool_groups.update(Heap, group, || group.states.set_reach(BLOCKS, bits));
    for (bits, listed) in [(0b110, 1), (0, 0), (0b100, 1), (0b010, 1), (0, 0)] {
        reach(bits);
        assert_eq!((list(&pool_groups).len(), group.states.free_bits()), (listed, BLOCKS));
    }
    reach(0b100);
    assert_eq!((group.states.allocate(), group.states.allocate()), (Some(2), None));
}

/// Returns listed groups with [`BLOCKS`], each at addresses of its own.
fn groups_with(count: usize) -> ListedGroups {
    let pool_groups = new_list();
    for number in 1..=count {
        let unit = Unit::new(0, 3);
        unit.set_addresses(&pool_groups.shape, Block { va: number * 4096, handle: number * 4096 });
        let group = leak(Group::new(WrappingSlice::of_one(leak(unit))));
        pool_groups.update(Heap, group, || {
            group.states.set_reach(BLOCKS, BLOCKS);
            group.states.add(BLOCKS);
        });
    }
    pool_groups
}

#[test]
fn each_core_takes_from_a_group_of_its_own_while_there_are_groups_enough() {
    let pool_groups = groups_with(CURRENT_GROUPS + 1);
    let taken = [0, 1, 2, 3, 0, 1, 2, 3].map(|core| pool_groups.allocate_from_any(Heap, core).unwrap());
    for (at, one) in taken.iter().enumerate() {
        for (other_at, other) in taken.iter().enumerate() {
            assert_eq!(
                one.va / 4096 == other.va / 4096,
                at % CURRENT_GROUPS == other_at % CURRENT_GROUPS,
                "{at} and {other_at}"
            );
        }
    }
    // The fifth group remains, for the core that comes first.
    assert_eq!(
        (pool_groups.in_list(Heap).len(), [0, 1, 2, 3, 5].map(|count| pool_groups.missing(Heap, count))),
        (1, [0, 0, 0, 1, 3])
    );
}

#[test]
fn a_core_finds_every_block_whatever_group_it_is_in() {
    for groups in 1..=2 * CURRENT_GROUPS {
        for used_by_others in 0..=groups {
            let pool_groups = groups_with(groups);
            (0..used_by_others)
                .for_each(|core| assert!(pool_groups.allocate_from_any(Heap, core % CURRENT_GROUPS).is_some()));
            let left = 2 * groups - used_by_others;
            for count in (1..=left).rev() {
                assert_eq!([count, count + 2].map(|count| pool_groups.missing(Heap, count)), [0, 2]);
                assert!(
                    pool_groups.allocate_from_any(Heap, 3).is_some(),
                    "{groups} groups, {used_by_others} taken before"
                );
            }
            assert!(pool_groups.allocate_from_any(Heap, 3).is_none());
            assert_eq!(pool_groups.missing(Heap, 1), 1);
        }
    }
}

#[test]
fn a_group_that_cores_share_leaves_all_of_them_and_comes_back() {
    for (emptied_by, trimmed) in [(0, false), (1, false), (0, true)] {
        let pool_groups = groups_with(1);
        let group = pool_groups.in_list(Heap)[0];
        assert!([0, 1].iter().all(|core| pool_groups.allocate_from_any(Heap, *core).is_some()));
        if trimmed {
            [1, 2].into_iter().for_each(|slot| assert!(group.states.free(group.states.load(), slot).unwrap()));
            pool_groups.update(Heap, group, || assert!(group.states.remove(BLOCKS)));
        }
        assert!(pool_groups.allocate_from_any(Heap, emptied_by).is_none());
        if trimmed {
            pool_groups.update(Heap, group, || group.states.add(0b100));
        } else {
            assert!(!group.states.free(group.states.load(), 2).unwrap(), "it is not listed");
            relist(&pool_groups, group);
        }
        // It is in a list now, and no core's current group.
        assert_eq!(list(&pool_groups), [core::ptr::from_ref(group)]);
        assert!((0..CURRENT_GROUPS).all(|core| pool_groups.allocate_from_core(core).is_none()));
        assert!(pool_groups.allocate_from_any(Heap, 2).is_some());
        assert!((0..CURRENT_GROUPS).all(|core| pool_groups.allocate_from_any(Heap, core).is_none()));
    }
}

#[test]
fn a_group_of_which_a_block_is_freed_while_it_leaves_its_core_is_either_in_the_list_or_current() {
    let mut times = 0;
    for step in 0.. {
        let pool_groups = groups_with(1);
        let group = pool_groups.in_list(Heap)[0];
        assert!((0..2).all(|_| pool_groups.allocate_from_any(Heap, 0).is_some()));
        let free = move || group.states.free(group.states.load(), 1).unwrap();
        let (_, is_listed) = run_in_lock_before_step(step, free, || pool_groups.allocate_from_any(Heap, 0));
        let Some(is_listed) = is_listed else { break };
        if !is_listed {
            relist(&pool_groups, group);
            times += 1;
        }
        let is_current = pool_groups.current.iter().any(|current| core::ptr::eq(current.get(), group));
        assert!(!(is_current && list(&pool_groups).contains(&core::ptr::from_ref(group))), "step {step}");
    }
    assert_ne!(times, 0);
}
