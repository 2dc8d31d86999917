//! The shell command `list_dma_pool` with options, and its figures for C.

mod command;
mod statistics;

pub use command::*;
pub use statistics::*;
