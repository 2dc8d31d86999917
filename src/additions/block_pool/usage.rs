//! How many blocks of a pool are in use, and which.

use super::group::Unit;
use super::spans::Span;
use super::{Block, BlockPool, Pages, PoolName};
use crate::kernel::Kernel;
use crate::log::{Level, Line};
use crate::text::text;

/// The most blocks that the log of a refused destroy lists.
const MAX_LOGGED: usize = 8;

/// The figures of a pool, as in the columns of Linux's file `pools`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BlockUsage {
    /// Blocks that drivers hold.
    pub in_use: usize,
    /// All blocks.
    pub blocks: usize,
    /// Pages of memory that the pool has.
    pub pages: usize,
}

impl<K: Kernel, P: Pages> BlockPool<K, P> {
    /// Returns the figures of the pool; zeros where the caller may not sleep. Waits while a thread adds or frees
    /// memory.
    ///
    /// Context: thread.
    pub fn usage(&self) -> BlockUsage {
        match self.spans.turn.take(self.kernel) {
            Some(_turn) => self.usage_in_turn(),
            None => BlockUsage::default(),
        }
    }

    /// Returns whether the pool has pages; `None` where the caller may not sleep.
    ///
    /// Context: thread.
    pub(super) fn has_pages(&self) -> Option<bool> {
        let _turn = self.spans.turn.take(self.kernel)?;
        Some(self.spans.all().any(Span::has_memory))
    }

    /// Does what [`usage`](Self::usage) does. The caller holds the turn.
    fn usage_in_turn(&self) -> BlockUsage {
        BlockUsage {
            in_use: self.spans.units().map(|unit| self.used_bits(unit).count_ones() as usize).sum(),
            blocks: self.spans.units().map(|unit| unit.blocks()).sum(),
            pages: self.spans.all().map(Span::pages).sum(),
        }
    }

    /// Returns a word with a bit for each block of a unit that is in use. Bit 0 is the first block.
    fn used_bits(&self, unit: &Unit) -> usize {
        (!unit.group.get().states.free_bits() & unit.bits()).wrapping_shr(unit.first_slot)
    }

    /// Returns the blocks that are in use; `None` where the caller may not sleep.
    ///
    /// Context: thread.
    pub(super) fn blocks_in_use(&self) -> Option<InUse> {
        let _turn = self.spans.turn.take(self.kernel)?;
        let mut blocks = self.spans.units().flat_map(|unit| self.used_blocks(unit));
        let first = core::array::from_fn(|_| blocks.next());
        Some(InUse { name: self.name, count: self.usage_in_turn().in_use, first })
    }

    /// Returns the blocks of a unit that are in use.
    fn used_blocks(&self, unit: &'static Unit) -> impl Iterator<Item = Block> {
        let used = self.used_bits(unit);
        let used_indices = (0..unit.blocks()).filter(move |index| used.wrapping_shr(*index as u32) & 1 != 0);
        used_indices.map(|index| unit.block(self.shape(), (unit.first_slot as usize).wrapping_add(index)))
    }
}

/// Blocks that are in use although their pool is to be destroyed. They are collected with the turn held, and logged
/// without it.
pub struct InUse {
    name: PoolName,
    count: usize,
    first: [Option<Block>; MAX_LOGGED],
}

impl InUse {
    /// Returns the number of the blocks.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Logs the number of the blocks, and the first of them.
    pub fn log<K: Kernel>(&self, kernel: K) {
        let log = |text| kernel.log(Level::Error, &Line::about(self.name.as_name(), text));
        log(text!("destroy of a block pool with %lu blocks in use", self.count));
        for block in self.first.iter().flatten() {
            log(text!("block 0x%lx (handle 0x%lx) is in use", block.va, block.handle));
        }
    }
}
