//! The streaming mappings of the system, and the hook by which code that makes none calls them.

use crate::additions::streaming::{Streaming, StreamingMaps};
use crate::ffi::DMA;
use crate::ffi::additions::hooks::StreamFunctions;
use crate::ffi::dropin::ops::stored_table;
use crate::kernel::rtthread::RtThread;

/// The calls for the streaming mappings of the system. Only the functions for streaming mappings, their debug mode, and
/// the system of drivers in Rust refer to it. All other code goes through the hook
/// [`STREAMS`](crate::ffi::additions::hooks::STREAMS), so that an image without streaming mappings does not link them.
pub(in crate::ffi) static STREAMING: Streaming<'static, RtThread> = Streaming::new(&DMA, &STREAMING_MAPS);

/// What the library keeps about these mappings.
static STREAMING_MAPS: StreamingMaps<RtThread> = StreamingMaps::new();

/// The functions of the hook [`STREAMS`](crate::ffi::additions::hooks::STREAMS).
pub(super) static STREAM_FUNCTIONS: StreamFunctions = StreamFunctions {
    forget_earlier_device: |device| STREAMING.forget_earlier_device(device, || stored_table(device).is_none()),
    tidy: || STREAMING.tidy(),
};
