//! The replacement for RT-Thread's `dma_pool.c`.
//!
//! | module | content |
//! | --- | --- |
//! | [`page_map`] | Which pages of a pool are in use. |
//! | [`pool`] | One pool: its pages, its mappings, its flags and the devices to which it belongs. |
//! | `pool_list` | The list of the pools of a system. |
//! | [`registry`] | All DMA memory of a system. |
//! | [`name_readers`] | The calls that read names of pools, for which an uninstall waits. |
//! | `refusals` | Counting and logging refused calls. |
//! | [`install`], [`extract`] | Making pools of a region, and of the memory that boot code reserved. |
//! | [`map_ops`], [`buffer_request`] | The sets of map operations, and what a device asks for. |
//! | [`translate`] | Addresses for a device: `dma-ranges`, PCI windows, masks. |
//! | [`request`], [`sync`] | What drivers call: allocate, free, and keep the cache consistent. |
//! | [`claim_regions`], [`choose_ops`] | A device's regions and bus in the device tree, and its map operations. |
//! | [`loans`] | The records of lent memory. |
//! | [`report`] | The lines of `list_dma_pool`. |

pub mod buffer_request;
pub mod choose_ops;
pub mod claim_regions;
pub mod extract;
pub mod install;
pub mod loans;
pub mod map_ops;
pub mod name_readers;
pub mod page_map;
pub mod pool;
pub(crate) mod pool_list;
pub(crate) mod refusals;
pub mod registry;
pub mod report;
pub mod request;
pub mod sync;
pub mod translate;
