//! The memory of a span: it is allocated and checked here, kept by the span's bookkeeping, and freed.

use super::{Block, BlockPool, Effort, Pages};
use crate::kernel::{Handle, Kernel, PAGE_SIZE, Va};
use crate::mem::atomics::{AtomicUsize, Ordering::Relaxed};
use crate::mem::turn::TurnGuard;
use crate::text::text;

/// Memory that no span has, or no span any more. No other code uses it. Dropping the value frees it. An interrupt drops
/// only a value that it has allocated itself ([`Pages::free`]).
///
/// It is allocated and dropped without the turn: either may write lines to the log, and so call the driver of the
/// console, which may need a block of this pool.
pub struct SpanMemory<'a, K: Kernel, P: Pages> {
    pool: &'a BlockPool<K, P>,
    va: Va,
    handle: Handle,
    size: usize,
}

impl<'a, K: Kernel, P: Pages> SpanMemory<'a, K, P> {
    /// Allocates the memory of a span, in which a block fits.
    ///
    /// Context: thread first, then any.
    pub fn allocate(pool: &'a BlockPool<K, P>, effort: Effort) -> Option<Self> {
        let shape = pool.shape();
        let memory = Self::allocate_pages(pool, shape.span_size, effort)?;
        if memory.first_block_offset().saturating_add(shape.stride) <= memory.size {
            return Some(memory);
        }
        // Its only block would cross the boundary.
        drop(memory);
        Self::allocate_pages(pool, shape.wide_span_size(), effort)
    }

    /// Allocates `size` bytes that are aligned and within the device's reach.
    fn allocate_pages(pool: &'a BlockPool<K, P>, size: usize, effort: Effort) -> Option<Self> {
        let align = pool.shape().span_align;
        let (va, handle) = pool.pages.allocate(pool.device, size, align, effort)?;
        let memory = SpanMemory { pool, va, handle, size };
        // Another mask was set meanwhile, or the device's own operations do not obey the mask.
        if handle.saturating_add(size.saturating_sub(1)) > pool.last_reachable.get() {
            return None;
        }
        // A view begins at any page, so only the device's address is aligned to more than a page.
        if va == 0 || !va.is_multiple_of(PAGE_SIZE) || !handle.is_multiple_of(align) {
            // Freed first: the line may call the driver of the console, which may need this memory.
            drop(memory);
            if effort != Effort::FailsUncounted {
                pool.log(text!("the device's memory is not aligned: 0x%lx, handle 0x%lx", va, handle));
            }
            return None;
        }
        Some(memory)
    }

    /// Returns the offset of the first block.
    fn first_block_offset(&self) -> usize {
        self.pool.shape().first_block_offset(self.handle)
    }

    /// Returns the first block of unit `number` of a span with this memory.
    pub fn first_block_of(&self, number: usize) -> Block {
        let offset = self.first_block_offset().wrapping_add(self.pool.shape().unit_offset(number));
        Block { va: self.va.wrapping_add(offset), handle: self.handle.wrapping_add(offset) }
    }

    /// Returns the number of pages.
    pub fn pages(&self) -> usize {
        self.size / PAGE_SIZE
    }
}

impl<K: Kernel, P: Pages> Drop for SpanMemory<'_, K, P> {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        // SAFETY: `allocate_pages` has allocated the memory for this pool; `put` and `take` passed it on, to one owner
        // each. `take` got the pool whose span has this memory. No other code uses it, and the value ends here.
        unsafe { self.pool.pages.free(self.pool.device, self.size, self.va, self.handle) }
    }
}

/// Where a span has its memory. Written with the turn held.
pub struct KeptMemory {
    va: AtomicUsize,
    handle: AtomicUsize,
    /// Bytes; zero if there is no memory.
    size: AtomicUsize,
}

impl KeptMemory {
    /// No memory.
    pub const fn new() -> Self {
        KeptMemory { va: AtomicUsize::new(0), handle: AtomicUsize::new(0), size: AtomicUsize::new(0) }
    }

    /// Returns the number of pages; zero if there is no memory.
    pub fn pages(&self) -> usize {
        self.size.load(Relaxed) / PAGE_SIZE
    }

    /// Puts memory here. The caller guarantees that there is none, because the memory that is here would be lost: the
    /// span is vacant, as [`prepare_span`](BlockPool::prepare_span) has returned it in the same turn.
    ///
    /// Context: any.
    pub fn put<K: Kernel, P: Pages>(&self, memory: SpanMemory<'_, K, P>, _turn: &TurnGuard<'_, K>) {
        self.va.store(memory.va, Relaxed);
        self.handle.store(memory.handle, Relaxed);
        self.size.store(memory.size, Relaxed);
        core::mem::forget(memory);
    }

    /// Takes the memory, which is that of `pool`, away; `None` if there is none.
    ///
    /// Context: any.
    pub(super) fn take<'a, K: Kernel, P: Pages>(
        &self,
        pool: &'a BlockPool<K, P>,
        _turn: &TurnGuard<'_, K>,
    ) -> Option<SpanMemory<'a, K, P>> {
        let size = self.size.swap(0, Relaxed);
        let (va, handle) = (self.va.load(Relaxed), self.handle.load(Relaxed));
        (size != 0).then(|| SpanMemory { pool, va, handle, size })
    }
}
