//! What a trim leaves.

use super::Endless;
use crate::additions::block_pool::shape::Shape;
use crate::additions::block_pool::{BlockPool, PoolName};
use crate::kernel::Device;
use crate::kernel::testing::HeapOnly;

/// If such groups stayed in the list, the next allocation would look at each of them.
#[test]
fn groups_of_memory_that_is_gone_are_in_no_list() {
    for size in [16, 64, 100, 1024, 4096] {
        let shape = Shape::new(size, 0, 0).unwrap();
        let pool = BlockPool::new(HeapOnly, Endless, PoolName::new([]), Device::at(1), shape, 0).unwrap();
        let held: std::vec::Vec<_> = (0..2000).map(|_| pool.allocate().unwrap()).collect();
        held.iter().for_each(|block| pool.free(block.va, block.handle).unwrap());
        assert!(pool.groups.in_list(HeapOnly).len() > 10);
        assert!(pool.trim() != 0);
        assert_eq!(pool.groups.in_list(HeapOnly).len(), 0);
    }
}
