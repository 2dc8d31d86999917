//! The tables of operations of devices that have a mask.
//!
//! Such a table replaces the device's original table, and calls it. Its `alloc` keeps to the coherent mask, its
//! `sync_out_data` to the streaming mask. So a device without a mask pays nothing.
//!
//! All masked tables have the same functions. Which masks and which original table apply follows from the address of
//! the table in `dev->dma_ops`: there is a table for each pair of them. A child device that copies its parent's
//! `dma_ops` therefore has the parent's masks and translation, also when the parent is gone.

use core::ffi::c_void;

use crate::abi::{rt_device, rt_dma_map_ops, rt_err_t, rt_size_t, rt_ubase_t};
use crate::additions::device::masked_tables::{MaskedTables, TABLES};
use crate::additions::device::masks::{MaskedOps, Masks, is_within};
use crate::dropin::buffer_request::BufferRequest;
use crate::dropin::map_ops::MapOps;
use crate::dropin::translate::NO_MASK;
use crate::error::Error;
use crate::ffi::additions::{allocating_ops, return_buffer, with_handle};
use crate::ffi::dropin::ops::{self, default_table, ops_with, stored_table, table_of};
use crate::ffi::status::errors;
use crate::ffi::{DEVICES, DMA, c_device, device, pointer, write_if};
use crate::flags::Flags;
use crate::kernel::{Cache, Device, Handle};

/// What each table in [`MASKED`] but the last one stands for.
static MEANINGS: MaskedTables = MaskedTables::new();

/// The masked tables. They differ only in their addresses. The devices for which [`MEANINGS`] has no room share the
/// last one.
static MASKED: [rt_dma_map_ops; TABLES + 1] = [const {
    rt_dma_map_ops { alloc: Some(alloc), free: Some(free), sync_out_data: Some(sync_out), sync_in_data: Some(sync_in) }
}; TABLES + 1];

/// Returns the index of a masked table; `None` for any other table.
fn masked_index(table: &rt_dma_map_ops) -> Option<usize> {
    let offset = core::ptr::from_ref(table).addr().wrapping_sub(MASKED.as_ptr().addr());
    (offset < size_of_val(&MASKED)).then_some(offset / size_of::<rt_dma_map_ops>())
}

/// Returns whether a table is a masked one.
pub(super) fn is_masked(table: &rt_dma_map_ops) -> bool {
    masked_index(table).is_some()
}

/// Returns whether the function that `operation` returns of a table is a masked one.
fn is_masked_in<F: PartialEq>(table: &rt_dma_map_ops, operation: impl Fn(&rt_dma_map_ops) -> Option<F>) -> bool {
    let [masked, ..] = &MASKED;
    operation(table) == operation(masked)
}

/// Returns whether any operation of a table is masked: it is a masked table, or a [copy](is_copy) of one. If none is,
/// the masks that are known for a device with this table were set for an earlier device at its address, or for
/// operations that the BSP has replaced.
pub(super) fn has_masked_operation(table: &rt_dma_map_ops) -> bool {
    is_masked_in(table, |table| table.alloc)
        || is_masked_in(table, |table| table.free)
        || is_masked_in(table, |table| table.sync_out_data)
        || is_masked_in(table, |table| table.sync_in_data)
}

/// Returns whether a table is one into which the BSP has copied a function of a masked table. That function reads the
/// masks and the original table in the device's record.
pub(super) fn is_copy(table: &rt_dma_map_ops) -> bool {
    !is_masked(table) && has_masked_operation(table)
}

/// Returns the table for these masks: a masked one, or without a mask the original table.
pub(super) fn table_for(ops: &MaskedOps) -> &'static rt_dma_map_ops {
    if ops.masks == Masks::UNLIMITED {
        return ops.original;
    }
    let [.., last] = &MASKED;
    MEANINGS.index_for(DMA.kernel, ops).and_then(|index| MASKED.get(index)).unwrap_or(last)
}

/// Returns the masks and the original table of a device with a masked table or a [copy](is_copy) of one. Returns `None`
/// if these are not known; the device then gets no memory.
pub(super) fn original_of(device: Device) -> Option<MaskedOps> {
    let now = stored_table(device);
    let index = now.and_then(masked_index);
    let by_table = index.and_then(|index| MEANINGS.at(DMA.kernel, index));
    // Only the address of a masked table is known in `MEANINGS`. A copy has another one, and the last masked table is
    // shared: there the device's record has the masks.
    if let Some(ops) = by_table.or_else(|| DEVICES.masked_ops(device)) {
        return Some(ops);
    }
    if index.is_some() {
        // The device is a child that copied the last masked table, and has no record.
        return None;
    }
    // The last mask was removed while this call ran, so that the device has its original table again. Any other table
    // may call the masked one: the call would return here without end.
    let original = now.filter(|now| MEANINGS.has_original(DMA.kernel, now)).unwrap_or_else(|| default_table(device));
    Some(MaskedOps { masks: Masks::UNLIMITED, original })
}

/// Returns the device's original table if `now`, its present table, is a masked one; otherwise `now`.
pub(in crate::ffi) fn unmasked(device: Device, now: &'static rt_dma_map_ops) -> &'static rt_dma_map_ops {
    if is_masked(now)
        && let Some(ops) = original_of(device)
    {
        ops.original
    } else {
        now
    }
}

/// Returns the present table of the device, or the original one if the function that `operation` returns is masked.
fn table_with<F: PartialEq>(
    device: Device,
    operation: impl Fn(&rt_dma_map_ops) -> Option<F>,
) -> Option<&'static rt_dma_map_ops> {
    let now = table_of(device)?;
    if is_masked_in(now, operation) { Some(original_of(device)?.original) } else { Some(now) }
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
type Free = unsafe extern "C" fn(*mut rt_device, rt_size_t, *mut c_void, rt_ubase_t, rt_ubase_t);

/// What frees the buffers of a device.
pub(in crate::ffi) enum FreeOps {
    /// The library, with these operations.
    Library(MapOps),
    /// An operation of the BSP.
    Own(Free),
}

/// Returns what frees the buffers of the device.
pub(in crate::ffi) fn free_ops_of(device: Device) -> FreeOps {
    let Some(free) = unmasked_operation(device, |table| table.free) else {
        return FreeOps::Library(MapOps::UNTRANSLATED);
    };
    match ops_with(free, |table| table.free) {
        Some(ops) => FreeOps::Library(ops),
        None => FreeOps::Own(free),
    }
}

/// Allocates within the coherent mask.
///
/// # Safety
/// As `rt_dma_alloc`.
unsafe extern "C" fn alloc(
    dev: *mut rt_device,
    size: rt_size_t,
    dma_handle: *mut rt_ubase_t,
    flags: rt_ubase_t,
) -> *mut c_void {
    let buffer = device(dev).and_then(|device| allocate(device, size, flags));
    // SAFETY: the caller passes a `dma_handle` that is null or may be written.
    unsafe { return_buffer(buffer, dma_handle) }
}

/// Allocates within the coherent mask of a device with a masked table. Returns the buffer and its handle.
fn allocate(device: Device, size: usize, flags: usize) -> Option<(*mut c_void, Handle)> {
    let MaskedOps { masks: Masks { coherent: mask, .. }, original } = original_of(device)?;
    // The library keeps to a mask, in place of an operation of its own in the table.
    if let Some(ops) = allocating_ops(original)
        && (mask != NO_MASK || original.alloc.is_none())
    {
        let request = BufferRequest { mask, ..BufferRequest::new(ops, device, size, Flags::from_bits_retain(flags)) };
        return DMA.allocate_in_order(&request).ok().map(|(va, handle)| (pointer(va), handle));
    }
    let (alloc, dev) = (original.alloc?, c_device(device));
    // SAFETY: an operation of the device's table takes what this function takes; the handle is valid.
    let (va, handle) = with_handle(|handle| unsafe { alloc(dev, size, handle, flags) })?;
    // An operation of the BSP does not know of the mask.
    if !is_within(handle, size, mask) {
        // SAFETY: the buffer was allocated by this table just now. The device may have another table by now.
        unsafe { free_by(original, dev, size, va, handle, flags) };
        return None;
    }
    Some((va, handle))
}

/// Frees by the operations of the original table.
///
/// # Safety
/// As `rt_dma_free`.
unsafe extern "C" fn free(
    dev: *mut rt_device,
    size: rt_size_t,
    cpu_addr: *mut c_void,
    dma_handle: rt_ubase_t,
    flags: rt_ubase_t,
) {
    let Some(device) = device(dev) else { return };
    let Some(MaskedOps { original, .. }) = original_of(device) else { return };
    // SAFETY: the caller passes a `dev` that is null or points to a device.
    unsafe { free_by(original, dev, size, cpu_addr, dma_handle, flags) };
}

/// Frees by the operation of `table`.
///
/// # Safety
/// As `rt_dma_free`. The buffer was allocated by `table`.
unsafe fn free_by(
    table: &rt_dma_map_ops,
    dev: *mut rt_device,
    size: usize,
    cpu_addr: *mut c_void,
    dma_handle: usize,
    flags: usize,
) {
    let free = table.free.unwrap_or(ops::free::<{ MapOps::UNTRANSLATED as usize }>);
    // SAFETY: an operation of the device's table takes what this function takes.
    unsafe { free(dev, size, cpu_addr, dma_handle, flags) }
}

/// Syncs for the device, and refuses a handle outside the streaming mask.
///
/// # Safety
/// As `rt_dma_sync_out_data`.
unsafe extern "C" fn sync_out(
    dev: *mut rt_device,
    data: *mut c_void,
    size: rt_size_t,
    dma_handle: *mut rt_ubase_t,
    flags: rt_ubase_t,
) -> rt_err_t {
    let errors = errors();
    let Some(device) = device(dev) else { return errors.inval };
    let Some(MaskedOps { masks, original }) = original_of(device) else { return errors.error };
    let Some(sync) = original.sync_out_data.or_else(|| default_table(device).sync_out_data) else {
        return errors.nosys;
    };
    let mut handle = 0;
    // SAFETY: an operation of the device's table takes what this function takes; the handle is a local variable.
    let result = unsafe { sync(dev, data, size, &mut handle, flags) };
    if result != errors.ok {
        return result;
    }
    if !is_within(handle, size, masks.streaming) {
        if ops_with(sync, |table| table.sync_out_data).is_none() {
            // SAFETY: as this function; the operation returned the handle.
            unsafe { undo_sync_out(original, dev, data, size, handle) };
        }
        DMA.refuse_device(device, handle, size, Error::NotReachable);
        return errors.error;
    }
    // SAFETY: the caller passes a `dma_handle` that is null or may be written.
    unsafe { write_if(dma_handle, handle) };
    result
}

/// Calls the BSP's `sync_in`, if `table` has one, after a `sync_out` of the BSP whose result is not used. The
/// `sync_out` may hold something until the next `sync_in`, which the caller does not call after an error.
///
/// # Safety
/// As `rt_dma_sync_in_data`.
unsafe fn undo_sync_out(table: &rt_dma_map_ops, dev: *mut rt_device, data: *mut c_void, size: usize, handle: Handle) {
    let Some(sync_in) = table.sync_in_data else { return };
    if ops_with(sync_in, |table| table.sync_in_data).is_some() {
        return;
    }
    // A `sync_in` may invalidate lines whatever the flags are, and the driver keeps the bytes.
    if DMA.is_mapped(data.expose_provenance(), size) {
        DMA.kernel.cache_flush(data.expose_provenance(), size);
    }
    // SAFETY: an operation of the device's table takes what this function takes.
    unsafe { sync_in(dev, data, size, handle, Flags::NOCACHE.bits()) };
}

/// Syncs for the processor by the operations of the original table.
///
/// # Safety
/// As `rt_dma_sync_in_data`.
unsafe extern "C" fn sync_in(
    dev: *mut rt_device,
    out_data: *mut c_void,
    size: rt_size_t,
    dma_handle: rt_ubase_t,
    flags: rt_ubase_t,
) -> rt_err_t {
    let Some(device) = device(dev) else { return errors().inval };
    let Some(MaskedOps { original, .. }) = original_of(device) else { return errors().error };
    match original.sync_in_data.or_else(|| default_table(device).sync_in_data) {
        // SAFETY: an operation of the device's table takes what this function takes.
        Some(sync) => unsafe { sync(dev, out_data, size, dma_handle, flags) },
        None => errors().nosys,
    }
}
