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
use crate::mem::shared::{AtomicRef, NonNullRef, WrappingSlice};

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
    pub group: NonNullRef<Group>,
}

// The model checkers' atomics are larger.
#[cfg(not(any(feature = "shuttle", feature = "loom")))]
const _: () = assert!(size_of::<Unit>().is_power_of_two());

/// Up to [`UNITS`](super::word::UNITS) units whose blocks share one word.
#[repr(C)]
pub struct Group {
    // The fields that every call reads come first, in one cache line.
    pub word: GroupWord,
    pub units: WrappingSlice<Unit>,
    /// Its neighbours in the list. Written with the list's lock held.
    next: AtomicRef<Group>,
    before: AtomicRef<Group>,
}

/// Stands for no group: it never has a free block. With it, the usual path of an allocation tests one thing less.
pub static NO_GROUP: Group = Group::new(WrappingSlice::of_one(&NO_UNIT));

/// Stands for no unit: no address is one of its blocks.
pub static NO_UNIT: Unit = Unit::new(0, 0, 0);

impl Group {
    /// Makes a group of units that have no memory.
    pub const fn new(units: WrappingSlice<Unit>) -> Self {
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
    current: NonNullRef<Group>,
    /// The first of the other listed groups.
    head: IrqLock<Option<&'static Group>>,
}

impl OpenGroups {
    pub const fn new() -> Self {
        OpenGroups { current: NonNullRef::new(&NO_GROUP), head: IrqLock::new(None) }
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
            group: NonNullRef::new(&NO_GROUP),
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
mod tests;
