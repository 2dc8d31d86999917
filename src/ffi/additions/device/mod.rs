//! What the library keeps about a device: its masks and limits.

mod limits;
pub(in crate::ffi) mod masked_ops;
pub(in crate::ffi) mod masks;
pub(in crate::ffi) mod remembered;

pub use limits::*;
pub use masks::*;

use crate::abi::rt_err_t;
use crate::additions::device::record::NoRecord;
use crate::ffi::DMA;
use crate::ffi::status::errors;
use crate::kernel::Threads;

/// Returns the error of a call for a device whose map operations cannot be chosen now.
fn no_table() -> rt_err_t {
    if DMA.kernel.can_sleep() { errors().nomem } else { errors().busy }
}

/// Converts the reason why a record was not made to an error of C.
fn refusal(reason: NoRecord) -> rt_err_t {
    match reason {
        NoRecord::NoMemory => errors().nomem,
        NoRecord::Context => {
            DMA.count_refused();
            errors().busy
        }
    }
}
