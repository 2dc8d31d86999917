//! Freeing a block.

use super::group::{Group, Unit};
use super::preemption::preemption_point;
use super::states::{NotFreed, Seen};
use super::{BlockPool, FreeError, Pages};
use crate::kernel::{Handle, Kernel, Va};
use crate::mem::atomics::Ordering::Relaxed;
use crate::text::{separate_cstr, text};

impl<K: Kernel, P: Pages> BlockPool<K, P> {
    /// Frees the block at `va`, whose handle must be `handle`; 0 stands for a handle that the caller did not ask for.
    /// If `va` is 0, nothing happens.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`FreeError`]: no block of this pool begins at `va`, the block is free, or its handle is another one. The call
    /// changes nothing. It is counted, and logged where text may be written.
    #[inline(always)] // As a function that `rt_dma_block_pool_free` calls, it takes 1 instruction more.
    pub fn free(&self, va: Va, handle: Handle) -> Result<(), FreeError> {
        let unit = self.table.get().home_unit(self.shape().key(va));
        let group = unit.group.get();
        // The word is read before the unit's addresses: see the head of `states.rs`.
        let seen = group.states.load();
        if let Some(slot) = self.slot_in(unit, va)
            && unit.handle_of(va) == handle
            && let Ok(is_listed) = group.states.free(seen, slot)
        {
            return if is_listed { Ok(()) } else { self.ensure_listed(group) };
        }
        self.free_general(va, handle)
    }

    /// Does what [`free`](BlockPool::free) does for every call: also with handle 0, for a block whose unit is not in
    /// its home bucket or is hidden, after another call changed the group's word, and for a wrong caller.
    #[cold]
    fn free_general(&self, va: Va, handle: Handle) -> Result<(), FreeError> {
        if va == 0 {
            return Ok(());
        }
        loop {
            let found = self.find_block(va).or_else(|| {
                // A trim or a growth that is under way may hide the blocks of a unit while it holds the lock. The lock
                // is taken to wait for its end.
                drop(self.groups.lock(self.kernel));
                self.find_block(va)
            });
            let Some((unit, seen, slot)) = found else {
                return self.refuse_free(va, handle, FreeError::Foreign);
            };
            if handle != 0 && unit.handle_of(va) != handle {
                return self.refuse_free(va, handle, FreeError::WrongHandle);
            }
            match unit.group.get().states.free(seen, slot) {
                Ok(true) => return Ok(()),
                Ok(false) => return self.ensure_listed(unit.group.get()),
                Err(NotFreed::WasFree) => return self.refuse_free(va, handle, FreeError::NotAllocated),
                // Each further round of the loop means that another call has changed the word.
                Err(NotFreed::Changed) => {}
            }
        }
    }

    /// Returns the unit of the block at `va`, the word of its group as it was before the unit was read, and the block's
    /// slot; `None` if no block begins there.
    fn find_block(&self, va: Va) -> Option<(&'static Unit, Seen, usize)> {
        self.table.get().candidates(self.shape().key(va)).find_map(|unit| {
            let seen = unit.group.get().states.load();
            Some((unit, seen, self.slot_in(unit, va)?))
        })
    }

    /// Returns the slot of the block of `unit` that begins at `va`; `None` if no block begins there.
    fn slot_in(&self, unit: &Unit, va: Va) -> Option<usize> {
        preemption_point();
        // An address in another unit, or inside of a block, gives a number that no block has.
        let number = self.shape().division.quotient(unit.scaled_start.load(Relaxed), va);
        preemption_point();
        (number < unit.blocks()).then_some((number as u32).wrapping_add(unit.first_slot) as usize)
    }

    /// Lists a group that was not listed when one of its blocks was freed, unless it is exhausted again. Then keeps the
    /// reserve. Always succeeds.
    #[cold]
    #[inline(never)] // Inlined, it gives each free a stack frame: 3 instructions.
    fn ensure_listed(&self, group: &'static Group) -> Result<(), FreeError> {
        self.groups.update(self.kernel, group, || {});
        self.keep_reserve();
        Ok(())
    }

    /// Counts and logs a free that is refused, and returns its error.
    fn refuse_free(&self, va: Va, handle: Handle, error: FreeError) -> Result<(), FreeError> {
        let reason = match error {
            FreeError::Foreign => separate_cstr!("no block of this pool begins there"),
            FreeError::NotAllocated => separate_cstr!("it is free already"),
            FreeError::WrongHandle => separate_cstr!("wrong handle"),
        };
        self.refuse(text!("free of block 0x%lx (handle 0x%lx): %s", va, handle, reason));
        Err(error)
    }
}
