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

/// What translates the handles of one device: the device, one of the library's sets of operations, and the kernel that
/// knows its windows.
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
    /// The set of operations, which decides how handles are translated. It need not be the one of the device.
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
        let mut last = u64::MAX;
        let range = |handle, last| BusRange { handle, last_pa: usize::try_from(last).unwrap_or(Pa::MAX) };
        for BusWindow { cpu, bus, size } in self.windows() {
            let Some(to_last) = size.checked_sub(1) else { continue };
            if address < cpu {
                // The range ends before this window, because the window has priority over all later ones.
                last = last.min(cpu - 1);
            } else if address - cpu <= to_last {
                let offset = address - cpu;
                let handle = usize::try_from(bus.wrapping_add(offset)).ok();
                return range(handle, last.min(cpu.saturating_add(to_last)));
            }
        }
        range(self.same_without_windows(pa), last)
    }

    /// Returns `address` if the bridge has no windows: then a handle is the physical address.
    fn same_without_windows(&self, address: usize) -> Option<usize> {
        self.windows().next().is_none().then_some(address)
    }

    /// Returns the first range in `[from, last]` that the device reaches with handles up to `mask`, as long as it can
    /// be. Both ends are included. For each range of the bus the kernel, or `range_in_windows`, walks through all
    /// entries or windows, so the time grows with the square of their number, which is small.
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

    /// Returns all ranges in `[from, last]` that the device reaches with handles up to `mask`, from the lowest on. Both
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
    /// which is the case for nearly every buffer. The general search takes about 150 instructions more on aarch64
    /// (`benches/syncs.c`).
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
            MapOps::DeviceTree => self.kernel.cpu_address(self.device, handle),
            MapOps::Pci => {
                let offset_in = |window: &BusWindow| (handle as u64).wrapping_sub(window.bus);
                match self.windows().find(|window| offset_in(window) < window.size) {
                    Some(window) => usize::try_from(window.cpu.wrapping_add(offset_in(&window))).ok(),
                    None => self.same_without_windows(handle),
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
