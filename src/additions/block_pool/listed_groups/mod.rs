//! The listed groups, in which an allocation looks for a free block.
//!
//! A group is *listed* while it is in the list, or the current group of at least one core. The listed bit in its
//! [word](super::states) shows that. Each group of which a block can be allocated is listed, or the call that made the
//! block free is about to list it. A group of which no block can be allocated any more stays listed until a core whose
//! current group it is looks for a block in it, or a call [updates](ListedGroups::update) the group.
//!
//! A core allocates from its current group. If that is exhausted, the first group of the list becomes the core's
//! current one. So two cores write different words, as long as there are groups enough for both. If no group is left in
//! the list, a core shares the current group of another core.
//!
//! All of this is changed with the list's lock held, and only when no block of a group can be allocated any more, or
//! one can be again: because blocks were allocated or freed, their unit was added or removed, or the device's mask was
//! changed.

use super::Block;
use super::group::{Group, NO_GROUP};
use super::preemption::preemption_point;
use super::shape::Shape;
use crate::kernel::Kernel;
use crate::mem::atomic_ref::AlwaysSetRef;
use crate::mem::index::at_or_first;
use crate::mem::lock::{IrqGuard, IrqLock};

/// The number of current groups. Core `n` uses the one with number `n` modulo this, so further cores share the groups
/// of the first ones. On RISC-V, the kernel's hint of the core has two bits, so more than four would not be used.
pub const CURRENT_GROUPS: usize = 4;

/// The listed groups of a block pool. The number of a core is a hint of the kernel: it decides only where a call looks
/// first.
#[repr(C)]
pub struct ListedGroups {
    /// The current group of each core, or [`NO_GROUP`]. Written with the lock held.
    current: [AlwaysSetRef<Group>; CURRENT_GROUPS],
    /// How the blocks of the pool lie in memory: an allocation computes a block's addresses by it. Its place between
    /// `current` and `list` keeps these in different cache lines, so that a core that takes the lock does not slow down
    /// the allocations of the others, which read `current`.
    pub shape: Shape,
    list: IrqLock<GroupList>,
}

/// What the lock of [`ListedGroups`] protects.
pub struct GroupList {
    /// The first group.
    first: Option<&'static Group>,
    /// Whether a core was ever given the current group of another one. If not, no two cores share one.
    is_shared: bool,
}

impl ListedGroups {
    /// Makes a list without groups.
    pub const fn new(shape: Shape) -> Self {
        ListedGroups {
            current: [const { AlwaysSetRef::new(&NO_GROUP) }; CURRENT_GROUPS],
            shape,
            list: IrqLock::new(GroupList { first: None, is_shared: false }),
        }
    }

    /// Returns the current group of a core.
    fn current(&self, core: usize) -> &AlwaysSetRef<Group> {
        at_or_first(&self.current, core)
    }

    /// Allocates a block of a core's current group; `None` if none can be allocated.
    ///
    /// Context: any.
    #[inline(always)] // As `BlockPool::allocate_from_core`: without it, 27 instructions more.
    pub fn allocate_from_core(&self, core: usize) -> Option<Block> {
        let group = self.current(core).get();
        let slot = group.states.allocate()?;
        // The block is in use from here on, so that its unit is not removed.
        Some(group.units.at(slot.wrapping_shr(self.shape.slot_shift as u32)).block(&self.shape, slot))
    }

    /// Allocates a block of any group; `None` if none can be allocated.
    ///
    /// A group that becomes current may have no free block left when this call allocates from it, because other calls
    /// read it as their core's current group before, or share it now. Then the loop goes on. Each further round means
    /// that another call has allocated or removed the free blocks, or put them out of the device's reach.
    ///
    /// Context: any.
    #[inline(always)] // With that of `next_group`: 26 instructions less for each group that has no free block left.
    pub fn allocate_from_any<K: Kernel>(&self, kernel: K, core: usize) -> Option<Block> {
        while self.next_group(kernel, core) {
            if let Some(block) = self.allocate_from_core(core) {
                return Some(block);
            }
        }
        None
    }

    /// Makes sure that a block of the core's current group can be allocated, and returns true: if the group is
    /// exhausted, the core gets another one. If there is no other one, the core has no current group, and the call
    /// returns false. Other callers may allocate the block before this one does.
    #[inline(always)] // As `allocate_from_any`.
    fn next_group<K: Kernel>(&self, kernel: K, core: usize) -> bool {
        let mut list = self.list.lock(kernel);
        let current = self.current(core);
        if !self.leave_if_exhausted(&list, current) {
            return true;
        }
        let next = self.choose_next(&mut list);
        current.set(next);
        !core::ptr::eq(next, &NO_GROUP)
    }

    /// Takes a core's current group from the core, and from others that share it, if no block of it can be allocated.
    /// Returns whether the core has no current group now.
    #[inline(always)] // Without it, 10 instructions more for each group that has no free block left.
    fn leave_if_exhausted(&self, list: &GroupList, current: &AlwaysSetRef<Group>) -> bool {
        let group = current.get();
        if core::ptr::eq(group, &NO_GROUP) {
            return true;
        }
        if !group.states.mark_unlisted() {
            // A block of the group can be allocated again.
            return false;
        }
        // `take_from_cores` also serves a group that is not shared, but takes 29 instructions more. That is 0.9 for
        // each block of a group of 32. An allocation and a free of a block take 69.8, and the bound is 70.
        if list.is_shared {
            self.take_from_cores(group);
        } else {
            current.set(&NO_GROUP);
        }
        true
    }

    /// Returns the next current group of a core that has none: the first group of the list, which this call takes off
    /// the list; else one that other cores have, if a block of it can be allocated; else [`NO_GROUP`].
    #[inline(always)] // Without it, 10 instructions more for each group that has no free block left.
    fn choose_next(&self, list: &mut GroupList) -> &'static Group {
        if let Some(first) = list.first {
            Self::unlink(list, first);
            return first;
        }
        let shared = self.current.iter().map(AlwaysSetRef::get).find(|group| group.states.can_allocate());
        list.is_shared |= shared.is_some();
        shared.unwrap_or(&NO_GROUP)
    }

    /// Takes a group from each core whose current group it is. Returns whether there was such a core.
    fn take_from_cores(&self, group: &'static Group) -> bool {
        let mut was_current = false;
        for current in self.current.iter().filter(|current| core::ptr::eq(current.get(), group)) {
            current.set(&NO_GROUP);
            was_current = true;
        }
        was_current
    }

    /// Runs `change` with the list's lock held, and returns its result. Then the group is listed if one of its blocks
    /// can be allocated, and not listed if it is exhausted.
    ///
    /// Context: any.
    pub fn update<K: Kernel, T>(&self, kernel: K, group: &'static Group, change: impl FnOnce() -> T) -> T {
        preemption_point();
        let mut list = self.list.lock(kernel);
        let result = change();
        if group.states.can_allocate() {
            if group.states.mark_listed() {
                Self::link(&mut list, group);
            }
        } else if group.states.mark_unlisted() && !self.take_from_cores(group) {
            // It was listed, and no core's current group: it is in the list.
            Self::unlink(&mut list, group);
        }
        result
    }

    /// Puts a group at the beginning of the list.
    fn link(list: &mut GroupList, group: &'static Group) {
        group.next.set(list.first);
        if let Some(next) = list.first {
            next.before.set(Some(group));
        }
        list.first = Some(group);
    }

    /// Takes a group off the list.
    fn unlink(list: &mut GroupList, group: &'static Group) {
        let (next, before) = (group.next.get(), group.before.get());
        if let Some(next) = next {
            next.before.set(before);
        }
        match before {
            Some(before) => before.next.set(next),
            None => list.first = next,
        }
        group.before.set(None);
    }

    /// Returns how many blocks are missing until `count` can be allocated; 0 if none is. Looks at `count` groups of the
    /// list at most.
    ///
    /// Context: any.
    pub fn missing<K: Kernel>(&self, kernel: K, count: usize) -> usize {
        let list = self.list.lock(kernel);
        let mut missing = count;
        for (index, current) in self.current.iter().enumerate() {
            let group = current.get();
            // A group that several cores share is counted for the first of them.
            let was_counted = self.current.iter().take(index).any(|earlier| core::ptr::eq(earlier.get(), group));
            if !was_counted {
                missing = missing.saturating_sub(group.states.count_allocatable());
            }
        }
        for group in groups_of(list.first).take(count) {
            if missing == 0 {
                break;
            }
            missing = missing.saturating_sub(group.states.count_allocatable());
        }
        missing
    }

    /// Takes the list's lock.
    pub fn lock<K: Kernel>(&self, kernel: K) -> IrqGuard<'_, K, GroupList> {
        self.list.lock(kernel)
    }

    /// Returns the groups in the list, without the current ones.
    #[cfg(test)]
    pub fn in_list<K: Kernel>(&self, kernel: K) -> std::vec::Vec<&'static Group> {
        groups_of(self.list.lock(kernel).first).collect()
    }
}

/// Returns the groups of the list that begins with `first`.
fn groups_of(first: Option<&'static Group>) -> impl Iterator<Item = &'static Group> {
    core::iter::successors(first, |group| group.next.get())
}

#[cfg(test)]
mod tests;
