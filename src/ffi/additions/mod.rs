//! The functions of `rt_dma.h`.

pub(in crate::ffi) mod attributes;
pub(in crate::ffi) mod block_pool;
pub(in crate::ffi) mod coherent;
#[cfg(feature = "debug")]
pub(in crate::ffi) mod debug;
pub mod driver;
pub(in crate::ffi) mod lending;
pub(in crate::ffi) mod limits;
pub(in crate::ffi) mod list;
pub(in crate::ffi) mod managed;
pub(in crate::ffi) mod managed_map;
pub(in crate::ffi) mod managed_pool;
pub(in crate::ffi) mod masked_ops;
pub(in crate::ffi) mod masks;
pub(in crate::ffi) mod own_region;
pub(in crate::ffi) mod remembered;
pub(in crate::ffi) mod reserved_memory;
pub(in crate::ffi) mod streaming;
pub(in crate::ffi) mod streaming_device;
mod streaming_fill;
mod streaming_list;
mod streaming_sync;
pub(in crate::ffi) mod uninstall;

pub use attributes::*;
pub use block_pool::*;
pub use coherent::*;
#[cfg(feature = "debug")]
pub use debug::*;
pub use lending::*;
pub use limits::*;
pub use list::*;
pub use managed::*;
pub use managed_map::*;
pub use managed_pool::*;
pub use masks::*;
pub use own_region::*;
pub use reserved_memory::*;
pub use streaming::*;
pub use streaming_device::*;
pub use streaming_fill::*;
pub use streaming_list::*;
pub use streaming_sync::*;
pub use uninstall::*;
