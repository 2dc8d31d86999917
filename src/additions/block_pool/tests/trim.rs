//! Trimming, and memory for it and for other tests.

use crate::additions::block_pool::shape::Shape;
use crate::additions::block_pool::{BlockPool, Pages, PoolName};
use crate::kernel::testing::HeapOnly;
use crate::kernel::{Device, Va};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

static NEXT: AtomicUsize = AtomicUsize::new(0x1000_0000);

#[derive(Clone, Copy)]
pub struct Endless;

// SAFETY: the tests do not touch the memory.
#[allow(unsafe_code)]
unsafe impl Pages for Endless {
    fn allocate(&self, _: Device, size: usize) -> Option<(Va, usize)> {
        let va = NEXT.fetch_add(size, Relaxed);
        Some((va, va))
    }
    unsafe fn free(&self, _: Device, _: usize, _: Va, _: usize) {}
    fn limit(&self, _: Device) -> usize {
        usize::MAX
    }
}

/// Otherwise the next allocation would have to pass them all.
#[test]
fn groups_of_memory_that_is_gone_are_in_no_list() {
    for size in [16, 64, 100, 1024, 4096] {
        let shape = Shape::new(size, 0, 0).unwrap();
        let pool = BlockPool::new(HeapOnly, Endless, PoolName::new([]), Device::at(1), shape, 0).unwrap();
        let held: std::vec::Vec<_> = (0..2000).map(|_| pool.allocate().unwrap()).collect();
        held.iter().for_each(|block| pool.free(block.va, block.handle).unwrap());
        assert!(pool.groups.listed(HeapOnly).len() > 10);
        assert!(pool.trim() != 0);
        assert_eq!(pool.groups.listed(HeapOnly).len(), 0);
    }
}
