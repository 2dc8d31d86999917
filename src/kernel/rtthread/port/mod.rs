//! The types, constants and functions that `rtthread-port/` implements, one file for each subject. The headers in
//! `rtthread-port/rt_dma_port/` are generated from these files, and the port includes them, so that the two sides
//! cannot differ.

mod addresses;
mod cache;
mod configuration;
mod firmware;
mod heap;
mod log;
mod mappings;
mod pool_regions;
mod reserved_memory;
mod threads;
mod types;

pub use addresses::*;
pub use cache::*;
pub use configuration::*;
pub use firmware::*;
pub use heap::*;
pub use log::*;
pub use mappings::*;
pub use pool_regions::*;
pub use reserved_memory::*;
pub use threads::*;
pub use types::*;
