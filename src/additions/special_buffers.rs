//! Aligned buffers, coherent memory as Linux aligns it, and write-combining memory. The C functions are in
//! `ffi::additions::special_buffers` and `ffi::additions::coherent`.

use crate::dropin::buffer_request::BufferRequest;
use crate::dropin::registry::Dma;
use crate::flags::Flags;
use crate::kernel::{Handle, Kernel, PAGE_SIZE, Va};

/// Coherent memory whose alignment is at most this always has it. A larger buffer is aligned to its own size if there
/// is such a place, otherwise to this, otherwise to a page. The default of Linux's contiguous allocator is the same.
const STRICT_UP_TO: usize = 1 << 20;

impl<K: Kernel> Dma<K> {
    /// Allocates the buffer of a request with any alignment. It lies at the lowest address whose handle is a multiple
    /// of `align`, in the first pool with enough room. An `align` of less than a page has the effect of a page. Returns
    /// `None` if there is no room, or if `align` is not a power of two.
    ///
    /// Context: as [`Dma::allocate_general`].
    pub fn allocate_aligned(&self, request: &BufferRequest) -> Option<(Va, Handle)> {
        if request.align.is_power_of_two() { self.allocate_in_order(request).ok() } else { None }
    }

    /// Allocates the buffer of a request for coherent memory, as Linux aligns it: to the smallest power of two of pages
    /// that holds it. A buffer of more than [`STRICT_UP_TO`] that has no such place is aligned to `STRICT_UP_TO`, or
    /// else to a page. `on_any_page` allocates a buffer for which every page will do.
    ///
    /// Context: as [`Dma::allocate_general`].
    pub fn allocate_coherent(
        &self,
        request: &BufferRequest,
        on_any_page: impl FnOnce() -> Option<(Va, Handle)>,
    ) -> Option<(Va, Handle)> {
        let aligned_to = |align| BufferRequest { align, ..*request };
        // A size without such a power of two needs no alignment: no pool has room for it.
        match request.size.checked_next_power_of_two().unwrap_or(0) {
            ..=PAGE_SIZE => on_any_page(),
            align @ ..=STRICT_UP_TO => self.allocate_aligned(&aligned_to(align)),
            // The first two tries ask no borrower and count no failure: the last one may succeed.
            align => {
                let aligned = self.allocate_without_reclaim_uncounted(&aligned_to(align));
                aligned
                    .or_else(|| self.allocate_without_reclaim_uncounted(&aligned_to(STRICT_UP_TO)))
                    .or_else(on_any_page)
            }
        }
    }
}

impl Flags {
    /// The flags of a request for write-combining memory: uncached memory for which the processor may combine and
    /// reorder writes.
    ///
    /// On aarch64, RT-Thread's write-through mapping is Normal Non-cacheable memory (`MMU_MAP_K_RW` of its `mmu.h`),
    /// which has these properties. On other architectures that mapping may really be write-through, so that the cache
    /// may hold old bytes when the device writes. There the request gets uncached memory. Linux, too, lets a platform
    /// ignore `DMA_ATTR_WRITE_COMBINE` (Documentation/core-api/dma-attributes.rst).
    pub const WRITE_COMBINING: Flags =
        if cfg!(target_arch = "aarch64") { Flags::WRITE_THROUGH } else { Flags::COHERENT };

    /// The flags of a request for coherent memory, as in RT-Thread's `rt_dma_alloc_coherent`.
    pub const COHERENT: Flags = Flags::NOCACHE.union(Flags::LINEAR);
}
