//! Pools of small blocks: `rt_dma_block_pool_*`, `list_dma_block_pool`.

mod blocks;
mod device_pages;
mod pools;

pub use blocks::*;
pub use device_pages::DevicePages;
pub use pools::*;

use crate::additions::block_pool::BlockPool;
use crate::additions::block_pool::pools::BlockPools;
use crate::kernel::rtthread::RtThread;

/// @brief A pool of small blocks of DMA memory.
#[allow(non_camel_case_types)]
pub struct rt_dma_block_pool(());

/// The system's block pools.
pub(in crate::ffi) static POOLS: BlockPools<RtThread, DevicePages> = BlockPools::new(RtThread, DevicePages::Coherent);

/// Returns the pool that the pointer refers to, or `None` if the pointer is null.
///
/// # Safety
/// If the pointer is not null, `rt_dma_block_pool_create` returned it, and the pool was not destroyed.
pub(in crate::ffi) unsafe fn pool_of<'a>(pool: *mut rt_dma_block_pool) -> Option<&'a BlockPool<RtThread, DevicePages>> {
    // SAFETY: the caller guarantees that a pointer that is not null points to a pool.
    unsafe { pool.cast::<BlockPool<RtThread, DevicePages>>().as_ref() }
}
