//! `rt_dma_watch_*`: the debug mode (`PKG_RT_DMA_POOL_USING_DEBUG`).
//!
//! Only the files `rtthread-port/rt_dma_port_debug*.c` call these functions. With the option, they are compiled, the archive is
//! built with the feature `debug`, and the linker passes them the drivers' calls (`--wrap`). Without the option nothing of this exists.

mod call;
mod control;
mod mappings;
mod memory;

pub use call::*;
pub use control::*;
pub use mappings::*;
pub use memory::*;

use crate::additions::debug::{Call, Debug};
use crate::ffi::device;
use crate::kernel::rtthread::RtThread;

/// The debug mode of the system.
pub(in crate::ffi) static DEBUG: Debug<RtThread> = Debug::new(RtThread);

/// Calls `act` with the call, and returns its result; a default value if the call or its device is null.
///
/// # Safety
/// `call` is null or points to a call.
unsafe fn with<T: Default>(call: *const rt_dma_watch_call, act: impl FnOnce(&rt_dma_watch_call, &Call) -> T) -> T {
    // SAFETY: the caller passes a `call` that is null or points to a call.
    let Some(call) = (unsafe { call.as_ref() }) else { return T::default() };
    let Some(device) = device(call.dev) else { return T::default() };
    act(call, &Call { device, caller: call.caller, time: call.time, is_new: call.is_new != 0 })
}

/// Does what [`with`] does, after the library did what the call asks for: the check before that noticed whether the device is
/// new.
///
/// # Safety
/// As for [`with`].
unsafe fn after<T: Default>(call: *const rt_dma_watch_call, act: impl FnOnce(&rt_dma_watch_call, &Call) -> T) -> T {
    // SAFETY: the caller passes a `call` that is null or points to a call.
    unsafe { with(call, |context, call| act(context, &Call { is_new: false, ..*call })) }
}
