//! `rt_dma_watch_*`: the debug mode (`PKG_RT_DMA_POOL_USING_DEBUG`).
//!
//! Only the files `rtthread-port/rt_dma_port_debug*.c` call these functions. With the option, they are compiled, the
//! archive is built with the feature `debug`, and the linker passes them the drivers' calls (`--wrap`). Without the
//! option nothing of this exists.
//!
//! A function whose name ends in "ing" (`rt_dma_watch_freeing`) or "ing_data" is called before the library does its
//! work, one whose name ends in "ed" (`rt_dma_watch_freed`) after it. `rt_dma_watch_has_failed` only asks.

mod block_pools;
mod buffers;
mod call;
mod control;
mod free_check;
mod mappings;

pub use block_pools::*;
pub use buffers::*;
pub use call::{RT_DMA_WATCH_ENTRY_WORDS, rt_dma_watch_call};
pub use control::*;
pub use mappings::*;

use crate::additions::debug::Watch;
use crate::kernel::rtthread::RtThread;
use call::{checked_after, checked_before};

/// The debug mode of the system.
pub(in crate::ffi) static WATCH: Watch<RtThread> = Watch::new(RtThread);
