//! The functions of `rt_dma.h`. The files and folders have the names of those in [`crate::additions`], except three:
//! `coherent`, whose memory `special_buffers` allocates, `statistics`, whose figures `shell_list` computes, and
//! `hooks`, through which one addition calls another.
//!
//! Each function converts its arguments, and returns the error for a bad one; calls one function of the additions; and
//! converts the result.

pub(in crate::ffi) mod block_pool;
pub(in crate::ffi) mod coherent;
#[cfg(feature = "debug")]
pub(in crate::ffi) mod debug;
pub(in crate::ffi) mod device;
pub mod driver;
pub(in crate::ffi) mod hooks;
pub(in crate::ffi) mod lending;
pub(in crate::ffi) mod own_region;
pub(in crate::ffi) mod reserved_memory;
pub(in crate::ffi) mod shell_list;
pub(in crate::ffi) mod special_buffers;
pub(in crate::ffi) mod statistics;
pub(in crate::ffi) mod streaming;
pub(in crate::ffi) mod uninstall;

pub use block_pool::*;
pub use coherent::*;
#[cfg(feature = "debug")]
pub use debug::*;
pub use device::*;
pub use lending::*;
pub use own_region::*;
pub use reserved_memory::*;
pub use shell_list::*;
pub use special_buffers::*;
pub use statistics::*;
pub use streaming::*;
pub use uninstall::*;

use core::ffi::c_void;

use crate::abi::rt_ubase_t;
use crate::ffi::{pointer, write_if};
use crate::kernel::{Handle, Va};

/// Calls a C function that returns a buffer and writes its handle. Returns the buffer's address and the handle; `None`
/// if the function returns null.
fn with_handle(allocate: impl FnOnce(&mut rt_ubase_t) -> *mut c_void) -> Option<(Va, Handle)> {
    let mut handle = 0;
    let buffer = allocate(&mut handle);
    (!buffer.is_null()).then(|| (buffer.expose_provenance(), handle))
}

/// Returns a buffer as a C function does: writes its handle to `dma_handle` unless that is null. Without a buffer,
/// writes nothing and returns null.
///
/// # Safety
/// If `dma_handle` is not null, it may be written.
unsafe fn return_buffer(buffer: Option<(Va, Handle)>, dma_handle: *mut rt_ubase_t) -> *mut c_void {
    let Some((va, handle)) = buffer else { return core::ptr::null_mut() };
    // SAFETY: the caller guarantees it.
    unsafe { write_if(dma_handle, handle) };
    pointer(va)
}
