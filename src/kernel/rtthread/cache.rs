//! Maintenance of the data cache, in pieces that the port takes.

use core::ffi::c_int;

use super::{pointer, rt_dma_port_cache};
use crate::kernel::Va;

/// The length of one cache operation, in bytes, is less than this: the port takes an `int`.
const CACHE_OP_END: usize = 1 << 30;

/// Maintains the cache of `[va, va + size)`, in pieces whose lengths fit into an `int`.
#[inline(always)]
pub(super) fn maintain(va: Va, size: usize, operation: c_int) {
    if size >= CACHE_OP_END {
        return maintain_in_pieces(va, size, operation);
    }
    // SAFETY: the caller of each operation guarantees what that operation needs.
    unsafe { rt_dma_port_cache(operation, pointer(va), size as c_int) };
}

#[cold]
#[inline(never)]
fn maintain_in_pieces(mut va: Va, mut size: usize, operation: c_int) {
    while size != 0 {
        let piece = size.min(CACHE_OP_END / 2);
        // SAFETY: as in `maintain`.
        unsafe { rt_dma_port_cache(operation, pointer(va), piece as c_int) };
        va = va.wrapping_add(piece);
        size -= piece;
    }
}
