//! Starting the debug mode, failures on request, and what it found.

use core::ffi::{c_char, c_int, c_void};

use super::call::has_no_ops;
use super::{WATCH, checked_after, checked_before, rt_dma_watch_call};
use crate::abi::{rt_device, rt_size_t};
use crate::additions::debug::{Call, DebugEntry};
use crate::ffi::additions::device::set_new_device_hook;
use crate::ffi::additions::hooks::WATCH_NEW_DEVICE;
use crate::ffi::{c_device, device_at};
use crate::kernel::Device;
use crate::log::Name;
use crate::mem::atomics::{AtomicBool, Ordering::Relaxed};

/// @brief Gives the debug mode the memory of its table. Calls after the first one with memory have no effect.
///
/// @param[in] memory Memory, aligned for a pointer, which the debug mode keeps: RT_DMA_WATCH_ENTRY_WORDS words for each
/// entry.
/// @param[in] count Entries.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_start(memory: *mut c_void, count: rt_size_t) {
    static IS_STARTED: AtomicBool = AtomicBool::new(false);
    if IS_STARTED.load(Relaxed) || memory.is_null() {
        return;
    }
    let entries = memory.cast::<DebugEntry>();
    // SAFETY: the port gives memory for `count` entries away, and the closure is called once.
    WATCH.start(|| unsafe {
        for index in 0..count {
            entries.add(index).write(DebugEntry::NONE);
        }
        core::slice::from_raw_parts_mut(entries, count)
    });
    WATCH_NEW_DEVICE.set(&(new_device as fn(Device)));
    set_new_device_hook();
    IS_STARTED.store(true, Relaxed);
}

/// Notes that a device may be new. The call that needs its operations need not be a watched one: a call that sets a
/// mask is an example.
fn new_device(device: Device) {
    WATCH.note_call(&Call { recheck_new: Some(has_no_ops), ..Call::of(device) });
}

/// @brief Notes a call that has no check of its own before the library does its work. Its device may be new.
///
/// @param[in] call The driver's call. Nothing is done if it or its `dev` is null.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_calling(call: Option<&rt_dma_watch_call>) {
    let Some(call) = checked_before(call) else { return };
    WATCH.note_call(&call);
}

/// @brief Counts an allocation or a mapping, and returns whether it must fail: `rt_dma_watch_fail` asked for it.
///
/// @param[in] call The driver's call. Nothing is done if it or its `dev` is null.
/// @param[in] size Bytes that the driver asked for.
/// @return 1 if the call must fail, else 0.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_must_fail(call: Option<&rt_dma_watch_call>, size: rt_size_t) -> c_int {
    let Some(call) = checked_before(call) else { return 0 };
    WATCH.count_and_check_failure(&call, size).into()
}

/// @brief Makes an allocation or a mapping of a device fail.
///
/// @param[in] call The call, with the device.
/// @param[in] number 1 for the next one, 2 for the one after it; 0 to end the request.
/// @return 1; 0 if there is no room for a record of the device, or if `call` or its `dev` is null.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_fail(call: Option<&rt_dma_watch_call>, number: rt_size_t) -> c_int {
    let Some(call) = checked_before(call) else { return 0 };
    WATCH.fail_nth(&call, number).into()
}

/// @brief Returns whether the call that `rt_dma_watch_fail` asked for has failed.
///
/// @param[in] dev The device.
/// @return 1 if it has, else 0.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_has_failed(dev: *mut rt_device) -> c_int {
    device_at(dev).is_some_and(|device| WATCH.has_failed(device)).into()
}

/// @brief Returns the device with a name.
///
/// @param[in] name The name.
/// @return The device that made a call of the library, the newest of several with this name; null if there is none.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_find(name: *const c_char) -> *mut rt_device {
    // SAFETY: the port passes a C string, which is used during the call only.
    let device = WATCH.find(unsafe { Name::from_ptr(name) });
    device.map_or(core::ptr::null_mut(), c_device)
}

/// @brief Returns how many mistakes were found.
///
/// @param[in] dev The device; null for all devices.
/// @return The number.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_mistakes(dev: *mut rt_device) -> rt_size_t {
    WATCH.mistakes(device_at(dev))
}

/// @brief Prints the mistakes that were found, and what devices hold.
///
/// @param[in] dev The device; null for all devices.
/// @param[in] now The time in milliseconds.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_list(dev: *mut rt_device, now: rt_size_t) {
    WATCH.list(device_at(dev), now);
}

/// @brief Prints what devices hold.
///
/// @param[in] now The time in milliseconds.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub extern "C" fn rt_dma_watch_list_held(now: rt_size_t) {
    WATCH.list_held(None, now);
}

/// @brief Reports what a device holds, because its driver is removed.
///
/// @param[in] call The driver's call. Nothing is done if it or its `dev` is null.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_device_gone(call: Option<&rt_dma_watch_call>) {
    let Some(call) = checked_before(call) else { return };
    WATCH.note_driver_removal(&call);
}

/// @brief Notes that the managed resources of a device were released. Reports what the device still holds.
///
/// @param[in] call The driver's call. Nothing is done if it or its `dev` is null.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_released(call: Option<&rt_dma_watch_call>) {
    let Some(call) = checked_after(call) else { return };
    WATCH.note_managed_release(&call);
}
