//! Groups of blocks, and the list of groups that have free blocks.
//!
//! The states of a group's blocks are in one [word](super::word). Taking or freeing a block is one atomic operation on that
//! word, without a lock and with interrupts on. The list is changed with the pool's lock held, and only when a group runs
//! out of free blocks or has one again.

use crate::mem::atomics::{AtomicUsize, Ordering::Relaxed};

use super::shape::lowest_bits;
use super::word::{GroupWord, UnitBits, Unlist, step};
use crate::kernel::{Kernel, Va};
use crate::mem::lock::{IrqGuard, IrqLock};
use crate::mem::shared::{AtomicRef, Ring, SetRef};

/// The bookkeeping of a unit: a piece of a page with blocks. It stays when the unit has no memory.
///
/// It has the addresses of two blocks, since an allocation counts from slot 0, and a free from the unit's first block. Its size
/// is a power of two, so that an allocation finds it by a shift. Each saves an instruction.
#[repr(C)]
pub struct Unit {
    /// The processor's address of the first block. Zero while the unit has no memory.
    pub start: AtomicUsize,
    /// The device's address of the first block.
    pub handle_start: AtomicUsize,
    /// The processor's address of slot 0 of the group, extrapolated from the first block: the block of slot `k` is at
    /// `base + k * stride`.
    pub base: AtomicUsize,
    /// The device's address of slot 0, extrapolated in this way too.
    pub handle_base: AtomicUsize,
    /// The slot of the first block.
    pub first: usize,
    /// The number of blocks.
    pub blocks: usize,
    /// The presence bit in the group's word.
    pub present: usize,
    /// The group. Written once, when the group is made.
    pub group: SetRef<Group>,
}

// The model checkers' atomics are larger.
#[cfg(not(any(feature = "shuttle", feature = "loom")))]
const _: () = assert!(size_of::<Unit>().is_power_of_two());

/// Up to [`UNITS`](super::word::UNITS) units whose blocks share one word.
#[repr(C)]
pub struct Group {
    // The fields that every call reads come first, in one cache line.
    pub word: GroupWord,
    pub units: Ring<Unit>,
    /// Its neighbours in the list. Written with the list's lock held.
    next: AtomicRef<Group>,
    before: AtomicRef<Group>,
}

/// Stands for no group: it never has a free block. With it, the usual path of an allocation tests one thing less.
pub static NO_GROUP: Group = Group::new(Ring::of(&NO_UNIT));

/// Stands for no unit: no address is one of its blocks.
pub static NO_UNIT: Unit = Unit::new(0, 0, 0);

impl Group {
    /// Makes a group of units that have no memory.
    pub const fn new(units: Ring<Unit>) -> Self {
        Group { word: GroupWord::new(), units, next: AtomicRef::new(), before: AtomicRef::new() }
    }
}

/// A block that is in use now.
pub struct Taken {
    pub unit: &'static Unit,
    /// The unit's `base`.
    pub base: Va,
    /// The number of its bit in the group's word.
    pub slot: usize,
}

/// The groups that have free blocks.
#[repr(C)]
pub struct OpenGroups {
    /// The group from which blocks are taken first. It is listed, or [`NO_GROUP`]. Written with the lock held.
    current: SetRef<Group>,
    /// The first of the other listed groups.
    head: IrqLock<Option<&'static Group>>,
}

impl OpenGroups {
    pub const fn new() -> Self {
        OpenGroups { current: SetRef::new(&NO_GROUP), head: IrqLock::new(None) }
    }

    /// Takes a free block of the current group, if it has one.
    ///
    /// Context: any.
    #[inline(always)]
    pub fn take(&self, slot_shift: usize) -> Option<Taken> {
        taken_of(self.current.get(), slot_shift)
    }

    /// Takes a free block of any group that has one.
    ///
    /// A group in the list has a free block. The only exception is a block that another caller takes at this moment, because
    /// the group was the current one when that caller looked. So the loop is short.
    ///
    /// Context: any.
    pub fn take_from_any<K: Kernel>(&self, kernel: K, slot_shift: usize) -> Option<Taken> {
        while self.find_group(kernel) {
            let taken = self.take(slot_shift);
            if taken.is_some() {
                return taken;
            }
        }
        None
    }

    /// Makes sure that the current group has a free block: if it has none, the next group of the list becomes the current one.
    /// Returns false if no group has a free block. Other callers may take the block before this one does.
    ///
    /// Context: any.
    #[inline(always)]
    pub fn find_group<K: Kernel>(&self, kernel: K) -> bool {
        let mut head = self.head.lock(kernel);
        // The check for a free block and the change of the listed bit are one operation. If they were two, a block could be
        // freed between them, and the group would leave the list with it.
        if self.current.get().word.unlist() == Unlist::HasSome {
            return true;
        }
        let Some(group) = *head else {
            self.current.set(&NO_GROUP);
            return false;
        };
        self.current.set(group);
        *head = group.next.get();
        if let Some(next) = *head {
            next.before.set(None);
        }
        group.next.set(None);
        true
    }

    /// Runs `change` with the list's lock held. Then lists the group if one of its blocks can be taken, or takes it off the
    /// list if none can.
    ///
    /// Context: any.
    pub fn update<K: Kernel>(&self, kernel: K, group: &'static Group, change: impl FnOnce()) {
        step();
        let mut head = self.head.lock(kernel);
        change();
        if core::ptr::eq(self.current.get(), group) {
            // The current group leaves when an allocation finds no block in it.
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

    /// Returns whether at least `count` blocks can be taken. Looks at `count` groups at most.
    ///
    /// Context: any.
    pub fn has_at_least<K: Kernel>(&self, kernel: K, count: usize) -> bool {
        let head = self.head.lock(kernel);
        let listed = core::iter::successors(*head, |group| group.next.get());
        let groups = core::iter::once(self.current.get()).chain(listed).take(count.saturating_add(1));
        let mut found = 0usize;
        for group in groups {
            found = found.saturating_add(group.word.takeable());
            if found >= count {
                break;
            }
        }
        found >= count
    }

    /// Takes the list's lock.
    pub fn lock<K: Kernel>(&self, kernel: K) -> IrqGuard<'_, K, Option<&'static Group>> {
        self.head.lock(kernel)
    }

    /// Returns the groups in the list, without the current one.
    #[cfg(test)]
    pub fn listed<K: Kernel>(&self, kernel: K) -> std::vec::Vec<&'static Group> {
        let head = *self.head.lock(kernel);
        core::iter::successors(head, |group| group.next.get()).collect()
    }
}

/// Takes a free block of `group`, and returns its place.
#[inline(always)]
fn taken_of(group: &'static Group, slot_shift: usize) -> Option<Taken> {
    let slot = group.word.take()?;
    // The block is in use from here on, so that its unit is not removed.
    let unit = group.units.at(slot.wrapping_shr(slot_shift as u32));
    Some(Taken { unit, base: unit.base.load(Relaxed), slot })
}

impl Unit {
    /// Makes a unit without memory, with `blocks` blocks from slot `first` on.
    pub const fn new(first: usize, blocks: usize, present: usize) -> Self {
        Unit {
            start: AtomicUsize::new(0),
            handle_start: AtomicUsize::new(0),
            base: AtomicUsize::new(0),
            handle_base: AtomicUsize::new(0),
            first,
            blocks,
            present,
            group: SetRef::new(&NO_GROUP),
        }
    }

    /// Sets the addresses of the first block, and those of slot 0, for blocks whose distance is `stride`.
    pub fn set_addresses(&self, start: Va, handle_start: usize, stride: usize) {
        let distance = self.first.wrapping_mul(stride);
        self.handle_base.store(handle_start.wrapping_sub(distance), Relaxed);
        self.base.store(start.wrapping_sub(distance), Relaxed);
        self.handle_start.store(handle_start, Relaxed);
        self.start.store(start, Relaxed);
    }

    /// Returns whether the unit has memory.
    pub fn has_memory(&self) -> bool {
        self.start.load(Relaxed) != 0
    }

    /// Returns its bits in the group's word.
    pub fn bits(&self) -> UnitBits {
        UnitBits { blocks: self.block_bits(self.blocks), present: self.present }
    }

    /// Returns the bits of its first `count` blocks in the group's word.
    pub fn block_bits(&self, count: usize) -> usize {
        lowest_bits(count).wrapping_shl(self.first as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::super::word::preemption::{go_on_before_step, run_without_lock_before_step};
    use super::super::word::present_bit;
    use super::*;
    use crate::kernel::testing::HeapOnly as Heap;

    fn new_group(units: Ring<Unit>) -> &'static Group {
        std::boxed::Box::leak(std::boxed::Box::new(Group::new(units)))
    }

    fn list(open: &OpenGroups) -> std::vec::Vec<*const Group> {
        open.listed(Heap).into_iter().map(core::ptr::from_ref).collect()
    }

    #[test]
    fn a_group_without_free_blocks_leaves_the_list_wherever_it_stands() {
        let unit = UnitBits { blocks: 6, present: present_bit(0) };
        let groups: std::vec::Vec<&'static Group> = (0..5).map(|_| new_group(Ring::of(&NO_UNIT))).collect();
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
                let group = new_group(Ring::of(std::boxed::Box::leak(std::boxed::Box::new(one))));
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
                if group.word.free() & 2 == 0 && taken.is_none() && !retaken.get() {
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
        let group = new_group(Ring::of(&NO_UNIT));
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
