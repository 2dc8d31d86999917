//! Freeing a block.

use crate::mem::atomics::Ordering::Relaxed;

use super::group::{Group, Unit};
use super::word::{self, NotGiven};
use super::{BadFree, BlockPool, Pages};
use crate::kernel::{Kernel, Va};
use crate::text::apart;

impl<K: Kernel, P: Pages> BlockPool<K, P> {
    /// Frees the block at `va`, whose handle must be `handle`; 0 stands for a handle that the caller did not ask for. If `va`
    /// is 0, nothing happens.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// Nothing has changed. The call is counted, and logged where text may be written.
    #[inline(always)]
    pub fn free(&self, va: Va, handle: usize) -> Result<(), BadFree> {
        let unit = self.table.get().first(self.key(va));
        let group = unit.group.get();
        // The look comes before the read of the unit's address: see `word`.
        let seen = group.word.look();
        if let Some((slot, offset)) = self.slot_in(unit, va)
            && unit.handle_start.load(Relaxed).wrapping_add(offset) == handle
            && let Ok(is_listed) = group.word.give_back(seen, unit.present, slot)
        {
            return if is_listed { Ok(()) } else { self.reopen(group) };
        }
        self.free_slowly(va, handle)
    }

    /// Does what [`free`](BlockPool::free) does, where the block's unit is not in its home place, or another call changed the
    /// group's word meanwhile, or the caller is wrong.
    #[cold]
    #[inline(never)]
    fn free_slowly(&self, va: Va, handle: usize) -> Result<(), BadFree> {
        if va == 0 {
            return Ok(());
        }
        loop {
            let mut units = self.table.get().candidates(self.key(va));
            let Some((unit, seen, slot, offset)) = units.find_map(|unit| {
                let seen = unit.group.get().word.look();
                let (slot, offset) = self.slot_in(unit, va)?;
                Some((unit, seen, slot, offset))
            }) else {
                return self.refuse_free(va, handle, BadFree::Foreign);
            };
            if handle != 0 && offset != handle.wrapping_sub(unit.handle_start.load(Relaxed)) {
                return self.refuse_free(va, handle, BadFree::WrongHandle);
            }
            match unit.group.get().word.give_back(seen, unit.present, slot) {
                Ok(true) => return Ok(()),
                Ok(false) => return self.reopen(unit.group.get()),
                Err(NotGiven::Free) => return self.refuse_free(va, handle, BadFree::NotAllocated),
                Err(NotGiven::Absent) => return self.refuse_free(va, handle, BadFree::Foreign),
                // Another call changed the word, and so has made progress: the loop ends.
                Err(NotGiven::Changed) => {}
            }
        }
    }

    /// Returns the slot of the block of `unit` that begins at `va`, and its distance from the unit's first block; `None` if no
    /// block begins there.
    #[inline(always)]
    fn slot_in(&self, unit: &Unit, va: Va) -> Option<(usize, usize)> {
        word::step();
        let offset = va.wrapping_sub(unit.start.load(Relaxed));
        // An address in another unit, or inside of a block, gives a number that no block has.
        let number = self.shape.index(offset);
        (number < unit.blocks).then_some((unit.first.wrapping_add(number), offset))
    }

    /// Lists a group that was not listed when one of its blocks was freed.
    #[cold]
    #[inline(never)]
    fn reopen(&self, group: &'static Group) -> Result<(), BadFree> {
        self.open.update(self.kernel, group, || {});
        self.keep_reserve();
        Ok(())
    }

    /// Returns the table's key for an address.
    #[inline(always)]
    pub(super) fn key(&self, va: Va) -> usize {
        self.shape.key(va)
    }

    /// Counts and logs a free that is refused, and returns its error.
    #[cold]
    #[inline(never)]
    fn refuse_free(&self, va: Va, handle: usize, error: BadFree) -> Result<(), BadFree> {
        let format = match error {
            BadFree::Foreign => apart!("free of block 0x%lx (handle 0x%lx): no block of this pool begins there"),
            BadFree::NotAllocated => apart!("free of block 0x%lx (handle 0x%lx): it is free already"),
            BadFree::WrongHandle => apart!("free of block 0x%lx (handle 0x%lx): wrong handle"),
        };
        self.refuse(format, &[va, handle]);
        Err(error)
    }
}
