//! The state of a group's blocks, in one word: each change of state is one atomic operation.
//!
//! # The protocol
//!
//! A group has up to [`SLOTS`] blocks in up to [`UNITS`] units. The word has a *free bit* for each block and a *presence
//! bit* for each unit. Each block is in one of three states:
//!
//! | state | free bit of the block | presence bit of its unit |
//! |---|---|---|
//! | free | 1 | 1 |
//! | in use | 0 | 1 |
//! | absent: the unit has no memory | 0 | 0 |
//!
//! The word also contains a bit that is set while the group is listed, and a version: the number of units that were
//! added. The changes of state are:
//!
//! | function | from | to | operation |
//! |---|---|---|---|
//! | [`take`](GroupWord::take) | free | in use | One compare-and-exchange. Of two callers that want one block, only one exchanges the word. |
//! | [`give_back`](GroupWord::give_back) | in use | free | One compare-and-exchange from the word that the caller looked at. |
//! | [`remove`](GroupWord::remove) (trim) | free, all blocks of a unit | absent | One compare-and-exchange. |
//! | [`add`](GroupWord::add) (growth) | absent | free, or in use | One compare-and-exchange, which also increments the version. |
//!
//! ## A second free is refused
//!
//! `give_back` expects the presence bit to be set and the free bit to be clear, whatever the caller saw. A second free finds
//! the free bit set, or the presence bit clear, so that its exchange fails. There is no third case, because `remove` clears
//! both bits in one operation.
//!
//! ## A free looks at the word first, then reads the unit's address
//!
//! A unit's address is in two other words. They are written before `add` and cleared after `remove`. A free does this:
//!
//! 1. It looks at the group's word.
//! 2. It reads the unit's address, and computes the block's bit.
//! 3. It exchanges the word, if the word is still the one of step 1, with the unit present and the block in use.
//!
//! The exchange succeeds only if no unit was added between steps 1 and 3: an addition changes the version. So the unit has
//! been there since step 1, and step 2 read its present address. If steps 1 and 2 were swapped, the unit could be removed and
//! come back at another address between them, with the block of that bit in use. Then the free of an address that does not
//! exist any more would free a block that has another owner. Without the version, the unit could do this between steps 1 and 3.
//!
//! ## A free learns from its own exchange whether the group is listed
//!
//! A block can be found if its group is listed. The exchange of step 3 returns the listed bit. If the bit is clear, the free
//! lists the group before it returns, whatever other frees do at the same time. [`unlist`](GroupWord::unlist) clears the bit
//! in one exchange, and only while no block can be taken.
//!
//! The two writes are the free bit (by a free) and the listed bit (by `unlist`). They are in one word, so that one of them
//! comes first and the other sees it. If the listed bit were in a word of its own, a free could read "listed" just before
//! `unlist` clears it, and the group would leave the list together with its free block.

use crate::mem::atomics::{
    AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

/// The maximum number of blocks in a group: half of a word's bits.
pub const SLOTS: usize = usize::BITS as usize / 2;
/// The maximum number of units in a group. With 64 bits, 15 are left for the version; with 32 bits, 11.
pub const UNITS: usize = if usize::BITS == 64 { 16 } else { 4 };

/// The bit that is set while the group is listed: it is the current group, or in the list of groups with free blocks.
const LISTED: usize = 1 << (SLOTS + UNITS);
/// The lowest bit of the version, which takes all higher bits.
const VERSION: usize = LISTED << 1;

/// The state of a group's blocks, and which of them the device reaches. See the [module](self).
pub struct GroupWord {
    word: AtomicUsize,
    /// Bit `k` is set if the device reaches block `k`. Written with the list's lock held.
    reach: AtomicUsize,
}

/// A unit's bits in the word of its group.
#[derive(Clone, Copy)]
pub struct UnitBits {
    /// The bits of its blocks.
    pub blocks: usize,
    /// Its presence bit.
    pub present: usize,
}

/// The word that a free looked at before it read the unit's address.
#[derive(Clone, Copy)]
pub struct Seen(usize);

/// The reason why a block is not freed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotGiven {
    /// It is free already.
    Free,
    /// Its unit has no memory.
    Absent,
    /// The word changed after the caller looked at it. The caller looks again.
    Changed,
}

/// The result of an attempt to take a group off the list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unlist {
    /// The group was listed, and is not listed now.
    Done,
    /// A block can be taken. Nothing was changed.
    HasSome,
    /// The group was not listed.
    WasNotListed,
}

/// Returns the presence bit of unit `number` of a group.
pub fn present_bit(number: usize) -> usize {
    1usize.wrapping_shl((SLOTS + number % UNITS) as u32)
}

impl GroupWord {
    /// Makes the word of a group whose blocks are all absent.
    pub const fn new() -> Self {
        GroupWord { word: AtomicUsize::new(0), reach: AtomicUsize::new(0) }
    }

    /// Takes the free block with the lowest bit that the device reaches, and returns its slot; `None` if there is none.
    ///
    /// Context: any.
    #[inline(always)]
    pub fn take(&self) -> Option<usize> {
        step();
        let mut word = self.word.load(Relaxed);
        loop {
            let free = word & self.reach.load(Relaxed);
            if free == 0 {
                return None;
            }
            let slot = free.trailing_zeros();
            let without = word & !1usize.wrapping_shl(slot);
            step();
            // Acquire: this core sees what the last owner wrote to the block before its free, and the unit's address, which was
            // written before `add`. (A `fetch_and` takes six instructions more on x86-64, whose compiler makes a loop of it.)
            match self.word.compare_exchange_weak(word, without, Acquire, Relaxed) {
                Ok(_) => return Some(slot as usize),
                Err(now) => word = now,
            }
        }
    }

    /// Returns the word. A free calls it before it reads the unit's address.
    ///
    /// Context: any.
    #[inline(always)]
    pub fn look(&self) -> Seen {
        step();
        Seen(self.word.load(Acquire))
    }

    /// Makes the block of a slot free, if it is in use and no other call has changed the word since the caller saw it. Returns
    /// whether the group is listed.
    ///
    /// # Errors
    /// The block is free or absent, or the word is not `seen` any more. Nothing was changed.
    ///
    /// Context: any.
    #[inline(always)]
    pub fn give_back(&self, seen: Seen, present: usize, slot: usize) -> Result<bool, NotGiven> {
        let Seen(seen) = seen;
        let block = 1usize.wrapping_shl(slot as u32);
        // Expecting the right state takes four instructions less than checking that `seen` has it.
        let in_use = (seen | present) & !block;
        step();
        match self.word.compare_exchange_weak(in_use, in_use | block, Release, Relaxed) {
            Ok(_) => Ok(seen & LISTED != 0),
            Err(_) if seen & block != 0 => Err(NotGiven::Free),
            Err(_) if seen & present == 0 => Err(NotGiven::Absent),
            Err(_) => Err(NotGiven::Changed),
        }
    }

    /// Makes all blocks of a unit absent, if all are free. Returns whether they were.
    ///
    /// Context: any.
    pub fn remove(&self, unit: UnitBits) -> bool {
        let bits = unit.blocks | unit.present;
        let without = |word: usize| (word & bits == bits).then_some(word & !bits);
        step();
        self.word.fetch_update(Acquire, Relaxed, without).is_ok()
    }

    /// Makes the blocks of an absent unit free, except those of `in_use`, which are in use. The caller has written the unit's
    /// address before.
    ///
    /// Context: any.
    pub fn add(&self, unit: UnitBits, in_use: usize) {
        let bits = unit.present | unit.blocks & !in_use;
        let added = |word: usize| Some((word | bits).wrapping_add(VERSION));
        step();
        // It always succeeds: `added` returns a word.
        let _ = self.word.fetch_update(Release, Relaxed, added);
    }

    /// Returns the bits of the free blocks, also of those that the device does not reach.
    pub fn free_bits(&self) -> usize {
        self.word.load(Relaxed) & (usize::MAX >> (usize::BITS as usize - SLOTS))
    }

    /// Returns the number of free blocks that the device reaches.
    pub fn takeable(&self) -> usize {
        (self.word.load(Relaxed) & self.reach.load(Relaxed)).count_ones() as usize
    }

    /// Returns whether a block that the device reaches is free.
    pub fn has_some(&self) -> bool {
        step();
        self.word.load(Acquire) & self.reach.load(Relaxed) != 0
    }

    /// Sets which of the blocks `all` the device reaches. The caller holds the list's lock.
    pub fn set_reach(&self, all: usize, reached: usize) {
        self.reach.store(self.reach.load(Relaxed) & !all | reached & all, Relaxed);
    }

    /// Returns the bits of the blocks that the device reaches.
    pub fn reach(&self) -> usize {
        self.reach.load(Relaxed)
    }

    /// Marks the group as listed. Returns whether it was not listed before. The caller holds the list's lock.
    pub fn list(&self) -> bool {
        step();
        self.word.fetch_or(LISTED, AcqRel) & LISTED == 0
    }

    /// Marks the group as not listed, if no block can be taken. The caller holds the list's lock.
    pub fn unlist(&self) -> Unlist {
        let reach = self.reach();
        let unlisted = |word: usize| (word & LISTED != 0 && word & reach == 0).then_some(word & !LISTED);
        step();
        match self.word.fetch_update(AcqRel, Relaxed, unlisted) {
            Ok(_) => Unlist::Done,
            Err(word) if word & reach != 0 => Unlist::HasSome,
            Err(_) => Unlist::WasNotListed,
        }
    }
}

/// A point at which other cores and interrupts may change the word. The unit tests run code there.
#[inline(always)]
pub fn step() {
    #[cfg(test)]
    preemption::step();
}

#[cfg(test)]
pub mod preemption;
