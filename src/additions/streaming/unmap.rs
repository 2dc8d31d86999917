//! Ending a mapping: the fast paths first, then the general one.

use super::errors::refuse;
use super::{Attributes, BadMapping, BusMaster, Query, Streaming};
use crate::kernel::Kernel;

impl<K: Kernel> Streaming<'_, K> {
    /// Makes the buffer of a mapping the processor's again, with what the device wrote to it.
    ///
    /// The mapping is ended as it was recorded, also where the size or the direction of `query` is not what it was mapped with:
    /// the bytes arrive, and the bounce buffer is given back. A direct mapping, which has no record, is ended as the caller
    /// states.
    ///
    /// Context: any; no other call may be at work on the mapping.
    ///
    /// # Errors
    /// Each is logged and counted. After [`WrongSize`](BadMapping::WrongSize) and
    /// [`WrongDirection`](BadMapping::WrongDirection) the mapping has ended all the same; the others change nothing.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    // As functions of their own, the parts of an unmap take 12 instructions more for each buffer of a list ("list").
    #[inline(always)]
    pub unsafe fn unmap(self, master: &BusMaster, query: &Query, attributes: Attributes) -> Result<(), BadMapping> {
        if let Some(is_coherent) = master.fast_path_coherence() {
            // SAFETY: the query is that of a mapping of the caller's, which keeps to the module's `# Safety`.
            let is_done = unsafe {
                self.unmap_direct_fast(is_coherent, query, attributes) || self.unmap_recorded_fast(query, attributes)
            };
            if is_done {
                return Ok(());
            }
        }
        // A copy: the fast paths need no query in memory then, which takes 5 instructions ("list").
        // SAFETY: the query is that of a mapping of the caller's, which keeps to the module's `# Safety`.
        unsafe { self.unmap_general(master, &{ *query }, attributes) }
    }

    /// Ends a mapping as [`unmap`](Streaming::unmap) does, without a try of the fast paths.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    #[inline(always)] // As `unmap`.
    pub unsafe fn unmap_general(
        self,
        master: &BusMaster,
        query: &Query,
        attributes: Attributes,
    ) -> Result<(), BadMapping> {
        self.tidy();
        let &Query { handle, size, .. } = query;
        let pa = master.pa_of(self.dma, handle);
        let is_pools = pa.is_some_and(|pa| self.dma.pool_in(pa, pa.saturating_add(size.max(1))).is_some());
        let may_have_record = pa.is_none() || is_pools || self.mappings.records.may_have_outside(handle);
        let recorded = if may_have_record {
            // SAFETY: the query is that of a mapping of the caller's, which keeps to the module's `# Safety`.
            unsafe { self.unmap_recorded(query, attributes) }
        } else {
            Err(BadMapping::Unknown)
        };
        let result = match recorded {
            // SAFETY: the query is that of a mapping of the caller's, which keeps to the module's `# Safety`.
            Err(BadMapping::Unknown) => unsafe { self.unmap_direct(master, query, attributes, is_pools) },
            other => other,
        };
        result.inspect_err(|error| refuse(self.dma, query, *error, false))
    }
}
