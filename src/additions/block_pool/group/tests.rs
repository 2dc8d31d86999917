use super::*;
use crate::additions::block_pool::word::preemption::{go_on_before_step, run_without_lock_before_step};
use crate::additions::block_pool::word::present_bit;
use crate::kernel::testing::HeapOnly as Heap;

fn new_group(units: WrappingSlice<Unit>) -> &'static Group {
    std::boxed::Box::leak(std::boxed::Box::new(Group::new(units)))
}

fn list(open: &OpenGroups) -> std::vec::Vec<*const Group> {
    open.listed(Heap).into_iter().map(core::ptr::from_ref).collect()
}

#[test]
fn a_group_without_free_blocks_leaves_the_list_wherever_it_stands() {
    let unit = UnitBits { blocks: 6, present: present_bit(0) };
    let groups: std::vec::Vec<&'static Group> = (0..5).map(|_| new_group(WrappingSlice::of_one(&NO_UNIT))).collect();
    for gone in [[0, 2, 4], [4, 3, 1], [2, 1, 0], [1, 2, 3]] {
        let open = OpenGroups::new();
        for group in &groups {
            group.word.set_reach(unit.blocks, unit.blocks);
            group.word.add(unit, 0);
            open.update(Heap, group, || {});
            open.update(Heap, group, || {});
        }
        // A group with a free block stays.
        open.update(Heap, groups[0], || {});
        assert_eq!(list(&open).len(), 5);
        for index in gone {
            assert!(!groups[index].word.remove(UnitBits { blocks: 7, ..unit }) && groups[index].word.remove(unit));
            open.update(Heap, groups[index], || {});
            open.update(Heap, groups[index], || {});
        }
        let left = (0..5).rev().filter(|index| !gone.contains(index));
        let left: std::vec::Vec<*const Group> = left.map(|index| core::ptr::from_ref(groups[index])).collect();
        assert_eq!(list(&open), left);
        for group in &groups {
            group.word.remove(unit);
            open.update(Heap, group, || {});
        }
        assert!(list(&open).is_empty());
    }
}

/// Other cores change the word also while this core holds the list's lock.
#[test]
fn fault_21_a_group_is_found_whatever_others_do_while_it_leaves_the_list() {
    let unit = UnitBits { blocks: 6, present: present_bit(0) };
    let give_back = |open: &OpenGroups, group: &'static Group, slot| {
        if !group.word.give_back(group.word.look(), unit.present, slot).unwrap() {
            open.update(Heap, group, || {});
        }
    };
    // The other core frees a block at one step, and takes it again `pause` steps later, or not at all.
    for pause in [0, 1, 2, 3, 4, 100] {
        for step in 0.. {
            let open: &'static OpenGroups = std::boxed::Box::leak(std::boxed::Box::new(OpenGroups::new()));
            let one = Unit::new(0, 3, unit.present);
            let group = new_group(WrappingSlice::of_one(std::boxed::Box::leak(std::boxed::Box::new(one))));
            open.update(Heap, group, || group.word.set_reach(unit.blocks, unit.blocks));
            group.word.add(unit, 0);
            open.update(Heap, group, || {});
            // It is the current group, and all its blocks are in use.
            assert!(open.take_from_any(Heap, 5).is_some() && open.take_from_any(Heap, 5).is_some());
            let [late, retaken] = [(); 2].map(|()| std::rc::Rc::new(core::cell::Cell::new(false)));
            let (is_late, is_retaken) = (late.clone(), retaken.clone());
            let other = move || {
                // If the group is not listed, the other core waits for the lock, and lists the group after this call.
                is_late.set(!group.word.give_back(group.word.look(), unit.present, 1).unwrap());
                let is_retaken = is_retaken.clone();
                go_on_before_step(pause, move || is_retaken.set(group.word.take().is_some()));
            };
            let (taken, _) = run_without_lock_before_step(step, other, || open.take_from_any(Heap, 5));
            if group.word.free_bits() & 2 == 0 && taken.is_none() && !retaken.get() {
                assert!(step >= 1, "there are steps");
                break;
            }
            if late.get() {
                open.update(Heap, group, || {});
            }
            // Before the next free, which may list the group.
            let is_found = retaken.get() || taken.is_some() || open.take_from_any(Heap, 5).is_some();
            assert!(is_found, "steps {step} and {pause}: a block is hidden until the next free");
            give_back(open, group, 1);
            give_back(open, group, 2);
            let found = || open.take_from_any(Heap, 5).is_some();
            assert!(found() && found() && !found(), "steps {step} and {pause}: a block is hidden");
        }
    }
}

#[test]
fn a_group_out_of_reach_leaves_the_list_and_comes_back() {
    let unit = UnitBits { blocks: 6, present: present_bit(0) };
    let group = new_group(WrappingSlice::of_one(&NO_UNIT));
    let open = OpenGroups::new();
    let reach = |bits| open.update(Heap, group, || group.word.set_reach(unit.blocks, bits));
    group.word.add(unit, 0);
    for (bits, listed) in [(6, 1), (0, 0), (4, 1), (2, 1), (0, 0)] {
        reach(bits);
        assert_eq!((list(&open).len(), group.word.free_bits()), (listed, 6));
    }
    reach(4);
    assert_eq!((group.word.take(), group.word.take()), (Some(2), None));
}
