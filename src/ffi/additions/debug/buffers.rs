//! Buffers of `rt_dma_alloc`, `rt_dmam_alloc` and their like.

use core::ffi::{c_int, c_void};

use super::free_check::{FreeCheck, check_before_free, report_if_refused};
use super::{WATCH, checked_after, checked_before, rt_dma_watch_call};
use crate::abi::{rt_size_t, rt_ubase_t};
use crate::additions::debug::{DebugEntry, FreedBy, FreedMemory, Kind};
use crate::ffi::DMA;
use crate::ffi::additions::device::operations::{FreeOps, free_ops_or_choose};
use crate::ffi::dropin::ops::stored_table;
use crate::flags::Flags;
use crate::kernel::Device;

/// @brief Records a buffer.
///
/// @param[in] call The driver's call. Nothing is done if it or its `dev` is null.
/// @param[in] cpu_addr The buffer.
/// @param[in] size Bytes that the driver asked for.
/// @param[in] dma_handle The handle.
/// @param[in] flags The flags.
/// @param[in] is_managed 1 if `rt_dmam_release` frees it.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_allocated(
    call: Option<&rt_dma_watch_call>,
    cpu_addr: *mut c_void,
    size: rt_size_t,
    dma_handle: rt_ubase_t,
    flags: rt_ubase_t,
    is_managed: c_int,
) {
    let Some(call) = checked_after(call) else { return };
    let kind = Kind::Buffer { flags: Flags::from_bits_retain(flags) };
    let (va, is_managed) = (cpu_addr.expose_provenance(), is_managed != 0);
    WATCH.record_allocation(&call, DebugEntry { kind, va, handle: dma_handle, size, is_managed, ..DebugEntry::NONE });
}

/// @brief Checks a free before it is done. A free of NULL or of 0 bytes does nothing, and is not checked.
///
/// @param[in] call The driver's call. Nothing is done if it or its `dev` is null.
/// @param[in] cpu_addr The buffer.
/// @param[in] size Bytes.
/// @param[in] dma_handle The handle.
/// @param[in] is_managed 1 if the call is for managed buffers.
/// @return What `rt_dma_watch_freed` takes.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_freeing(
    call: Option<&rt_dma_watch_call>,
    cpu_addr: *mut c_void,
    size: rt_size_t,
    dma_handle: rt_ubase_t,
    is_managed: c_int,
) -> rt_size_t {
    if cpu_addr.is_null() || size == 0 {
        return FreeCheck::DONE.0;
    }
    let Some(call) = checked_before(call) else { return FreeCheck::DONE.0 };
    // Before `plain_freed_by`, which chooses the operations of a new device.
    WATCH.note_call(&call);
    let by = if is_managed != 0 { Some(FreedBy::ManagedFree) } else { plain_freed_by(call.device) };
    let Some(by) = by else { return FreeCheck::DONE.0 };
    let freed = FreedMemory { by, va: cpu_addr.expose_provenance(), size, handle: dma_handle };
    check_before_free(&call, &freed, DMA.refused_calls()).0
}

/// Returns how `rt_dma_free` frees for the device; `None` if it frees nothing, because the device's table cannot be
/// chosen now.
fn plain_freed_by(device: Device) -> Option<FreedBy> {
    // The free counts that it is refused because its caller may not sleep. `free_ops_or_choose` would count it a second
    // time.
    if stored_table(device).is_none() && !DMA.may_choose_ops(device) {
        return None;
    }
    let ops = match free_ops_or_choose(device).ok()? {
        FreeOps::Library(ops) => Some(ops),
        FreeOps::Bsp(_) => None,
    };
    Some(FreedBy::Free { ops })
}

/// @brief Checks whether a free of memory that the table does not have was refused.
///
/// @param[in] call The driver's call. Nothing is done if it or its `dev` is null.
/// @param[in] cpu_addr The buffer.
/// @param[in] size Bytes.
/// @param[in] check The result of the check before the free.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_freed(
    call: Option<&rt_dma_watch_call>,
    cpu_addr: *mut c_void,
    size: rt_size_t,
    check: rt_size_t,
) {
    report_if_refused(call, cpu_addr, size, FreeCheck(check), DMA.refused_calls());
}
