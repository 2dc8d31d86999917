//! Ending a mapping: the fast path first, then the general path.

use super::errors::refuse_unmap;
use super::{BadMapping, BusMaster, MappedBuffer, Master, Streaming};
use crate::kernel::Kernel;

impl<K: Kernel> Streaming<'_, K> {
    /// Makes the buffer of a mapping the processor's again, with what the device wrote to it.
    ///
    /// The mapping is ended as it was recorded, also where the size or the direction of `mapped` is not what it was
    /// mapped with: the bytes arrive, and the bounce buffer is given back. A direct mapping, which has no record, is
    /// ended as the caller states.
    ///
    /// Context: any; no other call may be at work on the mapping.
    ///
    /// # Errors
    /// [`BadMapping`]: the device has no mapping with the handle, or one of another size or direction, or several and
    /// none of this size and direction. Each is counted, and logged if the caller may sleep. After
    /// [`WrongSize`](BadMapping::WrongSize) and [`WrongDirection`](BadMapping::WrongDirection) the mapping has ended;
    /// the others change nothing. [`Unknown`](BadMapping::Unknown) also stands for an error of
    /// [`Master::for_general_path`], which that method has reported.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    #[inline(always)] // See `map`.
    pub unsafe fn unmap(self, master: impl Master, mapped: &MappedBuffer) -> Result<(), BadMapping> {
        if self.is_tidy()
            && let Some(fast) = master.for_fast_path()
        {
            // SAFETY: the mapping is the caller's, which keeps to the module's `# Safety`.
            if unsafe { self.unmap_direct_fast(fast, mapped) } {
                return Ok(());
            }
            // SAFETY: nothing was unmapped, so the mapping is still the caller's.
            return unsafe { self.unmap_general(&fast.into(), mapped) };
        }
        // SAFETY: the mapping is the caller's, which keeps to the module's `# Safety`.
        unsafe { self.tidy_and_unmap(master, mapped) }
    }

    /// Ends a mapping where the fast path cannot be tried: the maps are not tidy, or it does not serve the device.
    // If this is inlined in `unmap`, a map and unmap of a list take 21 instructions more (`ci/bench`, rows "list").
    #[inline(never)]
    unsafe fn tidy_and_unmap(self, master: impl Master, mapped: &MappedBuffer) -> Result<(), BadMapping> {
        let master = master.for_general_path().map_err(|_| BadMapping::Unknown)?;
        self.tidy();
        // SAFETY: the mapping is the caller's, which keeps to the module's `# Safety`.
        unsafe { self.unmap_general(&master, mapped) }
    }

    /// Ends the recorded mapping of the buffer, or, if there is none, the direct one, and reports the error.
    unsafe fn unmap_general(self, master: &BusMaster, mapped: &MappedBuffer) -> Result<(), BadMapping> {
        // SAFETY: the mapping is the caller's, which keeps to the module's `# Safety`.
        let result = match unsafe { self.unmap_with_record(master, mapped) } {
            // SAFETY: nothing was unmapped, so the mapping is still the caller's.
            Err(BadMapping::Unknown) => unsafe { self.unmap_direct(master, mapped) },
            other => other,
        };
        result.inspect_err(|error| refuse_unmap(self.dma, master.device, mapped, *error))
    }
}
