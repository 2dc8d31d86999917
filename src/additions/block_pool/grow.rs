//! Adding a span when no block is free: in a thread, and in an interrupt if the pool keeps a [reserve](super::reserve).

use crate::mem::atomics::Ordering::{Acquire, Relaxed, Release};

use super::spans::{NONE_IN_USE, SpanMemory};
use super::{Block, BlockPool, Pages};
use crate::kernel::{Kernel, PAGE_SIZE};
use crate::text::apart;

/// How often a thread that gets no memory waits for another thread that is getting some. Any small number serves: it
/// only bounds the wait, which ends at once when no other thread is getting memory.
const GROWTH_WAITS: usize = 8;

impl<K: Kernel, P: Pages> BlockPool<K, P> {
    /// Returns a block of a new span; `None` if there is no memory. A caller that may not sleep uses only the pool's
    /// reserve.
    ///
    /// The device's memory is allocated without the turn: its allocation may write lines to the log, and so call the
    /// driver of the console, which may need a block of this pool.
    pub(super) fn allocate_by_growing(&self) -> Option<Block> {
        if !self.kernel.can_sleep() {
            return self.grow_in_interrupt();
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
        let block = self.allocate_memory().map(|memory| self.add_or_free(memory));
        // A thread that waits and sees this also sees the new span: it reads the number with Acquire.
        self.spans.growing.fetch_sub(1, Release);
        block.unwrap_or_else(|| self.wait_for_block())
    }

    /// Adds a span and returns one of its blocks. If another thread added a span meanwhile, returns a block of that and
    /// frees the memory. If the heap has no room, or the caller cannot take the turn, frees the memory.
    pub(super) fn add_or_free(&self, memory: SpanMemory) -> Option<Block> {
        let (block, unused) = self.take_or_add(memory);
        if let Some(unused) = unused {
            self.free_memory(unused);
        }
        block
    }

    /// Returns a block if there is one, and the memory if it was not used.
    fn take_or_add(&self, memory: SpanMemory) -> (Option<Block>, Option<SpanMemory>) {
        let Some(_turn) = self.spans.turn.take_or_try(self.kernel) else { return (None, Some(memory)) };
        if let Some(block) = self.take_from_any() {
            return (Some(block), Some(memory));
        }
        match self.add_span(memory) {
            Ok(block) => (Some(block), None),
            Err(memory) => (None, Some(memory)),
        }
    }

    /// Waits for another thread that is adding memory, for a caller that got none, and returns a block of that.
    fn wait_for_block(&self) -> Option<Block> {
        for _ in 0..GROWTH_WAITS {
            if self.spans.growing.load(Acquire) == 0 {
                break;
            }
            if let Some(block) = self.take_from_any() {
                return Some(block);
            }
            self.kernel.pause();
        }
        self.take_from_any()
    }

    /// Frees the memory of a span. The caller does not hold the turn: the device's memory may write lines to the log.
    #[allow(unsafe_code)]
    pub(super) fn free_memory(&self, memory: SpanMemory) {
        // SAFETY: the value owns the memory, which `allocate_pages` has allocated, and ends here.
        unsafe { self.pages.free(self.device, memory.size, memory.va, memory.handle) }
    }

    /// Allocates the memory of a span, in which a block fits. The caller does not hold the turn.
    pub(super) fn allocate_memory(&self) -> Option<SpanMemory> {
        let shape = &self.groups.shape;
        let memory = self.allocate_pages(shape.span_size)?;
        if shape.lead(memory.handle).saturating_add(shape.stride) <= memory.size {
            return Some(memory);
        }
        // Its only block would cross the boundary.
        self.free_memory(memory);
        self.allocate_pages(shape.wide_span())
    }

    /// Allocates `size` bytes that are aligned and within the device's reach.
    fn allocate_pages(&self, size: usize) -> Option<SpanMemory> {
        let align = self.groups.shape.span_align;
        let (va, handle) = if align > PAGE_SIZE {
            self.pages.allocate_aligned(self.device, size, align)?
        } else {
            self.pages.allocate(self.device, size)?
        };
        let memory = SpanMemory { va, handle, size };
        // Another mask was set meanwhile, or the device's own operations do not obey the mask.
        if handle.saturating_add(size.saturating_sub(1)) > self.limit.load(Relaxed) {
            self.free_memory(memory);
            return None;
        }
        // A view begins at any page, so only the device's address is aligned to more than a page.
        if va == 0 || !va.is_multiple_of(PAGE_SIZE) || !handle.is_multiple_of(align) {
            self.free_memory(memory);
            self.log(apart!("the device's memory is not aligned: 0x%lx, handle 0x%lx"), &[va, handle]);
            return None;
        }
        Some(memory)
    }

    /// Makes a vacant span a span of this memory. Its blocks are free but the first, which is the caller's and is
    /// returned. Returns the memory if the heap has no room. The caller holds the turn.
    pub(super) fn add_span(&self, memory: SpanMemory) -> Result<Block, SpanMemory> {
        let Some(span) = self.vacant_span() else { return Err(memory) };
        let Some((first, others)) = span.units.split_first() else { return Err(memory) };

        self.set_addresses(span.units, &memory);
        if !self.insert_units(span.units) {
            self.remove_units(span.units);
            return Err(memory);
        }
        self.give_memory(span, memory);
        // The last unit comes first, so that blocks are taken from the lowest address on.
        others.iter().rev().for_each(|unit| self.publish(unit, NONE_IN_USE));
        self.publish(first, 1usize.wrapping_shl(first.first_slot));
        Ok(first.block(&self.groups.shape, first.first_slot as usize))
    }
}
