//! Groups: the word that says which blocks are free, and the list of groups that have some.
//!
//! A block is taken and given back by one atomic operation on its group's word, without a lock and with interrupts on. Only
//! when a word runs empty, or gets its first block back, is the list of open groups changed, under the pool's lock.

use core::sync::atomic::{
    AtomicBool, AtomicUsize,
    Ordering::{Acquire, Relaxed, SeqCst},
};

use super::shape::SLOTS;
use crate::kernel::{Kernel, Va};
use crate::mem::heap::{AtomicRef, OnceSlice};
use crate::mem::lock::IrqLock;

/// A piece of a page with blocks, or the place for one.
#[repr(C)]
pub struct Unit {
    /// Where bit 0 of the group's word would be, for the processor, if all its blocks followed each other as the unit's do;
    /// zero while there is no piece.
    pub base: AtomicUsize,
    /// The same for the device.
    pub handle_base: AtomicUsize,
    /// The bit of its first block in the group's word.
    pub first: usize,
    pub group: &'static Group,
}

/// As many units as a word has bits for.
#[repr(C)]
pub struct Group {
    pub units: OnceSlice<Unit>,
    /// Bit `k`: block `k` is there, and free. A bit that a wrong caller set for a unit that is gone is thrown away by who
    /// takes it.
    free: AtomicUsize,
    /// It is the current group, or in the list. Written under the list's lock.
    listed: AtomicBool,
    /// Its neighbours in the list. Written under the list's lock.
    next: AtomicRef<Group>,
    before: AtomicRef<Group>,
}

impl Group {
    pub fn new() -> Self {
        Group {
            units: OnceSlice::new(),
            free: AtomicUsize::new(0),
            listed: AtomicBool::new(false),
            next: AtomicRef::new(),
            before: AtomicRef::new(),
        }
    }

    /// Takes the free block of the lowest bit. `None` also if another core is just taking the same. Any context.
    #[inline(always)]
    pub fn take(&self) -> Option<usize> {
        let free = self.free.load(Relaxed);
        let lowest = free & free.wrapping_neg();
        // A free that is seen here was before; what its caller did to the block stays before what the new owner does.
        let took = free != 0 && self.free.fetch_and(!lowest, Acquire) & lowest != 0;
        took.then(|| lowest.trailing_zeros() as usize)
    }

    /// Sets `bits`, and says what was set before. Who got zero calls [`OpenGroups::open`]. Any context.
    #[inline(always)]
    #[must_use]
    pub fn put(&self, bits: usize) -> usize {
        // Ordered before the look at `listed`, see `OpenGroups::take_from_any`.
        self.free.fetch_or(bits, SeqCst)
    }

    /// Takes all of `bits`, or none: then one of them is in use.
    pub fn claim(&self, bits: usize) -> bool {
        self.free.fetch_update(Acquire, Relaxed, |free| (free & bits == bits).then_some(free & !bits)).is_ok()
    }

    /// The bits that are free now.
    pub fn free_bits(&self) -> usize {
        self.free.load(Relaxed)
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
    /// From which blocks are taken. Written under the lock.
    current: AtomicRef<Group>,
    /// The first of the others.
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
    /// When the current group has none, makes the next open one the current one. A group in the list has a free block, but for one that another core is
    /// just taking, from when the group was current last: so this loop is short.
    pub fn take_from_any<K: Kernel>(&self, kernel: K, slot_shift: usize) -> Option<Taken> {
        let mut head = self.head.lock(kernel);
        loop {
            if let Some(group) = self.current.get() {
                let taken = taken_of(group, slot_shift);
                if taken.is_some() {
                    return taken;
                }
                // Either who frees sees that it is not listed, and lists it, or the block is seen here.
                group.listed.store(false, SeqCst);
                if group.free.load(SeqCst) != 0 {
                    group.listed.store(true, SeqCst);
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

    /// Lists a group whose word was empty. Any context.
    #[cold]
    #[inline(never)]
    pub fn open<K: Kernel>(&self, kernel: K, group: &'static Group) {
        if group.listed.load(SeqCst) {
            return;
        }
        let mut head = self.head.lock(kernel);
        if group.listed.swap(true, SeqCst) {
            return;
        }
        group.next.set(*head);
        if let Some(next) = *head {
            next.before.set(Some(group));
        }
        *head = Some(group);
    }

    /// The groups in the list.
    #[cfg(test)]
    pub fn listed<K: Kernel>(&self, kernel: K) -> std::vec::Vec<&'static Group> {
        let head = *self.head.lock(kernel);
        core::iter::successors(head, |group| group.next.get()).collect()
    }

    /// Takes a group off the list whose blocks were claimed. Any context.
    pub fn close<K: Kernel>(&self, kernel: K, group: &'static Group) {
        let mut head = self.head.lock(kernel);
        let is_current = self.current.get().is_some_and(|current| core::ptr::eq(current, group));
        if is_current || !group.listed.swap(false, SeqCst) {
            return;
        }
        if group.free.load(SeqCst) != 0 {
            group.listed.store(true, SeqCst);
            return;
        }
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
}

/// A free block of `group`, and where it is.
#[inline(always)]
fn taken_of(group: &'static Group, slot_shift: usize) -> Option<Taken> {
    let slot = group.take()?;
    let unit = group.units.get().get(slot >> (slot_shift & (SLOTS - 1)))?;
    let base = unit.base.load(Relaxed);
    // Else it was a bit of a unit that is gone.
    (base != 0).then_some(Taken { unit, base, slot })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::testing::HeapOnly as Heap;

    fn list(open: &OpenGroups) -> std::vec::Vec<*const Group> {
        open.listed(Heap).into_iter().map(core::ptr::from_ref).collect()
    }

    #[test]
    fn a_group_without_free_blocks_leaves_the_list_wherever_it_stands() {
        let groups: std::vec::Vec<&'static Group> =
            (0..5).map(|_| &*std::boxed::Box::leak(std::boxed::Box::new(Group::new()))).collect();
        for gone in [[0, 2, 4], [4, 3, 1], [2, 1, 0], [1, 2, 3]] {
            let open = OpenGroups::new();
            for group in &groups {
                assert_eq!(group.put(6), 0);
                open.open(Heap, group);
                open.open(Heap, group);
            }
            // One with a free block stays.
            open.close(Heap, groups[0]);
            assert_eq!(list(&open).len(), 5);
            for index in gone {
                assert!(!groups[index].claim(7) && groups[index].claim(6));
                open.close(Heap, groups[index]);
                open.close(Heap, groups[index]);
            }
            let left = (0..5).rev().filter(|index| !gone.contains(index));
            let left: std::vec::Vec<*const Group> = left.map(|index| core::ptr::from_ref(groups[index])).collect();
            assert_eq!(list(&open), left);
            for group in &groups {
                let _ = group.take();
                let _ = group.take();
                open.close(Heap, group);
            }
            assert!(list(&open).is_empty());
        }
    }
}
