//! Streaming mappings.

pub(in crate::ffi) mod arguments;
mod fill;
pub(in crate::ffi) mod scatter;
pub(in crate::ffi) mod single;
mod sync;
pub(in crate::ffi) mod system;
mod unmap;

pub use arguments::*;
pub use fill::*;
pub use scatter::*;
pub use single::*;
pub use sync::*;
