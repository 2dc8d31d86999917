//! The functions of `rt_dma.h`. The files and folders have the names of those in [`crate::additions`].
//!
//! Each function converts its arguments, and returns the error for a bad one; calls one function of the additions; and converts
//! the result.

pub(in crate::ffi) mod attributes;
pub(in crate::ffi) mod block_pool;
pub(in crate::ffi) mod coherent;
#[cfg(feature = "debug")]
pub(in crate::ffi) mod debug;
pub(in crate::ffi) mod device;
pub mod driver;
pub(in crate::ffi) mod lending;
pub(in crate::ffi) mod managed;
pub(in crate::ffi) mod own_region;
pub(in crate::ffi) mod reserved_memory;
pub(in crate::ffi) mod shell_list;
pub(in crate::ffi) mod streaming;
pub(in crate::ffi) mod uninstall;

pub use attributes::*;
pub use block_pool::*;
pub use coherent::*;
#[cfg(feature = "debug")]
pub use debug::*;
pub use device::*;
pub use lending::*;
pub use managed::*;
pub use own_region::*;
pub use reserved_memory::*;
pub use shell_list::*;
pub use streaming::*;
pub use uninstall::*;
