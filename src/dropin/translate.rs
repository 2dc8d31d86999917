//! Translation between physical addresses and the handles of a device, and the memory that the device can reach.
//!
//! A bus divides physical memory into [ranges](BusRange). The device reaches all of a range, at handles that rise
//! with the physical addresses, or it reaches no byte of it. The entries of `dma-ranges` in the device tree, or the
//! [windows](BusWindow) of a PCI host bridge, decide where a range begins and ends.
//!
//! The device reaches a buffer if it reaches every byte of it, and if the handle rises by one from each byte to the
//! next. Therefore no buffer contains a range that the device does not reach, or a place where two ranges are adjacent
//! in physical memory but not on the bus.

use crate::dropin::map_ops::MapOps;
use crate::dropin::page_map::Alignment;
use crate::kernel::{BusRange, BusWindow, Device, Handle, Kernel, PAGE_SIZE, Pa};

/// The mask of a device that can put every handle on its bus.
pub const NO_MASK: u64 = u64::MAX;

/// A range of physical memory that a device reaches at handles that rise with the physical addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Reachable {
    /// The physical address of the first byte.
    pub(crate) first_pa: Pa,
    /// The physical address of the last byte.
    pub(crate) last_pa: Pa,
    /// The handle of the first byte.
    pub(crate) handle: Handle,
}

impl Reachable {
    /// Returns whether `size` bytes (not zero) have room in the range if they begin at a page, whose handle is aligned
    /// to `align` bytes, as an allocation aligns it ([`Alignment::of_addresses`]).
    pub(crate) fn has_room(&self, size: usize, align: usize) -> bool {
        self.first_aligned_page(align)
            .and_then(|start| self.last_pa.checked_sub(start))
            .is_some_and(|to_last| to_last >= size.wrapping_sub(1))
    }

    /// Returns the physical address of the first page in the range, or after it, whose handle is aligned.
    fn first_aligned_page(&self, align: usize) -> Option<Pa> {
        let page = self.first_pa.checked_next_multiple_of(PAGE_SIZE)?;
        let handle = self.handle.wrapping_add(page - self.first_pa);
        let pages_before = Alignment::of_addresses(handle, align).first_from(0)?;
        page.checked_add(pages_before.checked_mul(PAGE_SIZE)?)
    }
}

/// Translates between physical addresses and the handles of one device, as one of the library's sets of operations does
/// it.
///
/// A streaming mapping needs more of a device: its mask, and that it may have operations of its BSP. So the additions
/// describe it by a `BusMaster`, and make a `Bus` of that where handles are translated.
///
/// Context of all functions: any. The call that chose the operations, in a thread, has read the ranges of the bus, as
/// [`bus_range_from`](crate::kernel::Firmware::bus_range_from) demands.
#[derive(Clone, Copy)]
pub(crate) struct Bus<K: Kernel> {
    /// The kernel, which knows the windows.
    pub(crate) kernel: K,
    /// The set of operations. The device may have another: a BSP may call the functions of all the library's tables for
    /// a device, or copy them to a table of its own.
    pub(crate) ops: MapOps,
    /// The device.
    pub(crate) device: Device,
}

impl<K: Kernel> Bus<K> {
    /// Returns the range that begins at `pa`.
    fn range_at(&self, pa: Pa) -> BusRange {
        // Without the ranges of its bus, the device reaches no memory.
        let no_memory = BusRange { handle: None, last_pa: Pa::MAX };
        let range = match self.ops {
            MapOps::Coherent | MapOps::NonCoherent => BusRange { handle: Some(pa), last_pa: Pa::MAX },
            MapOps::DeviceTree => self.kernel.bus_range_from(self.device, pa).unwrap_or(no_memory),
            MapOps::Pci => self.range_in_windows(pa),
        };
        // The range ends at the latest where its handles would pass the highest address and continue at zero.
        let to_wrap = range.handle.map_or(usize::MAX, |handle| usize::MAX - handle);
        let last_pa = range.last_pa.min(pa.saturating_add(to_wrap));
        // A range has at least one byte, whatever the kernel returns. Therefore every loop over ranges ends.
        BusRange { last_pa: last_pa.max(pa), ..range }
    }

    /// Returns the windows of the host bridge.
    fn windows(&self) -> impl Iterator<Item = BusWindow> {
        (0..).map_while(|index| self.kernel.bus_window(self.device, index))
    }

    /// Returns the range that begins at `pa`, by the windows of the host bridge. If several windows contain an address,
    /// the first of them counts.
    fn range_in_windows(&self, pa: Pa) -> BusRange {
        let address = pa as u64;
        // The last address before the windows that begin after `address`: each has priority over all later ones.
        let mut last_before = u64::MAX;
        for BusWindow { cpu, bus, size } in self.windows() {
            let Some(last_offset) = size.checked_sub(1) else { continue };
            match address.checked_sub(cpu) {
                None => last_before = last_before.min(cpu - 1),
                Some(offset) if offset <= last_offset => {
                    let handle = usize::try_from(bus.wrapping_add(offset)).ok();
                    let last = last_before.min(cpu.saturating_add(last_offset));
                    return BusRange { handle, last_pa: pa_or_highest(last) };
                }
                // The window ends before `address`.
                Some(_) => {}
            }
        }
        BusRange { handle: self.unchanged_without_windows(pa), last_pa: pa_or_highest(last_before) }
    }

    /// Returns `address` if the bridge has no windows: then a handle is the physical address.
    fn unchanged_without_windows(&self, address: usize) -> Option<usize> {
        self.windows().next().is_none().then_some(address)
    }

    /// Returns the first part of `[from, last]` that the device reaches with handles up to `mask`. Both ends are
    /// included. The part is as long as possible: it continues through adjacent ranges whose handles continue.
    ///
    /// For each range of the bus, the kernel, or `range_in_windows`, walks through all entries or windows. So the time
    /// grows with the square of their number, which is small.
    pub(crate) fn next_reachable(&self, from: Pa, last: Pa, mask: u64) -> Option<Reachable> {
        let mask = usize::try_from(mask).unwrap_or(usize::MAX);
        let mut first_pa = from;
        loop {
            let range = self.range_at(first_pa);
            if let Some(handle) = range.handle
                && let Some(bytes_to_mask) = mask.checked_sub(handle)
            {
                let limit = first_pa.saturating_add(bytes_to_mask).min(last);
                return Some(self.extended(Reachable { first_pa, last_pa: range.last_pa, handle }, limit));
            }
            if range.last_pa >= last {
                return None;
            }
            first_pa = range.last_pa + 1;
        }
    }

    /// Returns `found`, and with it the ranges after it whose handles continue those of `found`, all up to the physical
    /// address `limit`.
    fn extended(&self, mut found: Reachable, limit: Pa) -> Reachable {
        while found.last_pa < limit {
            let next_pa = found.last_pa + 1;
            let next_range = self.range_at(next_pa);
            // The sum does not wrap: it is at most the mask, because `next_pa` is at most `limit`.
            if next_range.handle != Some(found.handle.wrapping_add(next_pa - found.first_pa)) {
                break;
            }
            found.last_pa = next_range.last_pa;
        }
        found.last_pa = found.last_pa.min(limit);
        found
    }

    /// Returns all parts of `[from, last]` that the device reaches with handles up to `mask`, from the lowest on. Both
    /// ends are included.
    pub(crate) fn reachable(self, from: Pa, last: Pa, mask: u64) -> impl Iterator<Item = Reachable> {
        let mut next = Some(from);
        core::iter::from_fn(move || {
            let found = self.next_reachable(next?, last, mask)?;
            next = if found.last_pa < last { Some(found.last_pa + 1) } else { None };
            Some(found)
        })
    }

    /// Returns the handle of `[pa, pa + size)` if the device reaches all of it with handles up to `mask`.
    pub(crate) fn handle_of(&self, pa: Pa, size: usize, mask: u64) -> Option<Handle> {
        let last = pa.checked_add(size.checked_sub(1)?)?;
        let found = self.next_reachable(pa, last, mask)?;
        (found.first_pa == pa && found.last_pa == last).then_some(found.handle)
    }

    /// Returns the handle of `[pa, pa + size)` for a PCI device if the first window of the bridge contains all of it,
    /// which is the case for nearly every buffer. The general search takes 133 instructions more on aarch64
    /// (`ci/bench`, rows "translated, out").
    pub(crate) fn handle_in_first_window(&self, pa: Pa, size: usize) -> Option<Handle> {
        let BusWindow { cpu, bus, size: window_size } = self.windows().next()?;
        let offset = (pa as u64).checked_sub(cpu)?;
        let fits = window_size.checked_sub(offset)? >= size as u64;
        let handle = usize::try_from(bus.checked_add(offset)?).ok()?;
        // Handles do not pass the highest address and continue at zero. A buffer that ends exactly there is refused
        // too: the general search serves it.
        (fits && handle.checked_add(size).is_some()).then_some(handle)
    }

    /// Returns the physical address that the device reaches at `handle`, if there is one.
    pub(crate) fn pa_of(&self, handle: Handle) -> Option<Pa> {
        match self.ops {
            MapOps::Coherent | MapOps::NonCoherent => Some(handle),
            MapOps::DeviceTree => self.kernel.pa_of_handle(self.device, handle),
            MapOps::Pci => {
                let offset_in = |window: &BusWindow| (handle as u64).wrapping_sub(window.bus);
                match self.windows().find(|window| offset_in(window) < window.size) {
                    // A window ends at the highest address of the processor, also for `range_in_windows`.
                    Some(window) => usize::try_from(window.cpu.checked_add(offset_in(&window))?).ok(),
                    None => self.unchanged_without_windows(handle),
                }
            }
        }
    }

    /// Returns whether `handle` belongs to `pa`: `pa` is translated to `handle`, or `handle` is translated to `pa`. The
    /// second condition is for drivers that keep the handle in another form than they received it.
    pub(crate) fn is_handle_of(&self, pa: Pa, handle: Handle) -> bool {
        self.range_at(pa).handle == Some(handle) || self.pa_of(handle) == Some(pa)
    }
}

/// Returns a physical address; the highest one if the processor does not have it.
fn pa_or_highest(address: u64) -> Pa {
    usize::try_from(address).unwrap_or(Pa::MAX)
}

// `tests/calls/ops.rs` allocates and syncs through windows and ranges, and `tests/masks/random.rs` compares random ones
// with a model.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::testing::Services;
    use std::vec::Vec;

    const PAGE: u64 = PAGE_SIZE as u64;

    /// A kernel whose devices are on the bus of a bridge with these windows.
    #[derive(Clone, Copy)]
    struct Windows(&'static [BusWindow]);

    // SAFETY: it maps nothing.
    #[allow(unsafe_code)]
    unsafe impl Services for Windows {
        fn bus_window(&self, index: usize) -> Option<BusWindow> {
            self.0.get(index).copied()
        }
    }

    fn bus(windows: &'static [BusWindow]) -> Bus<Windows> {
        Bus { kernel: Windows(windows), ops: MapOps::Pci, device: Device::at(1) }
    }

    /// In pages. Each row is a window, in the order of their priority, with the handles of its pages:
    ///
    /// ```text
    /// address      0   1   2   3   4   5   6   7
    /// first                12  13
    /// second           21  22  23  24  25
    /// third                            25  26
    /// device           21  12  13  24  25  26
    /// ```
    const OVERLAPPING: [BusWindow; 3] = [
        BusWindow { cpu: 2 * PAGE, bus: 12 * PAGE, size: 2 * PAGE },
        BusWindow { cpu: PAGE, bus: 21 * PAGE, size: 5 * PAGE },
        BusWindow { cpu: 5 * PAGE, bus: 25 * PAGE, size: 2 * PAGE },
    ];

    /// Returns the parts in pages: the first and the last page, and the handle.
    fn parts(bus: Bus<Windows>, mask: u64) -> Vec<(usize, usize, usize)> {
        let in_pages = |part: Reachable| {
            let Reachable { first_pa, last_pa, handle } = part;
            (first_pa / PAGE_SIZE, last_pa / PAGE_SIZE, handle / PAGE_SIZE)
        };
        bus.reachable(0, 8 * PAGE_SIZE - 1, mask).map(in_pages).collect()
    }

    #[test]
    fn a_part_goes_on_into_the_next_window_if_the_handles_do() {
        let bus = bus(&OVERLAPPING);
        assert_eq!(parts(bus, NO_MASK), [(1, 1, 21), (2, 3, 12), (4, 6, 24)]);
        assert_eq!(parts(bus, 26 * PAGE - 1), [(1, 1, 21), (2, 3, 12), (4, 5, 24)], "the mask ends after handle 25");
        assert_eq!(bus.handle_of(4 * PAGE_SIZE, 3 * PAGE_SIZE, NO_MASK), Some(24 * PAGE_SIZE));
        assert_eq!(bus.handle_of(3 * PAGE_SIZE, 2 * PAGE_SIZE, NO_MASK), None, "two windows with other handles");
    }

    #[test]
    fn the_general_search_and_the_first_window_agree() {
        let bus = bus(&OVERLAPPING);
        for pa in (0..8 * PAGE_SIZE).step_by(PAGE_SIZE / 2) {
            let in_first = bus.handle_in_first_window(pa, PAGE_SIZE);
            assert!(in_first.is_none() || in_first == bus.handle_of(pa, PAGE_SIZE, NO_MASK), "{pa:#x}");
        }
        assert_eq!(bus.handle_in_first_window(3 * PAGE_SIZE, PAGE_SIZE), Some(13 * PAGE_SIZE));
    }

    /// The second page of the window has no address of the processor. Its handle must not lead to physical address 0.
    #[test]
    fn a_window_ends_at_the_highest_address() {
        const AT_THE_END: [BusWindow; 1] = [BusWindow { cpu: u64::MAX - (PAGE - 1), bus: 16 * PAGE, size: 2 * PAGE }];
        let bus = bus(&AT_THE_END);
        let last_page = usize::try_from(AT_THE_END[0].cpu).ok();
        assert_eq!(bus.pa_of(16 * PAGE_SIZE), last_page);
        assert_eq!(bus.pa_of(17 * PAGE_SIZE), None);
        assert_eq!(parts(bus, NO_MASK), []);
    }
}
