//! Where a driver's buffer lies in physical memory, and whether it is contiguous there.

use crate::mem::atomics::{
    AtomicUsize,
    Ordering::{Acquire, Release},
};

use crate::additions::streaming::buffer::Location;
use crate::additions::streaming::last_byte;
use crate::dropin::pool::Pool;
use crate::dropin::registry::Dma;
use crate::kernel::{Kernel, PAGE_SIZE, Pa, Va};

/// Pages by which one call extends the known part of the linear map.
const EXTENSION: usize = 64;

/// The part of the kernel's linear map of which every page is known to be mapped, as one range of virtual addresses.
///
/// The pages of a buffer within it need no look-up. The range begins with the first buffer that is mapped directly or has
/// several pages, and grows by pages that were looked up. It never shrinks: the linear map of memory that drivers use stays.
/// (That of a pool ends when the pool is uninstalled, and no driver uses its memory then.)
pub struct LinearRange {
    /// The first byte; [`usize::MAX`] while the range is empty. It only falls.
    start: AtomicUsize,
    /// One past the last byte; 0 while the range is empty. It only rises.
    end: AtomicUsize,
    /// Physical minus virtual address, once a direct mapping was made; until then [`NO_OFFSET`].
    offset: AtomicUsize,
}

/// Not a multiple of a page, and so no offset.
const NO_OFFSET: usize = 1;

impl LinearRange {
    pub const fn new() -> Self {
        LinearRange {
            start: AtomicUsize::new(usize::MAX),
            end: AtomicUsize::new(0),
            offset: AtomicUsize::new(NO_OFFSET),
        }
    }

    /// Whether all of `[va, last]` is in the range.
    ///
    /// Context: any.
    pub fn holds(&self, va: Va, last: Va) -> bool {
        // Whatever the range becomes between the two loads, `[start, end)` as read here is a part of it.
        self.start.load(Acquire) <= va && last < self.end.load(Acquire)
    }

    /// Returns what is added to a virtual address of the range to get the physical one; `None` before the first direct
    /// mapping was made.
    ///
    /// Context: any.
    pub fn offset(&self) -> Option<usize> {
        Some(self.offset.load(Acquire)).filter(|offset| *offset != NO_OFFSET)
    }

    /// Notes a direct mapping of `[va, last]`, which is mapped linearly at `pa`.
    ///
    /// Context: any.
    pub fn note_direct<K: Kernel>(&self, kernel: K, va: Va, last: Va, pa: Pa) {
        if self.offset().is_none() || !self.holds(va, last) {
            self.note_new_direct(kernel, va, last, pa);
        }
    }

    #[cold]
    fn note_new_direct<K: Kernel>(&self, kernel: K, va: Va, last: Va, pa: Pa) {
        self.offset.store(pa.wrapping_sub(va), Release);
        // Pages that were looked up have been added then.
        if va / PAGE_SIZE == last / PAGE_SIZE {
            self.add_pages(kernel, va, last);
        }
    }

    /// Adds the pages of `[va, last]`, which are mapped linearly.
    ///
    /// Context: any.
    fn add_pages<K: Kernel>(&self, kernel: K, va: Va, last: Va) {
        if let Some(to) = last.checked_add(1).and_then(|end| end.checked_next_multiple_of(PAGE_SIZE)) {
            self.add(kernel, va - va % PAGE_SIZE, to);
        }
    }

    /// Adds `[from, to)`, whole pages that are mapped linearly, if they touch the range, and otherwise extends the range in
    /// their direction.
    ///
    /// Context: any.
    #[cold]
    fn add<K: Kernel>(&self, kernel: K, from: Va, to: Va) {
        if self.end.compare_exchange(0, to, Release, Acquire).is_ok() {
            // Last: until it is stored, the range is empty for all others.
            self.start.store(from, Release);
            return;
        }
        let (start, end) = (self.start.load(Acquire), self.end.load(Acquire));
        if start == usize::MAX {
            return;
        }
        let is_page_linear = |va: Va| kernel.v2p(va).is_some_and(|pa| kernel.linear(pa) == va);
        if from > end {
            let pages = (end..from).step_by(PAGE_SIZE).take(EXTENSION).take_while(|page| is_page_linear(*page));
            self.end.fetch_max(end + pages.count() * PAGE_SIZE, Release);
        } else if to < start {
            let below = (1..=EXTENSION).map(|pages| start.saturating_sub(pages * PAGE_SIZE));
            let pages = below.take_while(|page| *page >= to && is_page_linear(*page));
            self.start.fetch_min(start - pages.count() * PAGE_SIZE, Release);
        } else {
            // The two ranges overlap or touch, and so will those that the range becomes meanwhile.
            self.start.fetch_min(from, Release);
            self.end.fetch_max(to, Release);
        }
    }

    /// Returns where the page tables show `[va, va + size)`, which is not empty; `None` if a page of it is not mapped.
    ///
    /// Looks up the first page. Each further one is looked up only if neither this range nor a view of a pool contains all of
    /// them.
    ///
    /// Context: any.
    pub fn locate<K: Kernel>(&self, dma: &Dma<K>, va: Va, size: usize) -> Option<Location> {
        let kernel = dma.kernel;
        let pa = kernel.v2p(va)?;
        let last = last_byte(va, size)?;
        let is_one_page = va / PAGE_SIZE == last / PAGE_SIZE;
        if is_one_page || (kernel.linear(pa) == va && self.holds(va, last)) {
            return Some(Location { pa, is_contiguous: true });
        }
        self.look_up(dma, va, last, pa)
    }

    /// Returns the location of a buffer of several pages that this range does not contain, and adds the buffer to the range if
    /// it is linear.
    fn look_up<K: Kernel>(&self, dma: &Dma<K>, va: Va, last: Va, pa: Pa) -> Option<Location> {
        let kernel = dma.kernel;
        if is_in_view(dma, va, pa, last) {
            return Some(Location { pa, is_contiguous: true });
        }
        let location = look_up_pages(kernel, va, pa, last - va + 1)?;
        if kernel.linear(pa) == va && location.is_contiguous {
            self.add_pages(kernel, va, last);
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
