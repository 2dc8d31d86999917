//! Why a call for a mapping is refused, and the line that is logged about it.

use core::error::Error;
use core::ffi::CStr;
use core::fmt;

use super::{BusMaster, MappedBuffer};
use crate::dropin::registry::Dma;
use crate::kernel::{Device, Kernel};
use crate::log::Level;
use crate::text::{separate_cstr, text};

/// Why a buffer is not mapped. Nothing has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MapError {
    /// There is no device; or the buffer has no address or no size, or ends past the end of memory; or the direction is
    /// [`Neither`](super::Direction::Neither).
    Invalid,
    /// A page of the buffer is not mapped for the processor.
    NotMapped,
    /// The buffer needs a bounce buffer, and no pool that the device reaches can allocate one now.
    NoBounce,
    /// There is no memory for a record.
    NoMemory,
    /// The device's operations cannot be chosen now. The function that tried to choose them has counted the call, and
    /// logged the reason if the caller may sleep.
    NoOperations,
}

impl MapError {
    /// Returns the text that states the reason, in the log and as the error of a driver in Rust.
    fn reason(self) -> &'static CStr {
        match self {
            MapError::Invalid => separate_cstr!("not a buffer, or no direction"),
            MapError::NotMapped => separate_cstr!("nothing is mapped there"),
            MapError::NoBounce => separate_cstr!("no bounce buffer within reach"),
            MapError::NoMemory => separate_cstr!("out of memory"),
            MapError::NoOperations => separate_cstr!("the device's operations cannot be chosen now"),
        }
    }
}

impl fmt::Display for MapError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.reason().to_str().unwrap_or_default())
    }
}

impl Error for MapError {}

/// What is wrong with an unmap or a sync. A sync that is refused changes nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadMapping {
    /// No mapping of the device has the handle (any more); or there is no device, or its operations cannot be chosen
    /// now. Nothing has changed.
    Unknown,
    /// The mapping has another size. The unmap has ended it, with the size that it has.
    WrongSize,
    /// The range of a sync ends after the mapping.
    PastEnd,
    /// The mapping has another direction. An unmap has ended it, with the direction that it has.
    WrongDirection,
    /// Several mappings have the handle, and the size and direction of an unmap are those of none of them. Nothing has
    /// changed, because it is not known which one was meant. Each of them can still be unmapped.
    Ambiguous,
    /// The direction of a sync is [`Neither`](super::Direction::Neither). Nothing has changed.
    NoDirection,
}

impl BadMapping {
    /// Returns whether an unmap that was refused for this reason has ended a mapping all the same.
    pub fn has_ended_mapping(self) -> bool {
        matches!(self, BadMapping::WrongSize | BadMapping::WrongDirection)
    }

    /// Returns the text that states the reason, in the log and as the error of a driver in Rust.
    fn reason(self) -> &'static CStr {
        match self {
            BadMapping::Unknown => separate_cstr!("not mapped (any more)"),
            BadMapping::WrongSize => separate_cstr!("wrong size"),
            BadMapping::PastEnd => separate_cstr!("the range ends after the mapping"),
            BadMapping::WrongDirection => separate_cstr!("wrong direction"),
            BadMapping::Ambiguous => separate_cstr!("mapped more than once, and never with this size and direction"),
            BadMapping::NoDirection => separate_cstr!("no direction"),
        }
    }
}

impl fmt::Display for BadMapping {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.reason().to_str().unwrap_or_default())
    }
}

impl Error for BadMapping {}

/// Logs why a buffer is not mapped, and counts the call if the caller is wrong. A map that finds no record where the
/// caller may not sleep is only counted: a thread would have allocated one. A map that gets no bounce buffer is only
/// logged: the pools count the requests that they cannot serve (`Failed` of `list_dma_pool`).
///
/// Context: any.
#[cold]
pub(super) fn report_map<K: Kernel>(dma: &Dma<K>, master: &BusMaster, error: MapError, address: usize, size: usize) {
    let text = text!("map of 0x%lx (%lu bytes): %s", address, size, error.reason());
    let line = dma.line_about(master.device, text);
    match error {
        MapError::Invalid | MapError::NotMapped => dma.refuse_line(&line),
        MapError::NoMemory if !dma.kernel.can_sleep() => dma.count_refused(),
        // It is reported where the operations are chosen.
        MapError::NoOperations => {}
        MapError::NoBounce | MapError::NoMemory => dma.kernel.log(Level::Warning, &line),
    }
}

/// Logs and counts an unmap that is wrong.
///
/// Context: any.
#[cold]
pub(super) fn refuse_unmap<K: Kernel>(dma: &Dma<K>, device: Device, mapped: &MappedBuffer, error: BadMapping) {
    let (handle, size, reason) = (mapped.handle, mapped.size, error.reason());
    let text = if error.has_ended_mapping() {
        text!("unmap of 0x%lx (%lu bytes): %s, unmapped as it was mapped", handle, size, reason)
    } else {
        text!("unmap of 0x%lx (%lu bytes): %s", handle, size, reason)
    };
    dma.refuse_line(&dma.line_about(device, text));
}

/// Logs and counts a sync that is refused.
///
/// Context: any.
#[cold]
pub(super) fn refuse_sync<K: Kernel>(dma: &Dma<K>, device: Device, mapped: &MappedBuffer, error: BadMapping) {
    let text = text!("sync of 0x%lx (%lu bytes): %s", mapped.handle, mapped.size, error.reason());
    dma.refuse_line(&dma.line_about(device, text));
}
