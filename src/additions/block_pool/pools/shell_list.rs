//! The list of block pools: `list_dma_block_pool`.

use super::BlockPools;
use crate::additions::block_pool::usage::BlockUsage;
use crate::additions::block_pool::{Pages, PoolName};
use crate::kernel::Kernel;
use crate::text::text;

impl<K: Kernel, P: Pages> BlockPools<K, P> {
    /// Prints a header, one line for each pool (the oldest first), the number of refused calls if there are any, and
    /// the number of pools. Returns true. Where the caller may not sleep, counts the call, prints nothing, and returns
    /// false.
    ///
    /// Context: thread.
    pub fn list_pools(&self) -> bool {
        if !self.kernel.can_sleep() {
            self.count_refused();
            return false;
        }
        self.kernel.print(text!("Name              In use   Total Size/Byte   Pages\n"));
        let (mut count, mut refused_calls, mut serial) = (0, self.refused_calls(), 0);
        // A row is collected with the turn held, and printed without the turn: pools may come and go in between. The
        // serial number marks the place in the list, because the pool of the last row may be destroyed meanwhile. Each
        // row searches the whole list, which is short.
        while let Some(row) = self.row(serial) {
            let Row { name, usage, block_size, .. } = row;
            let (in_use, blocks, pages) = (usage.in_use, usage.blocks, usage.pages);
            self.kernel.print(text!("%-16s %7lu %7lu %9lu %7lu\n", name.as_name(), in_use, blocks, block_size, pages));
            count += 1;
            refused_calls += row.refused_calls;
            serial = row.serial.wrapping_add(1);
        }
        if refused_calls != 0 {
            self.kernel.print(text!("dma.pool: %lu calls refused\n", refused_calls));
        }
        self.kernel.print(text!("%lu DMA block pools found\n", count));
        true
    }

    /// Returns the row of the first pool that was made as number `serial` or later.
    fn row(&self, serial: usize) -> Option<Row> {
        let _turn = self.turn.take(self.kernel)?;
        let pool = self.pools().filter(|pool| pool.serial >= serial).min_by_key(|pool| pool.serial)?;
        Some(Row {
            serial: pool.serial,
            name: pool.name,
            usage: pool.usage(),
            block_size: pool.block_size(),
            refused_calls: pool.refused_calls(),
        })
    }
}

/// A pool's line in the list.
struct Row {
    serial: usize,
    name: PoolName,
    usage: BlockUsage,
    block_size: usize,
    refused_calls: usize,
}
