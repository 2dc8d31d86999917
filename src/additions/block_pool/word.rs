//! The state of a group's blocks: one word, so that each change of it is one atomic operation.
//!
//! # The protocol
//!
//! A group has up to [`SLOTS`] blocks in up to [`UNITS`] units. Each of its blocks is in one of three states:
//!
//! | state | free bit of the block | presence bit of its unit |
//! |---|---|---|
//! | free | 1 | 1 |
//! | in use | 0 | 1 |
//! | absent: its memory is not there | 0 | 0 |
//!
//! The word also holds whether the group is listed, and a version, which counts the units that went. The changes:
//!
//! | who | from | to | how |
//! |---|---|---|---|
//! | [`take`](GroupWord::take) | free | in use | one `fetch_and`: of two that try, one sees the bit set |
//! | [`give_back`](GroupWord::give_back) | in use | free | one compare-and-exchange against the word that the caller looked at |
//! | [`remove`](GroupWord::remove) (trim) | free, every block of a unit | absent | one compare-and-exchange; the version grows |
//! | [`add`](GroupWord::add) (growth) | absent | free, or in use | one `fetch_or` |
//!
//! *A second free* finds the free bit set, or the presence bit clear, and is refused: there is no third case, because
//! `remove` clears both in one step.
//!
//! *The address.* Where a unit lies is in two other words, which `add` finds written and which are cleared after `remove`.
//! A free looks at the word **before** it reads the unit's address, and exchanges the word that it looked at. If these two
//! reads were swapped, a unit could go, and come back at another address with that slot in use, between the read of the
//! address and the look: the free of an address that is gone would then free a block that has an owner. In the right order
//! the version differs, and the exchange fails.
//!
//! *The list.* Whether the group is listed is a bit of the same word. So a free learns from its own exchange whether its
//! group can be found; if not, it has the group listed before it returns, whatever other frees of the group have done or
//! are about to do. [`unlist`](GroupWord::unlist) clears the bit only while no block can be taken, in one exchange. If the
//! bit were a word of its own, a free could read "listed" just before the group is taken off the list with its block.

use core::sync::atomic::{
    AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

/// Blocks of a group, at most: half of a word's bits.
pub const SLOTS: usize = usize::BITS as usize / 2;
/// Units of a group, at most.
pub const UNITS: usize = usize::BITS as usize / 8;

/// The bit that says that the group is listed: it is the current one, or in the list of those with free blocks.
const LISTED: usize = 1 << (SLOTS + UNITS);
/// What the version counts in: the bits above.
const VERSION: usize = LISTED << 1;

/// The state of a group's blocks, and which of them may be handed out. See the [module](self).
pub struct GroupWord {
    word: AtomicUsize,
    /// Bit `k`: the device reaches block `k`. Written with the list's lock held.
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

/// What a free saw of the word before it read where the block's unit lies.
#[derive(Clone, Copy)]
pub struct Seen(usize);

/// Why a block is not given back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotGiven {
    /// It is free already.
    Free,
    /// Its memory is not there.
    Absent,
    /// The word changed since it was looked at: look again.
    Changed,
}

/// What an attempt to take a group off the list comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unlist {
    /// It was listed, and is not now.
    Done,
    /// A block can be taken, so it stays as it is.
    HasSome,
    /// It was not listed.
    WasNotListed,
}

/// The presence bit of unit `number` of a group.
pub fn present_bit(number: usize) -> usize {
    1usize.wrapping_shl((SLOTS + number % UNITS) as u32)
}

impl GroupWord {
    /// No block is there.
    pub const fn new() -> Self {
        GroupWord { word: AtomicUsize::new(0), reach: AtomicUsize::new(0) }
    }

    /// Takes the free block of the lowest bit that the device reaches. `None` also if another core is just taking the same.
    /// Any context.
    #[inline(always)]
    pub fn take(&self) -> Option<usize> {
        step();
        let free = self.word.load(Relaxed) & self.reach.load(Relaxed);
        let lowest = free & free.wrapping_neg();
        step();
        // Acquire: what the block's last owner did to it, and where its unit lies, was written before.
        let took = free != 0 && self.word.fetch_and(!lowest, Acquire) & lowest != 0;
        took.then(|| lowest.trailing_zeros() as usize)
    }

    /// The word now: to be looked at before it is read where a unit lies. Any context.
    #[inline(always)]
    pub fn look(&self) -> Seen {
        step();
        Seen(self.word.load(Acquire))
    }

    /// Makes a block of a unit free, if it is in use and nothing has changed since `seen`; returns whether the group is
    /// listed. Any context.
    #[inline(always)]
    pub fn give_back(&self, seen: Seen, present: usize, block: usize) -> Result<bool, NotGiven> {
        let Seen(seen) = seen;
        if seen & (present | block) != present {
            return Err(if seen & present == 0 { NotGiven::Absent } else { NotGiven::Free });
        }
        step();
        match self.word.compare_exchange_weak(seen, seen | block, Release, Relaxed) {
            Ok(_) => Ok(seen & LISTED != 0),
            Err(_) => Err(NotGiven::Changed),
        }
    }

    /// Makes all blocks of a unit absent, if all are free. Any context.
    pub fn remove(&self, unit: UnitBits) -> bool {
        let bits = unit.blocks | unit.present;
        let without = |word: usize| (word & bits == bits).then_some((word & !bits).wrapping_add(VERSION));
        step();
        self.word.fetch_update(Acquire, Relaxed, without).is_ok()
    }

    /// Makes the blocks of a unit that is absent free, but for those of `in_use`. Where it lies was written before. Any context.
    pub fn add(&self, unit: UnitBits, in_use: usize) {
        step();
        self.word.fetch_or(unit.present | unit.blocks & !in_use, Release);
    }

    /// The free blocks, in reach or not, as bits.
    pub fn free(&self) -> usize {
        self.word.load(Relaxed) & (usize::MAX >> (usize::BITS as usize - SLOTS))
    }

    /// Whether a block is free that the device reaches.
    pub fn has_some(&self) -> bool {
        step();
        self.word.load(Acquire) & self.reach.load(Relaxed) != 0
    }

    /// Sets which of the blocks `all` the device reaches. The caller has the list's lock.
    pub fn set_reach(&self, all: usize, reached: usize) {
        self.reach.store(self.reach.load(Relaxed) & !all | reached & all, Relaxed);
    }

    /// The blocks that the device reaches, as bits.
    pub fn reach(&self) -> usize {
        self.reach.load(Relaxed)
    }

    /// Marks the group as listed; returns whether it was not. The caller has the list's lock.
    pub fn list(&self) -> bool {
        step();
        self.word.fetch_or(LISTED, AcqRel) & LISTED == 0
    }

    /// Marks the group as not listed, if no block can be taken. The caller has the list's lock.
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

/// A point at which others may change the word: the unit tests run something there.
#[inline(always)]
pub fn step() {
    #[cfg(test)]
    preemption::step();
}

/// What the unit tests run between two steps of a call, as an interrupt or another core would.
#[cfg(test)]
pub mod preemption {
    use std::boxed::Box;
    use std::cell::{Cell, RefCell};

    type Other = Box<dyn FnMut()>;

    std::thread_local! {
        static LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
        static OTHER: RefCell<Option<Other>> = const { RefCell::new(None) };
        static NEEDS_NO_LOCK: Cell<bool> = const { Cell::new(false) };
    }

    pub(super) fn step() {
        match LEFT.get() {
            usize::MAX => {}
            // With a lock held, the others wait for it.
            _ if crate::kernel::testing::is_masked() && !NEEDS_NO_LOCK.get() => {}
            0 => {
                LEFT.set(usize::MAX);
                let other = OTHER.with_borrow_mut(Option::take);
                other.into_iter().for_each(|mut other| other());
            }
            left => LEFT.set(left - 1),
        }
    }

    /// Runs `other` before the `at`th step from here on. For what another such call runs.
    pub fn go_on_before_step(at: usize, other: impl FnMut() + 'static) {
        OTHER.set(Some(Box::new(other)));
        LEFT.set(at);
    }

    /// As [`run_before_step`], also where the call has a lock: `other`, on another core, takes none.
    pub fn run_without_lock_before_step<T>(
        at: usize,
        other: impl FnMut() + 'static,
        call: impl FnOnce() -> T,
    ) -> (T, bool) {
        NEEDS_NO_LOCK.set(true);
        let result = run_before_step(at, other, call);
        NEEDS_NO_LOCK.set(false);
        result
    }

    /// Runs `call`, and `other` once, before step `at` of the call. Returns what the call returns, and whether `other` ran.
    pub fn run_before_step<T>(at: usize, other: impl FnMut() + 'static, call: impl FnOnce() -> T) -> (T, bool) {
        OTHER.set(Some(Box::new(other)));
        LEFT.set(at);
        let result = call();
        LEFT.set(usize::MAX);
        (result, OTHER.take().is_none())
    }
}
