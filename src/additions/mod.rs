//! What RT-Thread's `dma_pool.c` does not have. A kernel links only what its drivers call.

pub mod attributes;
pub mod block_pool;
#[cfg(any(feature = "debug", feature = "internals"))]
pub mod debug;
pub mod device;
pub mod driver;
pub mod free_memory;
pub mod lending;
pub mod own_region;
pub mod reserved_memory;
pub mod shell_list;
pub mod streaming;
pub mod uninstall;
