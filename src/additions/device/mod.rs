//! The records of devices: masks, limits, and managed resources, which are kept until the device is released.

pub mod limits;
pub mod managed;
pub(crate) mod masked_devices;
pub mod masked_tables;
pub mod masks;
pub mod record;
pub mod resource;
