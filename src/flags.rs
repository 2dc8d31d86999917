//! The flags of a request and of a pool: `RT_DMA_F_*` of RT-Thread's `drivers/dma.h`.

use bitflags::bitflags;

bitflags! {
    /// `RT_DMA_F_*`. A request says what it needs, a pool what it has; bits that no revision defines are kept, and mean
    /// nothing.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct Flags: usize {
        /// Pool: its pages are mapped cached at their linear address.
        const LINEAR = 1 << 0;
        /// Pool: it lies below 4 GiB. Request: only such a pool will do.
        const ADDRESS_32BITS = 1 << 1;
        /// Uncached: on a pool, for every request that it serves.
        const NOCACHE = 1 << 2;
        /// The pool of one device. A request must have it to be served from there.
        const DEVICE = 1 << 3;
        /// Pool: must not be mapped linearly. Request: wants pages of such a pool, not mapped at all.
        const NOMAP = 1 << 4;
        /// Request: write-through (since revision r2).
        const WRITE_THROUGH = 1 << 5;

        const _ = !0;
    }
}
