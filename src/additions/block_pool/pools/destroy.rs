//! Destroying a block pool.

use crate::mem::atomics::Ordering::Relaxed;

use super::BlockPools;
use crate::additions::block_pool::report::InUse;
use crate::additions::block_pool::{BlockPool, Pages};
use crate::kernel::Kernel;
use crate::log::{Line, Name};
use crate::mem::heap::free;
use crate::text::apart;

/// The reason why a pool is not destroyed. The pool works as before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadDestroy {
    /// There is no pool at the address (any more).
    Unknown,
    /// This number of blocks is in use.
    Busy(usize),
    /// The caller may not sleep.
    Context,
}

impl<K: Kernel, P: Pages> BlockPools<K, P> {
    /// Destroys the pool at `pool`, and frees its memory. While blocks are in use, the pool stays. Then one line in the
    /// log has their number, and one line each the address of the first few.
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// The pool stays and works as before.
    ///
    /// # Safety
    /// No other call uses the pool during this call, or after the pool is destroyed. Every pointer is allowed: it is
    /// compared, and not read.
    #[allow(unsafe_code)]
    pub unsafe fn destroy(&self, pool: *const BlockPool<K, P>) -> Result<(), BadDestroy> {
        let mut in_use = None;
        let result = match self.empty(pool, &mut in_use) {
            Ok(pool) => {
                // SAFETY: the caller guarantees that no call uses the pool. It is not in the list any more, so that no
                // call finds it, and its memory is freed once.
                unsafe {
                    pool.arena.release();
                    free(self.kernel, core::ptr::from_ref(pool));
                }
                return Ok(());
            }
            Err(error) => error,
        };
        let format = match result {
            BadDestroy::Unknown => apart!("destroy of 0x%lx: not a block pool (any more)"),
            BadDestroy::Context => apart!("destroy of 0x%lx: needs a thread"),
            BadDestroy::Busy(_) => {
                self.bad_calls.fetch_add(1, Relaxed);
                if let Some(blocks) = in_use {
                    blocks.log(self.kernel);
                }
                return Err(result);
            }
        };
        self.refuse_line(&Line::about(Name::of(apart!("dma.pool")), format, &[pool as usize]));
        Err(result)
    }

    /// Takes a pool without blocks in use off the list, and frees its pages. If blocks are in use, puts them into
    /// `in_use`, so that they are logged.
    fn empty(
        &self,
        pool: *const BlockPool<K, P>,
        in_use: &mut Option<InUse>,
    ) -> Result<&'static BlockPool<K, P>, BadDestroy> {
        let pool = self.unlink(pool, in_use)?;
        // The turn is not held: the device's memory may write lines to the log.
        pool.trim();
        if pool.usage().pages == 0 {
            return Ok(pool);
        }
        // Against the rules, a block was allocated meanwhile. The memory must stay.
        let _turn = self.turn.take(self.kernel).ok_or(BadDestroy::Context)?;
        self.append(pool);
        let blocks = pool.blocks_in_use().ok_or(BadDestroy::Context)?;
        Err(BadDestroy::Busy(in_use.insert(blocks).count()))
    }

    /// Takes a pool without blocks in use off the list. If blocks are in use, puts them into `in_use`.
    fn unlink(
        &self,
        pool: *const BlockPool<K, P>,
        in_use: &mut Option<InUse>,
    ) -> Result<&'static BlockPool<K, P>, BadDestroy> {
        let _turn = self.turn.take(self.kernel).ok_or(BadDestroy::Context)?;
        let (link, found) = self.first.link_to(pool, |pool| &pool.next).ok_or(BadDestroy::Unknown)?;
        let blocks = found.blocks_in_use().ok_or(BadDestroy::Context)?;
        if blocks.count() != 0 {
            return Err(BadDestroy::Busy(in_use.insert(blocks).count()));
        }
        let _held = self.links.lock(self.kernel);
        link.set(found.next.get());
        Ok(found)
    }
}
