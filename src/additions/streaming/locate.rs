//! Where a driver's buffer lies in physical memory, and whether it is contiguous there.

use super::buffer::Memory;
use super::direct::linear_range::LinearBytes;
use super::{Streaming, last_byte};
use crate::dropin::pool::AddressInfo;
use crate::dropin::registry::Dma;
use crate::kernel::{Kernel, PAGE_SIZE, Pa, Va};

/// Where the page tables show a buffer.
pub struct Location {
    /// The buffer. Its lines are maintained if the cache may hold lines of it, and the device does not snoop the cache.
    pub memory: Memory,
    /// Physical addresses rise with virtual ones from the first byte to the last.
    pub is_contiguous: bool,
    /// No pool contains all of it.
    pub reaches_outside_pools: bool,
}

impl<K: Kernel> Streaming<'_, K> {
    /// Returns where the page tables show `[va, va + size)`, which is not empty; `None` if a page of it is not mapped.
    /// `needs_maintenance` states whether the lines of cached memory are maintained for the device.
    ///
    /// Nothing is looked up if a view of a pool contains the buffer. Otherwise the first page is looked up, and each
    /// further one if the known part of the linear map does not contain all of them.
    ///
    /// Context: any.
    pub(super) fn locate(self, va: Va, size: usize, needs_maintenance: bool) -> Option<Location> {
        let memory = |pa, is_cached| Memory { va, pa, size, needs_maintenance: is_cached && needs_maintenance };
        for pool in self.dma.pools() {
            if let Some((pa, is_cached)) = pool.find_in_view(va, size) {
                let memory = memory(pa, is_cached);
                return Some(Location { memory, is_contiguous: true, reaches_outside_pools: false });
            }
        }
        let pa = self.dma.kernel.v2p(va)?;
        let is_contiguous = self.is_contiguous(va, pa, size)?;
        let last = pa.saturating_add(size.saturating_sub(1));
        if !self.dma.may_contain(pa, last) {
            return Some(Location { memory: memory(pa, true), is_contiguous, reaches_outside_pools: true });
        }
        let memory = memory(pa, address_info(self.dma, va, pa).is_cached);
        Some(Location { memory, is_contiguous, reaches_outside_pools: !is_in_pool(self.dma, pa, size) })
    }

    /// Returns whether a buffer that begins at `pa` is contiguous; `None` if a page of it is not mapped. Adds a buffer
    /// of several pages to the known part of the linear map, if it is linear.
    pub(super) fn is_contiguous(self, va: Va, pa: Pa, size: usize) -> Option<bool> {
        let (kernel, range) = (self.dma.kernel, &self.mappings.linear_range);
        let last = last_byte(va, size)?;
        let is_linear = kernel.linear(pa) == va;
        let further_pages = last / PAGE_SIZE - va / PAGE_SIZE;
        if further_pages == 0 || is_linear && range.holds(va, last) {
            return Some(true);
        }
        // The first page is known: `va` lies at `pa`. The others must follow it in physical memory, too.
        let next_page = |address: usize| (address | (PAGE_SIZE - 1)).wrapping_add(1);
        let is_contiguous = kernel.leads_to(next_page(va), next_page(pa), further_pages);
        if !is_contiguous && !are_mapped(kernel, next_page(va), last) {
            return None;
        }
        if is_linear && is_contiguous {
            range.extend_to(kernel, LinearBytes { va, last, pa });
        }
        Some(is_contiguous)
    }
}

/// Returns whether each page of `[va, last]` is mapped. `va` is the first byte of a page.
#[cold]
fn are_mapped<K: Kernel>(kernel: K, va: Va, last: Va) -> bool {
    (va..=last).step_by(PAGE_SIZE).all(|page| kernel.is_mapped(page))
}

/// Returns whether one pool contains all of the `size` bytes from `pa` on.
pub fn is_in_pool<K: Kernel>(dma: &Dma<K>, pa: Pa, size: usize) -> bool {
    dma.pools().any(|pool| pool.start() <= pa && pa.saturating_add(size) <= pool.end())
}

/// Returns how the processor accesses the byte at `pa` through `va`. Memory outside the pools counts as cached.
pub fn address_info<K: Kernel>(dma: &Dma<K>, va: Va, pa: Pa) -> AddressInfo {
    dma.pools().find_map(|pool| pool.address_info(va, pa)).unwrap_or(AddressInfo { is_cached: true, is_in_view: false })
}
