//! Where a driver's buffer lies in physical memory, and whether it is contiguous there.

use super::buffer::LocatedBuffer;
use super::direct::linear_range::LinearBytes;
use super::{Streaming, last_byte};
use crate::dropin::pool::{AddressInfo, InView};
use crate::dropin::registry::Dma;
use crate::kernel::{Kernel, PAGE_SIZE, Pa, PaOfRange, Va};

/// Where the page tables show a buffer.
pub struct Location {
    /// The buffer. Its lines are maintained if the cache may hold lines of it, and the device does not snoop the cache.
    pub buffer: LocatedBuffer,
    /// Whether physical addresses rise with virtual ones from the first byte to the last.
    pub is_contiguous: bool,
    /// Whether no pool contains all of the buffer. Only used if the buffer is contiguous: any other one gets a bounce
    /// buffer.
    pub extends_outside_pools: bool,
}

impl<K: Kernel> Streaming<'_, K> {
    /// Returns where the page tables show `[va, va + size)`; `None` if a page of it is not mapped. `needs_maintenance`
    /// states whether the lines of cached memory are maintained for the device. If a view of a pool contains the
    /// buffer, nothing is looked up.
    ///
    /// The caller has checked that `size` is not zero, and that the buffer does not end past the end of memory.
    ///
    /// Context: any.
    pub(super) fn locate(self, va: Va, size: usize, needs_maintenance: bool) -> Option<Location> {
        let buffer_at =
            |pa, is_cached| LocatedBuffer { va, pa, size, needs_maintenance: is_cached && needs_maintenance };
        for pool in self.dma.pools() {
            if let Some(InView { pa, is_cached }) = pool.find_in_view(va, size) {
                let buffer = buffer_at(pa, is_cached);
                return Some(Location { buffer, is_contiguous: true, extends_outside_pools: false });
            }
        }
        let PaOfRange { first: pa, is_contiguous } = self.look_up(va, last_byte(va, size)?)?;
        let last = pa.saturating_add(size.saturating_sub(1));
        if !self.dma.list.may_contain(pa, last) {
            return Some(Location { buffer: buffer_at(pa, true), is_contiguous, extends_outside_pools: true });
        }
        let buffer = buffer_at(pa, address_info(self.dma, va, pa).is_cached);
        Some(Location { buffer, is_contiguous, extends_outside_pools: !is_within_one_pool(self.dma, pa, size) })
    }

    /// Returns whether all of `[va, last]` lies at `pa`, in one piece.
    ///
    /// Context: any.
    pub(super) fn lies_at(self, va: Va, last: Va, pa: Pa) -> bool {
        self.look_up(va, last) == Some(PaOfRange { first: pa, is_contiguous: true })
    }

    /// Returns where the memory of `[va, last]` lies; `None` if a page of it is not mapped.
    ///
    /// Looks up each page, or only the first one if all lie in the known part of the linear map. Several pages that
    /// turn out to be linear are added to that part.
    fn look_up(self, va: Va, last: Va) -> Option<PaOfRange> {
        let (kernel, range) = (self.dma.kernel, &self.mappings.linear_range);
        let is_linear = |pa: &Pa| kernel.linear(*pa) == va;
        if range.contains(va, last)
            && let Some(pa) = kernel.v2p(va).filter(is_linear)
        {
            return Some(PaOfRange { first: pa, is_contiguous: true });
        }
        let memory = kernel.v2p_of_range(va, last)?;
        if memory.is_contiguous && is_linear(&memory.first) && va / PAGE_SIZE != last / PAGE_SIZE {
            range.extend_to(kernel, LinearBytes { va, last, pa: memory.first });
        }
        Some(memory)
    }
}

/// Returns whether a pool contains any of the `size` bytes from `pa` on.
pub fn touches_pool<K: Kernel>(dma: &Dma<K>, pa: Pa, size: usize) -> bool {
    dma.pool_touching(pa, pa.saturating_add(size)).is_some()
}

/// Returns whether one pool contains all of the `size` bytes from `pa` on.
pub fn is_within_one_pool<K: Kernel>(dma: &Dma<K>, pa: Pa, size: usize) -> bool {
    dma.pools().any(|pool| pool.start() <= pa && pa.saturating_add(size) <= pool.end())
}

/// Returns how the processor accesses the byte at `pa` through `va`. Memory outside the pools counts as cached.
pub fn address_info<K: Kernel>(dma: &Dma<K>, va: Va, pa: Pa) -> AddressInfo {
    dma.pools().find_map(|pool| pool.address_info(va, pa)).unwrap_or(AddressInfo { is_cached: true, is_in_view: false })
}
