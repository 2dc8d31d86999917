//! What a call is given: the device, the buffer of a map, and what an unmap or a sync names a mapping by.

mod buffer;
mod bus_master;
mod query;

pub(super) use buffer::Location;
pub use buffer::{Attributes, Buffer};
pub(super) use bus_master::flags;
pub use bus_master::{BusMaster, Direction, Ops, OwnOps};
pub use query::Query;
