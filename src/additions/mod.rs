//! What RT-Thread's `dma_pool.c` does not have. A kernel links only what its drivers call.
//!
//! | module | content |
//! | --- | --- |
//! | [`block_pool`] | Pools of small blocks of one size. |
//! | `debug` | The debug mode, which reports mistakes of drivers in C. |
//! | [`device`] | The records of devices: masks, limits and managed resources. |
//! | [`driver`] | DMA memory for drivers in Rust. |
//! | [`lending`] | Lending the memory of a `reusable` region. |
//! | [`own_region`] | Claiming and releasing the regions of a device explicitly. |
//! | [`reserved_memory`] | The shared pools of the device tree's `/reserved-memory`. |
//! | [`shell_list`] | The options `-v` and `-m` of `list_dma_pool`, and the figures of a pool. |
//! | [`special_buffers`] | Aligned and write-combining memory. |
//! | [`streaming`] | Streaming mappings: a driver's own buffer is the device's for a time. |
//! | [`uninstall`] | Uninstalling a pool. |
//! | [`without_reclaim`] | Buffers for which no borrower has to give memory back. |

pub mod block_pool;
#[cfg(any(feature = "debug", feature = "internals"))]
pub mod debug;
pub mod device;
pub mod driver;
pub mod lending;
pub mod own_region;
pub mod reserved_memory;
pub mod shell_list;
pub mod special_buffers;
pub mod streaming;
pub mod uninstall;
pub mod without_reclaim;
