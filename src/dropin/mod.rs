//! The replacement for RT-Thread's `dma_pool.c`.

pub mod choose_ops;
pub mod device_tree;
pub mod extract;
pub mod install;
pub mod lending;
pub mod page_map;
pub mod pool;
pub mod registry;
pub mod report;
pub mod request;
pub mod sync;
pub mod translate;
