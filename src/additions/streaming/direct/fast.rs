//! The fast path of direct mappings, which network and block drivers take for each buffer.
//!
//! It serves the devices of [`FastMaster`], and a buffer in the known part of the linear map, away from the pools.
//! There the physical address follows from the virtual one, and the other way round: nothing is looked up, locked or
//! recorded (`benches/maps.c`, "linear"). Every other mapping, and every call that is wrong, takes the general path.

use super::super::hand_over::{hand_to_device, take_from_device};
use super::super::{Buffer, FastMaster, Query, Streaming, last_byte};
use crate::kernel::{Handle, Kernel, Pa, Va};

impl<K: Kernel> Streaming<'_, K> {
    /// Makes a direct mapping; `None`, and nothing has changed, if the buffer is not in the known part of the linear
    /// map, or if it may need a bounce buffer.
    ///
    /// Context: any.
    // As functions of their own, a direct map and unmap take 42 instructions more (`ci/bench`, rows "linear").
    #[inline(always)]
    pub(in super::super) unsafe fn map_direct_fast(self, master: FastMaster, buffer: &Buffer) -> Option<Handle> {
        let &Buffer { va, size, .. } = buffer;
        let kernel = self.dma.kernel;
        // The general path refuses a null address, and logs it (`try_map`).
        if va == 0 {
            return None;
        }
        // The first direct map, which takes the general path, sets the offset and the range of `is_known`.
        let pa = va.wrapping_add(self.mappings.linear_range.offset()?);
        if !self.is_known(va, pa, size) {
            return None;
        }
        let maintain = master.snooping().needs_maintenance();
        if maintain && buffer.may_endanger_others(kernel) {
            return None;
        }
        hand_to_device(kernel, va, size, maintain);
        Some(pa)
    }

    /// Ends a mapping that can only be a direct one, and returns true; otherwise returns false, and nothing has
    /// changed.
    ///
    /// Context: any.
    #[inline(always)] // `map_direct_fast`, above, has the figure of both.
    pub(in super::super) unsafe fn unmap_direct_fast(self, master: FastMaster, query: &Query) -> bool {
        let &Query { handle, size, direction, attributes, .. } = query;
        let kernel = self.dma.kernel;
        let Some(offset) = self.mappings.linear_range.offset() else { return false };
        let va = handle.wrapping_sub(offset);
        if self.mappings.records.may_have_outside_pools(handle) || !self.is_known(va, handle, size) {
            return false;
        }
        let maintain = master.snooping().needs_maintenance();
        if maintain && (Buffer { va, size, direction, attributes }).may_endanger_others(kernel) {
            return false;
        }
        if !query.keeps_bytes() {
            // SAFETY: the caller guarantees that nothing was written to the buffer since it was flushed.
            unsafe { take_from_device(kernel, va, size, maintain) }
        }
        true
    }

    /// Returns whether the `size` bytes at `va`, which lie at `pa`, are in the known part of the linear map, and none
    /// is a pool's.
    fn is_known(self, va: Va, pa: Pa, size: usize) -> bool {
        let Some(last) = last_byte(va, size) else { return false };
        // `may_contain` compares with the span of all pools, so a buffer between two pools also takes the general path.
        self.mappings.linear_range.holds(va, last) && !self.dma.may_contain(pa, pa.wrapping_add(last - va))
    }
}
