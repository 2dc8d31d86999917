//! Streaming mappings.
//!
//! | file | what it has |
//! | --- | --- |
//! | `arguments.rs` | What a call knows of its device, and the directions and attributes of C. |
//! | `single.rs`, `scatter.rs` | `rt_dma_map_single`, `rt_dma_map_sg` and their like. |
//! | `sync.rs` | `rt_dma_sync_single_for_cpu` and `rt_dma_sync_single_for_device`. |
//! | `unmap.rs` | The end of a mapping that may be managed. |
//! | `fill.rs` | `rt_dma_map_fill`. |
//! | `bsp_ops.rs` | What a mapping calls for a device whose table the BSP set. |
//! | `system.rs` | The system's streaming mappings, and the hook by which code that makes none calls them. |

pub(in crate::ffi) mod arguments;
mod bsp_ops;
mod fill;
pub(in crate::ffi) mod scatter;
pub(in crate::ffi) mod single;
mod sync;
pub(in crate::ffi) mod system;
mod unmap;

pub use arguments::*;
pub use fill::*;
pub use scatter::*;
pub use single::*;
pub use sync::*;
