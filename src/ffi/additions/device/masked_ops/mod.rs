//! The tables of operations of devices that have a mask: the masked tables.
//!
//! A device with a mask gets one of these tables in place of its original one. The masked table calls the original one.
//! Its `alloc` keeps to the coherent mask, its `sync_out_data` to the streaming mask. A device without a mask keeps its
//! original table, so it pays nothing for masks.
//!
//! All masked tables have the same functions. The address of the table in `dev->dma_ops` identifies the masks and the
//! original table. A child device that copies its parent's `dma_ops` therefore has the parent's masks and translation,
//! also when the parent is gone.
//!
//! There are [`TABLES`] such tables. When all are taken, further devices share one more. Their masks are in their
//! records, so a child that copies the shared table gets no memory.

mod functions;

use self::functions::{masked_alloc, masked_free, masked_sync_in, masked_sync_out};
use crate::abi::rt_dma_map_ops;
use crate::additions::device::masked_tables::{MaskedTables, TABLES};
use crate::additions::device::masks::{MaskedOps, Masks};
use crate::ffi::dropin::ops::{default_table, stored_table, translating_table};
use crate::ffi::{DEVICES, DMA};
use crate::kernel::Device;

/// The masks and the original table of each table in [`MASKED`] but the last one.
static MASKED_OPS: MaskedTables = MaskedTables::new();

/// The masked tables. They differ only in their addresses. The devices for which [`MASKED_OPS`] has no room share
/// the last one.
static MASKED: [rt_dma_map_ops; TABLES + 1] = [const {
    rt_dma_map_ops {
        alloc: Some(masked_alloc),
        free: Some(masked_free),
        sync_out_data: Some(masked_sync_out),
        sync_in_data: Some(masked_sync_in),
    }
}; TABLES + 1];

/// Returns the index of a masked table; `None` for any other table.
fn masked_index(table: &rt_dma_map_ops) -> Option<usize> {
    let offset = core::ptr::from_ref(table).addr().wrapping_sub(MASKED.as_ptr().addr());
    (offset < size_of_val(&MASKED)).then_some(offset / size_of::<rt_dma_map_ops>())
}

/// Returns whether a table is a masked one.
pub(super) fn is_masked_table(table: &rt_dma_map_ops) -> bool {
    masked_index(table).is_some()
}

/// Returns whether a table has the masked function for an operation. `operation` reads the member to compare, for
/// example `|table| table.alloc`.
///
/// Rust does not guarantee that a function has only one address, or that no other function has the same. Here that is
/// no danger. All tables in [`MASKED`] are copies of one constant, and the BSP gets the functions only from them, so it
/// always gets the same address. Another function can have this address only if it has the same code.
pub(super) fn has_masked<F: PartialEq>(
    table: &rt_dma_map_ops,
    operation: impl Fn(&rt_dma_map_ops) -> Option<F>,
) -> bool {
    let [masked, ..] = &MASKED;
    operation(table) == operation(masked)
}

/// Returns whether a table has any masked function: it is a masked table, or a [copy](is_masked_copy) of one. If it has
/// none, the masks in the record of a device with this table do not count: they were set for an earlier device at its
/// address, or for operations that the BSP has replaced.
pub(super) fn has_any_masked(table: &rt_dma_map_ops) -> bool {
    has_masked(table, |table| table.alloc)
        || has_masked(table, |table| table.free)
        || has_masked(table, |table| table.sync_out_data)
        || has_masked(table, |table| table.sync_in_data)
}

/// Returns whether a table is the BSP's own, and the BSP has copied a function of a masked table into it. That function
/// finds the masks and the original table in the device's record.
pub(super) fn is_masked_copy(table: &rt_dma_map_ops) -> bool {
    !is_masked_table(table) && has_any_masked(table)
}

/// Returns the table for these masks: a masked one, or without a mask the original table.
pub(super) fn table_for(ops: &MaskedOps) -> &'static rt_dma_map_ops {
    if ops.masks == Masks::UNLIMITED {
        return ops.original;
    }
    let [.., last] = &MASKED;
    MASKED_OPS.find_or_take(DMA.kernel, ops).and_then(|index| MASKED.get(index)).unwrap_or(last)
}

/// Returns the masks and the original table of a device for which a masked function was called. Returns `None` if they
/// are not known; the device then gets no memory.
///
/// A masked table shows that masks apply to the device. If it is the shared one, and the device has no record, the
/// device is a child that copied it from its parent: which masks apply is not known.
///
/// A device with another table and without a record has no mask. Its masks may have been removed while this call ran;
/// or the BSP's own table calls a masked function, or has a copy of one, for a device that never had a mask or has none
/// any more.
pub(super) fn masked_ops_of(device: Device) -> Option<MaskedOps> {
    let stored = stored_table(device);
    let recorded = || DEVICES.masked_ops(device);
    match stored.and_then(masked_index) {
        Some(index) => MASKED_OPS.at(DMA.kernel, index).or_else(recorded),
        None => Some(recorded().unwrap_or_else(|| without_masks(device, stored))),
    }
}

/// Returns the table that frees the buffers of a device with a masked `free`: the original table. If that is not known,
/// returns a [table by which each handle of the device leads to the same memory](translating_table). The device then
/// gets no memory, but it can still free the buffers that it allocated before it got the masked table.
pub(super) fn freeing_table(device: Device) -> &'static rt_dma_map_ops {
    masked_ops_of(device).map_or_else(|| translating_table(device), |ops| ops.original)
}

/// Returns no masks, and the original table, for a device that has neither a masked table nor a record of masks.
/// `stored` is its table.
fn without_masks(device: Device, stored: Option<&'static rt_dma_map_ops>) -> MaskedOps {
    // Only a table that is known as an original one is called. Any other may itself call the masked function, and that
    // would call it again without end.
    let original = stored.filter(|stored| MASKED_OPS.is_original(DMA.kernel, stored));
    MaskedOps { masks: Masks::UNLIMITED, original: original.unwrap_or_else(|| default_table(device)) }
}
