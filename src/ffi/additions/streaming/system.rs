//! The streaming mappings of the system, and what they and the device records call.

use crate::additions::streaming::{OwnOps, Streaming, StreamingMaps};
use crate::ffi::additions::hooks::Streams;
use crate::ffi::additions::with_handle;
use crate::ffi::dropin::ops::stored_table;
use crate::ffi::status::errors;
use crate::ffi::{DMA, c_device, pointer, rt_dma_alloc, rt_dma_free, rt_dma_sync_in_data, rt_dma_sync_out_data};
use crate::flags::Flags;
use crate::kernel::rtthread::RtThread;

/// The streaming mappings of the system. Only functions that make, end or sync such mappings refer to them, so that a
/// system without streaming mappings does not link them.
pub(in crate::ffi) static STREAMING: Streaming<'static, RtThread> = Streaming::new(&DMA, &MAPPINGS);

static MAPPINGS: StreamingMaps<RtThread> = StreamingMaps::new();

/// What other additions call.
pub(super) static HOOKS: Streams =
    Streams { forget: |device| STREAMING.forget(device, || stored_table(device).is_none()), tidy: || STREAMING.tidy() };

/// The operations of a table that the BSP set, through the functions that call it.
pub(super) static OWN: OwnOps = OwnOps {
    alloc: |device, size| {
        // SAFETY: the device is that of a mapping, and exists as long as the mapping; the handle may be written.
        let buffer = with_handle(|handle| unsafe { rt_dma_alloc(c_device(device), size, handle, 0) });
        buffer.map(|(va, handle)| (va.expose_provenance(), handle))
    },
    // SAFETY: the device is that of a mapping, and exists as long as the mapping; addresses are not read.
    free: |device, size, va, handle| unsafe { rt_dma_free(c_device(device), size, pointer(va), handle, 0) },
    sync_out: |device, va, size, flags: Flags| {
        let mut handle = 0;
        // SAFETY: the device is that of a mapping, and exists as long as the mapping; the handle is a local variable.
        let result = unsafe { rt_dma_sync_out_data(c_device(device), pointer(va), size, &mut handle, flags.bits()) };
        (result == errors().ok).then_some(handle)
    },
    sync_in: |device, va, size, handle, flags| {
        // SAFETY: the device is that of a mapping; addresses are not read. The BSP's operation reports its own errors.
        let _ = unsafe { rt_dma_sync_in_data(c_device(device), pointer(va), size, handle, flags.bits()) };
    },
};
