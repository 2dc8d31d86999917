//! Units and groups of blocks. The states of a group's blocks are in one [word](super::states).

use super::Block;
use super::shape::{Shape, lowest_bits};
use super::states::BlockStates;
use crate::kernel::{Handle, Va};
use crate::mem::atomic_ref::{AlwaysSetRef, AtomicRef};
use crate::mem::atomics::{AtomicU16, AtomicUsize, Ordering::Relaxed};
use crate::mem::wrapping_slice::WrappingSlice;

/// The bookkeeping of a unit. It stays when the unit has no memory.
#[repr(C)]
pub struct Unit {
    /// The processor's address of slot 0 of the group, extrapolated from the first block: the block of slot `k` is at
    /// `base + k * stride`. With this word an allocation need not subtract the offset of the first slot.
    base: AtomicUsize,
    /// The device's address of each block, minus the processor's.
    handle_offset: AtomicUsize,
    /// The processor's address of the first block, as [`scaled`](super::shape::division::ExactDivision::scaled) makes
    /// it. A free needs it. In a word of its own, next to `base`, it saves two instructions of an allocation and its
    /// free.
    pub scaled_start: AtomicUsize,
    /// The group. Written once, when the group is made.
    pub group: AlwaysSetRef<Group>,
    /// The slot of the first block.
    pub first_slot: u32,
    /// The number of blocks; 0 while the unit has no memory.
    blocks: AtomicU16,
    /// The number of blocks while the unit has memory.
    capacity: u16,
}

/// Blocks whose states are in one word: those of one or several units. Two cores that allocate and free blocks of
/// different groups write no common cache line, if a line is no longer than a group.
///
/// `states` begins with the word, at offset 0, which saves an addition in each call.
#[repr(C)]
#[cfg_attr(target_pointer_width = "64", repr(align(64)))]
#[cfg_attr(target_pointer_width = "32", repr(align(32)))]
pub struct Group {
    /// The states of the blocks.
    pub states: BlockStates,
    /// The units, in the order of their slots.
    pub units: WrappingSlice<Unit>,
    /// The next group of the list. It has a meaning only while this group is in the list. Written with the list's lock
    /// held.
    pub next: AtomicRef<Group>,
    /// The group before this one in the list; `None` in the first group, and outside of the list. Written with the
    /// list's lock held.
    pub before: AtomicRef<Group>,
}

/// Stands for no group: it never has a free block. With it, the fast path of an allocation tests one thing less.
pub static NO_GROUP: Group = Group::new(WrappingSlice::of_one(&NO_UNIT));

/// Stands for no unit: no address is one of its blocks.
pub static NO_UNIT: Unit = Unit::new(0, 0);

impl Group {
    /// Makes a group of units that have no memory.
    pub const fn new(units: WrappingSlice<Unit>) -> Self {
        Group { states: BlockStates::new(), units, next: AtomicRef::new(), before: AtomicRef::new() }
    }
}

impl Unit {
    /// Makes a unit without memory, for `capacity` blocks from slot `first_slot` on.
    pub const fn new(first_slot: usize, capacity: usize) -> Self {
        Unit {
            base: AtomicUsize::new(0),
            handle_offset: AtomicUsize::new(0),
            scaled_start: AtomicUsize::new(0),
            blocks: AtomicU16::new(0),
            group: AlwaysSetRef::new(&NO_GROUP),
            first_slot: first_slot as u32,
            capacity: capacity as u16,
        }
    }

    /// Sets the addresses of the first block, while the unit has no memory. The caller holds the turn.
    ///
    /// `Relaxed` is sufficient: [`BlockStates::add`], which gives the unit its blocks afterwards, releases the
    /// addresses. A free that reads them earlier finds no block, or its exchange fails.
    pub fn set_addresses(&self, shape: &Shape, first: Block) {
        self.base.store(first.va.wrapping_sub(shape.slot_offset(self.first_slot as usize)), Relaxed);
        self.handle_offset.store(first.handle.wrapping_sub(first.va), Relaxed);
        self.scaled_start.store(shape.division.scaled(first.va), Relaxed);
    }

    /// Returns the block in a slot.
    pub fn block(&self, shape: &Shape, slot: usize) -> Block {
        let va = self.va_of(shape, slot);
        Block { va, handle: self.handle_of(va) }
    }

    /// Returns the processor's address of the block in a slot.
    pub fn va_of(&self, shape: &Shape, slot: usize) -> Va {
        shape.slot_offset(slot).wrapping_add(self.base.load(Relaxed))
    }

    /// Returns the device's address of the block at `va`.
    pub fn handle_of(&self, va: Va) -> Handle {
        va.wrapping_add(self.handle_offset.load(Relaxed))
    }

    /// Returns the processor's address of the first block.
    pub fn start(&self, shape: &Shape) -> Va {
        self.va_of(shape, self.first_slot as usize)
    }

    /// Adds the blocks. Those of `free`, which are bits of the group's word, are free. The caller holds the list's
    /// lock.
    pub fn add_blocks(&self, free: usize) {
        self.group.get().states.add(free);
        // The bits first, then the number: the head of `states.rs` states why, under "A second free is refused".
        self.blocks.store(self.capacity, Relaxed);
    }

    /// Removes the blocks, if all are free. Returns whether they were. The caller holds the list's lock.
    pub fn remove_blocks(&self) -> bool {
        if !self.is_free() {
            return false;
        }
        // The number first, then the bits: the head of `states.rs` states why, under "A second free is refused".
        self.blocks.store(0, Relaxed);
        let is_removed = self.group.get().states.remove(self.bits());
        if !is_removed {
            self.blocks.store(self.capacity, Relaxed);
        }
        is_removed
    }

    /// Returns whether all blocks are free.
    pub fn is_free(&self) -> bool {
        (self.group.get().states.free_bits() & self.bits()) == self.bits()
    }

    /// Returns the number of blocks; 0 while the unit has no memory.
    pub fn blocks(&self) -> usize {
        self.blocks.load(Relaxed) as usize
    }

    /// Returns the number of blocks that the unit has while it has memory.
    pub fn capacity(&self) -> usize {
        self.capacity as usize
    }

    /// Returns whether the unit has memory.
    pub fn has_memory(&self) -> bool {
        self.blocks() != 0
    }

    /// Returns the bits of its blocks in the group's word.
    pub fn bits(&self) -> usize {
        self.bits_of_first(self.capacity())
    }

    /// Returns the bits of its first `count` blocks in the group's word.
    pub fn bits_of_first(&self, count: usize) -> usize {
        lowest_bits(count).wrapping_shl(self.first_slot)
    }
}
