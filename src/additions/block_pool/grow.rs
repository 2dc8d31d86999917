//! Adding a span when no block is free: in a thread, and in an interrupt if the pool keeps a [reserve](super::reserve).

use super::span_memory::SpanMemory;
use super::spans::FirstBlock;
use super::{Block, BlockPool, Effort, Pages};
use crate::kernel::Kernel;
use crate::mem::atomics::Ordering::{Acquire, Relaxed, Release};

/// How often a thread that gets no memory waits for another thread that is getting some. Any small number serves: it
/// only bounds the wait, which ends at once when no other thread is getting memory.
const GROWTH_WAITS: usize = 8;

impl<K: Kernel, P: Pages> BlockPool<K, P> {
    /// Returns a block of a new span; `None` if there is no memory. A caller that may not sleep uses only the pool's
    /// reserve.
    pub(super) fn allocate_by_growing(&self) -> Option<Block> {
        let add_span = || self.add_span(FirstBlock::Taken, Effort::AsksBorrowers);
        if !self.kernel.can_sleep() {
            return if self.may_grow_in_interrupt() { add_span() } else { None };
        }
        if self.follow_copied_mask()
            && let Some(block) = self.allocate_from_any()
        {
            return Some(block);
        }
        // The memory of spans out of the device's reach goes back to the pools before memory is taken from them.
        self.trim_unreachable();
        add_span().or_else(|| self.wait_for_block())
    }

    /// Adds a span, and returns its first block. With [`FirstBlock::Taken`], if a block is free by the time the memory
    /// is there, returns that block and adds no span. `None` if there is no memory, or if the caller can neither take
    /// the turn nor wait for it.
    pub(super) fn add_span(&self, first: FirstBlock, effort: Effort) -> Option<Block> {
        // Counted, so that a thread that gets no memory waits for this call.
        self.spans.growing_calls.fetch_add(1, Relaxed);
        let block = self.try_add_span(first, effort);
        // A thread that waits and sees this also sees the new span: it reads the number with Acquire.
        self.spans.growing_calls.fetch_sub(1, Release);
        block
    }

    /// Does what [`add_span`](Self::add_span) does, without the count.
    fn try_add_span(&self, first: FirstBlock, effort: Effort) -> Option<Block> {
        let memory = SpanMemory::allocate(self, effort)?;
        // The turn ends before the memory, if that is not used, is freed: what is declared last is dropped first.
        let turn = self.spans.turn.take_or_try(self.kernel)?;
        // Another call may have added a span or freed a block meanwhile.
        if matches!(first, FirstBlock::Taken)
            && let Some(block) = self.allocate_from_any()
        {
            return Some(block);
        }
        let span = self.prepare_span(&memory, &turn)?;
        let block = memory.first_block_of(0);
        self.give_memory(span, memory, first, &turn);
        Some(block)
    }

    /// For a thread that got no memory: waits while another thread adds a span, and takes a free block. Returns `None`
    /// if there is none.
    fn wait_for_block(&self) -> Option<Block> {
        for _ in 0..GROWTH_WAITS {
            let is_growing = self.spans.growing_calls.load(Acquire) != 0;
            let block = self.allocate_from_any();
            if block.is_some() || !is_growing {
                return block;
            }
            self.kernel.pause();
        }
        self.allocate_from_any()
    }
}
