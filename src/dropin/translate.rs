//! The addresses of a device: what its bus makes of physical addresses, and which of them it can reach.
//!
//! A bus cuts physical memory into [stretches](Stretch). Within one the device's addresses rise with the physical ones, or
//! it reaches nothing. A buffer is within reach if every byte of it is, at addresses that rise from the first to the last;
//! so neither a hole between two windows nor a place where two windows meet out of order is handed out.

use crate::flags::Flags;
use crate::kernel::{BusWindow, Device, Entry, Kernel, PAGE_SIZE, Pa, Stretch};

/// A set of map operations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum MapOps {
    /// Handles are physical addresses; the library maintains the cache.
    Coherent,
    /// Handles are physical addresses; the cache is left alone.
    NonCoherent,
    /// Handles are translated by `dma-ranges`, and the device's own `memory-region` serves it first.
    DeviceTree,
    /// Handles are translated by the windows of the host bridge.
    Pci,
}

/// What a device asks for.
#[derive(Clone, Copy)]
pub(crate) struct Request {
    pub(crate) ops: MapOps,
    pub(crate) device: Device,
    /// In bytes.
    pub(crate) size: usize,
    pub(crate) wanted: Flags,
    /// The highest address that the device can put on its bus.
    pub(crate) mask: u64,
    /// The buffer's physical address is a multiple of this power of two.
    pub(crate) align: usize,
}

impl MapOps {
    /// All sets, in the order of their numbers.
    pub const ALL: [MapOps; 4] = [MapOps::Coherent, MapOps::NonCoherent, MapOps::DeviceTree, MapOps::Pci];

    /// Whether the library maintains the cache for a device with these operations in a sync call with `flags`. Where
    /// handles are translated, `NOCACHE` in the flags states that the buffer is not cached.
    #[inline(always)]
    pub(crate) fn maintain_cache(self, flags: Flags) -> bool {
        match self {
            MapOps::Coherent => true,
            MapOps::NonCoherent => false,
            MapOps::DeviceTree | MapOps::Pci => !flags.contains(Flags::NOCACHE),
        }
    }

    /// Whether handles are not physical addresses.
    pub fn are_translated(self) -> bool {
        matches!(self, MapOps::DeviceTree | MapOps::Pci)
    }
}

/// Physical memory that a device reaches at addresses that rise with the physical ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Reachable {
    /// The first byte's physical address.
    pub(crate) first: Pa,
    /// The last byte's.
    pub(crate) last: Pa,
    /// The device's address of the first byte.
    pub(crate) handle: usize,
}

impl Reachable {
    /// Whether a whole page lies in it.
    pub(crate) fn has_page(&self) -> bool {
        let page = self.first.checked_next_multiple_of(PAGE_SIZE);
        page.and_then(|page| self.last.checked_sub(page)).is_some_and(|to_last| to_last >= PAGE_SIZE - 1)
    }
}

/// A device, and how its addresses are translated.
#[derive(Clone, Copy)]
pub(crate) struct Bus<K: Kernel> {
    pub(crate) kernel: K,
    pub(crate) ops: MapOps,
    pub(crate) device: Device,
}

impl<K: Kernel> Bus<K> {
    /// How the device sees memory from `pa` on. Context: any.
    fn stretch(&self, pa: Pa) -> Stretch {
        let stretch = match self.ops {
            MapOps::Coherent | MapOps::NonCoherent => Stretch { handle: Some(pa), last: Pa::MAX },
            MapOps::DeviceTree => self.kernel.bus_address(self.device, pa),
            MapOps::Pci => self.through_windows(pa),
        };
        // The device's addresses may begin anew at zero in the middle of a range.
        let to_wrap = usize::MAX - stretch.handle.unwrap_or(0);
        // No loop over stretches stands still, whatever the kernel returns.
        Stretch { last: stretch.last.min(pa.saturating_add(to_wrap)).max(pa), ..stretch }
    }

    /// The same by the host bridge's windows, of which the first that holds an address counts. A bridge without windows
    /// moves nothing.
    fn through_windows(&self, pa: Pa) -> Stretch {
        let address = pa as u64;
        let mut last = u64::MAX;
        let mut index = 0;
        while let Entry::Found(BusWindow { cpu, bus, size }) = self.kernel.bus_window(self.device, index) {
            index += 1;
            let Some(to_last) = size.checked_sub(1) else { continue };
            if address < cpu {
                // From there on this window counts, whatever the later ones hold.
                last = last.min(cpu - 1);
            } else if address - cpu <= to_last {
                let offset = address - cpu;
                last = last.min(address.saturating_add(to_last - offset));
                let handle = usize::try_from(bus.wrapping_add(offset)).ok();
                return Stretch { handle, last: usize::try_from(last).unwrap_or(Pa::MAX) };
            }
        }
        let handle = if index == 0 { Some(pa) } else { None };
        Stretch { handle, last: usize::try_from(last).unwrap_or(Pa::MAX) }
    }

    /// The first memory in `[from, last]`, both included, that the device reaches with addresses up to `mask`, as far as it
    /// goes. Context: any. The time grows with the number of ranges or windows.
    pub(crate) fn next_reachable(&self, from: Pa, last: Pa, mask: u64) -> Option<Reachable> {
        let mask = usize::try_from(mask).unwrap_or(usize::MAX);
        let mut first = from;
        loop {
            let mut end = self.stretch(first);
            if let Some(handle) = end.handle
                && let Some(below_mask) = mask.checked_sub(handle)
            {
                let limit = first.saturating_add(below_mask).min(last);
                // The next stretch may go on where this one ends.
                while end.last < limit {
                    let next = end.last + 1;
                    let stretch = self.stretch(next);
                    if stretch.handle != handle.checked_add(next - first) {
                        break;
                    }
                    end = stretch;
                }
                return Some(Reachable { first, last: end.last.min(limit), handle });
            }
            if end.last >= last {
                return None;
            }
            first = end.last + 1;
        }
    }

    /// The handle of `[pa, pa + size)`, if the device reaches all of it with addresses up to `mask`. Context: any.
    #[inline(never)]
    pub(crate) fn reach(&self, pa: Pa, size: usize, mask: u64) -> Option<usize> {
        let last = pa.checked_add(size.checked_sub(1)?)?;
        let found = self.next_reachable(pa, last, mask)?;
        (found.first == pa && found.last == last).then_some(found.handle)
    }

    /// The handle of `[pa, pa + size)` if the bridge's first window holds all of it, as it does for nearly every buffer. The
    /// general search takes about 80 instructions more.
    #[inline(always)]
    pub(crate) fn through_first_window(&self, pa: Pa, size: usize) -> Option<usize> {
        if self.ops != MapOps::Pci {
            return None;
        }
        let Entry::Found(BusWindow { cpu, bus, size: window_size }) = self.kernel.bus_window(self.device, 0) else {
            return None;
        };
        let offset = (pa as u64).checked_sub(cpu)?;
        let fits = window_size.checked_sub(offset)? >= size as u64;
        let handle = usize::try_from(bus.checked_add(offset)?).ok()?;
        (fits && handle.checked_add(size).is_some()).then_some(handle)
    }

    /// The physical address of the device's address `handle`, if there is one. Context: any.
    pub(crate) fn cpu_address(&self, handle: usize) -> Option<Pa> {
        match self.ops {
            MapOps::Coherent | MapOps::NonCoherent => Some(handle),
            MapOps::DeviceTree => self.kernel.cpu_address(self.device, handle),
            MapOps::Pci => {
                let mut index = 0;
                while let Entry::Found(BusWindow { cpu, bus, size }) = self.kernel.bus_window(self.device, index) {
                    index += 1;
                    let offset = (handle as u64).wrapping_sub(bus);
                    if offset < size {
                        return usize::try_from(cpu.wrapping_add(offset)).ok();
                    }
                }
                if index == 0 { Some(handle) } else { None }
            }
        }
    }

    /// Whether `handle` is that of `pa`: as it was translated forth, or, for a caller that keeps another form of it, back.
    /// Context: any.
    #[inline(never)]
    pub(crate) fn is_handle(&self, pa: Pa, handle: usize) -> bool {
        self.stretch(pa).handle == Some(handle) || self.cpu_address(handle) == Some(pa)
    }
}
