//! The block pools of a system: creating them, destroying them, and the list of them.

mod create;
mod destroy;
mod shell_list;

pub use create::{BlockPoolSpec, CreateError};
pub use destroy::DestroyError;

use super::{BlockPool, Pages};
use crate::kernel::{Device, Kernel};
use crate::log::{Level, Line};
use crate::mem::atomic_ref::AtomicRef;
use crate::mem::atomics::{AtomicUsize, Ordering::Relaxed};
use crate::mem::lock::IrqLock;
use crate::mem::turn::Turn;

/// All block pools whose memory comes from `P`.
pub struct BlockPools<K: Kernel, P: Pages> {
    kernel: K,
    pages: P,
    /// Held while pools are created or destroyed, and while a thread reads the list.
    turn: Turn,
    /// The newest pool.
    first: AtomicRef<BlockPool<K, P>>,
    /// Held while the list is changed.
    links: IrqLock<()>,
    /// The serial number of the next pool. A creation that the heap has no room for uses one up.
    next_serial: AtomicUsize,
    refused_calls: AtomicUsize,
}

impl<K: Kernel, P: Pages> BlockPools<K, P> {
    /// Makes an empty list of pools.
    pub const fn new(kernel: K, pages: P) -> Self {
        BlockPools {
            kernel,
            pages,
            turn: Turn::new(),
            first: AtomicRef::new(),
            links: IrqLock::new(()),
            next_serial: AtomicUsize::new(0),
            refused_calls: AtomicUsize::new(0),
        }
    }

    /// Returns the number of calls that were refused because the caller was wrong or may not sleep, without those about
    /// one pool's blocks and pages: the pool counts them.
    pub fn refused_calls(&self) -> usize {
        self.refused_calls.load(Relaxed)
    }

    /// Puts a pool at the beginning of the list, and lets it follow a mask that was set before. The caller holds the
    /// turn.
    fn link(&self, pool: &'static BlockPool<K, P>) {
        let held = self.links.lock(self.kernel);
        pool.next.set(self.first.get());
        self.first.set(Some(pool));
        drop(held);
        pool.follow_mask();
    }

    /// Returns the pools. The caller holds the turn, or the lock of the links.
    fn pools(&self) -> impl Iterator<Item = &'static BlockPool<K, P>> {
        core::iter::successors(self.first.get(), |pool| pool.next.get())
    }

    /// Returns the device of the pool at `pool`; `None` if there is no such pool (any more), or the caller may not
    /// sleep. Every pointer is allowed: it is compared, and not read.
    ///
    /// Context: thread.
    pub fn device_of(&self, pool: *const BlockPool<K, P>) -> Option<Device> {
        let _turn = self.turn.take(self.kernel)?;
        self.pools().find(|known| core::ptr::eq(*known, pool)).map(BlockPool::device)
    }

    /// Makes the pools of a device that has another coherent mask now hand out only blocks that it reaches with that
    /// mask.
    ///
    /// Context: any. The time grows with the pools' memory.
    pub fn follow_mask(&self, device: Device) {
        let follow = || self.pools().filter(|pool| pool.device == device).for_each(BlockPool::follow_mask);
        // No pool of the list is destroyed while the turn, or in an interrupt the lock, is held.
        match self.turn.take(self.kernel) {
            Some(_turn) => follow(),
            None => {
                let _held = self.links.lock(self.kernel);
                follow();
            }
        }
    }

    /// Counts a call that is refused, because the caller is wrong or may not sleep.
    fn count_refused(&self) {
        self.refused_calls.fetch_add(1, Relaxed);
    }

    /// Counts a call that is refused because the caller is wrong, and logs a line about it.
    fn refuse(&self, line: &Line) {
        self.count_refused();
        self.kernel.log(Level::Error, line);
    }
}
