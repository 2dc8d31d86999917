//! The operations of a device, with those of its original table in place of masked ones. What allocates, frees or syncs
//! for a device without a call of its table asks here.

use core::ffi::c_void;

use crate::abi::{rt_device, rt_dma_map_ops, rt_size_t, rt_ubase_t};
use crate::dropin::map_ops::MapOps;
use crate::ffi::additions::allocating_ops;
use crate::ffi::additions::device::masked_ops::{freeing_table, is_masked_function, is_masked_table, meaning_of};
use crate::ffi::dropin::ops::{default_table, ops_with, table_of};
use crate::kernel::Device;

/// Returns the device's original table if `present`, its present table, is a masked one; otherwise `present`.
pub(in crate::ffi) fn unmasked(device: Device, present: &'static rt_dma_map_ops) -> &'static rt_dma_map_ops {
    if is_masked_table(present)
        && let Some(ops) = meaning_of(device)
    {
        ops.original
    } else {
        present
    }
}

/// Returns the present table of the device, or the original one if the function that `operation` returns is masked.
fn table_with<F: PartialEq>(
    device: Device,
    operation: impl Fn(&rt_dma_map_ops) -> Option<F>,
) -> Option<&'static rt_dma_map_ops> {
    let present = table_of(device).ok()?;
    if is_masked_function(present, operation) { Some(meaning_of(device)?.original) } else { Some(present) }
}

/// Returns the function of the device that `operation` returns of a table: in place of a masked one that of the
/// original table, and in place of a null one the default one.
pub(in crate::ffi) fn unmasked_operation<F: PartialEq>(
    device: Device,
    operation: impl Fn(&rt_dma_map_ops) -> Option<F>,
) -> Option<F> {
    operation(table_with(device, &operation)?).or_else(|| operation(default_table(device)))
}

/// Returns the operations by which the library allocates for the device; `None` if an operation of the BSP allocates,
/// or if the device gets no memory.
pub(in crate::ffi) fn allocating_ops_of(device: Device) -> Option<MapOps> {
    allocating_ops(table_with(device, |table| table.alloc)?)
}

/// The operation `free` of a table.
type FreeOperation = unsafe extern "C" fn(*mut rt_device, rt_size_t, *mut c_void, rt_ubase_t, rt_ubase_t);

/// What frees the buffers of a device.
pub(in crate::ffi) enum FreeOps {
    /// The library, with these operations.
    Library(MapOps),
    /// An operation of the BSP.
    Bsp(FreeOperation),
}

/// Returns what frees the buffers of the device.
pub(in crate::ffi) fn free_ops_of(device: Device) -> FreeOps {
    let free = table_of(device).ok().and_then(|present| {
        let is_masked = is_masked_function(present, |table| table.free);
        if is_masked { freeing_table(device).free } else { present.free }
    });
    // A null one is that of a table whose handles are not translated.
    let Some(free) = free else { return FreeOps::Library(MapOps::UNTRANSLATED) };
    match ops_with(free, |table| table.free) {
        Some(ops) => FreeOps::Library(ops),
        None => FreeOps::Bsp(free),
    }
}
