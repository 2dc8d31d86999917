//! `rt_dma_sync_out_data`, `rt_dma_sync_in_data`.
//!
//! Both are short and need no stack frame for a device that has one of the library's tables: they call its operation
//! with the arguments that they got.

use core::ffi::c_void;

use crate::abi::{rt_device, rt_err_t, rt_size_t, rt_ubase_t};
use crate::ffi::dropin::ops::{default_table, is_ours, stored_table, table_or_choose};
use crate::ffi::status::errors;
use crate::ffi::write_if;
use crate::kernel::Device;

/// @brief Makes what the processor wrote to a buffer visible to the device.
///
/// As in RT-Thread, the library's operations maintain the cache for these devices only:
/// - A device whose node has `dma-coherent`, whatever `flags` are.
/// - Without `RT_DMA_F_NOCACHE` in `flags`: a device with a region of its own (`memory-region`), a device below a bus
///   with `dma-ranges`, and a PCI device whose host bridge has windows (revision r2).
///
/// For every other device, whose handles are physical addresses, the call only checks the address and returns the
/// handle. Such a device needs an uncached buffer, or `rt_dma_map_single`, which maintains the cache for each device
/// that needs it. If also `dma_handle` is NULL, and the device has no mask, the call does nothing, and does not check
/// the address.
///
/// @code{.c}
/// // A cached buffer, for one of the devices above.
/// if (rt_dma_sync_out_data(dev, buffer, size, &handle, 0) != RT_EOK)
/// {
///     return -RT_ERROR;
/// }
/// start_and_wait(handle, size);
/// if (rt_dma_sync_in_data(dev, buffer, size, handle, 0) != RT_EOK)
/// {
///     return -RT_ERROR;
/// }
/// @endcode
///
/// @param[in] dev The device.
/// @param[in] data The buffer.
/// @param[in] size Bytes in the buffer, not zero.
/// @param[out] dma_handle The buffer's address for the device; 0 if the buffer is not mapped or not reachable, or the
/// device's operations cannot be chosen now; left as it is if `dev` or `data` is NULL or `size` is zero. May be NULL.
/// @param[in] flags `RT_DMA_F_NOCACHE` if the buffer is not cached, else 0.
/// @retval RT_EOK The handle is valid. If the buffer is not cached, or the call maintains the cache, the device sees
/// the bytes.
/// @retval -RT_EINVAL `dev` or `data` is NULL, `size` is zero, nothing is mapped at `data`, or the buffer reaches the
/// end of the address space.
/// @retval -RT_ERROR The device does not reach every byte, or it is the device's first call and its operations cannot
/// be chosen now.
/// @note Context: thread first, then any. A device's first call needs a thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_sync_out_data(
    dev: *mut rt_device,
    data: *mut c_void,
    size: rt_size_t,
    dma_handle: *mut rt_ubase_t,
    flags: rt_ubase_t,
) -> rt_err_t {
    if dev.is_null() || data.is_null() || size == 0 {
        return errors().inval;
    }
    // SAFETY: the caller passes a device, and a `dma_handle` that is null or may be written. An operation demands no
    // more.
    unsafe {
        if let Some(table) = stored_table(Device::at(dev.expose_provenance()))
            && is_ours(table)
            && let Some(sync) = table.sync_out_data
        {
            return sync(dev, data, size, dma_handle, flags);
        }
        sync_out_general(dev, data, size, dma_handle, flags)
    }
}

/// Does what `rt_dma_sync_out_data` does, for a device that has no operations yet, or a table of the BSP. An operation
/// of the BSP need not expect a null handle, and may leave the handle as it is.
///
/// # Safety
/// See [the module](crate::ffi).
// In contrast to `sync_in_general`, not `#[cold]`: a device with a table of the BSP comes here at every call.
#[inline(never)]
unsafe fn sync_out_general(
    dev: *mut rt_device,
    data: *mut c_void,
    size: rt_size_t,
    dma_handle: *mut rt_ubase_t,
    flags: rt_ubase_t,
) -> rt_err_t {
    let device = Device::at(dev.expose_provenance());
    let chosen = table_or_choose(device).ok().and_then(|table| {
        let table = if table.sync_out_data.is_some() { table } else { default_table(device) };
        Some((table, table.sync_out_data?))
    });
    let Some((table, sync)) = chosen else {
        // SAFETY: the caller passes a `dma_handle` that is null or may be written.
        unsafe { write_if(dma_handle, 0) };
        return errors().error;
    };
    if is_ours(table) {
        // This passes `dma_handle` itself, not the address of a local variable: if `dma_handle` is null, the
        // non-coherent operation does nothing and does not check the address.
        // SAFETY: the caller passes a device, and a `dma_handle` that may be written or is null, which the library's
        // operations accept.
        return unsafe { sync(dev, data, size, dma_handle, flags) };
    }
    let mut handle = 0;
    // SAFETY: the caller passes a device, and a `dma_handle` that is null or may be written. The operation
    // gets a local variable for the handle.
    unsafe {
        let result = sync(dev, data, size, &raw mut handle, flags);
        write_if(dma_handle, handle);
        result
    }
}

/// @brief Makes what the device wrote to a buffer visible to the processor.
///
/// Other data in the cache lines at the buffer's ends are kept. The call maintains the cache for the devices, and with
/// the flags, for which `rt_dma_sync_out_data` does. Otherwise it does nothing, and does not check the address.
///
/// @param[in] dev The device.
/// @param[out] out_data The buffer.
/// @param[in] size Bytes in the buffer, not zero.
/// @param[in] dma_handle The buffer's address for the device. The library's operations do not use it.
/// @param[in] flags As for `rt_dma_sync_out_data`.
/// @retval RT_EOK If the buffer is not cached, or the call maintains the cache, the processor sees the bytes.
/// @retval -RT_EINVAL `dev` or `out_data` is NULL, `size` is zero, nothing is mapped at `out_data`, or the buffer
/// reaches the end of the address space.
/// @retval -RT_ERROR It is the device's first call, and its operations cannot be chosen now.
/// @note Context: thread first, then any. A device's first call needs a thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_sync_in_data(
    dev: *mut rt_device,
    out_data: *mut c_void,
    size: rt_size_t,
    dma_handle: rt_ubase_t,
    flags: rt_ubase_t,
) -> rt_err_t {
    if dev.is_null() || out_data.is_null() || size == 0 {
        return errors().inval;
    }
    // In contrast to a sync out, an operation of the BSP may be called directly: it writes no handle.
    // SAFETY: the caller passes a device, and an operation demands no more.
    unsafe {
        match stored_table(Device::at(dev.expose_provenance())).and_then(|table| table.sync_in_data) {
            Some(sync) => sync(dev, out_data, size, dma_handle, flags),
            None => sync_in_general(dev, out_data, size, dma_handle, flags),
        }
    }
}

/// Does what `rt_dma_sync_in_data` does, for a device that has no table yet, or a table of the BSP in which this
/// operation is null.
///
/// # Safety
/// See [the module](crate::ffi).
#[cold]
#[inline(never)]
unsafe fn sync_in_general(
    dev: *mut rt_device,
    out_data: *mut c_void,
    size: rt_size_t,
    dma_handle: rt_ubase_t,
    flags: rt_ubase_t,
) -> rt_err_t {
    let device = Device::at(dev.expose_provenance());
    let sync = table_or_choose(device)
        .ok()
        .and_then(|table| table.sync_in_data.or_else(|| default_table(device).sync_in_data));
    let Some(sync) = sync else { return errors().error };
    // SAFETY: the caller passes a device, and an operation demands no more.
    unsafe { sync(dev, out_data, size, dma_handle, flags) }
}
