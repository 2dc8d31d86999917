//! What a request asks of its memory beyond RT-Thread's flags: see `ffi::attributes` for the calls.

use crate::dropin::registry::Dma;
use crate::dropin::translate::MapOps;
use crate::dropin::translate::Request;
use crate::flags::Flags;
use crate::kernel::{Device, Kernel, Va};

impl<K: Kernel> Dma<K> {
    /// A buffer of at least `size` bytes that begins at a physical address that is a multiple of `align`, a power of two
    /// (a page at least), all of which the device can name with the bits of `mask`: by first fit, as every other. `None`
    /// also for an `align` that is no power of two. Context as [`Dma::allocate_general`].
    pub fn allocate_aligned(
        &self,
        ops: MapOps,
        device: Device,
        size: usize,
        align: usize,
        wanted: Flags,
        mask: u64,
    ) -> Option<(Va, usize)> {
        if !align.is_power_of_two() {
            return None;
        }
        self.allocate_by(&Request { ops, device, size, wanted, mask, align }).ok()
    }
}

impl Flags {
    /// The request for write-combining memory: uncached, where the processor may gather and reorder writes.
    ///
    /// On aarch64 RT-Thread's write-through mapping is Normal Non-cacheable memory (`MMU_MAP_K_RW` of its `mmu.h`), which
    /// is just that. Elsewhere the mapping may be what its name means, with a cache on the way back from the device: there
    /// the request gets uncached memory, as Linux leaves it to a platform to ignore `DMA_ATTR_WRITE_COMBINE`
    /// (Documentation/core-api/dma-attributes.rst).
    pub const WRITE_COMBINING: Flags =
        if cfg!(target_arch = "aarch64") { Flags::WRITE_THROUGH } else { Flags::COHERENT };

    /// The request for coherent memory: that of RT-Thread's `rt_dma_alloc_coherent`.
    pub const COHERENT: Flags = Flags::NOCACHE.union(Flags::LINEAR);
}
