//! What the library keeps about a device: its masks, limits and managed resources. What it keeps ends when the device
//! is released, or when another device at its address makes its first call.
//!
//! The masks have these files in this folder, `src/ffi/additions/device/`:
//!
//! | file | what it has |
//! | --- | --- |
//! | `masks.rs` | `rt_dma_set_mask` and the other calls, which give the device the table for its masks. |
//! | `masked_ops/mod.rs` | The masked tables, and which masks and which original table that of a device stands for. |
//! | `masked_ops/functions.rs` | The functions of these tables: they keep to the masks, and call the original table. |
//! | `operations.rs` | The functions of the original table, for code that does not call the device's table. |
//!
//! And these in `src/additions/device/`:
//!
//! | file | what it has |
//! | --- | --- |
//! | `masks.rs` | The masks in the record of a device. |
//! | `masked_tables.rs` | What each masked table stands for. |
//! | `masked_devices.rs` | The devices that had a mask at any time. No record is searched for the others. |

mod limits;
pub(in crate::ffi) mod managed;
pub(in crate::ffi) mod masked_ops;
pub(in crate::ffi) mod masks;
pub(in crate::ffi) mod operations;

pub use limits::*;
pub use managed::*;
pub use masks::*;

use crate::abi::rt_err_t;
use crate::additions::device::NoRecord;
use crate::ffi::additions::hooks::STREAMS;
#[cfg(feature = "debug")]
use crate::ffi::additions::hooks::WATCH_NEW_DEVICE;
use crate::ffi::dropin::ops::stored_table;
use crate::ffi::status::errors;
use crate::ffi::{DEVICES, DMA, NEW_DEVICE};
use crate::kernel::{Device, Log};
use crate::log::Level;
use crate::text::apart;

/// Makes sure that what is kept about a device ends when another device at its address makes its first call. It is
/// called before anything is kept of a device, so that nothing stays when another device gets the address. The device's
/// operations have been chosen before: what is kept of a device without operations ends when they are chosen.
pub(in crate::ffi) fn watch_for_new_devices() {
    NEW_DEVICE.set(&(forget_earlier as fn(Device)));
}

/// Ends what is kept about an earlier device at the address of this one, and logs what that device never gave back.
fn forget_earlier(device: Device) {
    // A device with operations is no new one. `forget` would find that too, but only with its lock: without this, each
    // `rt_dmam_free` would search the records of all streaming mappings.
    if stored_table(device).is_some() {
        return;
    }
    // No call is refused, so none is counted.
    let report_lost = |format, count| {
        if count != 0 {
            DMA.kernel.log(Level::Error, &DMA.line_about(device, format, &[count, device.address()]));
        }
    };
    let lost = DEVICES.forget(device, || stored_table(device).is_none());
    report_lost(apart!("%lu managed resources of an earlier device at 0x%lx were never released"), lost);
    let ended = STREAMS.get().map_or(0, |streams| (streams.forget)(device));
    report_lost(apart!("%lu mappings of an earlier device at 0x%lx were never unmapped"), ended);
    #[cfg(feature = "debug")]
    if let Some(watch) = WATCH_NEW_DEVICE.get() {
        watch(device);
    }
}

/// Refuses a call for which no record was made: returns the error of C, and counts the call if the caller may not
/// sleep.
fn refuse_without_record(reason: NoRecord) -> rt_err_t {
    match reason {
        NoRecord::NoMemory => errors().nomem,
        NoRecord::Context => {
            DMA.count_refused();
            errors().busy
        }
    }
}
