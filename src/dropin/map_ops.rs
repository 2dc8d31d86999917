//! Map operations: what a device's place in the system means for its handles and for the cache.
//!
//! RT-Thread's names are older than its usage: with *coherent* operations the library maintains the cache for the
//! device, with *non-coherent* ones it does not (`dma_pool.c`). A device keeps the set that was chosen first.

use crate::dropin::device_tree::Asked;
use crate::dropin::pool::Pool;
use crate::dropin::pool::view::NOWHERE;
use crate::dropin::registry::{Dma, pages_for};
use crate::error::Error;
use crate::flags::Flags;
use crate::kernel::{BusWindow, Device, Entry, Kernel, Pa, Va};
use crate::mem::cache;

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

/// Where bytes or addresses go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// From the processor to the device.
    Out,
    /// From the device to the processor.
    In,
}

/// A device's operations cannot be chosen now: its regions must be installed first, and the caller may not sleep, or
/// the heap has no room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotNow;

impl<K: Kernel> Dma<K> {
    /// The operations for a device that has none: device tree, then PCI, then by `dma-coherent`. *Thread* for a device
    /// with a device-tree node.
    pub fn choose_ops(&self, device: Device) -> Result<MapOps, NotNow> {
        match self.claim_regions(device) {
            Asked::Nothing => {}
            Asked::Operations => return Ok(MapOps::DeviceTree),
            Asked::NotNow => return Err(NotNow),
        }
        if self.kernel.bus_window(device, 0) != Entry::End { Ok(MapOps::Pci) } else { Ok(self.default_ops(device)) }
    }

    /// The operations by `dma-coherent` alone. Any context.
    pub fn default_ops(&self, device: Device) -> MapOps {
        if self.kernel.is_coherent(device) { MapOps::Coherent } else { MapOps::NonCoherent }
    }

    /// A buffer of at least `size` bytes and its handle: from the first pool that has one, in the order in which they were
    /// installed; with device-tree operations from those that the device's node names first. Any context if the pool's
    /// view is mapped already, or its linear map serves; else *thread*.
    #[inline(always)]
    pub fn allocate(&self, ops: MapOps, device: Device, size: usize, wanted: Flags) -> Option<(Va, usize)> {
        let result = self.allocate_by(ops, device, size, wanted, !0, Pool::take);
        if let Err(missed) = result
            && missed != 0
        {
            self.refuse_device(Error::NotReachable, device, missed, size);
        }
        result.ok()
    }

    /// What a device's request is to one of its regions: where strangers are served too, and so no flag of the pool says
    /// it, a device that does not snoop the cache gets uncached memory all the same.
    fn own_request(&self, pool: &Pool<K>, device: Device, wanted: Flags) -> Flags {
        let is_shared = !pool.flags().contains(Flags::DEVICE);
        if is_shared && !self.kernel.is_coherent(device) { wanted | Flags::NOCACHE } else { wanted }
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
        self.allocate_by(ops, device, size, wanted, mask, Pool::take_lowest).ok()
    }

    /// The same, by `take`, which takes so many pages of a pool and says at which page. If there is none, it says where the
    /// memory lies that a pool had, but out of reach; else zero.
    ///
    /// One loop for every device: what only translated handles need is passed over by the others, whose path it is that
    /// must be short.
    #[inline(always)]
    pub(crate) fn allocate_by(
        &self,
        ops: MapOps,
        device: Device,
        size: usize,
        wanted: Flags,
        mask: u64,
        take: impl Fn(&Pool<K>, usize) -> Option<usize>,
    ) -> Result<(Va, usize), Pa> {
        let mut missed = 0;
        let pages = pages_for(size).ok_or(missed)?;
        let marks = OWN | TRANSLATED;
        let mut wanted = if is_translated(ops) { wanted | marks } else { wanted.difference(marks) };
        loop {
            let mut next = self.first.get();
            while let Some(pool) = next {
                let own = wanted.contains(OWN);
                let is_limited = wanted.contains(TRANSLATED) || mask != !0;
                if pool.serves_as(device, wanted, own) {
                    if is_limited && !self.reaches_into(ops, device, pool, mask) {
                        // Not touched: not even for a moment is it to be without these pages.
                        missed = pool.start();
                    } else if let Some(page) = take(pool, pages) {
                        let pa = pool.pa_of(page);
                        let reached = if is_limited { self.reach(ops, device, pa, size, mask) } else { Some(pa) };
                        if let Some(handle) = reached {
                            let request = if own { self.own_request(pool, device, wanted) } else { wanted };
                            if let Some(va) = pool.show(page, pages, request) {
                                return Ok((va, handle));
                            }
                        } else {
                            missed = pa;
                            // They were taken just now, so they can be given back.
                            let _ = pool.free(page, pages);
                        }
                    }
                }
                next = pool.next.get();
            }
            if !wanted.contains(OWN) {
                return Err(missed);
            }
            wanted = wanted.difference(OWN) | Flags::ADDRESS_32BITS;
        }
    }

    /// Whether the device can name the first or the last byte of a pool with the bits of `mask`.
    #[inline(always)]
    fn reaches_into(&self, ops: MapOps, device: Device, pool: &Pool<K>, mask: u64) -> bool {
        let reaches = |pa| self.translate(ops, device, pa, Way::Out).is_some_and(|handle| handle as u64 <= mask);
        reaches(pool.start()) || reaches(pool.end() - 1)
    }

    /// The handle of `[pa, pa + size)`, if the device can name all of it with the bits of `mask`.
    #[inline(always)]
    pub(crate) fn reach(&self, ops: MapOps, device: Device, pa: Pa, size: usize, mask: u64) -> Option<usize> {
        let to_last = size.checked_sub(1)?;
        let handle = self.translate(ops, device, pa, Way::Out)?;
        // A range or a window may end in between: what lies behind it the device finds elsewhere, or nowhere, which is no
        // more than the highest address.
        let last = self.address_by(ops, device, pa.wrapping_add(to_last), Way::Out);
        (last.checked_sub(handle) == Some(to_last) && last as u64 <= mask).then_some(handle)
    }

    /// Whether `handle` is that of `pa` under `ops`: as it was translated forth, or, for a caller that keeps another
    /// form of it, back.
    #[inline(always)]
    pub(crate) fn is_handle(&self, ops: MapOps, device: Device, pa: Pa, handle: usize) -> bool {
        self.translate(ops, device, pa, Way::Out) == Some(handle) || self.address_by(ops, device, handle, Way::In) == pa
    }

    /// Makes what the processor wrote to `[data, data + size)` visible to the device, and says under which handle. Any
    /// context.
    pub fn sync_out(&self, ops: MapOps, device: Device, data: Va, size: usize, flags: Flags) -> Result<usize, Error> {
        self.sync(Way::Out, ops, device, data, size, flags)
    }

    /// Makes what the device wrote to `[data, data + size)` visible to the processor. Any context.
    pub fn sync_in(&self, ops: MapOps, device: Device, data: Va, size: usize, flags: Flags) -> Result<(), Error> {
        self.sync(Way::In, ops, device, data, size, flags).map(|_| ())
    }

    /// Either, as `way` says; the handle is that of what goes out. Any context.
    #[inline(always)]
    pub(crate) fn sync(
        &self,
        way: Way,
        ops: MapOps,
        device: Device,
        data: Va,
        size: usize,
        flags: Flags,
    ) -> Result<usize, Error> {
        let is_spared = is_translated(ops) & flags.contains(Flags::NOCACHE);
        let maintain = ops != MapOps::NonCoherent && !is_spared;
        if way == Way::In && !maintain {
            return Ok(0);
        }
        let (mut error, mut address) = (Error::NotMapped, data);
        if let Some(pa) = data.checked_add(size).and_then(|_| self.kernel.v2p(data)) {
            if way == Way::In {
                cache::invalidate(self.kernel, data, size);
                return Ok(0);
            }
            if let Some(handle) = self.translate(ops, device, pa, way) {
                if maintain {
                    cache::flush(self.kernel, data, size);
                }
                return Ok(handle);
            }
            (error, address) = (Error::NotReachable, pa);
        }
        self.refuse_device(error, device, address, size);
        Err(error)
    }

    #[cold]
    fn refuse_device(&self, error: Error, device: Device, address: usize, size: usize) {
        let name = self.kernel.device_name(device);
        self.refuse(error, name, size, address, 0);
    }

    /// Where the other side finds what lies at `address`: out, the device what the processor calls so; in, the processor
    /// what the device calls so.
    #[inline(always)]
    pub(crate) fn translate(&self, ops: MapOps, device: Device, address: usize, way: Way) -> Option<usize> {
        unless_nowhere(self.address_by(ops, device, address, way))
    }

    /// The same; [`NOWHERE`] if it does not.
    #[inline(never)]
    fn address_by(&self, ops: MapOps, device: Device, address: usize, way: Way) -> usize {
        match (ops, way) {
            (MapOps::Coherent | MapOps::NonCoherent, _) => address,
            (MapOps::DeviceTree, _) => self.kernel.translate(device, address, way == Way::In).unwrap_or(NOWHERE),
            (MapOps::Pci, _) => {
                // By the first window that holds it; as it is if none does.
                let mut index = 0;
                while let Entry::Found(BusWindow { cpu, bus, size }) = self.kernel.bus_window(device, index) {
                    let (from, to) = if way == Way::Out { (cpu, bus) } else { (bus, cpu) };
                    let offset = (address as u64).wrapping_sub(from);
                    if offset < size {
                        return usize::try_from(to.wrapping_add(offset)).unwrap_or(NOWHERE);
                    }
                    index += 1;
                }
                address
            }
        }
    }
}

/// An address, unless it is [`NOWHERE`].
#[inline(always)]
fn unless_nowhere(address: usize) -> Option<usize> {
    (address != NOWHERE).then_some(address)
}

// What a request is marked with while it is served: two bits that no revision defines, since more values than these
// do not stay in registers.

/// It is for the regions that the device's node names, which come first.
const OWN: Flags = Flags::from_bits_retain(1 << (usize::BITS - 1));
/// Its handle is no physical address.
const TRANSLATED: Flags = Flags::from_bits_retain(1 << (usize::BITS - 2));

/// Whether handles are not physical addresses.
fn is_translated(ops: MapOps) -> bool {
    matches!(ops, MapOps::DeviceTree | MapOps::Pci)
}
