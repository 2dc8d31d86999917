//! The directions of a mapping, as types: which bytes a driver hands over follows from them.

use crate::additions::streaming;
use crate::mem::handover::{Access, Shared, Unique};

mod sealed {
    pub trait Sealed {}
}

/// The direction of a mapping, as a type: [`ToDevice`], [`FromDevice`] or [`Bidirectional`].
pub trait Direction: sealed::Sealed + 'static {
    /// The access to the bytes that the processor gives up.
    type Access: Access;
    /// The direction as a value.
    const DIRECTION: streaming::Direction;
}

/// The device reads the bytes. The driver hands over `&[u8]`.
#[derive(Clone, Copy, Debug)]
pub struct ToDevice;
/// The device writes the bytes. The driver hands over `&mut [u8]`.
#[derive(Clone, Copy, Debug)]
pub struct FromDevice;
/// The device reads and writes the bytes. The driver hands over `&mut [u8]`.
#[derive(Clone, Copy, Debug)]
pub struct Bidirectional;

impl sealed::Sealed for ToDevice {}
impl Direction for ToDevice {
    type Access = Shared;
    const DIRECTION: streaming::Direction = streaming::Direction::ToDevice;
}

impl sealed::Sealed for FromDevice {}
impl Direction for FromDevice {
    type Access = Unique;
    const DIRECTION: streaming::Direction = streaming::Direction::FromDevice;
}

impl sealed::Sealed for Bidirectional {}
impl Direction for Bidirectional {
    type Access = Unique;
    const DIRECTION: streaming::Direction = streaming::Direction::Bidirectional;
}

/// The borrow that the driver hands over: `&'a [u8]` for [`ToDevice`], else `&'a mut [u8]`.
pub type Bytes<'a, W> = <<W as Direction>::Access as Access>::Bytes<'a>;
