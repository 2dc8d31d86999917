//! The tables of operations of devices that have a mask.
//!
//! Such a table replaces the device's original table, and calls it. Its `alloc` keeps to the coherent mask, its
//! `sync_out_data` to the streaming mask. So a device without a mask pays nothing.
//!
//! All masked tables have the same functions. Which masks and which original table apply follows from the address of
//! the table in `dev->dma_ops`: there is a table for each pair of them. A child device that copies its parent's
//! `dma_ops` therefore has the parent's masks and translation, also when the parent is gone.

mod functions;

use self::functions::{masked_alloc, masked_free, masked_sync_in, masked_sync_out};
use crate::abi::rt_dma_map_ops;
use crate::additions::device::masked_tables::{MaskedTables, TABLES};
use crate::additions::device::masks::{MaskedOps, Masks};
use crate::ffi::dropin::ops::{default_table, stored_table, translating_table};
use crate::ffi::{DEVICES, DMA};
use crate::kernel::Device;

/// What each table in [`MASKED`] but the last one stands for.
static MEANINGS: MaskedTables = MaskedTables::new();

/// The masked tables. They differ only in their addresses. The devices for which [`MEANINGS`] has no room share the
/// last one.
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

/// Returns whether the function that `operation` returns of a table is a masked one.
///
/// Rust does not guarantee that each function has one address, and no other function the same. Here that is no danger:
/// a function that is not generic has one copy in the library, and only a function with the same code can share its
/// address.
pub(super) fn is_masked_function<F: PartialEq>(
    table: &rt_dma_map_ops,
    operation: impl Fn(&rt_dma_map_ops) -> Option<F>,
) -> bool {
    let [masked, ..] = &MASKED;
    operation(table) == operation(masked)
}

/// Returns whether any function of a table is a masked one: it is a masked table, or a [copy](is_masked_copy) of one.
/// If none is, the masks that are known for a device with this table were set for an earlier device at its address, or
/// for operations that the BSP has replaced.
pub(super) fn has_masked_function(table: &rt_dma_map_ops) -> bool {
    is_masked_function(table, |table| table.alloc)
        || is_masked_function(table, |table| table.free)
        || is_masked_function(table, |table| table.sync_out_data)
        || is_masked_function(table, |table| table.sync_in_data)
}

/// Returns whether a table is one into which the BSP has copied a function of a masked table. That function reads the
/// masks and the original table in the device's record.
pub(super) fn is_masked_copy(table: &rt_dma_map_ops) -> bool {
    !is_masked_table(table) && has_masked_function(table)
}

/// Returns the table for these masks: a masked one, or without a mask the original table.
pub(super) fn table_for(ops: &MaskedOps) -> &'static rt_dma_map_ops {
    if ops.masks == Masks::UNLIMITED {
        return ops.original;
    }
    let [.., last] = &MASKED;
    MEANINGS.find_or_take(DMA.kernel, ops).and_then(|index| MASKED.get(index)).unwrap_or(last)
}

/// Returns the masks and the original table of a device with a masked table or a [copy](is_masked_copy) of one. Returns
/// `None` if these are not known; the device then gets no memory.
pub(super) fn meaning_of(device: Device) -> Option<MaskedOps> {
    let present = stored_table(device);
    let recorded = || DEVICES.masked_ops(device);
    if let Some(index) = present.and_then(masked_index) {
        // The last masked table, which devices share, has no entry in `MEANINGS`: their records have the masks. A child
        // that copied the last table has no record, and its masks are not known.
        return MEANINGS.at(DMA.kernel, index).or_else(recorded);
    }
    // A copy of a masked table, whose masks are in the device's record. Without a record, the last mask was removed
    // while this call ran, or the copy is of another device's table.
    Some(recorded().unwrap_or_else(|| without_masks(device, present)))
}

/// Returns the table that frees the buffers of a device with a masked `free`: the original table. If that is not known,
/// returns one that translates handles as the table that would be chosen for it does: the device gets no memory, but
/// may have allocated before it got the masked table.
pub(super) fn freeing_table(device: Device) -> &'static rt_dma_map_ops {
    meaning_of(device).map_or_else(|| translating_table(device), |ops| ops.original)
}

/// Returns no masks, and the original table of a device whose present table is not a masked one. The device has no
/// record of masks.
fn without_masks(device: Device, present: Option<&'static rt_dma_map_ops>) -> MaskedOps {
    // Any other table than a known original one may call the masked one: the call would return here without end.
    let original = present.filter(|present| MEANINGS.is_original(DMA.kernel, present));
    MaskedOps { masks: Masks::UNLIMITED, original: original.unwrap_or_else(|| default_table(device)) }
}
