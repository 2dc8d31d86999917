//! Ending a mapping that may be managed.

use core::ffi::c_int;

use crate::additions::device::managed::ManagedClaim;
use crate::additions::device::resource::{Arguments, ResourceKind};
use crate::additions::streaming::{MappedBuffer, Master};
use crate::ffi::DEVICES;
use crate::ffi::additions::streaming::arguments::direction_of;
use crate::ffi::additions::streaming::system::STREAMING;
use crate::kernel::{Device, Handle};

/// Ends a mapping. If that succeeds, it is not managed any more.
///
/// # Safety
/// The device exists, and the caller keeps to `# Safety` of `additions::streaming` for its mapping.
// As a function of its own, the unmap of a list takes 208 instructions more (`ci/bench`, rows "list").
#[inline(always)]
pub(super) unsafe fn unmap(master: impl Master, mapped: &MappedBuffer) {
    if DEVICES.may_manage(mapped.handle) {
        // SAFETY: the caller keeps to `# Safety` of `additions::streaming` for its mapping.
        return unsafe { unmap_managed(master, mapped) };
    }
    // A refused call is reported where it is refused, and C gets no error.
    // SAFETY: the caller keeps to `# Safety` of `additions::streaming` for its mapping.
    let _ = unsafe { STREAMING.unmap(master, mapped) };
}

/// Ends a mapping that may be managed.
///
/// # Safety
/// As [`unmap`].
// Inlined into `unmap`, it makes a direct map and its unmap take 18 instructions more (`ci/bench`, rows "linear").
#[inline(never)]
unsafe fn unmap_managed(master: impl Master, mapped: &MappedBuffer) {
    let Ok(master) = master.for_general_path() else { return };
    let is_exact = |&[_, size, direction, _]: &Arguments| {
        size == mapped.size && direction_of(direction as c_int) == mapped.direction
    };
    // Several mappings may have one handle. The managed one with exactly this size and direction comes first. If there
    // is none, and no record has them either, the driver may have passed a wrong size for a managed mapping without a
    // record: the first managed mapping of the device with this handle is claimed. (If another mapping of this handle,
    // not managed and without a record, is ended here, that is a mistake, which cannot be noticed.)
    let mut claim = claim_where(master.device, mapped.handle, is_exact);
    if claim.is_none() && !STREAMING.has_record(&master, mapped) {
        claim = claim_where(master.device, mapped.handle, |_| true);
    }
    // SAFETY: the caller keeps to `# Safety` of `additions::streaming` for its mapping.
    let result = unsafe { STREAMING.unmap(&master, mapped) };
    if let Some(claim) = claim {
        let has_ended = match result {
            Ok(()) => true,
            Err(error) => error.has_ended_mapping(),
        };
        DEVICES.end_claim(claim, has_ended);
    }
}

/// Claims a managed mapping of the device with this handle, whose arguments fulfil a condition; `None` if there is
/// none.
// Inlined into `unmap_managed`, it makes the unmap of a list take 96 instructions more (`ci/bench`, rows "list").
#[inline(never)]
fn claim_where(device: Device, handle: Handle, is_meant: impl Fn(&Arguments) -> bool) -> Option<ManagedClaim> {
    DEVICES.claim(ResourceKind::Mapping, handle, |owner, arguments| owner == device && is_meant(arguments))
}
