//! What the library keeps about a device: its masks, limits and managed resources. It is kept until `rt_dmam_release`,
//! or until another device at the same address makes its first call. A managed resource may end earlier, for example a
//! buffer by `rt_dma_free`.
//!
//! | file | what it has |
//! | --- | --- |
//! | `mod.rs` | What is done when a device makes its first call. |
//! | `masks.rs` | `rt_dma_set_mask` and the other calls, which give the device the table for its masks. |
//! | `masked_ops/mod.rs` | The masked tables, and the masks and the original table of a device that has one. |
//! | `masked_ops/functions.rs` | The functions of these tables: they keep to the masks, and call the original table. |
//! | `operations.rs` | The functions of the original table, for code that does not call the device's table. |
//! | `limits.rs` | `rt_dma_set_max_segment` and the other calls for limits. |
//! | `managed/` | `rt_dmam_*`: a file for each kind of resource, and `release.rs`. |
//!
//! The records themselves are in `src/additions/device/`, whose `mod.rs` has a table of its files.

mod limits;
pub(in crate::ffi) mod managed;
pub(in crate::ffi) mod masked_ops;
pub(in crate::ffi) mod masks;
pub(in crate::ffi) mod operations;

pub use limits::*;
pub use managed::*;
pub use masks::*;

use crate::abi::rt_err_t;
use crate::error::Error;
use crate::ffi::additions::hooks::STREAMS;
#[cfg(feature = "debug")]
use crate::ffi::additions::hooks::WATCH_NEW_DEVICE;
use crate::ffi::dropin::ops::stored_table;
use crate::ffi::status::status;
use crate::ffi::{DEVICES, DMA, NEW_DEVICE};
use crate::kernel::{Device, Log};
use crate::log::Level;
use crate::text::text;

/// Sets the hook [`NEW_DEVICE`] to [`forget_earlier_device`]: from then on, the core calls it when a device makes its
/// first call.
///
/// A call that makes a record of a device calls this before. Otherwise the record could be found for a later device at
/// the same address. Before it makes the record, it also chooses the operations of the device: the record of a device
/// without operations would end when they are chosen.
pub(in crate::ffi) fn set_new_device_hook() {
    NEW_DEVICE.set(&(forget_earlier_device as fn(Device)));
}

/// Ends what is kept about an earlier device at the address of this one, and logs what that device never gave back.
fn forget_earlier_device(device: Device) {
    // A device with operations is taken for one that has made a call before. On a BSP that sets the operations itself
    // this may be wrong, and drivers call `rt_dmam_release` (see there).
    //
    // `rt_dmam_free` and the other managed calls that choose no operations call this function too, because they may be
    // the first call of a device. Without this check, each of them would take a lock in
    // `DEVICES.forget_earlier_device`, and search the records of all streaming mappings.
    if stored_table(device).is_some() {
        return;
    }
    // Only logged: the count of refused calls is for calls that fail, and this one goes on.
    let log = |text| DMA.kernel.log(Level::Error, &DMA.line_about(device, text));
    let lost = DEVICES.forget_earlier_device(device, || stored_table(device).is_none());
    if lost != 0 {
        log(text!("%lu managed resources of an earlier device at 0x%lx were never released", lost, device.address()));
    }
    let ended = STREAMS.get().map_or(0, |streams| (streams.forget_earlier_device)(device));
    if ended != 0 {
        log(text!("%lu mappings of an earlier device at 0x%lx were never unmapped", ended, device.address()));
    }
    #[cfg(feature = "debug")]
    if let Some(watch) = WATCH_NEW_DEVICE.get() {
        watch(device);
    }
}

/// Returns the error of C for a call that could not make a record of its device. If the reason is that the caller may
/// not sleep, counts the call as refused.
fn status_without_record(error: Error) -> rt_err_t {
    if error == Error::Context {
        DMA.count_refused();
    }
    status(Err(error))
}
