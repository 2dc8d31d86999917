//! Mappings that are checked before they are used: each page is looked up with `v2p`, because RT-Thread's aarch64 block
//! mapping can map the wrong memory without an error.
//!
//! The ranges of these functions consist of whole pages.

use core::num::NonZeroUsize;

use crate::kernel::{Kernel, MemoryType, PAGE_SIZE, Pa, Va};

/// Maps `[pa, pa + size)` and returns the address. Returns `None` if the kernel cannot map it, or if the new mapping
/// leads to other memory, in which case it is removed.
///
/// Context: thread.
pub fn map_checked<K: Kernel>(kernel: K, pa: Pa, size: usize, memory: MemoryType) -> Option<NonZeroUsize> {
    debug_assert!(kernel.can_sleep(), "a mapping is made where sleeping is allowed");
    let base = kernel.map(pa, size, memory)?;
    // If this is true, `base` is a multiple of the page size, as `pa` is.
    if is_mapped_to(kernel, base.get(), size, pa) {
        return Some(base);
    }
    // SAFETY: `map` returned it, and no other code knows it.
    #[allow(unsafe_code)]
    unsafe {
        kernel.unmap(base.get())
    }
    None
}

/// Returns whether each page of `[va, va + size)` is mapped to the page at the same distance from `pa`.
// With `Addresses::v2p_of_range`, the first view of a pool takes 12 % fewer instructions on aarch64, but the linked
// core has 168 bytes more, and a map outside the linear map takes 13 instructions more.
pub fn is_mapped_to<K: Kernel>(kernel: K, va: Va, size: usize, pa: Pa) -> bool {
    page_offsets(size).all(|offset| kernel.v2p(va.wrapping_add(offset)) == Some(pa.wrapping_add(offset)))
}

/// Returns whether no page of `[va, va + size)` is mapped.
pub fn is_unmapped<K: Kernel>(kernel: K, va: Va, size: usize) -> bool {
    page_offsets(size).all(|offset| kernel.v2p(va.wrapping_add(offset)).is_none())
}

/// Returns the distance of each page of `size` bytes from the first byte.
fn page_offsets(size: usize) -> impl Iterator<Item = usize> {
    (0..size).step_by(PAGE_SIZE)
}
