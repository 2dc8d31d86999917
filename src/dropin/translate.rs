//! Translation between physical addresses and the handles of a device, and the memory that the device can reach.
//!
//! A bus divides physical memory into [ranges](BusRange). The device reaches all of a range, at handles that rise
//! with the physical addresses, or it reaches no byte of it. It reaches a buffer if it reaches every byte of it, and if
//! the handle rises by one from each byte to the next. Therefore no buffer contains a hole between two windows, or a
//! place where two windows are adjacent in physical memory but not on the bus.

use crate::flags::Flags;
use crate::kernel::{BusRange, BusWindow, Device, Handle, Kernel, PAGE_SIZE, Pa};

/// The mask of a device that can put every handle on its bus.
pub const NO_MASK: u64 = u64::MAX;

/// A set of map operations.
///
/// *Coherent* and *non-coherent* are RT-Thread's names (`dma_pool.c`), in the opposite of their usual sense: the
/// library maintains the cache with the coherent ones. A streaming mapping, in contrast, does not maintain it for a
/// device with the coherent ones (`additions::streaming::bus_master`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum MapOps {
    /// Handles are physical addresses; the library maintains the cache.
    Coherent,
    /// Handles are physical addresses; the library does not maintain the cache.
    NonCoherent,
    /// Handles are translated by `dma-ranges`. The device is served from the `memory-region` pools that it owns first.
    DeviceTree,
    /// Handles are translated by the windows of the host bridge.
    Pci,
}

/// A request of a device for a buffer.
#[derive(Clone, Copy)]
pub struct BufferRequest {
    /// The map operations, which need not be those of the device.
    pub ops: MapOps,
    /// The device.
    pub device: Device,
    /// The size of the buffer in bytes.
    pub size: usize,
    /// The flags of the call.
    pub flags: Flags,
    /// The highest handle that the device can put on its bus.
    pub mask: u64,
    /// The physical address of the buffer must be a multiple of this number, which is a power of two.
    pub align: usize,
}

impl BufferRequest {
    /// Returns a request for a buffer at any address that the device reaches.
    pub fn new(ops: MapOps, device: Device, size: usize, flags: Flags) -> Self {
        BufferRequest { ops, device, size, flags, mask: NO_MASK, align: PAGE_SIZE }
    }
}

impl MapOps {
    /// One of the two sets whose handles are physical addresses. They allocate and free alike, so this one stands for
    /// both.
    pub const UNTRANSLATED: MapOps = MapOps::NonCoherent;

    /// All sets of operations, in the order of their numbers.
    pub const ALL: [MapOps; 4] = [MapOps::Coherent, MapOps::NonCoherent, MapOps::DeviceTree, MapOps::Pci];

    /// Returns whether the library maintains the cache in a sync call with `flags`, for a device with these operations.
    /// If handles are translated, a driver sets `NOCACHE` for a buffer that is not cached.
    pub(crate) fn need_maintenance(self, flags: Flags) -> bool {
        match self {
            MapOps::Coherent => true,
            MapOps::NonCoherent => false,
            MapOps::DeviceTree | MapOps::Pci => !flags.contains(Flags::NOCACHE),
        }
    }

    /// Returns whether handles are translated. If they are not, a handle is the physical address.
    pub const fn are_translated(self) -> bool {
        matches!(self, MapOps::DeviceTree | MapOps::Pci)
    }
}

/// A range of physical memory that a device reaches at handles that rise with the physical addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Reachable {
    /// The physical address of the first byte.
    pub(crate) first: Pa,
    /// The physical address of the last byte.
    pub(crate) last: Pa,
    /// The handle of the first byte.
    pub(crate) handle: Handle,
}

impl Reachable {
    /// Returns whether the range contains a whole page.
    pub(crate) fn has_page(&self) -> bool {
        let page = self.first.checked_next_multiple_of(PAGE_SIZE);
        page.and_then(|page| self.last.checked_sub(page)).is_some_and(|to_last| to_last >= PAGE_SIZE - 1)
    }
}

/// What translates the handles of one device: the device, one of the library's sets of operations, and the kernel that
/// knows its windows.
///
/// A streaming mapping needs more of a device: its mask, and that it may have operations of its BSP. So the additions
/// describe it by a `BusMaster`, and make a `Bus` of that where handles are translated.
#[derive(Clone, Copy)]
pub(crate) struct Bus<K: Kernel> {
    pub(crate) kernel: K,
    pub(crate) ops: MapOps,
    pub(crate) device: Device,
}

impl<K: Kernel> Bus<K> {
    /// Returns the range that begins at `pa`.
    ///
    /// Context: any.
    fn range_at(&self, pa: Pa) -> BusRange {
        let range = match self.ops {
            MapOps::Coherent | MapOps::NonCoherent => BusRange { handle: Some(pa), last_pa: Pa::MAX },
            MapOps::DeviceTree => self.kernel.bus_range_from(self.device, pa),
            MapOps::Pci => self.through_windows(pa),
        };
        // The range ends at the latest where its handles would pass the highest address and continue at zero.
        let to_wrap = usize::MAX - range.handle.unwrap_or(0);
        // A range has at least one byte, whatever the kernel returns. Therefore every loop over ranges ends.
        BusRange { last_pa: range.last_pa.min(pa.saturating_add(to_wrap)).max(pa), ..range }
    }

    /// Returns the windows of the host bridge.
    fn windows(&self) -> impl Iterator<Item = BusWindow> {
        (0..).map_while(|index| self.kernel.bus_window(self.device, index))
    }

    /// Returns the range that begins at `pa`, by the windows of the host bridge. If several windows contain an address,
    /// the first of them counts. Without windows, the handle is the physical address.
    fn through_windows(&self, pa: Pa) -> BusRange {
        let address = pa as u64;
        let mut last = u64::MAX;
        for BusWindow { cpu, bus, size } in self.windows() {
            let Some(to_last) = size.checked_sub(1) else { continue };
            if address < cpu {
                // The range ends before this window, because the window has priority over all later ones.
                last = last.min(cpu - 1);
            } else if address - cpu <= to_last {
                let offset = address - cpu;
                last = last.min(address.saturating_add(to_last - offset));
                let handle = usize::try_from(bus.wrapping_add(offset)).ok();
                return BusRange { handle, last_pa: usize::try_from(last).unwrap_or(Pa::MAX) };
            }
        }
        let handle = self.windows().next().is_none().then_some(pa);
        BusRange { handle, last_pa: usize::try_from(last).unwrap_or(Pa::MAX) }
    }

    /// Returns the first and longest range in `[from, last]` that the device reaches with handles up to `mask`. Both
    /// ends are included. The time is proportional to the number of ranges or windows of the bus.
    ///
    /// Context: any.
    pub(crate) fn next_reachable(&self, from: Pa, last: Pa, mask: u64) -> Option<Reachable> {
        let mask = usize::try_from(mask).unwrap_or(usize::MAX);
        let mut first = from;
        loop {
            let mut range = self.range_at(first);
            if let Some(handle) = range.handle
                && let Some(below_mask) = mask.checked_sub(handle)
            {
                let limit = first.saturating_add(below_mask).min(last);
                // The next range belongs to the result, too, if its handles continue those of this one.
                while range.last_pa < limit {
                    let next_pa = range.last_pa + 1;
                    let next = self.range_at(next_pa);
                    if next.handle != handle.checked_add(next_pa - first) {
                        break;
                    }
                    range = next;
                }
                return Some(Reachable { first, last: range.last_pa.min(limit), handle });
            }
            if range.last_pa >= last {
                return None;
            }
            first = range.last_pa + 1;
        }
    }

    /// Returns all ranges in `[from, last]` that the device reaches with handles up to `mask`, from the lowest on. Both
    /// ends are included.
    ///
    /// Context: any.
    pub(crate) fn reachable(self, from: Pa, last: Pa, mask: u64) -> impl Iterator<Item = Reachable> {
        let mut next = Some(from);
        core::iter::from_fn(move || {
            let found = self.next_reachable(next?, last, mask)?;
            next = if found.last < last { Some(found.last + 1) } else { None };
            Some(found)
        })
    }

    /// Returns the handle of `[pa, pa + size)` if the device reaches all of it with handles up to `mask`.
    ///
    /// Context: any.
    pub(crate) fn reach(&self, pa: Pa, size: usize, mask: u64) -> Option<Handle> {
        let last = pa.checked_add(size.checked_sub(1)?)?;
        let found = self.next_reachable(pa, last, mask)?;
        (found.first == pa && found.last == last).then_some(found.handle)
    }

    /// Returns the handle of `[pa, pa + size)` if the first window of the bridge contains all of it, which is the case
    /// for nearly every buffer. The general search takes about 80 instructions more.
    ///
    /// Context: any.
    pub(crate) fn through_first_window(&self, pa: Pa, size: usize) -> Option<Handle> {
        if self.ops != MapOps::Pci {
            return None;
        }
        let BusWindow { cpu, bus, size: window_size } = self.windows().next()?;
        let offset = (pa as u64).checked_sub(cpu)?;
        let fits = window_size.checked_sub(offset)? >= size as u64;
        let handle = usize::try_from(bus.checked_add(offset)?).ok()?;
        (fits && handle.checked_add(size).is_some()).then_some(handle)
    }

    /// Returns the physical address that the device reaches at `handle`, if there is one.
    ///
    /// Context: any.
    pub(crate) fn cpu_address(&self, handle: Handle) -> Option<Pa> {
        match self.ops {
            MapOps::Coherent | MapOps::NonCoherent => Some(handle),
            MapOps::DeviceTree => self.kernel.cpu_address(self.device, handle),
            MapOps::Pci => {
                let mut has_windows = false;
                for BusWindow { cpu, bus, size } in self.windows() {
                    has_windows = true;
                    let offset = (handle as u64).wrapping_sub(bus);
                    if offset < size {
                        return usize::try_from(cpu.wrapping_add(offset)).ok();
                    }
                }
                if has_windows { None } else { Some(handle) }
            }
        }
    }

    /// Returns whether `handle` belongs to `pa`: `pa` is translated to `handle`, or `handle` is translated to `pa`. The
    /// second condition is for drivers that keep the handle in another form than they received it.
    ///
    /// Context: any.
    pub(crate) fn is_handle(&self, pa: Pa, handle: Handle) -> bool {
        self.range_at(pa).handle == Some(handle) || self.cpu_address(handle) == Some(pa)
    }
}
