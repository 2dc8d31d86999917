//! Streaming mappings.

pub(in crate::ffi) mod arguments;
mod fill;
pub(in crate::ffi) mod list;
pub(in crate::ffi) mod single;
mod sync;
pub(in crate::ffi) mod system;

pub use arguments::*;
pub use fill::*;
pub use list::*;
pub use single::*;
pub use sync::*;
