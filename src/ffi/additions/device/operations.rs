//! A device with a mask has a masked table, or a table of the BSP with some functions that were copied from one. This
//! file finds the original operations of such a device, for callers that do not go through its table.

use core::ffi::c_void;

use crate::abi::{rt_device, rt_dma_map_ops, rt_size_t, rt_ubase_t};
use crate::dropin::map_ops::MapOps;
use crate::error::Error;
use crate::ffi::additions::device::masked_ops::{freeing_table, has_masked, is_masked_table, masked_ops_of};
use crate::ffi::dropin::ops::{default_table, ops_of_alloc, ops_with, table_or_choose};
use crate::kernel::Device;

/// Returns the device's original table if `present`, its present table, is a masked one. Returns `present` if it is
/// another table, even one with a masked function, and if the original table is not known.
pub(in crate::ffi) fn unmasked_table(device: Device, present: &'static rt_dma_map_ops) -> &'static rt_dma_map_ops {
    if is_masked_table(present)
        && let Some(ops) = masked_ops_of(device)
    {
        ops.original
    } else {
        present
    }
}

/// Returns the table whose function of this `operation` applies to the device: the original one if that function of the
/// present table is masked, otherwise the present one. Returns `None` if the table cannot be chosen now, or if the
/// original one is not known.
fn table_for_operation<F: PartialEq>(
    device: Device,
    operation: impl Fn(&rt_dma_map_ops) -> Option<F>,
) -> Option<&'static rt_dma_map_ops> {
    let present = table_or_choose(device).ok()?;
    if has_masked(present, operation) { Some(masked_ops_of(device)?.original) } else { Some(present) }
}

/// Returns the function of this `operation` that applies to the device: in place of a masked one that of the original
/// table, and in place of a null one that of the default table. Returns `None` if that one is null too, if the table
/// cannot be chosen now, or if the original one is not known.
pub(in crate::ffi) fn unmasked_operation<F: PartialEq>(
    device: Device,
    operation: impl Fn(&rt_dma_map_ops) -> Option<F>,
) -> Option<F> {
    operation(table_for_operation(device, &operation)?).or_else(|| operation(default_table(device)))
}

/// Returns the operations by which the library allocates for the device. Returns `None` if an operation of the BSP
/// allocates, and where [`table_for_operation`] does: then the device gets no memory.
pub(in crate::ffi) fn allocating_ops_of(device: Device) -> Option<MapOps> {
    ops_of_alloc(table_for_operation(device, |table| table.alloc)?)
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
///
/// # Errors
/// Those of [`table_or_choose`]: the device's table cannot be chosen now, so that nothing can be freed.
pub(in crate::ffi) fn free_ops_or_choose(device: Device) -> Result<FreeOps, Error> {
    let present = table_or_choose(device)?;
    let is_masked = has_masked(present, |table| table.free);
    let free = if is_masked { freeing_table(device).free } else { present.free };
    // A null one is that of a table whose handles are not translated.
    let Some(free) = free else { return Ok(FreeOps::Library(MapOps::UNTRANSLATED)) };
    Ok(ops_with(free, |table| table.free).map_or(FreeOps::Bsp(free), FreeOps::Library))
}
