//! The states of a group's blocks, in one word: each change of state is one atomic operation.
//!
//! # The protocol
//!
//! The word has a *free bit* for each of the group's blocks, up to [`MAX_GROUP_BLOCKS`]: 1 while the block is free, 0
//! while it is in use, and 0 while its unit has no memory. It also contains a bit that is set while the group is
//! [listed](super::listed_groups), and a version: the number of units that were added or removed. The changes of state
//! are:
//!
//! * [`allocate`](GroupWord::allocate) changes a free bit from 1 to 0, by one compare-and-exchange. Of two callers that
//!   want one block, only one exchanges the word.
//! * [`free`](GroupWord::free) changes a free bit from 0 to 1, by one compare-and-exchange from the word
//!   that the caller loaded.
//! * [`remove`](GroupWord::remove) (trim) changes the free bits of a unit from all 1 to all 0, by one
//!   compare-and-exchange, which also increments the version.
//! * [`add`](GroupWord::add) (growth) sets the free bits of a unit, but for blocks that the caller takes, by one atomic
//!   operation, which also increments the version.
//!
//! ## A second free is refused
//!
//! A free reads two places: the group's word, and the unit's addresses with the number of its blocks, which is 0 while
//! the unit has no memory. It does this:
//!
//! 1. It loads the group's word.
//! 2. It reads the unit's addresses and its number of blocks, and computes the block's bit.
//! 3. It exchanges the word, if the word is still the one of step 1, with the free bit clear.
//!
//! The exchange succeeds only if no unit was added or removed between steps 1 and 3, because both change the version.
//! So it is sufficient that step 2 finds no block if the unit has no memory at step 1. The number of blocks is set to 0
//! before `remove`, and is written after `add`. So a free that loads the word after `remove` reads 0; and a free that
//! loads it before `add` and reads the new number fails in step 3. If the number were written before `add`, a late
//! second free of an address that has come back could set the free bit of a block that is not there yet.
//!
//! If steps 1 and 2 were swapped, the unit could be removed and come back at another address between them, with the
//! block of that bit in use. Then the free of an address that does not exist any more would free a block that has
//! another owner. Without the version, the unit could do this between steps 1 and 3.
//!
//! The version has 15 bits, and wraps: the exchange can also succeed after 32,768 additions and removals of its units
//! between steps 1 and 3. This suffices. Each addition allocates pages, and each removal frees pages, while the three
//! steps are a few instructions, in which nothing waits. A free of a block that is in use is correct even then, because
//! a unit with a block in use is not removed: only the check for a second free would be lost.
//!
//! A correct free can find the number 0 for a moment, while `remove` tries, or just after `add`. Both run with the
//! list's lock held, so such a free waits for the lock, and begins again.
//!
//! ## A free learns from its own exchange whether the group is listed
//!
//! A block can be found if its group is listed. The exchange of step 3 returns the listed bit. If the bit is clear, the
//! free lists the group before it returns, whatever other frees do at the same time. [`unlist`](GroupWord::unlist)
//! clears the bit in one exchange, and only while no block can be allocated.
//!
//! The two writes are the free bit (by a free) and the listed bit (by `unlist`). They are in one word, so that one of
//! them comes first and the other sees it. If the listed bit were in a word of its own, a free could read "listed" just
//! before `unlist` clears it, and the group would leave the list together with its free block.

use crate::mem::atomics::{
    AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

/// The maximum number of blocks in a group. The version has 15 bits.
pub const MAX_GROUP_BLOCKS: usize = usize::BITS as usize - 16;
/// The bit that is set while the group is [listed](super::listed_groups).
const LISTED: usize = 1 << MAX_GROUP_BLOCKS;
/// The lowest bit of the version, which takes all higher bits.
const VERSION: usize = LISTED << 1;

/// The state of a group's blocks, and which of them the device reaches. See the [module](self).
pub struct GroupWord {
    word: AtomicUsize,
    /// Bit `k` is set if the device reaches block `k`. Written with the list's lock held.
    reach: AtomicUsize,
}

/// The word as a free loaded it, before it read the unit's addresses.
#[derive(Clone, Copy)]
pub struct Seen(usize);

/// Why [`free`](GroupWord::free) changed nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotFreed {
    /// The block was free already.
    WasFree,
    /// The word changed after the caller loaded it. The caller begins again.
    Changed,
}

impl GroupWord {
    /// Makes the word of a group without memory.
    pub const fn new() -> Self {
        GroupWord { word: AtomicUsize::new(0), reach: AtomicUsize::new(0) }
    }

    /// Allocates the free block with the lowest bit that the device reaches, and returns its slot; `None` if there is
    /// none.
    ///
    /// Context: any.
    pub fn allocate(&self) -> Option<usize> {
        preemption_point();
        // Acquire, here and where the exchange fails: what the device reaches of a unit was written before `add`.
        let mut word = self.word.load(Acquire);
        loop {
            let free = word & self.reach.load(Relaxed);
            if free == 0 {
                return None;
            }
            let slot = free.trailing_zeros();
            let without = word & !1usize.wrapping_shl(slot);
            preemption_point();
            // Acquire: this core sees what the last owner wrote to the block before its free, and the unit's addresses,
            // which were written before `add`. (A `fetch_and` takes six instructions more on x86-64, whose compiler
            // makes a loop of it.)
            match self.word.compare_exchange_weak(word, without, Acquire, Acquire) {
                Ok(_) => return Some(slot as usize),
                Err(now) => word = now,
            }
        }
    }

    /// Returns the word. A free calls it before it reads the unit's addresses.
    ///
    /// Context: any.
    pub fn load(&self) -> Seen {
        preemption_point();
        Seen(self.word.load(Acquire))
    }

    /// Makes the block of a slot free, if the word is `seen` with this block in use. Returns whether the group is
    /// listed.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// The block was free, or another call has changed the word. Nothing was changed.
    pub fn free(&self, seen: Seen, slot: usize) -> Result<bool, NotFreed> {
        let Seen(seen) = seen;
        let block = 1usize.wrapping_shl(slot as u32);
        preemption_point();
        // Expecting the bit to be clear takes two instructions less than checking it.
        match self.word.compare_exchange_weak(seen & !block, seen | block, Release, Relaxed) {
            Ok(_) => Ok(seen & LISTED != 0),
            Err(_) if seen & block != 0 => Err(NotFreed::WasFree),
            Err(_) => Err(NotFreed::Changed),
        }
    }

    /// Clears the free bits of a unit's blocks, if all are set. Returns whether they were. The caller holds the list's
    /// lock, and has set the unit's number of blocks to 0.
    ///
    /// Context: any.
    pub fn remove(&self, blocks: usize) -> bool {
        let without = |word: usize| (word & blocks == blocks).then_some((word & !blocks).wrapping_add(VERSION));
        preemption_point();
        // Release: a free that loads the new word reads 0 as the number of blocks.
        self.word.fetch_update(AcqRel, Relaxed, without).is_ok()
    }

    /// Sets the free bits `free` of a unit. The caller holds the list's lock. It has written the unit's addresses
    /// before, and writes its number of blocks afterwards.
    ///
    /// Context: any.
    pub fn add(&self, free: usize) {
        let added = |word: usize| Some((word | free).wrapping_add(VERSION));
        preemption_point();
        // Release: a call that loads the new word reads the new addresses. Acquire: the number of blocks, written
        // after this, is not seen by a free whose exchange comes before this. It always succeeds: `added` returns a
        // word.
        let _ = self.word.fetch_update(AcqRel, Relaxed, added);
    }

    /// Returns the bits of the free blocks, also of those that the device does not reach.
    pub fn free_bits(&self) -> usize {
        self.word.load(Relaxed) & (LISTED - 1)
    }

    /// Returns the number of free blocks that the device reaches.
    pub fn count_allocatable(&self) -> usize {
        (self.word.load(Relaxed) & self.reach.load(Relaxed)).count_ones() as usize
    }

    /// Returns whether a block that the device reaches is free.
    pub fn can_allocate(&self) -> bool {
        preemption_point();
        self.word.load(Acquire) & self.reach.load(Relaxed) != 0
    }

    /// Sets which of the blocks `all` the device reaches. The caller holds the list's lock.
    pub fn set_reach(&self, all: usize, reached: usize) {
        self.reach.store(self.reach.load(Relaxed) & !all | reached & all, Relaxed);
    }

    /// Marks the group as listed. Returns whether it was not listed before. The caller holds the list's lock.
    pub fn list(&self) -> bool {
        preemption_point();
        self.word.fetch_or(LISTED, AcqRel) & LISTED == 0
    }

    /// Marks the group as not listed, and returns true, if it is listed and no block can be allocated. Otherwise
    /// changes nothing and returns false. The caller holds the list's lock.
    pub fn unlist(&self) -> bool {
        let reach = self.reach.load(Relaxed);
        let unlisted = |word: usize| (word & LISTED != 0 && word & reach == 0).then_some(word & !LISTED);
        preemption_point();
        self.word.fetch_update(AcqRel, Relaxed, unlisted).is_ok()
    }
}

/// A point at which other cores and interrupts may change the word. The unit tests run code there.
pub fn preemption_point() {
    #[cfg(test)]
    super::tests::preemption::preemption_point();
}
