//! What the library keeps about a device: its masks and limits.

mod limits;
pub(in crate::ffi) mod masked_ops;
pub(in crate::ffi) mod masks;
pub(in crate::ffi) mod remembered;

pub use limits::*;
pub use masks::*;
