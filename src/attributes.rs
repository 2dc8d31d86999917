//! What a request asks of its memory beyond what RT-Thread's flags say: see `ffi::attributes` for the calls.

use crate::flags::Flags;

impl Flags {
    /// The request for write-combining memory: uncached, where the processor may gather and reorder writes.
    ///
    /// On aarch64 RT-Thread's write-through mapping is Normal Non-cacheable memory (`MMU_MAP_K_RW` of its `mmu.h`), which
    /// is just that. Elsewhere the mapping may be what its name says, with a cache on the way back from the device: there
    /// the request gets uncached memory, as Linux leaves it to a platform to ignore `DMA_ATTR_WRITE_COMBINE`
    /// (Documentation/core-api/dma-attributes.rst).
    pub const WRITE_COMBINING: Flags =
        if cfg!(target_arch = "aarch64") { Flags::WRITE_THROUGH } else { Flags::COHERENT };

    /// The request for coherent memory: that of RT-Thread's `rt_dma_alloc_coherent`.
    pub const COHERENT: Flags = Flags::NOCACHE.union(Flags::LINEAR);
}
