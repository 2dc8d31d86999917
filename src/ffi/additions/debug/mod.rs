//! `rt_dma_watch_*`: the debug mode (`PKG_RT_DMA_POOL_USING_DEBUG`).
//!
//! Only the files `rtthread-port/rt_dma_port_debug*.c` call these functions. With the option, they are compiled, the archive is
//! built with the feature `debug`, and the linker passes them the drivers' calls (`--wrap`). Without the option nothing of this exists.

mod mappings;
mod memory;

pub use mappings::*;
pub use memory::*;

use core::ffi::{c_char, c_int, c_void};
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::abi::rt_device;
use crate::additions::debug::{Call, Debug, Entry};
use crate::ffi::{device, pointer};
use crate::kernel::rtthread::RtThread;
use crate::log::Name;

/// The debug mode of the system.
static DEBUG: Debug<RtThread> = Debug::new(RtThread);

/// @brief Words of memory for each entry of the table.
pub const RT_DMA_WATCH_ENTRY_WORDS: usize = 11;

const _: () = assert!(size_of::<Entry>() <= RT_DMA_WATCH_ENTRY_WORDS * size_of::<usize>());

/// @brief A call of a driver.
#[repr(C)]
pub struct rt_dma_watch_call {
    /// The device. The call is not checked if it is null.
    pub dev: *mut rt_device,
    /// The address to which the call returns.
    pub caller: usize,
    /// The time in milliseconds.
    pub time: usize,
    /// 1 if the device has no map operations yet.
    pub is_new: c_int,
    /// The first byte of the calling thread's stack; 0 if it is not known.
    pub stack: usize,
    /// Bytes of that stack.
    pub stack_size: usize,
}

/// Calls `act` with the call, and returns its result; a default value if the call or its device is null.
///
/// # Safety
/// `call` is null or points to a call.
unsafe fn with<T: Default>(call: *const rt_dma_watch_call, act: impl FnOnce(&rt_dma_watch_call, &Call) -> T) -> T {
    // SAFETY: the port's promise.
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
    // SAFETY: the caller's promise.
    unsafe { with(call, |context, call| act(context, &Call { is_new: false, ..*call })) }
}

impl rt_dma_watch_call {
    fn has_on_stack(&self, address: usize) -> bool {
        address.wrapping_sub(self.stack) < self.stack_size
    }
}

/// @brief Gives the debug mode the memory of its table. Calls after the first one have no effect.
///
/// @param[in] memory Zeroed memory, aligned for a pointer, which the debug mode keeps: RT_DMA_WATCH_ENTRY_WORDS words for
/// each entry.
/// @param[in] count Entries.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_start(memory: *mut c_void, count: usize) {
    static IS_STARTED: AtomicBool = AtomicBool::new(false);
    if !IS_STARTED.swap(true, Relaxed) && !memory.is_null() {
        // SAFETY: the port gives the memory away, and this is the first call. An `Entry` may consist of zeros: its enums and
        // bools have values for that.
        DEBUG.start(unsafe { core::slice::from_raw_parts_mut(memory.cast::<Entry>(), count) });
    }
}

/// @brief Counts an allocation or a mapping, and returns whether it must fail: `rt_dma_watch_fail` asked for it.
///
/// @param[in] call The call.
/// @param[in] size Bytes that the driver asked for.
/// @return 1 if the call must fail, else 0.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_must_fail(call: *const rt_dma_watch_call, size: usize) -> c_int {
    // SAFETY: the port's promise.
    unsafe { with(call, |_, call| DEBUG.must_fail(call, size).into()) }
}

/// @brief Makes an allocation or a mapping of a device fail.
///
/// @param[in] call The call, with the device.
/// @param[in] number 1 for the next one, 2 for the one after it; 0 for none any more.
/// @return 1; 0 if there is no room for a record of the device.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_fail(call: *const rt_dma_watch_call, number: usize) -> c_int {
    // SAFETY: the port's promise.
    unsafe { with(call, |_, call| DEBUG.fail(call, number).into()) }
}

/// @brief Returns whether the call that `rt_dma_watch_fail` asked for has failed.
///
/// @param[in] dev The device.
/// @return 1 if it has, else 0.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_has_failed(dev: *mut rt_device) -> c_int {
    device(dev).is_some_and(|device| DEBUG.has_failed(device)).into()
}

/// @brief Returns the device with a name.
///
/// @param[in] name The name.
/// @return The device; null if no such device used DMA memory.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_find(name: *const c_char) -> *mut rt_device {
    // SAFETY: the port passes a C string, which is used during the call only.
    let device = DEBUG.find(unsafe { Name::from_ptr(name) }).map_or(0, |device| device.0);
    pointer(device).cast()
}

/// @brief Returns how many mistakes were found.
///
/// @param[in] dev The device; null for all devices.
/// @return The number.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_mistakes(dev: *mut rt_device) -> usize {
    DEBUG.mistakes(device(dev))
}

/// @brief Prints the mistakes that were found, and what devices hold.
///
/// @param[in] dev The device; null for all devices.
/// @param[in] now The time in milliseconds.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_list(dev: *mut rt_device, now: usize) {
    DEBUG.list(device(dev), now);
}

/// @brief Prints what devices hold.
///
/// @param[in] now The time in milliseconds.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub extern "C" fn rt_dma_watch_list_held(now: usize) {
    DEBUG.list_held(None, now);
}

/// @brief Notes that the device is removed: its managed resources are released, and what it holds besides is reported.
///
/// @param[in] call The call.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_released(call: *const rt_dma_watch_call) {
    // SAFETY: the port's promise.
    unsafe { after(call, |_, call| DEBUG.released(call)) }
}
