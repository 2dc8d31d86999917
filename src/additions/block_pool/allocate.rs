//! Allocating a block. `span` gets more memory where none is free.
//!
//! Each of these functions is tried where the one before found no block. `rt_dma_block_pool_alloc` tries all of them, one call
//! after the other; [`allocate`](BlockPool::allocate) leaves out the second:
//!
//! | function | where it looks |
//! |---|---|
//! | [`take`](BlockPool::take) | in the core's current group |
//! | [`take_from_next`](BlockPool::take_from_next) | in the next listed group, which becomes the current one |
//! | [`take_from_any`](BlockPool::take_from_any) | in all listed groups |
//! | [`allocate_by_growing`](BlockPool::allocate_by_growing) | in new memory |
//!
//! [`allocate_general`](BlockPool::allocate_general) tries the last two.

use super::open_groups::CORES;
use super::{BlockPool, Pages};
use crate::kernel::{Handle, Kernel, Va};

/// A block that a driver holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Block {
    /// The address for the processor.
    pub va: Va,
    /// The address for the device.
    pub handle: Handle,
}

impl<K: Kernel, P: Pages> BlockPool<K, P> {
    /// Allocates a block; `None` if there is no memory.
    ///
    /// Context: any while a block is free. If none is free, a thread gets more memory. Elsewhere the result is `None`, unless
    /// the pool keeps a [reserve](super::reserve).
    pub fn allocate(&self) -> Option<Block> {
        let core = self.core();
        match self.take(core) {
            Some(block) => Some(block),
            None => self.allocate_general(core),
        }
    }

    /// Returns the number of this core, for the functions below. It is read once for each call, because it may be another one at
    /// any time.
    ///
    /// Context: any.
    pub fn core(&self) -> usize {
        self.kernel.core_hint() % CORES
    }

    /// Takes a free block of the core's current group. If it returns `None`, [`BlockPool::allocate_general`] may still find a block.
    ///
    /// Context: any.
    #[inline(always)] // With this, `rt_dma_block_pool_alloc` calls no other function in the usual case.
    pub fn take(&self, core: usize) -> Option<Block> {
        self.open.take(core)
    }

    /// Takes a block after [`BlockPool::take`] got none. If the core's current group is empty, the next one becomes its
    /// current group. If it returns `None`, [`BlockPool::allocate_general`] may still find a block.
    ///
    /// Context: any.
    pub fn take_from_next(&self, core: usize) -> Option<Block> {
        if !self.open.find_group(self.kernel, core) {
            return None;
        }
        let block = self.take(core)?;
        self.keep_reserve();
        Some(block)
    }

    /// Does what [`BlockPool::allocate`] does, for a caller of [`BlockPool::take`] that got no block.
    ///
    /// Context: as for [`BlockPool::allocate`].
    #[cold]
    #[inline(never)]
    pub fn allocate_general(&self, core: usize) -> Option<Block> {
        let block = self.take_from_any(core).or_else(|| self.allocate_by_growing(core));
        self.keep_reserve();
        block
    }

    /// Takes a block of any group that has a free one.
    ///
    /// Context: any.
    pub(super) fn take_from_any(&self, core: usize) -> Option<Block> {
        self.open.take_from_any(self.kernel, core)
    }
}
