//! The four tables of map operations that the library gives to devices, the functions in them, and
//! `rt_dma_ofw_device_map_ops`, which returns one of them to C.
//!
//! The functions that drivers call check the device, the address and the size, and then call those of the device's
//! table. A BSP may also call those of a table itself.

use core::ffi::c_void;
use core::ptr::NonNull;

use crate::abi::{rt_device, rt_dma_map_ops, rt_size_t, rt_ubase_t};
use crate::dropin::map_ops::MapOps;
use crate::error::Error;
use crate::ffi::dropin::sync_ops::{sync_in, sync_in_coherent, sync_out};
use crate::ffi::{DMA, NEW_DEVICE, device_at, handle_out, pointer};
use crate::flags::Flags;
use crate::kernel::Device;
use crate::kernel::rtthread::{device_ops, rt_dma_port_device_choose_ops};
use crate::mem::index::at_or_first;

/// The tables, in the order of [`MapOps::ALL`].
static TABLES: [rt_dma_map_ops; 4] = [new_table::<0>(), new_table::<1>(), new_table::<2>(), new_table::<3>()];

/// Makes the table of the operations whose index in [`MapOps::ALL`] is `OPS`. If handles are physical addresses,
/// `alloc` and `free` are null, as in RT-Thread's tables; `rt_dma_alloc` and `rt_dma_free` then do the work themselves.
const fn new_table<const OPS: usize>() -> rt_dma_map_ops {
    let ops = MapOps::ALL[OPS];
    let are_translated = ops.are_translated();
    rt_dma_map_ops {
        alloc: if are_translated { Some(alloc::<OPS>) } else { None },
        free: if are_translated { Some(free::<OPS>) } else { None },
        sync_out_data: Some(sync_out::<OPS>),
        sync_in_data: Some(if matches!(ops, MapOps::Coherent) { sync_in_coherent } else { sync_in::<OPS> }),
    }
}

/// Returns the table of these operations.
fn table(ops: MapOps) -> &'static rt_dma_map_ops {
    at_or_first(&TABLES, ops as usize)
}

/// Returns the operations of one of the library's tables; `None` for a table of the BSP.
pub(in crate::ffi) fn ops_of(table: &rt_dma_map_ops) -> Option<MapOps> {
    // A table of the BSP lies outside of the array.
    MapOps::ALL.get(offset_in_ours(table) / size_of::<rt_dma_map_ops>()).copied()
}

/// Returns the operations of one of the library's two tables whose handles are physical addresses; `None` for every
/// other table.
#[inline(always)] // As a function of its own it costs 18 more instructions for a direct streaming map and its unmap.
pub(in crate::ffi) fn untranslated_ops(table: &rt_dma_map_ops) -> Option<MapOps> {
    let [coherent, non_coherent, ..] = &TABLES;
    if core::ptr::eq(table, coherent) {
        Some(MapOps::Coherent)
    } else if core::ptr::eq(table, non_coherent) {
        Some(MapOps::NonCoherent)
    } else {
        None
    }
}

/// Returns whether `table` is one of the library's four tables, whose functions accept null handles.
pub(in crate::ffi) fn is_ours(table: &rt_dma_map_ops) -> bool {
    offset_in_ours(table) < size_of_val(&TABLES)
}

/// Returns the operations of the first of the library's tables that has this function; `None` for a function of the
/// BSP. `operation` reads the member to compare, for example `|table| table.free`. A BSP may have copied the function
/// into a table of its own.
pub(in crate::ffi) fn ops_with<F: PartialEq>(
    function: F,
    operation: impl Fn(&rt_dma_map_ops) -> Option<F>,
) -> Option<MapOps> {
    let function = Some(function);
    MapOps::ALL.into_iter().find(|ops| operation(table(*ops)) == function)
}

/// Returns the operations by which the library allocates for a device with this table, which may be a table of the BSP
/// with an `alloc` of the library; `None` if an operation of the BSP allocates.
pub(in crate::ffi) fn ops_of_alloc(table: &rt_dma_map_ops) -> Option<MapOps> {
    match table.alloc {
        None => Some(MapOps::UNTRANSLATED),
        Some(alloc) => ops_with(alloc, |table| table.alloc),
    }
}

/// Returns how many bytes `table` lies after the first of the library's tables. If it lies before, the result wraps
/// around.
// Comparing pointers would cost more on aarch64: 2 instructions for each `rt_dma_sync_out_data` if `is_ours` compared
// with both ends, and at least 5 for a mapping with a record if `ops_of` searched the tables.
fn offset_in_ours(table: &rt_dma_map_ops) -> usize {
    core::ptr::from_ref(table).addr().wrapping_sub(TABLES.as_ptr().addr())
}

/// Returns the table whose operations are used in place of those that are null in a table of the BSP.
pub(in crate::ffi) fn default_table(device: Device) -> &'static rt_dma_map_ops {
    table(DMA.default_ops(device))
}

/// Returns a table whose operations translate handles as those that would be chosen for the device. Claims no region:
/// see [`Dma::ops_without_choosing`](crate::dropin::registry::Dma::ops_without_choosing).
///
/// Context: any.
pub(in crate::ffi) fn translating_table(device: Device) -> &'static rt_dma_map_ops {
    table(DMA.ops_without_choosing(device))
}

/// Returns the table of the device. At the device's first call, chooses it and stores it in `dev->dma_ops`.
///
/// # Errors
/// Those of [`choose_table`].
pub(in crate::ffi) fn table_or_choose(device: Device) -> Result<&'static rt_dma_map_ops, Error> {
    stored_table(device).map_or_else(|| choose_table(device), Ok)
}

/// Returns the table that is stored in `dev->dma_ops`; `None` if there is none yet. The port measured the offset of
/// this field: see `device_ops` in `kernel/rtthread/firmware.rs`.
pub(in crate::ffi) fn stored_table(device: Device) -> Option<&'static rt_dma_map_ops> {
    // SAFETY: the caller passed a valid device. `dma_ops` is null, one of our tables, or a table of the BSP that stays
    // valid.
    unsafe { device_ops(device).as_ref() }
}

/// Chooses a table for the device, stores it, and returns it. If another thread or the BSP has stored a table
/// meanwhile, that one stays, and is returned. It may be a table for a mask.
///
/// # Errors
/// Those of [`choose_ops`](crate::dropin::registry::Dma::choose_ops): no table can be chosen now.
#[cold]
pub(in crate::ffi) fn choose_table(device: Device) -> Result<&'static rt_dma_map_ops, Error> {
    let chosen = DMA.choose_ops(device).map(table);
    if let Ok(table) = chosen {
        if let Some(forget) = NEW_DEVICE.get() {
            forget(device);
        }
        // SAFETY: the caller passed a valid device; the table is a static.
        unsafe { rt_dma_port_device_choose_ops(pointer(device.address()), core::ptr::from_ref(table).cast()) };
    }
    stored_table(device).map_or(chosen, Ok)
}

/// @brief Returns the map operations that a device's device-tree node asks for (revision r2 of the interface).
///
/// Installs the regions to which the node refers in `memory-region`, each of them once. Does not write `dev->dma_ops`.
///
/// @param[in] dev The device.
/// @return The operations. NULL if `dev` is NULL, has no node, or its node asks for none. Also NULL if this cannot be
/// found out now, because the caller may not sleep, the heap has no room, or another thread is uninstalling a region of
/// the device: such a call is counted, and logged where the caller may sleep.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_ofw_device_map_ops(dev: *mut rt_device) -> *const rt_dma_map_ops {
    match device_at(dev).map(|device| DMA.claim_regions(device)) {
        Some(Ok(Some(_))) => table(MapOps::DeviceTree),
        _ => core::ptr::null(),
    }
}

/// The `alloc` of table `OPS`. The device may have another table: a BSP may call this function itself, or copy it into
/// a table of its own.
///
/// # Safety
/// See [the module](crate::ffi).
unsafe extern "C" fn alloc<const OPS: usize>(
    dev: *mut rt_device,
    size: rt_size_t,
    dma_handle: *mut rt_ubase_t,
    flags: rt_ubase_t,
) -> *mut c_void {
    let Some(device) = device_at(dev) else { return core::ptr::null_mut() };
    let (ops, flags) = (const { MapOps::ALL[OPS] }, Flags::from_bits_retain(flags));
    // SAFETY: the caller passes a `dma_handle` that is null or may be written.
    let handle = unsafe { handle_out(dma_handle) };
    let buffer = DMA.allocate_general(device, size, handle, flags, ops);
    buffer.map_or(core::ptr::null_mut(), NonNull::as_ptr)
}

/// The `free` of table `OPS`. The device may have another table: see [`alloc`].
///
/// # Safety
/// See [the module](crate::ffi).
pub(in crate::ffi) unsafe extern "C" fn free<const OPS: usize>(
    dev: *mut rt_device,
    size: rt_size_t,
    cpu_addr: *mut c_void,
    dma_handle: rt_ubase_t,
    flags: rt_ubase_t,
) {
    let Some(device) = device_at(dev) else { return };
    if size == 0 || cpu_addr.is_null() {
        return;
    }
    let (ops, va, flags) = (const { MapOps::ALL[OPS] }, cpu_addr.expose_provenance(), Flags::from_bits_retain(flags));
    // The call returns no result to C. If it is refused, `free_general` counts and logs that.
    let _ = DMA.free_general(device, size, va, dma_handle, flags, ops);
}
