//! The flags of a request and of a pool: `RT_DMA_F_*` of RT-Thread's `drivers/dma.h`.

use bitflags::bitflags;

bitflags! {
    /// `RT_DMA_F_*`: the requirements of a request, or the properties of a pool. Bits that no revision of the interface
    /// defines are kept and ignored.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct Flags: usize {
        /// Pool: its pages are mapped cached at their linear addresses. In revision r1 every pool has the flag, mapped
        /// or not.
        const LINEAR = 1 << 0;
        /// Pool: it lies below 4 GiB. Request: it needs such a pool.
        const ADDRESS_32BITS = 1 << 1;
        /// Pool: its memory is mapped uncached for every request. Request: it needs uncached memory.
        const NOCACHE = 1 << 2;
        /// Pool: it serves only its owners. Request: it needs a pool that its device owns.
        const DEVICE = 1 << 3;
        /// Pool: it must not be mapped linearly. Request: it needs pages of such a pool, which are not mapped.
        const NOMAP = 1 << 4;
        /// Request: it needs memory that is mapped write-through (revision r2).
        const WRITE_THROUGH = 1 << 5;

        // All other bits, so that `bitflags` keeps them.
        const _ = !0;
    }
}
