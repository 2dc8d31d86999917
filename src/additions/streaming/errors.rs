//! Why a call for a mapping is refused, and the line that is logged about it.

use core::error::Error;
use core::fmt;

use super::{BusMaster, Query};
use crate::dropin::registry::Dma;
use crate::kernel::Kernel;
use crate::log::Level;
use crate::text::apart;

/// Why a buffer is not mapped. Nothing has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MapError {
    /// The buffer has no address or no size, or ends past the end of memory; or the direction is
    /// [`Neither`](super::Direction::Neither).
    Invalid,
    /// A page of the buffer is not mapped for the processor.
    NotMapped,
    /// The buffer needs a bounce buffer, and no pool that the device reaches can allocate one now.
    NoBounce,
    /// There is no memory for a record.
    NoMemory,
}

impl fmt::Display for MapError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            MapError::Invalid => "not a buffer, or no direction",
            MapError::NotMapped => "a page of the buffer is not mapped",
            MapError::NoBounce => "no bounce buffer within the device's reach",
            MapError::NoMemory => "no memory for a record",
        })
    }
}

impl Error for MapError {}

/// What is wrong with an unmap or a sync. A sync that is refused changes nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadMapping {
    /// No mapping of the device has the handle (any more), or the direction of a sync is
    /// [`Neither`](super::Direction::Neither). Nothing has changed.
    Unknown,
    /// The mapping has another size: an unmap has ended it all the same. Or the range of a sync ends after the mapping.
    WrongSize,
    /// The mapping has another direction: an unmap has ended it all the same.
    WrongDirection,
    /// Several mappings have the handle, and the size and direction of an unmap are those of none of them. Nothing has
    /// changed, because it is not known which one was meant. Each of them can still be unmapped.
    Ambiguous,
}

impl fmt::Display for BadMapping {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            BadMapping::Unknown => "no such mapping of the device",
            BadMapping::WrongSize => "the mapping has another size",
            BadMapping::WrongDirection => "the mapping has another direction",
            BadMapping::Ambiguous => "several mappings have the handle, and none this size and direction",
        })
    }
}

impl Error for BadMapping {}

/// Logs why a buffer is not mapped, and counts the call if the caller is wrong.
///
/// Context: any.
#[cold]
pub(super) fn report<K: Kernel>(dma: &Dma<K>, master: &BusMaster, error: MapError, address: usize, size: usize) {
    let (is_wrong, format) = match error {
        MapError::Invalid => (true, apart!("map of 0x%lx (%lu bytes): not a buffer, or no direction")),
        MapError::NotMapped => (true, apart!("map of 0x%lx (%lu bytes): nothing is mapped there")),
        MapError::NoBounce => (false, apart!("map of 0x%lx (%lu bytes): no bounce buffer within reach")),
        MapError::NoMemory => (false, apart!("map of 0x%lx (%lu bytes): out of memory")),
    };
    let values = [address, size];
    let line = dma.line_about(master.device, format, &values);
    if is_wrong { dma.refuse_line(&line) } else { dma.kernel.log(Level::Warning, &line) }
}

/// Logs and counts an unmap that is wrong.
///
/// Context: any.
#[cold]
pub(super) fn refuse_unmap<K: Kernel>(dma: &Dma<K>, query: &Query, error: BadMapping) {
    let format = match error {
        BadMapping::Unknown => apart!("unmap of 0x%lx (%lu bytes): not mapped (any more)"),
        BadMapping::WrongSize => apart!("unmap of 0x%lx (%lu bytes): wrong size, unmapped as it was mapped"),
        BadMapping::WrongDirection => apart!("unmap of 0x%lx (%lu bytes): wrong direction, unmapped as it was mapped"),
        BadMapping::Ambiguous => {
            apart!("unmap of 0x%lx (%lu bytes): mapped more than once, and never with this size and direction")
        }
    };
    dma.refuse_line(&dma.line_about(query.device, format, &[query.handle, query.size]));
}

/// Logs and counts a sync that is refused.
///
/// Context: any.
#[cold]
pub(super) fn refuse_sync<K: Kernel>(dma: &Dma<K>, query: &Query, error: BadMapping) {
    let format = match error {
        // A sync is never ambiguous: it takes the first mapping that has its bytes.
        BadMapping::Unknown | BadMapping::Ambiguous => apart!("sync of 0x%lx (%lu bytes): not mapped (any more)"),
        BadMapping::WrongSize => apart!("sync of 0x%lx (%lu bytes): the mapping ends before"),
        BadMapping::WrongDirection => apart!("sync of 0x%lx (%lu bytes): wrong direction"),
    };
    dma.refuse_line(&dma.line_about(query.device, format, &[query.handle, query.size]));
}
