use super::*;
use crate::additions::block_pool::group::{NO_UNIT, Unit};
use crate::additions::block_pool::tests::preemption::{go_on_before_step, run_without_lock_before_step};
use crate::kernel::testing::HeapOnly as Heap;
use crate::mem::wrapping_slice::WrappingSlice;

fn new_group(units: WrappingSlice<Unit>) -> &'static Group {
    std::boxed::Box::leak(std::boxed::Box::new(Group::new(units)))
}

fn list(pool_groups: &ListedGroups) -> std::vec::Vec<*const Group> {
    pool_groups.in_list(Heap).into_iter().map(core::ptr::from_ref).collect()
}

#[test]
fn a_group_without_free_blocks_leaves_the_list_wherever_it_stands() {
    let blocks = 6;
    let groups: std::vec::Vec<&'static Group> = (0..5).map(|_| new_group(WrappingSlice::of_one(&NO_UNIT))).collect();
    for gone in [[0, 2, 4], [4, 3, 1], [2, 1, 0], [1, 2, 3]] {
        let pool_groups = ListedGroups::new(Shape::new(64, 0, 0).unwrap());
        for group in &groups {
            group.word.set_reach(blocks, blocks);
            group.word.add(blocks);
            pool_groups.update(Heap, group, || {});
            pool_groups.update(Heap, group, || {});
        }
        // A group with a free block stays.
        pool_groups.update(Heap, groups[0], || {});
        assert_eq!(list(&pool_groups).len(), 5);
        for index in gone {
            assert!(!groups[index].word.remove(7) && groups[index].word.remove(blocks));
            pool_groups.update(Heap, groups[index], || {});
            pool_groups.update(Heap, groups[index], || {});
        }
        let left = (0..5).rev().filter(|index| !gone.contains(index));
        let left: std::vec::Vec<*const Group> = left.map(|index| core::ptr::from_ref(groups[index])).collect();
        assert_eq!(list(&pool_groups), left);
        for group in &groups {
            group.word.remove(blocks);
            pool_groups.update(Heap, group, || {});
        }
        assert!(list(&pool_groups).is_empty());
    }
}

/// Other cores change the word also while this core holds the list's lock.
#[test]
fn fault_21_a_group_is_found_whatever_others_do_while_it_leaves_the_list() {
    let blocks = 6;
    let give_back = |pool_groups: &ListedGroups, group: &'static Group, slot| {
        if !group.word.give_back(group.word.look(), slot).unwrap() {
            pool_groups.update(Heap, group, || {});
        }
    };
    // The other core frees a block at one step, and takes it again `pause` steps later, or not at all.
    for pause in [0, 1, 2, 3, 4, 100] {
        for step in 0.. {
            let pool_groups: &'static ListedGroups =
                std::boxed::Box::leak(std::boxed::Box::new(ListedGroups::new(Shape::new(64, 0, 0).unwrap())));
            let one = Unit::new(0, 3);
            let group = new_group(WrappingSlice::of_one(std::boxed::Box::leak(std::boxed::Box::new(one))));
            pool_groups.update(Heap, group, || group.word.set_reach(blocks, blocks));
            group.word.add(blocks);
            pool_groups.update(Heap, group, || {});
            // It is the core's current group, and all its blocks are in use.
            assert!(pool_groups.take_from_any(Heap, 0).is_some() && pool_groups.take_from_any(Heap, 0).is_some());
            let [late, retaken] = [(); 2].map(|()| std::rc::Rc::new(core::cell::Cell::new(false)));
            let (is_late, is_retaken) = (late.clone(), retaken.clone());
            let other = move || {
                // If the group is not listed, the other core waits for the lock, and lists the group after this call.
                is_late.set(!group.word.give_back(group.word.look(), 1).unwrap());
                let is_retaken = is_retaken.clone();
                go_on_before_step(pause, move || is_retaken.set(group.word.take().is_some()));
            };
            let (taken, _) = run_without_lock_before_step(step, other, || pool_groups.take_from_any(Heap, 0));
            if group.word.free_bits() & 2 == 0 && taken.is_none() && !retaken.get() {
                assert!(step >= 1, "there are steps");
                break;
            }
            if late.get() {
                pool_groups.update(Heap, group, || {});
            }
            // Before the next free, which may list the group.
            let is_found = retaken.get() || taken.is_some() || pool_groups.take_from_any(Heap, 0).is_some();
            assert!(is_found, "steps {step} and {pause}: a block is hidden until the next free");
            give_back(pool_groups, group, 1);
            give_back(pool_groups, group, 2);
            let found = || pool_groups.take_from_any(Heap, 0).is_some();
            assert!(found() && found() && !found(), "steps {step} and {pause}: a block is hidden");
        }
    }
}

#[test]
fn a_group_out_of_reach_leaves_the_list_and_comes_back() {
    let blocks = 6;
    let group = new_group(WrappingSlice::of_one(&NO_UNIT));
    let pool_groups = ListedGroups::new(Shape::new(64, 0, 0).unwrap());
    let reach = |bits| pool_groups.update(Heap, group, || group.word.set_reach(blocks, bits));
    group.word.add(blocks);
    for (bits, listed) in [(6, 1), (0, 0), (4, 1), (2, 1), (0, 0)] {
        reach(bits);
        assert_eq!((list(&pool_groups).len(), group.word.free_bits()), (listed, 6));
    }
    reach(4);
    assert_eq!((group.word.take(), group.word.take()), (Some(2), None));
}

/// Listed groups with the blocks of slots 1 and 2.
fn groups_with(count: usize) -> ListedGroups {
    let pool_groups = ListedGroups::new(Shape::new(64, 0, 0).unwrap());
    for number in 1..=count {
        let unit = Unit::new(0, 3);
        unit.set_addresses(&pool_groups.shape, number * 4096, number * 4096);
        let group = new_group(WrappingSlice::of_one(std::boxed::Box::leak(std::boxed::Box::new(unit))));
        pool_groups.update(Heap, group, || {
            group.word.set_reach(6, 6);
            group.word.add(6);
        });
    }
    pool_groups
}

#[test]
fn each_core_takes_from_a_group_of_its_own_while_there_are_groups_enough() {
    let pool_groups = groups_with(CORES + 1);
    let taken = [0, 1, 2, 3, 0, 1, 2, 3].map(|core| pool_groups.take_from_any(Heap, core).unwrap());
    for (at, one) in taken.iter().enumerate() {
        for (other_at, other) in taken.iter().enumerate() {
            assert_eq!(one.va / 4096 == other.va / 4096, at % CORES == other_at % CORES, "{at} and {other_at}");
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
    for groups in 1..=2 * CORES {
        for used_by_others in 0..=groups {
            let pool_groups = groups_with(groups);
            (0..used_by_others).for_each(|core| assert!(pool_groups.take_from_any(Heap, core % CORES).is_some()));
            let left = 2 * groups - used_by_others;
            for count in (1..=left).rev() {
                assert_eq!([count, count + 2].map(|count| pool_groups.missing(Heap, count)), [0, 2]);
                assert!(pool_groups.take_from_any(Heap, 3).is_some(), "{groups} groups, {used_by_others} taken before");
            }
            assert!(pool_groups.take_from_any(Heap, 3).is_none());
            assert_eq!(pool_groups.missing(Heap, 1), 1);
        }
    }
}

#[test]
fn a_group_that_cores_share_leaves_all_of_them_and_comes_back() {
    for (emptied_by, trimmed) in [(0, false), (1, false), (0, true)] {
        let pool_groups = groups_with(1);
        let group = pool_groups.in_list(Heap)[0];
        assert!([0, 1].iter().all(|core| pool_groups.take_from_any(Heap, *core).is_some()));
        if trimmed {
            [1, 2].into_iter().for_each(|slot| assert!(group.word.give_back(group.word.look(), slot).unwrap()));
            pool_groups.update(Heap, group, || assert!(group.word.remove(6)));
        }
        assert!(pool_groups.take_from_any(Heap, emptied_by).is_none());
        if trimmed {
            pool_groups.update(Heap, group, || group.word.add(4));
        } else {
            assert!(!group.word.give_back(group.word.look(), 2).unwrap(), "it is not listed");
            pool_groups.update(Heap, group, || {});
        }
        // It is in a list now, and no core's current group.
        assert_eq!(list(&pool_groups), [core::ptr::from_ref(group)]);
        assert!((0..CORES).all(|core| pool_groups.take(core).is_none()));
        assert!(pool_groups.take_from_any(Heap, 2).is_some());
        assert!((0..CORES).all(|core| pool_groups.take_from_any(Heap, core).is_none()));
    }
}

#[test]
fn a_group_of_which_a_block_is_freed_while_it_leaves_its_core_is_either_in_the_list_or_current() {
    let mut times = 0;
    for step in 0.. {
        let pool_groups = groups_with(1);
        let group = pool_groups.in_list(Heap)[0];
        assert!((0..2).all(|_| pool_groups.take_from_any(Heap, 0).is_some()));
        let is_listed = std::rc::Rc::new(std::cell::Cell::new(true));
        let seen = is_listed.clone();
        let free = move || seen.set(group.word.give_back(group.word.look(), 1).unwrap());
        let (_, has_run) = run_without_lock_before_step(step, free, || pool_groups.take_from_any(Heap, 0));
        if !has_run {
            break;
        }
        if !is_listed.get() {
            pool_groups.update(Heap, group, || {});
            times += 1;
        }
        let is_current = pool_groups.current.iter().any(|current| core::ptr::eq(current.get(), group));
        assert!(!(is_current && list(&pool_groups).contains(&core::ptr::from_ref(group))), "step {step}");
    }
    assert_ne!(times, 0);
}
