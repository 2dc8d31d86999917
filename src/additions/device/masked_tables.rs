//! The masks and original tables for which there is a masked table.

use crate::abi::rt_dma_map_ops;
use crate::additions::device::masks::MaskedOps;
use crate::kernel::Kernel;
use crate::mem::lock::IrqLock;

/// The number of masked tables that are not shared.
///
/// A table that once got masks keeps them, because a child device may have copied it. A driver that sets the streaming
/// and the coherent mask by two calls takes two of them, one for the time between the calls. Devices of one kind share
/// theirs, so that a system needs a few. When all are taken, further devices have the masks in their records only
/// ([`DeviceRecords::masked_ops`](super::DeviceRecords::masked_ops)); a child that copies the table of such a
/// device has no record, and is refused memory.
pub const TABLES: usize = 32;

/// The masks and the original table of each masked table, by the index of the table.
///
/// They are protected by a lock, although an entry never changes once it is written. A set-once reference would need
/// memory of the heap for each entry, which a call in an interrupt cannot allocate. Two calls at the same time
/// could also take two tables for the same masks.
pub struct MaskedTables {
    ops: IrqLock<[Option<MaskedOps>; TABLES]>,
}

impl MaskedTables {
    /// Makes a list in which no table is taken.
    pub const fn new() -> Self {
        MaskedTables { ops: IrqLock::new([None; TABLES]) }
    }

    /// Returns the index of the table for these masks and this original table. The first call for them takes a
    /// table. Returns `None` if all are taken.
    ///
    /// Context: any.
    pub fn find_or_take<K: Kernel>(&self, kernel: K, ops: &MaskedOps) -> Option<usize> {
        let is_same = |known: &MaskedOps| known.masks == ops.masks && core::ptr::eq(known.original, ops.original);
        let mut ops_of_tables = self.ops.lock(kernel);
        let known = ops_of_tables.iter().position(|known| known.as_ref().is_some_and(is_same));
        let index = known.or_else(|| ops_of_tables.iter().position(Option::is_none))?;
        *ops_of_tables.get_mut(index)? = Some(*ops);
        Some(index)
    }

    /// Returns the masks and the original table of the table with this index; `None` if it is not taken.
    ///
    /// Context: any.
    pub fn at<K: Kernel>(&self, kernel: K, index: usize) -> Option<MaskedOps> {
        self.ops.lock(kernel).get(index).copied().flatten()
    }

    /// Returns whether this table is the original one of any masked table.
    ///
    /// Context: any.
    pub fn is_original<K: Kernel>(&self, kernel: K, table: &rt_dma_map_ops) -> bool {
        self.ops.lock(kernel).iter().flatten().any(|known| core::ptr::eq(known.original, table))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::additions::device::masks::Masks;
    use crate::kernel::testing::HeapOnly;

    static FIRST: rt_dma_map_ops = rt_dma_map_ops { alloc: None, free: None, sync_out_data: None, sync_in_data: None };
    static SECOND: rt_dma_map_ops = rt_dma_map_ops { alloc: None, free: None, sync_out_data: None, sync_in_data: None };

    #[test]
    fn each_pair_of_masks_and_original_table_keeps_a_table_until_all_are_taken() {
        let tables = MaskedTables::new();
        let ops =
            |number: usize, original| MaskedOps { masks: Masks { streaming: number as u64, coherent: 1 }, original };
        for number in 0..TABLES {
            assert_eq!(tables.find_or_take(HeapOnly, &ops(number, &FIRST)), Some(number));
        }
        for (number, original) in [(TABLES, &FIRST), (0, &SECOND)] {
            assert_eq!(tables.find_or_take(HeapOnly, &ops(number, original)), None);
        }
        assert_eq!(tables.find_or_take(HeapOnly, &ops(3, &FIRST)), Some(3));
        assert_eq!(tables.at(HeapOnly, 3).map(|ops| ops.masks.streaming), Some(3));
        assert!(tables.at(HeapOnly, TABLES).is_none());
        assert_eq!([&FIRST, &SECOND].map(|table| tables.is_original(HeapOnly, table)), [true, false]);
    }
}
