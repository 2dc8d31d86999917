//! Destroying a block pool.

// A refusal carries the blocks to log by value: boxing it needs heap, which may be exhausted.
#![allow(clippy::large_enum_variant, clippy::result_large_err)]

use super::BlockPools;
use crate::additions::block_pool::usage::InUse;
use crate::additions::block_pool::{BlockPool, Pages};
use crate::kernel::Kernel;
use crate::log::{Line, Name};
use crate::mem::heap::free;
use crate::text::{Text, separate_cstr, text};

/// The reason why a pool is not destroyed. The pool works as before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DestroyError {
    /// There is no pool at the address (any more).
    Unknown,
    /// This number of blocks is in use.
    Busy(usize),
    /// The caller may not sleep.
    Context,
}

/// The reason why a pool is not destroyed, with what the log needs.
enum Refusal {
    /// See [`DestroyError::Unknown`].
    Unknown,
    /// These blocks are in use.
    InUse(InUse),
    /// See [`DestroyError::Context`].
    Context,
}

impl<K: Kernel, P: Pages> BlockPools<K, P> {
    /// Destroys the pool at `pool`, and frees its memory. While blocks are in use, the pool stays. Then one line in the
    /// log has their number. A further line for each of the first few has its address.
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// [`DestroyError`]: there is no such pool, blocks are in use, or the caller may not sleep. A pool stays and works
    /// as before, but pages without a block in use may have been given back.
    ///
    /// # Safety
    /// No other call uses the pool during this call, or after the pool is destroyed. Every pointer is allowed: it is
    /// compared, and not read.
    #[allow(unsafe_code)]
    pub unsafe fn destroy(&self, pool: *const BlockPool<K, P>) -> Result<(), DestroyError> {
        match self.remove(pool) {
            Ok(pool) => {
                // SAFETY: the caller guarantees that no call uses the pool. It is not in the list any more, so that no
                // call finds it, and its memory is freed once.
                unsafe {
                    pool.arena.release();
                    free(self.kernel, core::ptr::from_ref(pool));
                }
                Ok(())
            }
            Err(Refusal::InUse(blocks)) => {
                self.count_refused();
                blocks.log(self.kernel);
                Err(DestroyError::Busy(blocks.count()))
            }
            Err(Refusal::Unknown) => {
                self.refuse_no_pool(text!("destroy of 0x%lx: not a block pool (any more)", pool as usize));
                Err(DestroyError::Unknown)
            }
            Err(Refusal::Context) => {
                self.count_refused();
                Err(DestroyError::Context)
            }
        }
    }

    /// Counts and logs a call that was to destroy a managed pool. `pool` is no managed pool (any more).
    ///
    /// Context: any.
    pub fn refuse_unmanaged(&self, pool: *const BlockPool<K, P>) {
        self.refuse_no_pool(text!("managed destroy of 0x%lx: not a managed block pool (any more)", pool as usize));
    }

    /// Counts and logs a call that was to destroy something else than a pool.
    fn refuse_no_pool(&self, text: Text) {
        self.refuse(&Line::about(Name::of(separate_cstr!("dma.pool")), text));
    }

    /// Takes a pool without blocks in use off the list, and frees its pages.
    ///
    /// [`Refusal::Context`] comes from `unlink`, which then has changed nothing: a caller that may sleep during
    /// `unlink` may sleep until the end.
    fn remove(&self, pool: *const BlockPool<K, P>) -> Result<&'static BlockPool<K, P>, Refusal> {
        loop {
            let pool = self.unlink(pool)?;
            // Without the turn: `trim` gives pages back, which may write to the log, and a console may itself create
            // block pools.
            pool.trim();
            if !pool.has_pages().ok_or(Refusal::Context)? {
                return Ok(pool);
            }
            // Against the rules, a block was allocated meanwhile. The memory must stay, so the pool is put back into
            // the list. If the block is still in use, `unlink` refuses.
            let _turn = self.turn.take(self.kernel).ok_or(Refusal::Context)?;
            self.link(pool);
        }
    }

    /// Takes a pool without blocks in use off the list.
    fn unlink(&self, pool: *const BlockPool<K, P>) -> Result<&'static BlockPool<K, P>, Refusal> {
        let _turn = self.turn.take(self.kernel).ok_or(Refusal::Context)?;
        let (link, found) = self.first.link_to(pool, |pool| &pool.next).ok_or(Refusal::Unknown)?;
        let blocks = found.blocks_in_use().ok_or(Refusal::Context)?;
        if blocks.count() != 0 {
            return Err(Refusal::InUse(blocks));
        }
        let _held = self.links.lock(self.kernel);
        link.set(found.next.get());
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::additions::block_pool::pools::BlockPoolSpec;
    use crate::additions::block_pool::{Effort, PoolName};
    use crate::kernel::testing::HeapOnly;
    use crate::kernel::{Device, Handle, PAGE_SIZE, Va};
    use crate::mem::atomic_ref::AtomicRef;
    use crate::mem::atomics::{AtomicUsize, Ordering::SeqCst};
    use std::boxed::Box;

    /// A source of pages. When it gets a page back for the first time, a block of the pool is allocated and freed.
    #[derive(Clone, Copy)]
    struct Intruded;

    // SAFETY: the test does not touch the memory.
    #[allow(unsafe_code)]
    unsafe impl Pages for Intruded {
        fn allocate(&self, _: Device, _: usize, _: usize, _: Effort) -> Option<(Va, Handle)> {
            Some((0x1000 * PAGE_SIZE, 0x1000 * PAGE_SIZE))
        }
        unsafe fn free(&self, _: Device, _: usize, _: Va, _: Handle) {
            intrude();
        }
        fn last_reachable(&self, _: Device) -> usize {
            usize::MAX
        }
    }

    static POOL: AtomicRef<BlockPool<HeapOnly, Intruded>> = AtomicRef::new();
    static FREED: AtomicUsize = AtomicUsize::new(0);

    fn intrude() {
        if FREED.fetch_add(1, SeqCst) == 0 {
            let pool = POOL.get().unwrap();
            let block = pool.allocate().unwrap();
            pool.free(block.va, block.handle).unwrap();
        }
    }

    #[test]
    fn a_block_that_came_and_went_during_the_destroy_does_not_keep_the_pool() {
        let pools: &'static BlockPools<HeapOnly, Intruded> = Box::leak(Box::new(BlockPools::new(HeapOnly, Intruded)));
        let (name, device) = (PoolName::new(*b"blocks"), Some(Device::at(1)));
        let pool = pools.create(&BlockPoolSpec { name, device, size: 64, align: 0, boundary: 0 }).unwrap();
        POOL.set(Some(pool));
        let block = pool.allocate().unwrap();
        pool.free(block.va, block.handle).unwrap();
        // SAFETY: the only other calls are those of `intrude`, which end before the pool is destroyed.
        #[allow(unsafe_code)]
        let result = unsafe { pools.destroy(pool) };
        assert_eq!((result, FREED.load(SeqCst)), (Ok(()), 2));
    }
}
