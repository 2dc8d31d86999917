//! Resources that are released when the device's driver is removed.

mod block_pools;
pub(in crate::ffi) mod buffers;
mod mappings;

pub use block_pools::*;
pub use buffers::*;
pub use mappings::*;
