//! Memory that is ready for interrupts.
//!
//! An interrupt cannot use the heap, so it cannot make bookkeeping. A pool that keeps a reserve has threads make it in
//! advance: whenever a thread leaves the fast path, it makes sure that a few blocks are free, and that there is
//! bookkeeping for more spans. With that bookkeeping an interrupt adds spans itself.

use crate::mem::atomics::Ordering::Relaxed;

use super::{BlockPool, Pages};
use crate::kernel::Kernel;

/// The number of blocks that threads leave free.
const RESERVE: usize = 4;

impl<K: Kernel, P: Pages> BlockPool<K, P> {
    /// Has threads keep memory ready for interrupts from now on, and makes it ready as far as there is memory.
    ///
    /// Context: thread.
    pub fn start_reserve(&self) {
        self.keeps_reserve.store(true, Relaxed);
        self.keep_reserve();
    }

    /// Makes the reserve complete again, if the pool keeps one and the caller may sleep.
    ///
    /// Context: any.
    pub(super) fn keep_reserve(&self) {
        if self.keeps_reserve.load(Relaxed) {
            self.fill(RESERVE);
        }
    }

    /// Makes sure that `count` blocks are free, and, as far as the heap has room, that there is bookkeeping for the
    /// next spans. Returns false if the memory does not suffice for the blocks.
    ///
    /// Context: thread.
    pub fn fill(&self, count: usize) -> bool {
        if !self.kernel.can_sleep() {
            return false;
        }
        // Other callers may take blocks meanwhile, so that the blocks are counted again at the end.
        while let missing @ 1.. = self.groups.missing(self.kernel, count) {
            for _ in (0..missing).step_by(self.groups.shape.span_blocks().max(1)) {
                if self.add_free_span().is_none() {
                    return false;
                }
            }
        }
        self.prepare_bookkeeping();
        true
    }

    /// Makes sure that a span can be added without the heap, if the heap has room now. The caller may sleep.
    fn prepare_bookkeeping(&self) {
        // If nothing has to be done, the call takes no turn, for which it might wait.
        if self.spans.vacant.get().is_none() || !self.has_places() {
            let _turn = self.spans.turn.take(self.kernel);
            let _ = self.vacant_span();
        }
    }

    /// Returns whether an interrupt may add a span.
    pub(super) fn has_reserve(&self) -> bool {
        self.keeps_reserve.load(Relaxed) && self.spans.vacant.get().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::additions::block_pool::PoolName;
    use crate::additions::block_pool::shape::Shape;
    use crate::additions::block_pool::tests::trim::Endless;
    use crate::kernel::Device;
    use crate::kernel::testing::Services;

    /// Stops a test that waits for a turn.
    #[derive(Clone, Copy)]
    struct NeverWaits;

    // SAFETY: it maps nothing.
    #[allow(unsafe_code)]
    unsafe impl Services for NeverWaits {
        fn pause(&self) {
            panic!("a wait for the turn");
        }
    }

    #[test]
    fn no_call_waits_for_a_turn_while_the_reserve_is_complete() {
        // Large enough that 90 blocks are in several groups: some calls leave the fast path.
        for size in [1024, 4096, 10000] {
            let shape = Shape::linux(size, 0, 0).unwrap();
            let pool = BlockPool::new(NeverWaits, Endless, PoolName::new([]), Device::at(1), shape, 0).unwrap();
            pool.start_reserve();
            assert!(pool.fill(100));
            let turn = pool.spans.turn.take(NeverWaits).unwrap();
            let held: std::vec::Vec<_> = (0..90).map(|_| pool.allocate().unwrap()).collect();
            held.iter().for_each(|block| pool.free(block.va, block.handle).unwrap());
            drop(turn);
            assert_eq!(pool.usage().in_use, 0);
        }
    }
}
