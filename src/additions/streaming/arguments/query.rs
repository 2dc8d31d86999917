//! The arguments by which an unmap or a sync finds a mapping.

use super::Direction;
use crate::kernel::{Device, Handle};

/// What an unmap or a sync was called with.
#[derive(Clone, Copy)]
pub struct Query {
    /// The device, which is that of the [`BusMaster`](super::BusMaster) that the call gets.
    pub device: Device,
    /// The handle of a mapping. A sync may have that of any of its bytes.
    pub handle: Handle,
    /// Bytes.
    pub size: usize,
    /// The direction of the mapping.
    pub direction: Direction,
}
