//! Ending a mapping: the fast path first, then the general path.

use super::errors::refuse_unmap;
use super::{BadMapping, BusMaster, Master, Query, Streaming};
use crate::kernel::Kernel;

impl<K: Kernel> Streaming<'_, K> {
    /// Makes the buffer of a mapping the processor's again, with what the device wrote to it.
    ///
    /// The mapping is ended as it was recorded, also where the size or the direction of `query` is not what it was
    /// mapped with: the bytes arrive, and the bounce buffer is given back. A direct mapping, which has no record, is
    /// ended as the caller states.
    ///
    /// Context: any; no other call may be at work on the mapping.
    ///
    /// # Errors
    /// [`BadMapping`]: the device has no mapping with the handle, or one of another size or direction, or several and
    /// none of this size and direction. Each is logged and counted. After [`WrongSize`](BadMapping::WrongSize) and
    /// [`WrongDirection`](BadMapping::WrongDirection) the mapping has ended all the same; the others change nothing.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    #[inline(always)] // As functions of their own, a direct map and unmap take 20 instructions more ("linear").
    pub unsafe fn unmap(self, master: impl Master, query: &Query) -> Result<(), BadMapping> {
        if self.is_tidy()
            && let Some(fast) = master.fast()
        {
            // SAFETY: the query is that of a mapping of the caller's, which keeps to the module's `# Safety`.
            if unsafe { self.unmap_direct_fast(fast, query) } {
                return Ok(());
            }
            // SAFETY: as above.
            return unsafe { self.unmap_general(&fast.into(), query) };
        }
        // SAFETY: as above.
        unsafe { self.tidy_and_unmap(master, query) }
    }

    /// Makes the streaming maps tidy, then ends a mapping of any device.
    // As a part of `unmap`, a map and unmap of a list take 21 instructions more (`ci/bench`, rows "list").
    #[inline(never)]
    unsafe fn tidy_and_unmap(self, master: impl Master, query: &Query) -> Result<(), BadMapping> {
        let master = master.general().map_err(|_| BadMapping::Unknown)?;
        self.tidy();
        // SAFETY: the query is that of a mapping of the caller's, which keeps to the module's `# Safety`.
        unsafe { self.unmap_general(&master, query) }
    }

    /// Ends the recorded mapping that the query is about, or, if there is none, the direct one, and reports the error.
    unsafe fn unmap_general(self, master: &BusMaster, query: &Query) -> Result<(), BadMapping> {
        // SAFETY: the query is that of a mapping of the caller's, which keeps to the module's `# Safety`.
        let result = match unsafe { self.unmap_recorded(master, query) } {
            // SAFETY: as above.
            Err(BadMapping::Unknown) => unsafe { self.unmap_direct(master, query) },
            other => other,
        };
        result.inspect_err(|error| refuse_unmap(self.dma, master.device, query, *error))
    }
}
