//! Giving spans back, and following the device's mask. In threads, one at a time for each pool.

use crate::mem::atomics::Ordering::Relaxed;

use super::group::Unit;
use super::shape::Shape;
use super::span::{Batch, Room, Span};
use super::{BlockPool, Pages};
use crate::kernel::Kernel;

impl<K: Kernel, P: Pages> BlockPool<K, P> {
    /// Gives back the spans without a block in use, and returns how many pages they had; zero where the caller may not
    /// sleep. Context: thread.
    pub fn trim(&self) -> usize {
        self.trim_where(|_| true)
    }

    /// Gives back the spans without a block in use of which the device does not reach all. Context: thread.
    pub(super) fn trim_unreachable(&self) {
        if self.has_unreachable.swap(false, Relaxed) {
            self.trim_where(|unit| !self.reaches_all(unit));
            if self.spans.units().any(|unit| !self.reaches_all(unit)) {
                self.has_unreachable.store(true, Relaxed);
            }
        }
    }

    fn trim_where(&self, is_wanted: impl Fn(&Unit) -> bool) -> usize {
        let mut pages = 0;
        for batch in self.spans.batches() {
            for (room, units) in batch.rooms.iter().zip(batch.units.chunks(self.shape.span_units.max(1))) {
                if units.iter().any(&is_wanted)
                    && let Some(span) = self.remove_span(batch, room, units)
                {
                    // Without the turn: the device's memory may write lines to the log.
                    self.give_back(span);
                    pages += Shape::pages(span.size);
                }
            }
        }
        pages
    }

    /// Makes a room empty, if no block of its span is in use, and returns the span.
    fn remove_span(&self, batch: &'static Batch, room: &Room, units: &'static [Unit]) -> Option<Span> {
        // A look first: an empty room needs no turn.
        if room.size.load(Relaxed) == 0 {
            return None;
        }
        let _turn = self.spans.turn.take(self.kernel)?;
        let span = Span { va: room.va.load(Relaxed), handle: room.handle.load(Relaxed), size: room.size.load(Relaxed) };
        if span.size == 0 || !self.claim_all(units) {
            return None;
        }
        self.remove_all(units);
        for unit in units {
            self.open.update(self.kernel, unit.group.get(), || {});
        }
        room.size.store(0, Relaxed);
        if batch.empty.fetch_add(1, Relaxed) == 0 {
            batch.next_vacant.set(self.spans.vacant.get());
            self.spans.vacant.set(Some(batch));
        }
        self.spans.units.fetch_sub(units.len(), Relaxed);
        self.spans.pages.fetch_sub(Shape::pages(span.size), Relaxed);
        Some(span)
    }

    /// Makes all blocks of `units` absent, or none: then one of them is in use.
    fn claim_all(&self, units: &'static [Unit]) -> bool {
        let bits = |unit: &Unit| unit.bits().blocks;
        // A look first: what is claimed and put back, an interrupt does not find for a moment.
        let is_free = |unit: &Unit| unit.group.get().word.free() & bits(unit) == bits(unit);
        if !units.iter().all(is_free) {
            return false;
        }
        let claim = |unit: &Unit| unit.group.get().word.remove(unit.bits());
        let claimed = units.iter().take_while(|unit| claim(unit)).count();
        if claimed != units.len() {
            units.iter().take(claimed).for_each(|unit| self.publish(unit, 0));
        }
        claimed == units.len()
    }

    // --- the mask --------------------------------------------------------------------------------------------------

    /// Hands out only blocks that the device reaches with the mask that it has now. Those that it holds already stay, and are
    /// freed as ever. Context: any. The time grows with the pool's memory.
    pub fn follow_mask(&self) {
        loop {
            let limit = self.pages.limit(self.device);
            self.limit_to(limit);
            // If another mask was set meanwhile, its caller may have been faster with its limit.
            if self.pages.limit(self.device) == limit {
                return;
            }
        }
    }

    fn limit_to(&self, limit: usize) {
        let held = self.open.lock(self.kernel);
        self.limit.store(limit, Relaxed);
        drop(held);
        // A batch that is not seen here is made by a thread that sees the new limit, because it reads it under the same lock.
        for unit in self.spans.batches().flat_map(|batch| batch.units) {
            self.open.update(self.kernel, unit.group.get(), || self.set_reach(unit));
        }
    }

    /// Sets which blocks of a unit the device reaches. The caller has the list's lock.
    pub(super) fn set_reach(&self, unit: &Unit) {
        let all = unit.bits().blocks;
        let reached = self.reached(unit);
        if reached != all && unit.has_memory() {
            self.has_unreachable.store(true, Relaxed);
        }
        unit.group.get().word.set_reach(all, reached);
    }

    /// The bits of those blocks of a unit that the device reaches.
    fn reached(&self, unit: &Unit) -> usize {
        let start = unit.handle_start.load(Relaxed);
        unit.block_bits(self.shape.blocks_within(unit.blocks, start, self.limit.load(Relaxed)))
    }

    fn reaches_all(&self, unit: &Unit) -> bool {
        self.reached(unit) == unit.bits().blocks
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
        fn limit(&self, _: Device) -> usize {
            usize::MAX
        }
    }

    /// Else the next allocation would have to pass them all.
    #[test]
    fn groups_of_memory_that_is_gone_are_in_no_list() {
        for size in [16, 64, 100, 1024, 4096] {
            let shape = Shape::new(size, 0, 0).unwrap();
            let pool = BlockPool::new(HeapOnly, Endless, PoolName::new([]), Device(1), shape, 0).unwrap();
            let held: std::vec::Vec<_> = (0..2000).map(|_| pool.allocate().unwrap()).collect();
            held.iter().for_each(|block| pool.free(block.va, block.handle).unwrap());
            assert!(pool.open.listed(HeapOnly).len() > 10);
            assert!(pool.trim() != 0);
            assert_eq!(pool.open.listed(HeapOnly).len(), 0);
        }
    }
}
