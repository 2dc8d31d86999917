//! Allocating a block: from the core's current group; else from any listed group; else from a span that is added.

use super::listed_groups::CURRENT_GROUPS;
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
    /// Context: any while a block is free. If none is free, a thread gets more memory. Elsewhere the result is `None`,
    /// unless the pool keeps a [reserve](super::reserve).
    pub fn allocate(&self) -> Option<Block> {
        let core = self.core();
        self.allocate_from_core(core).or_else(|| self.allocate_general(core))
    }

    /// Returns the number of this core. A call reads it once and passes it on: on some processors it comes from the
    /// address of the stack, and would be another one in a function that is called.
    pub fn core(&self) -> usize {
        self.kernel.core_hint() % CURRENT_GROUPS
    }

    /// Allocates a block of the core's current group. If it returns `None`,
    /// [`allocate_general`](Self::allocate_general) may still find a block.
    ///
    /// Context: any.
    #[inline(always)] // Without it, an allocation and its free take 27 instructions more.
    pub fn allocate_from_core(&self, core: usize) -> Option<Block> {
        self.groups.allocate_from_core(core)
    }

    /// Does what [`allocate`](Self::allocate) does, for a caller of [`allocate_from_core`](Self::allocate_from_core)
    /// that got no block.
    ///
    /// Context: as for [`allocate`](Self::allocate).
    pub fn allocate_general(&self, core: usize) -> Option<Block> {
        let block = self.groups.allocate_from_any(self.kernel, core).or_else(|| self.allocate_by_growing());
        self.keep_reserve();
        block
    }

    /// Allocates a block of any group; `None` if none can be allocated.
    ///
    /// Context: any.
    pub(super) fn allocate_from_any(&self) -> Option<Block> {
        self.groups.allocate_from_any(self.kernel, self.core())
    }
}
