//! Adding a span when no block is free: in a thread, and in an interrupt if the pool keeps a [reserve](super::reserve).

use crate::mem::atomics::Ordering::{Acquire, Relaxed, Release};

use super::span_memory::SpanMemory;
use super::{Block, BlockPool, Pages};
use crate::kernel::Kernel;

/// How often a thread that gets no memory waits for another thread that is getting some. Any small number serves: it
/// only bounds the wait, which ends at once when no other thread is getting memory.
const GROWTH_WAITS: usize = 8;

impl<K: Kernel, P: Pages> BlockPool<K, P> {
    /// Returns a block of a new span; `None` if there is no memory. A caller that may not sleep uses only the pool's
    /// reserve.
    pub(super) fn allocate_by_growing(&self) -> Option<Block> {
        if !self.kernel.can_sleep() {
            return if self.has_reserve() { self.grow() } else { None };
        }
        // The mask may have changed without a call of this library: a driver copied the operations of a device with a
        // mask.
        if self.pages.limit(self.device) != self.limit.load(Relaxed) {
            self.follow_mask();
            if let Some(block) = self.take_from_any() {
                return Some(block);
            }
        }
        // The memory of spans out of the device's reach goes back to the pools before memory is taken from them.
        self.trim_unreachable();
        // Counted, so that a thread that gets no memory waits for this one.
        self.spans.growing.fetch_add(1, Relaxed);
        let block = self.grow();
        // A thread that waits and sees this also sees the new span: it reads the number with Acquire.
        self.spans.growing.fetch_sub(1, Release);
        block.or_else(|| self.wait_for_block())
    }

    /// Adds a span and returns one of its blocks. If a block is free by then, because another thread added a span or
    /// freed a block, returns that one and adds no span. `None` if there is no memory, or if the caller can neither
    /// take the turn nor wait for it.
    fn grow(&self) -> Option<Block> {
        let memory = SpanMemory::allocate(self)?;
        // The turn ends before the memory, if that is not used, is freed: what is declared last is dropped first.
        let _turn = self.spans.turn.take_or_try(self.kernel)?;
        if let Some(block) = self.take_from_any() {
            return Some(block);
        }
        let span = self.span_for(&memory)?;
        self.give_memory(span, memory, 1)
    }

    /// Adds a span whose blocks are all free. `None` if there is no memory.
    ///
    /// Context: thread.
    pub(super) fn add_free_span(&self) -> Option<()> {
        let memory = SpanMemory::allocate(self)?;
        let _turn = self.spans.turn.take(self.kernel)?;
        let span = self.span_for(&memory)?;
        self.give_memory(span, memory, 0);
        Some(())
    }

    /// For a thread that got no memory: waits while another thread adds a span, and takes a free block. Returns `None`
    /// if there is none.
    fn wait_for_block(&self) -> Option<Block> {
        for _ in 0..GROWTH_WAITS {
            let is_growing = self.spans.growing.load(Acquire) != 0;
            let block = self.take_from_any();
            if block.is_some() || !is_growing {
                return block;
            }
            self.kernel.pause();
        }
        self.take_from_any()
    }
}
