//! Map operations: what a device's place in the system means for its handles and for the cache.
//!
//! RT-Thread's names are older than its usage: with *coherent* operations the library maintains the cache for the
//! device, with *non-coherent* ones it does not (`dma_pool.c`). A device keeps the set that was chosen first.

use crate::cache;
use crate::flags::Flags;
use crate::kernel::{BusWindow, Device, Entry, Kernel, Line, Pa, Va};
use crate::pool::{Buffer, Pool};
use crate::registry::Dma;

/// A set of map operations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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

/// Why a buffer cannot be synchronized. Nothing was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadSync {
    /// Nothing is mapped there, or it ends past the end of memory.
    NotMapped,
    /// The device cannot reach it.
    NotReachable,
}

/// A device's operations cannot be chosen now: its regions must be installed first, and the caller may not sleep, or
/// the heap has no room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotNow;

impl<K: Kernel> Dma<K> {
    /// The operations for a device that has none: device tree, then PCI, then by `dma-coherent`. *Thread* for a device
    /// with a device-tree node.
    pub fn choose_ops(&self, device: Device) -> Result<MapOps, NotNow> {
        if self.kernel.has_node(device) && self.claim_regions(device)? {
            Ok(MapOps::DeviceTree)
        } else if self.kernel.bus_window(device, 0) != Entry::End {
            Ok(MapOps::Pci)
        } else {
            Ok(self.default_ops(device))
        }
    }

    /// The operations by `dma-coherent` alone. Any context.
    pub fn default_ops(&self, device: Device) -> MapOps {
        if self.kernel.is_coherent(device) { MapOps::Coherent } else { MapOps::NonCoherent }
    }

    /// A buffer of at least `size` bytes and its handle. Context as [`Dma::allocate`].
    pub fn allocate_with(&self, ops: MapOps, device: Device, size: usize, wanted: Flags) -> Option<(Va, usize)> {
        let translated = matches!(ops, MapOps::DeviceTree | MapOps::Pci);
        let own = if ops == MapOps::DeviceTree { self.allocate_named(device, size, wanted) } else { None };
        let Buffer { va, pa } = match own {
            Some(buffer) => buffer,
            None if translated => self.allocate(device, size, wanted | Flags::ADDRESS_32BITS)?,
            None => self.allocate(device, size, wanted)?,
        };
        if let Some(handle) = self.to_handle(ops, device, pa) {
            return Some((va, handle));
        }
        // It was allocated just now, so it can be freed.
        let _ = self.free(ops, device, size, va, pa, wanted);
        self.refuse_device(c"%s: no dma-ranges lead to 0x%lx (%lu bytes)", device, pa, size);
        None
    }

    /// A buffer of at least `size` bytes, all of which the device can name with the bits of `mask`: from the pools that
    /// [`Dma::allocate_with`] would look into, in their order, and from the reachable part of one that straddles the mask
    /// (first fit takes the lowest run, so where that one is out of reach, all are). Context as [`Dma::allocate`].
    pub fn allocate_within(
        &self,
        ops: MapOps,
        device: Device,
        size: usize,
        wanted: Flags,
        mask: u64,
    ) -> Option<(Va, usize)> {
        let reaches = |pa: Pa, size: usize| {
            let handle = self.to_handle(ops, device, pa)?;
            let last = (handle as u64).checked_add(size.checked_sub(1)? as u64)?;
            (last <= mask).then_some(handle)
        };
        let good = |buffer: &Buffer| reaches(buffer.pa, size).is_some();
        let translated = matches!(ops, MapOps::DeviceTree | MapOps::Pci);
        let own = match ops {
            MapOps::DeviceTree => {
                let serves = |pool: &Pool<K>| pool.is_named_by(device) && pool.has_kind(wanted);
                self.allocate_from(size, wanted, serves, good)
            }
            _ => None,
        };
        let buffer = match own {
            Some(buffer) => buffer,
            None => {
                let wanted = if translated { wanted | Flags::ADDRESS_32BITS } else { wanted };
                // A pool that begins out of reach is not touched.
                let serves = |pool: &Pool<K>| pool.serves(device, wanted) && reaches(pool.start(), 1).is_some();
                self.allocate_from(size, wanted, serves, good)?
            }
        };
        Some((buffer.va, reaches(buffer.pa, size)?))
    }

    /// Whether `handle` is that of `pa` under `ops`: as it was translated forth, or, for a caller that keeps another
    /// form of it, back.
    #[cold]
    #[inline(never)]
    pub(crate) fn is_handle(&self, ops: MapOps, device: Device, pa: Pa, handle: usize) -> bool {
        self.to_handle(ops, device, pa) == Some(handle) || self.to_pa(ops, device, handle) == Some(pa)
    }

    /// Makes what the processor wrote to `[data, data + size)` visible to the device, and says under which handle. Any
    /// context.
    pub fn sync_out(&self, ops: MapOps, device: Device, data: Va, size: usize, flags: Flags) -> Result<usize, BadSync> {
        let pa = self.mapped(device, data, size)?;
        let Some(handle) = self.to_handle(ops, device, pa) else {
            self.refuse_device(c"%s: no dma-ranges lead to 0x%lx (%lu bytes)", device, pa, size);
            return Err(BadSync::NotReachable);
        };
        if maintains_cache(ops, flags) {
            cache::flush(self.kernel, data, size);
        }
        Ok(handle)
    }

    /// Makes what the device wrote to `[data, data + size)` visible to the processor. Any context.
    pub fn sync_in(&self, ops: MapOps, device: Device, data: Va, size: usize, flags: Flags) -> Result<(), BadSync> {
        if maintains_cache(ops, flags) {
            self.mapped(device, data, size)?;
            cache::invalidate(self.kernel, data, size);
        }
        Ok(())
    }

    fn mapped(&self, device: Device, data: Va, size: usize) -> Result<Pa, BadSync> {
        let pa = data.checked_add(size).and_then(|_| self.kernel.v2p(data));
        pa.ok_or_else(|| {
            self.refuse_device(c"%s: sync of 0x%lx (%lu bytes): nothing is mapped there", device, data, size);
            BadSync::NotMapped
        })
    }

    #[cold]
    fn refuse_device(&self, format: &'static core::ffi::CStr, device: Device, address: usize, size: usize) {
        let name = self.kernel.device_name(device).shown();
        self.refuse(&Line { format, name, values: [address, size, 0, 0, 0] });
    }

    /// Where the device finds `pa`.
    pub(crate) fn to_handle(&self, ops: MapOps, device: Device, pa: Pa) -> Option<usize> {
        match ops {
            MapOps::Coherent | MapOps::NonCoherent => Some(pa),
            MapOps::DeviceTree => self.kernel.cpu_to_dma(device, pa),
            MapOps::Pci => Some(self.through_window(device, pa, |window| (window.cpu, window.bus))),
        }
    }

    /// Where the processor finds what the device calls `handle`.
    #[inline(always)]
    pub(crate) fn to_pa(&self, ops: MapOps, device: Device, handle: usize) -> Option<Pa> {
        match ops {
            MapOps::Coherent | MapOps::NonCoherent => Some(handle),
            MapOps::DeviceTree => self.kernel.dma_to_cpu(device, handle),
            MapOps::Pci => Some(self.through_window(device, handle, |window| (window.bus, window.cpu))),
        }
    }

    /// `address` moved by the first window that holds it; as it is if none does.
    #[inline(always)]
    fn through_window(&self, device: Device, address: usize, sides: impl Fn(&BusWindow) -> (u64, u64)) -> usize {
        let mut index = 0;
        while let Entry::Found(window) = self.kernel.bus_window(device, index) {
            let (from, to) = sides(&window);
            let offset = (address as u64).wrapping_sub(from);
            if offset < window.size {
                return to.wrapping_add(offset) as usize;
            }
            index += 1;
        }
        address
    }
}

fn maintains_cache(ops: MapOps, flags: Flags) -> bool {
    match ops {
        MapOps::Coherent => true,
        MapOps::NonCoherent => false,
        MapOps::DeviceTree | MapOps::Pci => !flags.contains(Flags::NOCACHE),
    }
}
