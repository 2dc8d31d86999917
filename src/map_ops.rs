//! Map operations: what a device's place in the system means for its handles and for the cache.
//!
//! RT-Thread's names are older than its usage: with *coherent* operations the library maintains the cache for the
//! device, with *non-coherent* ones it does not (`dma_pool.c`). A device keeps the set that was chosen first.

use core::num::NonZeroUsize;

use crate::cache;
use crate::flags::Flags;
use crate::kernel::{BusWindow, Device, Entry, Kernel, Line, Pa, Va};
use crate::masks::is_within;
use crate::pool::{Buffer, Pool};
use crate::registry::{Dma, pages_for};

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

    /// A buffer of at least `size` bytes and its handle: from the first pool that has one, in the order in which they were
    /// installed; with device-tree operations from those that the device's node names first. Any context if the pool's
    /// view is mapped already, or its linear map serves; else *thread*.
    #[inline(always)]
    pub fn allocate(&self, ops: MapOps, device: Device, size: usize, wanted: Flags) -> Option<(NonZeroUsize, usize)> {
        let pages = pages_for(size)?;
        let mut wanted = wanted;
        if translated(ops) {
            if ops == MapOps::DeviceTree
                && let Some(own) = self.allocate_own(device, pages, wanted)
            {
                return self.translate(ops, device, size, own, wanted);
            }
            wanted |= Flags::ADDRESS_32BITS;
        }
        let buffer = self.allocate_pages(device, pages, wanted)?;
        if translated(ops) {
            return self.translate(ops, device, size, buffer, wanted);
        }
        Some((buffer.va, buffer.pa))
    }

    /// A buffer of `pages` pages, not zero, from the first region that the device's node names and that has one.
    #[inline(never)]
    fn allocate_own(&self, device: Device, pages: usize, wanted: Flags) -> Option<Buffer> {
        self.pools()
            .filter(|pool| pool.serves_as_own(device, wanted))
            .find_map(|pool| pool.allocate_slowly(&self.mappings, pages, self.own_request(pool, device, wanted)))
    }

    /// What a device's request is to one of its regions: where strangers are served too, and so no flag of the pool says
    /// it, a device that does not snoop the cache gets uncached memory all the same.
    fn own_request(&self, pool: &Pool<K>, device: Device, wanted: Flags) -> Flags {
        let is_shared = !pool.flags().contains(Flags::DEVICE);
        if is_shared && !self.kernel.is_coherent(device) { wanted | Flags::NOCACHE } else { wanted }
    }

    /// A buffer of `pages` pages, not zero, from the first pool that serves the request.
    #[inline(always)]
    fn allocate_pages(&self, device: Device, pages: usize, wanted: Flags) -> Option<Buffer> {
        let mut next = self.first.get();
        while let Some(pool) = next {
            if pool.serves(device, wanted)
                && let Some(buffer) = pool.allocate(&self.mappings, pages, wanted)
            {
                return Some(buffer);
            }
            next = pool.next.get();
        }
        None
    }

    /// The buffer with its handle; given back if the device cannot reach it.
    #[inline(never)]
    fn translate(
        &self,
        ops: MapOps,
        device: Device,
        size: usize,
        buffer: Buffer,
        wanted: Flags,
    ) -> Option<(NonZeroUsize, usize)> {
        if let Some(handle) = self.reach(ops, device, buffer.pa, size, !0) {
            return Some((buffer.va, handle));
        }
        // It was allocated just now, so it can be freed.
        let _ = self.free_any(ops, device, size, buffer.va.get(), buffer.pa, wanted);
        self.refuse_device(c"%s: no dma-ranges lead to 0x%lx (%lu bytes)", device, buffer.pa, size);
        None
    }

    /// A buffer of at least `size` bytes, all of which the device can name with the bits of `mask`: from the pools that
    /// [`Dma::allocate`] would look into, in their order, and from the reachable part of one that straddles the mask
    /// (first fit takes the lowest run, so where that one is out of reach, all are). Context as [`Dma::allocate`].
    pub fn allocate_within(
        &self,
        ops: MapOps,
        device: Device,
        size: usize,
        wanted: Flags,
        mask: u64,
    ) -> Option<(Va, usize)> {
        self.allocate_by(ops, device, size, wanted, mask, |pool, pages, wanted| {
            pool.allocate_slowly(&self.mappings, pages, wanted)
        })
    }

    /// The same, by `take`, which takes so many pages of a pool as such a request.
    #[inline(always)]
    pub(crate) fn allocate_by(
        &self,
        ops: MapOps,
        device: Device,
        size: usize,
        wanted: Flags,
        mask: u64,
        take: impl Fn(&Pool<K>, usize, Flags) -> Option<Buffer>,
    ) -> Option<(Va, usize)> {
        let reaches = |pa: Pa, size: usize| self.reach(ops, device, pa, size, mask);
        let pages = pages_for(size)?;
        let any = if translated(ops) { wanted | Flags::ADDRESS_32BITS } else { wanted };
        for own in [true, false] {
            for pool in self.pools() {
                let serves = match own {
                    true => ops == MapOps::DeviceTree && pool.serves_as_own(device, wanted),
                    false => pool.serves(device, any),
                };
                // A pool that begins out of reach is not touched.
                if !serves || reaches(pool.start(), 1).is_none() {
                    continue;
                }
                let request = if own { self.own_request(pool, device, wanted) } else { wanted };
                let Some(buffer) = take(pool, pages, request) else { continue };
                if let Some(handle) = reaches(buffer.pa, size) {
                    return Some((buffer.va.get(), handle));
                }
                // It was allocated just now, so it can be freed.
                let _ = self.free_any(ops, device, size, buffer.va.get(), buffer.pa, wanted);
            }
        }
        None
    }

    /// The handle of `[pa, pa + size)`, if the device can name all of it with the bits of `mask`.
    pub(crate) fn reach(&self, ops: MapOps, device: Device, pa: Pa, size: usize, mask: u64) -> Option<usize> {
        let handle = self.to_handle(ops, device, pa).filter(|handle| is_within(*handle, size, mask))?;
        if translated(ops) {
            // A range or a window may end in between: what lies behind it the device finds elsewhere, or nowhere.
            let to_last = size.checked_sub(1)?;
            let last = self.to_handle(ops, device, pa.checked_add(to_last)?)?;
            return (last.checked_sub(handle) == Some(to_last)).then_some(handle);
        }
        Some(handle)
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

/// Whether handles are not physical addresses.
fn translated(ops: MapOps) -> bool {
    matches!(ops, MapOps::DeviceTree | MapOps::Pci)
}

fn maintains_cache(ops: MapOps, flags: Flags) -> bool {
    match ops {
        MapOps::Coherent => true,
        MapOps::NonCoherent => false,
        MapOps::DeviceTree | MapOps::Pci => !flags.contains(Flags::NOCACHE),
    }
}
