//! Uninstalling a pool, after which its memory belongs to the caller again.
//!
//! `pool::membership` explains why other calls that read the pool at the same time are correct.

use crate::abi::rt_dma_pool;
use crate::dropin::pool::{Pool, PoolSpec, UninstallError, WholePages};
use crate::dropin::registry::{Dma, Reinstall};
use crate::kernel::Kernel;

/// The number of ticks for which an uninstall waits for calls that read names of pools.
const READER_TICKS: usize = 100;

impl<K: Kernel> Dma<K> {
    /// Unmaps a pool and removes it from the list. After this, its memory belongs to the caller. The `Pool` value is
    /// kept, and is used again when a pool of the same pages is installed.
    ///
    /// Waits up to 100 ticks for calls that read names of pools. A call that takes longer, because the console is slow,
    /// may still read the pool's name.
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// [`UninstallError`]: the pool is not installed, which the caller counts, or it is in use, or the caller may not
    /// sleep. Nothing was changed.
    pub fn uninstall(&self, pool: *const rt_dma_pool) -> Result<(), UninstallError> {
        let turn = self.installing.take(self.kernel).ok_or(UninstallError::Context)?;
        let pool = self.pool_at(pool).ok_or(UninstallError::NotInstalled)?;
        pool.begin_uninstall()?;
        self.list.remove_for_c(pool);
        // The turn is not held here, because the kernel may write text while it unmaps memory. Until the memory is
        // unmapped, the pool stays in the library's own list, so that no other pool can be installed over its memory.
        drop(turn);
        pool.unmap_all();
        // No error: a caller that could sleep above can sleep here.
        let turn = self.installing.take(self.kernel).ok_or(UninstallError::Context)?;
        self.list.remove(pool);
        pool.end_uninstall();
        pool.next_kept().set(self.kept.get());
        self.kept.set(Some(pool));
        self.reinstall.set(&Reinstall { begin_reinstall: Dma::begin_reinstall, end_reinstall: Dma::end_reinstall });
        drop(turn);
        self.name_readers.wait_until_none(self.kernel, READER_TICKS);
        Ok(())
    }

    /// The function of [`Reinstall::begin_reinstall`].
    fn begin_reinstall(&self, spec: &PoolSpec, pages: WholePages) -> Option<&'static Pool<K>> {
        let reader = self.name_readers.enter();
        let mut kept = core::iter::successors(self.kept.get(), |pool| pool.next_kept().get());
        let pool = kept.find(|pool| pool.matches(spec, pages, &reader))?;
        pool.reset(spec);
        Some(pool)
    }

    /// The function of [`Reinstall::end_reinstall`].
    fn end_reinstall(&self, pool: &'static Pool<K>) {
        if let Some((link, _)) = self.kept.link_to(pool, Pool::next_kept) {
            link.set(pool.next_kept().get());
        }
        pool.end_reinstall();
    }
}
