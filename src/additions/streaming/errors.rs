//! Why a mapping is refused, and what is said about it.

use super::Master;
use super::records::Claim;
use crate::dropin::registry::Dma;
use crate::kernel::Kernel;
use crate::log::Level;
use crate::text::apart;

/// Why a buffer is not mapped. Nothing was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MapError {
    /// It has no address or no size, or ends past the end of memory; or nobody said which way its bytes go.
    Invalid,
    /// Not all of it is mapped for the processor.
    NotMapped,
    /// It needs a bounce buffer, and no pool that the device reaches has one now.
    NoBounce,
    /// There is no memory for a record.
    NoMemory,
}

/// What is wrong with an unmap or a sync. A sync that is wrong changes nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadMapping {
    /// No mapping has the handle (any more), or the sync has no direction. Nothing was changed.
    Unknown,
    /// The mapping has another size: an unmap has ended it all the same. Or it ends before the range of a sync does.
    WrongSize,
    /// The mapping has another direction: an unmap has ended it all the same.
    WrongDirection,
    /// An unmap has the size and direction of none of the mappings that have the handle. Nothing was changed, because it is
    /// not known which one was meant; each of them can still be unmapped.
    Ambiguous,
}

/// Says why a buffer is not mapped. Only what the caller did wrong is counted.
#[cold]
pub(super) fn report<K: Kernel>(dma: &Dma<K>, master: &Master, error: MapError, address: usize, size: usize) {
    let (is_wrong, format) = match error {
        MapError::Invalid => (true, apart!("map of 0x%lx (%lu bytes): not a buffer, or no direction")),
        MapError::NotMapped => (true, apart!("map of 0x%lx (%lu bytes): nothing is mapped there")),
        MapError::NoBounce => (false, apart!("map of 0x%lx (%lu bytes): no bounce buffer within reach")),
        MapError::NoMemory => (false, apart!("map of 0x%lx (%lu bytes): out of memory")),
    };
    let values = [address, size];
    let line = dma.line_about(master.device, format, &values);
    if is_wrong { dma.refuse_line(&line) } else { dma.kernel.say(Level::Warning, &line) }
}

#[cold]
pub(super) fn refuse<K: Kernel>(dma: &Dma<K>, claim: &Claim, error: BadMapping, is_sync: bool) {
    let format = match (error, is_sync) {
        (BadMapping::Unknown, false) => apart!("unmap of 0x%lx (%lu bytes): not mapped (any more)"),
        (BadMapping::WrongSize, false) => apart!("unmap of 0x%lx (%lu bytes): wrong size, unmapped as it was mapped"),
        (BadMapping::WrongDirection, false) => {
            apart!("unmap of 0x%lx (%lu bytes): wrong direction, unmapped as it was mapped")
        }
        (BadMapping::Ambiguous, _) => {
            apart!("unmap of 0x%lx (%lu bytes): mapped more than once, and never with this size and direction")
        }
        (BadMapping::Unknown, true) => apart!("sync of 0x%lx (%lu bytes): not mapped (any more)"),
        (BadMapping::WrongSize, true) => apart!("sync of 0x%lx (%lu bytes): the mapping ends before"),
        (BadMapping::WrongDirection, true) => apart!("sync of 0x%lx (%lu bytes): wrong direction"),
    };
    dma.refuse_line(&dma.line_about(claim.device, format, &[claim.handle, claim.size]));
}
