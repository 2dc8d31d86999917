//! The part of the linear map that is known, in which nothing has to be looked up.

use crate::kernel::{Kernel, PAGE_SIZE, Pa, Va};
use crate::mem::atomics::{
    AtomicUsize,
    Ordering::{Acquire, Release},
};

/// Pages by which one call extends the known part of the linear map.
const EXTENSION: usize = 64;

/// The part of the kernel's linear map of which every page is known to be mapped, as one range of virtual addresses.
///
/// The pages of a buffer within it need no look-up. The range begins with the first buffer that is mapped directly or
/// has several pages, and grows by pages that were looked up. It never shrinks: the linear map of memory that drivers
/// use stays. (That of a pool ends when the pool is uninstalled, and no driver uses its memory then.)
pub struct LinearRange {
    /// The first byte; [`usize::MAX`] while the range is empty. It only falls.
    start: AtomicUsize,
    /// One past the last byte; 0 while the range is empty. It only rises.
    end: AtomicUsize,
    /// Physical minus virtual address, once a direct mapping was made; until then [`NO_OFFSET`].
    offset: AtomicUsize,
}

/// Bytes that are mapped linearly.
#[derive(Clone, Copy)]
pub struct LinearBytes {
    /// The address of the first byte.
    pub va: Va,
    /// The address of the last byte.
    pub last: Va,
    /// The physical address of the first byte.
    pub pa: Pa,
}

/// Not a multiple of a page, and so no offset.
const NO_OFFSET: usize = 1;

/// The number of the last page of an address space.
const LAST_PAGE: usize = usize::MAX / PAGE_SIZE;

impl LinearRange {
    /// Makes an empty range.
    pub const fn new() -> Self {
        LinearRange {
            start: AtomicUsize::new(usize::MAX),
            end: AtomicUsize::new(0),
            offset: AtomicUsize::new(NO_OFFSET),
        }
    }

    /// Returns whether all of `[va, last]` is in the range.
    ///
    /// Context: any.
    pub fn contains(&self, va: Va, last: Va) -> bool {
        // Whatever the range becomes between the two loads, `[start, end)` as read here is a part of it.
        self.start.load(Acquire) <= va && last < self.end.load(Acquire)
    }

    /// Returns what is added to a virtual address of the range to get the physical one; `None` before the first direct
    /// mapping was made.
    ///
    /// Context: any.
    pub fn offset(&self) -> Option<usize> {
        match self.offset.load(Acquire) {
            NO_OFFSET => None,
            offset => Some(offset),
        }
    }

    /// Notes a direct mapping of `bytes`.
    ///
    /// Context: any.
    pub fn note_direct<K: Kernel>(&self, kernel: K, bytes: LinearBytes) {
        let LinearBytes { va, last, pa } = bytes;
        if self.offset().is_some() && self.contains(va, last) {
            return;
        }
        self.offset.store(pa.wrapping_sub(va), Release);
        // A buffer of several pages was added when these were looked up (`look_up`). To add it again could look up as
        // many pages once more, up to `EXTENSION`.
        if va / PAGE_SIZE == last / PAGE_SIZE {
            self.extend_to(kernel, bytes);
        }
    }

    /// Extends the range to the pages of `bytes`, as [`extend_to_pages`](Self::extend_to_pages) does. The last page of
    /// the virtual or of the physical address space is never added: the address of its last byte is the handle of a map
    /// that failed.
    ///
    /// Context: any.
    pub fn extend_to<K: Kernel>(&self, kernel: K, bytes: LinearBytes) {
        let LinearBytes { va, last, pa } = bytes;
        let last_pa = pa.wrapping_add(last.wrapping_sub(va));
        if last / PAGE_SIZE != LAST_PAGE && last_pa / PAGE_SIZE != LAST_PAGE {
            self.extend_to_pages(kernel, va - va % PAGE_SIZE, (last / PAGE_SIZE + 1) * PAGE_SIZE);
        }
    }

    /// Adds `[from, to)`, whole pages that are mapped linearly, if they touch the range. Otherwise extends the range in
    /// their direction, by up to [`EXTENSION`] pages.
    ///
    /// Context: any.
    #[cold]
    fn extend_to_pages<K: Kernel>(&self, kernel: K, from: Va, to: Va) {
        if self.end.compare_exchange(0, to, Release, Acquire).is_ok() {
            // Last: until it is stored, the range is empty for all others.
            self.start.store(from, Release);
            return;
        }
        let (start, end) = (self.start.load(Acquire), self.end.load(Acquire));
        if start == usize::MAX {
            // Another core is adding the first pages at this moment. Those of this call can be added by a later one.
            return;
        }
        if from > end {
            let pages = linear_pages(kernel, (end..from).step_by(PAGE_SIZE));
            self.end.fetch_max(end + pages * PAGE_SIZE, Release);
        } else if to < start {
            let pages = linear_pages(kernel, (to..start).step_by(PAGE_SIZE).rev());
            self.start.fetch_min(start - pages * PAGE_SIZE, Release);
        } else {
            // The two ranges overlap or touch, and so will those that the range becomes meanwhile.
            self.start.fetch_min(from, Release);
            self.end.fetch_max(to, Release);
        }
    }
}

/// Returns how many of `pages` follow one another from the first on that are mapped linearly, up to [`EXTENSION`].
fn linear_pages<K: Kernel>(kernel: K, pages: impl Iterator<Item = Va>) -> usize {
    let is_linear = |va: &Va| kernel.v2p(*va).is_some_and(|pa| kernel.linear(pa) == *va);
    pages.take(EXTENSION).take_while(is_linear).count()
}
