//! Groups: some blocks with one [word](super::word) for their states; and the list of groups with free blocks.
//!
//! A block is taken and given back by one atomic operation on its group's word, without a lock and with interrupts on. The
//! list is changed under the pool's lock, only when a group runs out of free blocks, or has one again.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::word::{GroupWord, SLOTS, UnitBits, Unlist, step};
use crate::kernel::{Kernel, Va};
use crate::mem::shared::{AtomicRef, OnceSlice};
use crate::mem::lock::{IrqGuard, IrqLock};

/// A piece of a page with blocks, or the place for one.
#[repr(C)]
pub struct Unit {
    /// Where bit 0 of the group's word would be, for the processor, if all its blocks followed each other as the unit's do;
    /// zero while there is no piece.
    pub base: AtomicUsize,
    /// The same address for the device.
    pub handle_base: AtomicUsize,
    /// The bit of its first block in the group's word.
    pub first: usize,
    /// Its presence bit in the group's word.
    pub present: usize,
    pub group: &'static Group,
}

/// Some units.
#[repr(C)]
pub struct Group {
    // What every call reads, first.
    pub word: GroupWord,
    pub units: OnceSlice<Unit>,
    /// Its neighbours in the list. Written under the list's lock.
    next: AtomicRef<Group>,
    before: AtomicRef<Group>,
}

impl Group {
    pub fn new() -> Self {
        Group { word: GroupWord::new(), units: OnceSlice::new(), next: AtomicRef::new(), before: AtomicRef::new() }
    }
}

/// A block that was taken.
pub struct Taken {
    pub unit: &'static Unit,
    /// The unit's.
    pub base: Va,
    /// Its bit.
    pub slot: usize,
}

/// The groups that have free blocks.
#[repr(C)]
pub struct OpenGroups {
    /// From which blocks are taken. It is listed. Written under the lock.
    current: AtomicRef<Group>,
    /// The first of the others that are listed.
    head: IrqLock<Option<&'static Group>>,
}

impl OpenGroups {
    pub const fn new() -> Self {
        OpenGroups { current: AtomicRef::new(), head: IrqLock::new(None) }
    }

    /// A free block of the current group, if it has one. Any context.
    #[inline(always)]
    pub fn take(&self, slot_shift: usize) -> Option<Taken> {
        taken_of(self.current.get()?, slot_shift)
    }

    /// A free block, if there is one. Any context.
    ///
    /// When the current group has none, makes the next of the list the current one. A group in the list has a free block,
    /// except for one that another core is just taking, from when the group was current: so this loop is short.
    pub fn take_from_any<K: Kernel>(&self, kernel: K, slot_shift: usize) -> Option<Taken> {
        let mut head = self.head.lock(kernel);
        loop {
            if let Some(group) = self.current.get() {
                let taken = taken_of(group, slot_shift);
                if taken.is_some() {
                    return taken;
                }
                // As one step: if a block were looked for after a failure, it could be taken in between, and the group
                // would stay marked without being in the list.
                if group.word.unlist() == Unlist::HasSome {
                    continue;
                }
            }
            let next = *head;
            self.current.set(next);
            let group = next?;
            *head = group.next.get();
            if let Some(next) = *head {
                next.before.set(None);
            }
            group.next.set(None);
        }
    }

    /// Runs `change` with the list's lock held, then lists the group if a block of it can be taken, and takes it off the list
    /// if none can. Any context.
    pub fn update<K: Kernel>(&self, kernel: K, group: &'static Group, change: impl FnOnce()) {
        step();
        let mut head = self.head.lock(kernel);
        change();
        if self.current.get().is_some_and(|current| core::ptr::eq(current, group)) {
            // It goes when a caller finds nothing in it.
            return;
        }
        if group.word.has_some() {
            if group.word.list() {
                Self::link(&mut head, group);
            }
        } else if group.word.unlist() == Unlist::Done {
            Self::unlink(&mut head, group);
        }
    }

    fn link(head: &mut Option<&'static Group>, group: &'static Group) {
        group.next.set(*head);
        if let Some(next) = *head {
            next.before.set(Some(group));
        }
        *head = Some(group);
    }

    fn unlink(head: &mut Option<&'static Group>, group: &'static Group) {
        let (next, before) = (group.next.get(), group.before.get());
        if let Some(next) = next {
            next.before.set(before);
        }
        match before {
            Some(before) => before.next.set(next),
            None => *head = next,
        }
        group.next.set(None);
        group.before.set(None);
    }

    /// The list's lock.
    pub fn lock<K: Kernel>(&self, kernel: K) -> IrqGuard<'_, K, Option<&'static Group>> {
        self.head.lock(kernel)
    }

    /// The groups in the list.
    #[cfg(test)]
    pub fn listed<K: Kernel>(&self, kernel: K) -> std::vec::Vec<&'static Group> {
        let head = *self.head.lock(kernel);
        core::iter::successors(head, |group| group.next.get()).collect()
    }
}

/// A free block of `group`, and where it is.
#[inline(always)]
fn taken_of(group: &'static Group, slot_shift: usize) -> Option<Taken> {
    let slot = group.word.take()?;
    // The block is in use from here on, so its unit stays where it is.
    let unit = group.units.get().get(slot >> (slot_shift & (SLOTS - 1)))?;
    Some(Taken { unit, base: unit.base.load(Relaxed), slot })
}

impl Unit {
    /// Its bits in the group's word, for units of `blocks` blocks each, whose bits in the first unit are these.
    pub fn bits(&self, blocks: usize) -> UnitBits {
        UnitBits { blocks: blocks.wrapping_shl(self.first as u32), present: self.present }
    }
}

#[cfg(test)]
mod tests {
    use super::super::word::preemption::{go_on_before_step, run_without_lock_before_step};
    use super::super::word::present_bit;
    use super::*;
    use crate::kernel::testing::HeapOnly as Heap;

    fn list(open: &OpenGroups) -> std::vec::Vec<*const Group> {
        open.listed(Heap).into_iter().map(core::ptr::from_ref).collect()
    }

    #[test]
    fn a_group_without_free_blocks_leaves_the_list_wherever_it_stands() {
        let unit = UnitBits { blocks: 6, present: present_bit(0) };
        let groups: std::vec::Vec<&'static Group> =
            (0..5).map(|_| &*std::boxed::Box::leak(std::boxed::Box::new(Group::new()))).collect();
        for gone in [[0, 2, 4], [4, 3, 1], [2, 1, 0], [1, 2, 3]] {
            let open = OpenGroups::new();
            for group in &groups {
                group.word.set_reach(unit.blocks, unit.blocks);
                group.word.add(unit, 0);
                open.update(Heap, group, || {});
                open.update(Heap, group, || {});
            }
            // One with a free block stays.
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

    /// Other cores take and give back by the word alone, also while this one has the list's lock.
    #[test]
    fn fault_21_a_group_is_found_whatever_others_do_while_it_leaves_the_list() {
        let unit = UnitBits { blocks: 6, present: present_bit(0) };
        let give_back = |open: &OpenGroups, group: &'static Group, block| {
            if !group.word.give_back(group.word.look(), unit.present, block).unwrap() {
                open.update(Heap, group, || {});
            }
        };
        // The other core gives a block back at one step, and takes it again `pause` steps later, or not at all.
        for pause in [0, 1, 2, 3, 4, 100] {
            for step in 0.. {
                let open: &'static OpenGroups = std::boxed::Box::leak(std::boxed::Box::new(OpenGroups::new()));
                let group: &'static Group = std::boxed::Box::leak(std::boxed::Box::new(Group::new()));
                let bases = || AtomicUsize::new(1);
                let one = Unit { base: bases(), handle_base: bases(), first: 0, present: unit.present, group };
                group.units.set(std::vec![one].leak());
                open.update(Heap, group, || group.word.set_reach(unit.blocks, unit.blocks));
                group.word.add(unit, 0);
                open.update(Heap, group, || {});
                // It is the current group, and all its blocks are in use.
                assert!(open.take_from_any(Heap, 5).is_some() && open.take_from_any(Heap, 5).is_some());
                let [late, retaken] = [(); 2].map(|()| std::rc::Rc::new(core::cell::Cell::new(false)));
                let (is_late, is_retaken) = (late.clone(), retaken.clone());
                let other = move || {
                    // If it is not listed, the other core waits for the lock, and lists it after this call.
                    is_late.set(!group.word.give_back(group.word.look(), unit.present, 2).unwrap());
                    let is_retaken = is_retaken.clone();
                    go_on_before_step(pause, move || is_retaken.set(group.word.take().is_some()));
                };
                let (taken, _) = run_without_lock_before_step(step, other, || open.take_from_any(Heap, 5));
                if group.word.free() & 2 == 0 && taken.is_none() && !retaken.get() {
                    assert!(step >= 3, "there are steps");
                    break;
                }
                if late.get() {
                    open.update(Heap, group, || {});
                }
                if retaken.get() || taken.is_some() {
                    give_back(open, group, 2);
                }
                give_back(open, group, 4);
                let found = || open.take_from_any(Heap, 5).is_some();
                assert!(found() && found() && !found(), "steps {step} and {pause}: a block is hidden");
            }
        }
    }

    #[test]
    fn a_group_out_of_reach_leaves_the_list_and_comes_back() {
        let unit = UnitBits { blocks: 6, present: present_bit(0) };
        let group: &'static Group = std::boxed::Box::leak(std::boxed::Box::new(Group::new()));
        let open = OpenGroups::new();
        let reach = |bits| open.update(Heap, group, || group.word.set_reach(unit.blocks, bits));
        group.word.add(unit, 0);
        for (bits, listed) in [(6, 1), (0, 0), (4, 1), (2, 1), (0, 0)] {
            reach(bits);
            assert_eq!((list(&open).len(), group.word.free()), (listed, 6));
        }
        reach(4);
        assert_eq!((group.word.take(), group.word.take()), (Some(2), None));
    }
}
