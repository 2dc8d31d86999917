//! The functions of RT-Thread's `drivers/dma.h`, and `list_dma_pool`.

pub(in crate::ffi) mod ops;
pub(in crate::ffi) mod pool;
pub(in crate::ffi) mod request;
pub(in crate::ffi) mod sync;
mod sync_ops;

pub use ops::*;
pub use pool::*;
pub use request::*;
pub use sync::*;
