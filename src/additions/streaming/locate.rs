//! Where a driver's buffer lies in physical memory, and whether it is contiguous there.

use super::{Streaming, last_byte};
use crate::dropin::pool::Pool;
use crate::dropin::registry::Dma;
use crate::kernel::{Kernel, PAGE_SIZE, Pa, Va};

/// Where the page tables show a buffer.
#[derive(Clone, Copy)]
pub struct Location {
    /// Its first byte.
    pub pa: Pa,
    /// Physical addresses rise with virtual ones from the first byte to the last.
    pub is_contiguous: bool,
}

impl<K: Kernel> Streaming<'_, K> {
    /// Returns where the page tables show `[va, va + size)`, which is not empty; `None` if a page of it is not mapped.
    ///
    /// Looks up the first page. Each further one is looked up only if neither the known part of the linear map nor a view of a
    /// pool contains all of them.
    ///
    /// Context: any.
    pub(super) fn locate(self, va: Va, size: usize) -> Option<Location> {
        let kernel = self.dma.kernel;
        let pa = kernel.v2p(va)?;
        let last = last_byte(va, size)?;
        let is_one_page = va / PAGE_SIZE == last / PAGE_SIZE;
        if is_one_page || (kernel.linear(pa) == va && self.mappings.linear_range.holds(va, last)) {
            return Some(Location { pa, is_contiguous: true });
        }
        self.look_up(va, last, pa)
    }

    /// Returns the location of a buffer of several pages that the known part of the linear map does not contain, and adds the
    /// buffer to that part if it is linear.
    fn look_up(self, va: Va, last: Va, pa: Pa) -> Option<Location> {
        let kernel = self.dma.kernel;
        if is_in_view(self.dma, va, pa, last) {
            return Some(Location { pa, is_contiguous: true });
        }
        let location = look_up_pages(kernel, va, pa, last - va + 1)?;
        if kernel.linear(pa) == va && location.is_contiguous {
            self.mappings.linear_range.add_pages(kernel, va, last);
        }
        Some(location)
    }
}

/// Whether one view of one pool contains all of `[va, last]`, whose first byte is at `pa`.
fn is_in_view<K: Kernel>(dma: &Dma<K>, va: Va, pa: Pa, last: Va) -> bool {
    let last_pa = pa.wrapping_add(last - va);
    let is_shown = |pool: &Pool<K>, va, pa| pool.address_info(va, pa).is_some_and(|info| info.is_in_view);
    dma.pools().any(|pool| is_shown(pool, va, pa) && is_shown(pool, last, last_pa))
}

/// Looks up every page after the first.
fn look_up_pages<K: Kernel>(kernel: K, va: Va, pa: Pa, size: usize) -> Option<Location> {
    let first = PAGE_SIZE - va % PAGE_SIZE;
    let (next, next_pa) = (va.wrapping_add(first), pa.wrapping_add(first));
    if kernel.leads_to(next, next_pa, size.saturating_sub(first).div_ceil(PAGE_SIZE)) {
        return Some(Location { pa, is_contiguous: true });
    }
    // Not contiguous, or a page is not mapped.
    let mut offsets = (first..size).step_by(PAGE_SIZE);
    let is_mapped = offsets.all(|offset| kernel.is_mapped(va.wrapping_add(offset)));
    is_mapped.then_some(Location { pa, is_contiguous: false })
}
