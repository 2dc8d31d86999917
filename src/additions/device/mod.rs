//! What is remembered of a device: its masks, and what it has until it is released.

pub mod limits;
pub mod managed;
pub(crate) mod masked;
pub mod masks;
pub mod record;
pub mod resource;
