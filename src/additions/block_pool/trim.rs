//! Giving spans back. In threads, one at a time for each pool.

use core::sync::atomic::Ordering::Relaxed;

use super::group::Unit;
use super::shape::Shape;
use super::{BlockPool, Pages};
use crate::kernel::Kernel;

impl<K: Kernel, P: Pages> BlockPool<K, P> {
    /// Gives back the spans without a block in use, and says how many pages they had; zero where the caller may not
    /// sleep. *Thread.*
    pub fn trim(&self) -> usize {
        match self.spans.turn.take(self.kernel) {
            Some(_turn) => self.trim_in_turn(),
            None => 0,
        }
    }

    /// The same, for whose turn it is.
    pub(super) fn trim_in_turn(&self) -> usize {
        let mut pages = 0;
        for batch in self.spans.batches() {
            for (room, units) in batch.rooms.iter().zip(batch.units.chunks(self.shape.span_units.max(1))) {
                let size = room.size.load(Relaxed);
                if size == 0 || !self.claim_all(units) {
                    continue;
                }
                self.remove_all(units);
                for unit in units {
                    self.open.close(self.kernel, unit.group);
                }
                room.size.store(0, Relaxed);
                if batch.empty.fetch_add(1, Relaxed) == 0 {
                    batch.next_vacant.set(self.spans.vacant.get());
                    self.spans.vacant.set(Some(batch));
                }
                self.spans.units.fetch_sub(units.len(), Relaxed);
                self.spans.pages.fetch_sub(Shape::pages(size), Relaxed);
                self.pages.free(self.device, size, room.va.load(Relaxed), room.handle.load(Relaxed));
                pages += Shape::pages(size);
            }
        }
        pages
    }

    /// Takes all blocks of `units`, or none: then one of them is in use.
    fn claim_all(&self, units: &'static [Unit]) -> bool {
        let bits = |unit: &Unit| self.shape.bits(unit.first);
        // A look first: what is claimed and put back, an interrupt does not find for a moment.
        let is_free = |unit: &Unit| unit.group.free_bits() & bits(unit) == bits(unit);
        if !units.iter().all(is_free) {
            return false;
        }
        let claim = |unit: &Unit| unit.group.claim(bits(unit));
        let claimed = units.iter().take_while(|unit| claim(unit)).count();
        if claimed != units.len() {
            units.iter().take(claimed).for_each(|unit| self.publish(unit, bits(unit)));
        }
        claimed == units.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::additions::block_pool::PoolName;
    use crate::kernel::testing::HeapOnly;
    use crate::kernel::{Device, Va};
    use core::sync::atomic::AtomicUsize;

    static NEXT: AtomicUsize = AtomicUsize::new(0x1000_0000);

    #[derive(Clone, Copy)]
    struct Endless;

    // SAFETY: the tests do not touch the memory.
    #[allow(unsafe_code)]
    unsafe impl Pages for Endless {
        fn allocate(&self, _: Device, size: usize) -> Option<(Va, usize)> {
            let va = NEXT.fetch_add(size, Relaxed);
            Some((va, va))
        }
        fn free(&self, _: Device, _: usize, _: Va, _: usize) {}
    }

    /// Else the next allocation would have to pass them all.
    #[test]
    fn groups_of_memory_that_is_gone_are_in_no_list() {
        for size in [16, 64, 100, 1024, 4096] {
            let shape = Shape::new(size, 0, 0).unwrap();
            let pool = BlockPool::new(HeapOnly, Endless, PoolName::new([]), Device(1), shape).unwrap();
            let held: std::vec::Vec<_> = (0..2000).map(|_| pool.allocate().unwrap()).collect();
            held.iter().for_each(|block| pool.free(block.va, block.handle).unwrap());
            assert!(pool.open.listed(HeapOnly).len() > 10);
            assert!(pool.trim() != 0);
            assert_eq!(pool.open.listed(HeapOnly).len(), 0);
        }
    }
}
