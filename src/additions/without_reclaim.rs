//! Buffers from memory that is free now: no borrower is asked for memory. Coherent memory, block pools and streaming
//! mappings allocate them.

use crate::dropin::buffer_request::BufferRequest;
use crate::dropin::pool::SearchedPools;
use crate::dropin::registry::Dma;
use crate::kernel::{Handle, Kernel, Va};

impl<K: Kernel> Dma<K> {
    /// Allocates the buffer of a request, whose size is not zero, as [`Dma::allocate_in_order`] does, but asks no
    /// borrower for memory. A failure is counted.
    ///
    /// Context: as [`Dma::allocate_general`].
    pub fn allocate_without_reclaim(&self, request: &BufferRequest) -> Option<(Va, Handle)> {
        let buffer = self.allocate_without_reclaim_uncounted(request);
        if buffer.is_none() {
            self.count_failure(request.device, request.size, request.for_all_pools().flags);
        }
        buffer
    }

    /// Allocates as [`allocate_without_reclaim`](Self::allocate_without_reclaim) does, for a caller that makes another
    /// request if there is no room, or does without the buffer: a failure is not counted.
    ///
    /// Context: as [`Dma::allocate_general`].
    pub fn allocate_without_reclaim_uncounted(&self, request: &BufferRequest) -> Option<(Va, Handle)> {
        if request.ops.are_translated()
            && let Ok(buffer) = self.allocate_from_pools(request, SearchedPools::Owned)
        {
            return Some(buffer);
        }
        self.allocate_from_pools(&request.for_all_pools(), SearchedPools::All).ok()
    }
}
