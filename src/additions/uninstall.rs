//! Uninstalling a pool: its memory is the caller's again.
//!
//! `pool::removal` states what keeps calls right that look at the pool meanwhile.

use core::hint::black_box;

use crate::abi::rt_dma_pool;
use crate::dropin::pool::{FirstOwner, Pool, Region, Revival, Stays};
use crate::dropin::registry::Dma;
use crate::flags::Flags;
use crate::kernel::{Kernel, Pa};
use crate::mem::atomics::{
    Ordering::{Release, SeqCst},
    fence,
};

/// How many ticks an uninstall waits for calls that print the name of a pool.
const PATIENCE: usize = 100;

/// Why a pool was not uninstalled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotUninstalled {
    /// The pool stays.
    Stays(Stays),
    /// The caller may not sleep.
    Context,
}

impl<K: Kernel> Dma<K> {
    /// Takes a pool out of the list, unmaps it, and makes its memory the caller's. The pool is kept for the next one over the
    /// same pages.
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// Nothing was changed. A pool that is not installed is counted as a wrong call by the caller of this function.
    pub fn uninstall(&self, pool: *const rt_dma_pool) -> Result<(), NotUninstalled> {
        let turn = self.installer().ok_or(NotUninstalled::Context)?;
        let pool = self.pools().find(|known| core::ptr::eq(&known.public, pool));
        let pool = pool.ok_or(NotUninstalled::Stays(Stays::NotInstalled))?;
        pool.begin_removal().map_err(NotUninstalled::Stays)?;
        self.unlist(pool);
        // The kernel may write text where it unmaps. The pool stays in the library's own list, so that no other covers its
        // memory until that is done.
        drop(turn);
        pool.unmap_all();
        let turn = self.installer().ok_or(NotUninstalled::Context)?;
        self.unlink(pool);
        pool.end_removal();
        pool.next_kept().set(self.kept.get());
        self.kept.set(Some(pool));
        // Opaque to the compiler: an image that uninstalls nothing must not contain the functions.
        self.revival.set(Some(black_box(&Revival { revive: Dma::revive, reopen: Dma::reopen })));
        drop(turn);
        fence(SeqCst);
        let mut patience = PATIENCE;
        while self.naming.load(SeqCst) != 0 && patience != 0 {
            self.kernel.pause();
            patience -= 1;
        }
        Ok(())
    }

    /// Takes a pool that is leaving out of C's list. Its own links stay, for callers that are just looking at the pool.
    fn unlist(&self, pool: &Pool<K>) {
        let (before, after) = self.neighbours(pool.order());
        critical_section::with(|_| {
            before.next.store(core::ptr::from_ref(after).cast_mut(), Release);
            after.prev.store(core::ptr::from_ref(before).cast_mut(), Release);
        });
    }

    /// Takes a pool out of the library's list. Its reference to the next pool stays.
    fn unlink(&self, pool: &Pool<K>) {
        let mut link = &self.first;
        while let Some(at) = link.get() {
            if core::ptr::eq(at, pool) {
                link.set(pool.next.get());
                return;
            }
            link = &at.next;
        }
    }

    /// See [`Revival`].
    fn revive(&self, region: &Region, pages: (Pa, usize), flags: Flags, owner: FirstOwner) -> Option<&'static Pool<K>> {
        let mut kept = core::iter::successors(self.kept.get(), |pool| pool.next_kept().get());
        let pool = kept.find(|pool| pool.is_like(pages, flags, owner))?;
        pool.renew(region, flags, owner);
        Some(pool)
    }

    /// See [`Revival`].
    fn reopen(&self, pool: &'static Pool<K>) {
        let mut link = &self.kept;
        while let Some(at) = link.get() {
            if core::ptr::eq(at, pool) {
                link.set(pool.next_kept().get());
                break;
            }
            link = at.next_kept();
        }
        pool.reopen();
    }
}
