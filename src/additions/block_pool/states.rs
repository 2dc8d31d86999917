//! The states of a group's blocks, in one word: each change of the word is one atomic operation.
//!
//! # The protocol
//!
//! The word has a *free bit* for each of the group's blocks, up to [`MAX_GROUP_BLOCKS`]: 1 while the block is free, 0
//! while it is in use, and 0 while its unit has no memory. It also contains the *listed bit*, which is set while the
//! group is [listed](super::listed_groups), and a *version*, which is incremented when a unit is added or removed. A
//! block *can be allocated* if it is free and the device reaches it. A group is *exhausted* if none of its blocks can
//! be allocated. These calls change the word:
//!
//! * [`allocate`](BlockStates::allocate) changes a free bit from 1 to 0. Of two callers that want one block, only one
//!   exchanges the word.
//! * [`free`](BlockStates::free) changes a free bit from 0 to 1.
//! * [`remove`](BlockStates::remove) (trim) changes the free bits of a unit from all 1 to all 0, and increments the
//!   version.
//! * [`add`](BlockStates::add) (growth) sets the free bits of a unit, but not those of blocks that the caller takes,
//!   and increments the version.
//! * [`mark_listed`](BlockStates::mark_listed) sets the listed bit.
//! * [`mark_unlisted`](BlockStates::mark_unlisted) clears the listed bit, if the group is exhausted.
//!
//! ## A second free is refused
//!
//! A free reads two places: the group's word, and the unit's addresses with the number of its blocks, which is 0 while
//! the unit has no memory. It does this:
//!
//! 1. It loads the group's word.
//! 2. It reads the unit's addresses and its number of blocks, and computes the block's bit.
//! 3. It exchanges the word, if the free bit of the block is clear now, and the rest of the word is as in step 1.
//!
//! If the block is free in step 3, its bit is set, and the exchange fails. If the block was free in step 1, and another
//! caller has allocated it since, a second free succeeds. No check can prevent that: a second free that begins after
//! such an allocation is the same call as a correct free of the block. A check of the bit in step 1 would only refuse a
//! second free that began a few instructions earlier, and would take three instructions more.
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
//! The version has 15 bits, and wraps: the exchange can also succeed after 32,768 additions and removals of the group's
//! units between steps 1 and 3. This suffices. Each addition allocates pages, and each removal frees pages, while the
//! three steps are a few instructions, in which nothing waits. A free of a block that is in use is correct even then,
//! because a unit with a block in use is not removed: only the check for a second free would be lost.
//!
//! A correct free can find the number 0 for a moment, while `remove` tries, or just after `add`. Both run with the
//! list's lock held, so such a free waits for the lock, and begins again.
//!
//! ## A free learns from its own exchange whether the group is listed
//!
//! A block can be found if its group is listed. The exchange of step 3 returns the listed bit. If the bit is clear, the
//! free lists the group before it returns, whatever other frees do at the same time.
//!
//! The two writes are the free bit (by a free) and the listed bit (by `mark_unlisted`). They are in one word, so that
//! one of them comes first and the other sees it. If the listed bit were in a word of its own, a free could read
//! "listed" just before `mark_unlisted` clears it, and the group would leave the list together with its free block.
//!
//! # The tests
//!
//! `block_pool/tests/interleaved` runs another call before each step of a free, `listed_groups/tests.rs` before each
//! step of an allocation that looks for a group. The package's `tests/orderings` checks the memory orders with a model
//! checker.

use super::preemption::preemption_point;
use crate::mem::atomics::{
    AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

/// The maximum number of blocks in a group. The other 16 bits of the word are the listed bit and the version.
pub const MAX_GROUP_BLOCKS: usize = usize::BITS as usize - 16;
/// The listed bit.
const LISTED: usize = 1 << MAX_GROUP_BLOCKS;
/// All free bits.
const FREE_BITS: usize = LISTED - 1;
/// The lowest bit of the version, which takes all higher bits. To add it increments the version.
const VERSION: usize = LISTED << 1;

/// The states of a group's blocks, and which of them the device reaches. See the [module](self).
#[repr(C)]
pub struct BlockStates {
    /// The free bits, the listed bit and the version.
    word: AtomicUsize,
    /// Bit `k` is set if the device reaches block `k`. Written with the list's lock held.
    reach: AtomicUsize,
}

/// The word as a free loaded it, before it read the unit's addresses.
#[derive(Clone, Copy)]
pub struct Seen(usize);

/// Why [`free`](BlockStates::free) changed nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotFreed {
    /// The block was free already.
    WasFree,
    /// Another call changed the word after the caller loaded it. The caller begins again.
    Changed,
}

/// Returns the free bit of the block in a slot.
fn free_bit(slot: usize) -> usize {
    // A slot is less than `MAX_GROUP_BLOCKS`, so the shift does not wrap.
    1usize.wrapping_shl(slot as u32)
}

impl BlockStates {
    /// Makes the states of a group without memory.
    pub const fn new() -> Self {
        BlockStates { word: AtomicUsize::new(0), reach: AtomicUsize::new(0) }
    }

    /// Allocates the block with the lowest bit of those that can be allocated, and returns its slot; `None` if there is
    /// none.
    ///
    /// Context: any.
    pub fn allocate(&self) -> Option<usize> {
        preemption_point();
        // Acquire, here and where the exchange fails: what the device reaches of a unit was written before `add`.
        let mut word = self.word.load(Acquire);
        loop {
            let allocatable = self.allocatable_bits(word);
            if allocatable == 0 {
                return None;
            }
            let slot = allocatable.trailing_zeros() as usize;
            let without = word & !free_bit(slot);
            preemption_point();
            // Acquire: this core sees what the last owner wrote to the block before its free, and the unit's addresses,
            // which were written before `add`. (A `fetch_and` takes six instructions more on x86-64, whose compiler
            // makes a loop of it.)
            match self.word.compare_exchange_weak(word, without, Acquire, Acquire) {
                Ok(_) => return Some(slot),
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

    /// Makes the block in a slot free, if it is in use and the rest of the word is as in `seen`. Returns whether the
    /// group is listed.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`NotFreed`]: the block was free in `seen`, or the word is not as in `seen` any more. Nothing was changed.
    pub fn free(&self, seen: Seen, slot: usize) -> Result<bool, NotFreed> {
        let Seen(seen) = seen;
        let block = free_bit(slot);
        preemption_point();
        // The exchange expects the bit to be clear, also if it was set in `seen`: the head states why.
        match self.word.compare_exchange(seen & !block, seen | block, Release, Relaxed) {
            Ok(_) => Ok(seen & LISTED != 0),
            Err(_) if seen & block != 0 => Err(NotFreed::WasFree),
            Err(_) => Err(NotFreed::Changed),
        }
    }

    /// Clears the free bits `blocks` of a unit and increments the version, if all of them are set. Returns whether they
    /// were. The caller holds the list's lock, and has set the unit's number of blocks to 0.
    ///
    /// Context: any.
    pub fn remove(&self, blocks: usize) -> bool {
        let without = |word: usize| (word & blocks == blocks).then_some((word & !blocks).wrapping_add(VERSION));
        preemption_point();
        // Release: a free that loads the new word reads 0 as the number of blocks.
        self.word.fetch_update(AcqRel, Relaxed, without).is_ok()
    }

    /// Sets the free bits `free` of a unit, and increments the version. The caller holds the list's lock. It has
    /// written the unit's addresses before, and writes its number of blocks afterwards.
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
    ///
    /// Context: any.
    pub fn free_bits(&self) -> usize {
        self.word.load(Relaxed) & FREE_BITS
    }

    /// Returns the bits of the blocks that can be allocated while the group has this word.
    fn allocatable_bits(&self, word: usize) -> usize {
        word & self.reach.load(Relaxed)
    }

    /// Returns the number of blocks that can be allocated.
    ///
    /// Context: any.
    pub fn count_allocatable(&self) -> usize {
        self.allocatable_bits(self.word.load(Relaxed)).count_ones() as usize
    }

    /// Returns whether a block can be allocated.
    ///
    /// Context: any.
    pub fn can_allocate(&self) -> bool {
        preemption_point();
        self.allocatable_bits(self.word.load(Acquire)) != 0
    }

    /// Sets which of the blocks `all` the device reaches. The caller holds the list's lock.
    ///
    /// Context: any.
    pub fn set_reach(&self, all: usize, reached: usize) {
        self.reach.store((self.reach.load(Relaxed) & !all) | (reached & all), Relaxed);
    }

    /// Marks the group as listed. Returns whether it was not listed before. The caller holds the list's lock.
    ///
    /// Context: any.
    pub fn mark_listed(&self) -> bool {
        preemption_point();
        self.word.fetch_or(LISTED, AcqRel) & LISTED == 0
    }

    /// Marks the group as not listed, and returns true, if it is listed and exhausted. Otherwise changes nothing and
    /// returns false. The caller holds the list's lock.
    ///
    /// Context: any.
    pub fn mark_unlisted(&self) -> bool {
        let unlisted = |word: usize| {
            let is_exhausted = word & LISTED != 0 && self.allocatable_bits(word) == 0;
            is_exhausted.then_some(word & !LISTED)
        };
        preemption_point();
        self.word.fetch_update(AcqRel, Relaxed, unlisted).is_ok()
    }
}
