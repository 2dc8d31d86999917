//! The listed groups, in which an allocation looks for a free block.
//!
//! A group is *listed* while it is in the list, or the current group of at least one core. A bit of the group's
//! [word](super::word) shows that. Each group of which a block can be allocated is listed, or the call that made the
//! block free is about to list it. A listed group of which none can be allocated leaves when a call looks for one in
//! it.
//!
//! A core allocates from its current group. If that has no free block, the first group of the list becomes the core's
//! current one. So two cores write different words, as long as there are groups enough for both. If no group is left in
//! the list, a core shares the current group of another core.
//!
//! The list is changed with its lock held, and only when a group runs out of free blocks or has one again.

use super::Block;
use super::group::{Group, NO_GROUP};
use super::shape::Shape;
use super::word::preemption_point;
use crate::kernel::Kernel;
use crate::mem::atomic_ref::AlwaysSetRef;
use crate::mem::index::at_or_first;
use crate::mem::lock::{IrqGuard, IrqLock};

/// The number of cores that allocate from groups of their own. Further cores share groups with these. On RISC-V, the
/// kernel's hint of the core has two bits, so that more than four places would not be used.
pub const CORES: usize = 4;

/// The listed groups of a block pool. The number of a core is a hint of the kernel: it decides only where a call looks
/// first.
#[repr(C)]
pub struct ListedGroups {
    /// The current group of each core, or [`NO_GROUP`]. Written with the lock held.
    current: [AlwaysSetRef<Group>; CORES],
    /// How the blocks of the pool lie in memory. It is a part of this struct so that it lies between `current`, which
    /// every call reads, and the lock: a core that takes the lock does not disturb the others.
    pub shape: Shape,
    list: IrqLock<GroupList>,
}

/// What the lock of [`ListedGroups`] protects.
pub struct GroupList {
    /// The first group.
    first: Option<&'static Group>,
    /// Whether a core was ever given the current group of another one. If not, no two cores have one current group.
    is_shared: bool,
}

impl ListedGroups {
    /// Makes a list without groups.
    pub const fn new(shape: Shape) -> Self {
        ListedGroups {
            current: [const { AlwaysSetRef::new(&NO_GROUP) }; CORES],
            shape,
            list: IrqLock::new(GroupList { first: None, is_shared: false }),
        }
    }

    /// Returns the current group of a core.
    fn current(&self, core: usize) -> &AlwaysSetRef<Group> {
        at_or_first(&self.current, core)
    }

    /// Allocates a block of a core's current group, if it has a free one.
    ///
    /// Context: any.
    #[inline(always)] // As `BlockPool::allocate_from_core`: without it, 27 instructions more.
    pub fn allocate_from_core(&self, core: usize) -> Option<Block> {
        let group = self.current(core).get();
        let slot = group.word.allocate()?;
        // The block is in use from here on, so that its unit is not removed.
        Some(group.units.at(slot.wrapping_shr(self.shape.slot_shift as u32)).block(&self.shape, slot))
    }

    /// Allocates a block of any group that has a free one.
    ///
    /// A group in the list has a free block. There is one exception: a caller that read the group as its core's current
    /// one, before the group left the core, may allocate the last block at this moment. So the loop is short.
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

    /// Gives a core another current group if its own has no free block: the first group of the list, or else another
    /// core's current group that has one. Returns false if no group has one. Other callers may allocate the block
    /// before this one does.
    #[inline(always)] // As `allocate_from_any`.
    fn next_group<K: Kernel>(&self, kernel: K, core: usize) -> bool {
        let mut list = self.list.lock(kernel);
        let current = self.current(core);
        // `NO_GROUP` is never listed, so `unlist` fails, as if a block of it could be allocated.
        if !core::ptr::eq(current.get(), &NO_GROUP) {
            if !current.get().word.unlist() {
                // A block of the group can be allocated again, so it stays the core's current one.
                return true;
            }
            // Without the loop over the cores: 33 instructions less.
            if list.is_shared {
                self.take_from_cores(current.get());
            } else {
                current.set(&NO_GROUP);
            }
        }
        let next = match list.first {
            Some(first) => {
                Self::unlink(&mut list, first);
                first
            }
            None => {
                let shared = self.current.iter().map(AlwaysSetRef::get).find(|group| group.word.can_allocate());
                list.is_shared |= shared.is_some();
                shared.unwrap_or(&NO_GROUP)
            }
        };
        current.set(next);
        !core::ptr::eq(next, &NO_GROUP)
    }

    /// Takes the group from each core whose current group it is. Returns whether there was such a core.
    fn take_from_cores(&self, group: &'static Group) -> bool {
        let mut was_current = false;
        for current in self.current.iter().filter(|current| core::ptr::eq(current.get(), group)) {
            current.set(&NO_GROUP);
            was_current = true;
        }
        was_current
    }

    /// Runs `change` with the list's lock held. Then puts the group into the list if one of its blocks can be
    /// allocated, or takes it off the list if none can.
    ///
    /// Context: any.
    pub fn update<K: Kernel, T>(&self, kernel: K, group: &'static Group, change: impl FnOnce() -> T) -> T {
        preemption_point();
        let mut list = self.list.lock(kernel);
        let result = change();
        if group.word.can_allocate() {
            if group.word.list() {
                Self::link(&mut list, group);
            }
        } else if group.word.unlist() && !self.take_from_cores(group) {
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
        for (core, current) in self.current.iter().enumerate() {
            let group = current.get();
            // A group that several cores share is counted for the first of them.
            let is_counted = self.current.iter().take(core).any(|earlier| core::ptr::eq(earlier.get(), group));
            if !is_counted {
                missing = missing.saturating_sub(group.word.count_allocatable());
            }
        }
        for group in groups_of(list.first).take(count) {
            if missing == 0 {
                break;
            }
            missing = missing.saturating_sub(group.word.count_allocatable());
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
