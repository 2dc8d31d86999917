//! The functions of RT-Thread's `drivers/dma.h`, and `list_dma_pool`.
//!
//! | file | what it has |
//! | --- | --- |
//! | `pool.rs` | Making pools, and their list: `rt_dma_pool_install`, `rt_dma_pool_extract`, `list_dma_pool`. |
//! | `request.rs` | `rt_dma_alloc` and `rt_dma_free`: they call the functions of the device's table, if it has any. |
//! | `sync.rs` | `rt_dma_sync_out_data` and `rt_dma_sync_in_data`, which do the same. |
//! | `ops.rs` | The four tables of the library, their `alloc` and `free`, and which table a device gets. |
//! | `sync_ops.rs` | The sync functions of these tables. |

pub(in crate::ffi) mod ops;
pub(in crate::ffi) mod pool;
pub(in crate::ffi) mod request;
pub(in crate::ffi) mod sync;
mod sync_ops;

pub use ops::*;
pub use pool::*;
pub use request::*;
pub use sync::*;
