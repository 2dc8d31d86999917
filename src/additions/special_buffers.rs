//! Aligned buffers, coherent memory as Linux aligns it, and write-combining memory. The C functions are in
//! `ffi::additions::special_buffers` and `ffi::additions::coherent`.

use crate::dropin::buffer_request::BufferRequest;
use crate::dropin::registry::Dma;
use crate::flags::Flags;
use crate::kernel::{Handle, Kernel, PAGE_SIZE, Va};

/// The largest alignment that coherent memory always has. A larger buffer is aligned to its own size if there is such a
/// place, otherwise to this, otherwise to a page. The default of Linux's contiguous allocator is the same.
const MAX_STRICT_ALIGN: usize = 1 << 20;

impl<K: Kernel> Dma<K> {
    /// Allocates the buffer of a request for coherent memory, as Linux aligns it: to the smallest power of two of pages
    /// that holds it. A buffer of more than [`MAX_STRICT_ALIGN`] for which there is no such place is aligned to
    /// `MAX_STRICT_ALIGN`, or else to a page. `on_any_page` allocates a buffer that may begin on any page.
    ///
    /// Context: as [`Dma::allocate_general`].
    pub fn allocate_coherent(
        &self,
        request: &BufferRequest,
        on_any_page: impl FnOnce() -> Option<(Va, Handle)>,
    ) -> Option<(Va, Handle)> {
        let aligned_to = |align| BufferRequest { align, ..*request };
        // No pool has room for a size without such a power of two: every allocation of it fails.
        let Some(align) = request.size.checked_next_power_of_two() else { return on_any_page() };
        if align <= PAGE_SIZE {
            return on_any_page();
        }
        if align <= MAX_STRICT_ALIGN {
            return self.allocate_in_order(&aligned_to(align)).ok();
        }
        // The first two tries ask no borrower and count no failure: the last one may succeed.
        self.allocate_without_reclaim_uncounted(&aligned_to(align))
            .or_else(|| self.allocate_without_reclaim_uncounted(&aligned_to(MAX_STRICT_ALIGN)))
            .or_else(on_any_page)
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
