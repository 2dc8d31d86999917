//! Streaming mappings: a driver's own buffer handed to a device for a time (Linux
//! Documentation/core-api/dma-api-howto.rst, "Using Streaming DMA mappings").
//!
//! [`map`](Streaming::map) makes the buffer the device's, [`unmap`](Streaming::unmap) the processor's again; in
//! between, [`sync_for_cpu`](Streaming::sync_for_cpu) and [`sync_for_device`](Streaming::sync_for_device) move all or
//! part of it. Where the device does not reach the buffer, or would share a cache line with its neighbours, a [bounce
//! buffer](crate::additions::streaming::bounce) takes its place.
//!
//! All of it may be called in an interrupt. A mapping whose buffer can be found again by its handle (through the
//! linear map, outside the pools) needs no memory at all. Any other needs a record, and perhaps a bounce buffer:
//! threads leave a stock of records, and the pool's view must be mapped already.

pub mod bounce;
mod direct;
mod errors;
mod mapping;
mod master;
mod records;
mod segments;

pub use errors::{BadMapping, MapError};
pub use mapping::AtUnmap;
pub use master::{Direction, Master, Ops, OwnOps};
pub use segments::Segment;

use crate::additions::streaming::bounce::Bounce;
use crate::dropin::pool::Seen;
use crate::dropin::registry::Dma;
use crate::kernel::{Kernel, PAGE_SIZE, Pa, Va};
use direct::EarlyPools;
use errors::{refuse, report};
use mapping::{Mapping, Part};
use records::{Claim, Records};

/// The handle that no mapping has: `RT_DMA_MAPPING_ERROR`.
pub const MAPPING_ERROR: usize = usize::MAX;

/// All streaming mappings of a system. They belong to its [`Dma`], which every call is given.
pub struct Streaming<K: Kernel> {
    records: Records<K>,
    early_pools: EarlyPools,
}

impl<K: Kernel> Streaming<K> {
    /// No mappings.
    pub const fn new() -> Self {
        Streaming { records: Records::new(), early_pools: EarlyPools::new() }
    }

    /// Makes `[va, va + size)` the device's, and names its handle. Until it is unmapped or synced for the processor,
    /// the processor leaves it alone. Any context.
    pub fn map(
        &self,
        dma: &Dma<K>,
        master: &Master,
        va: Va,
        size: usize,
        direction: Direction,
    ) -> Result<usize, MapError> {
        self.tidy(dma);
        let result = self.try_map(dma, master, va, size, direction);
        result.inspect_err(|error| report(dma, master, *error, va, size))
    }

    fn try_map(
        &self,
        dma: &Dma<K>,
        master: &Master,
        va: Va,
        size: usize,
        direction: Direction,
    ) -> Result<usize, MapError> {
        let kernel = dma.kernel;
        let to_last = size.checked_sub(1).ok_or(MapError::Invalid)?;
        if va == 0 || va.checked_add(to_last).is_none() || direction == Direction::Neither {
            return Err(MapError::Invalid);
        }
        let (pa, in_one_piece) = physical(kernel, va, size).ok_or(MapError::NotMapped)?;
        let coherent = master.is_coherent(kernel);
        let maintain = !coherent && seen(dma, va, pa).cached;
        // The processor may write a neighbour's byte to a shared line at any time; whatever is done with the line then,
        // somebody's bytes are lost.
        let is_alone = !maintain || !direction.device_writes() || fills_lines(kernel, va, size);
        let mut mapping =
            Mapping { master: *master, handle: 0, size, direction, va, maintain, bounce: None, taken_in: None };

        // A mapping by a BSP's own operations always has a record. It is taken before they are called, so that nothing that
        // they did has to be undone for want of one.
        let mut spare = match master.ops {
            Ops::Own(_) => Some(self.records.spare(kernel).ok_or(MapError::NoMemory)?),
            Ops::Library(_) => None,
        };
        if in_one_piece
            && is_alone
            && let Some(handle) = master.reach(dma, va, pa, size, maintain)
        {
            mapping.handle = handle;
            if spare.is_none() && !self.is_found_again(dma, &mapping, pa) {
                spare = Some(self.records.spare(kernel).ok_or(MapError::NoMemory)?);
            }
        } else {
            let record = match spare.take() {
                Some(record) => record,
                None => self.records.spare(kernel).ok_or(MapError::NoMemory)?,
            };
            let Some((bounce, handle)) = Bounce::new(dma, master, coherent, va, size) else {
                self.records.put(kernel, record);
                return Err(MapError::NoBounce);
            };
            mapping.handle = handle;
            mapping.bounce = Some(bounce);
            spare = Some(record);
        }
        if matches!(master.ops, Ops::Library(_)) {
            mapping.flush(kernel, mapping.whole());
        }
        // The driver tells the device next: that comes after the bytes, also where no cache is maintained.
        kernel.device_barrier();
        if let Some(record) = spare {
            self.records.insert(kernel, record, mapping, is_outside(dma, master, mapping.handle, size));
        }
        Ok(mapping.handle)
    }

    /// Makes the `size` bytes at `offset` of the page at `page` the device's: by the linear map's address of them,
    /// or, for a pool's memory, by that of the view in which it was handed out. Any context.
    pub fn map_page(
        &self,
        dma: &Dma<K>,
        master: &Master,
        page: Pa,
        offset: usize,
        size: usize,
        direction: Direction,
    ) -> Result<usize, MapError> {
        let found = page.checked_add(offset).ok_or(MapError::Invalid).and_then(|pa| {
            let va = match dma.covering(pa, pa.saturating_add(1)) {
                Some(pool) => pool.va_of(pa),
                None => Some(dma.kernel.linear(pa)),
            };
            va.filter(|va| dma.kernel.v2p(*va) == Some(pa)).ok_or(MapError::NotMapped)
        });
        match found {
            Ok(va) => self.map(dma, master, va, size, direction),
            Err(error) => {
                report(dma, master, error, page.wrapping_add(offset), size);
                Err(error)
            }
        }
    }

    /// Makes the buffer of a mapping the processor's again, with what the device wrote to it.
    ///
    /// The mapping is ended as it was recorded, also where `size` or `direction` is not what it was mapped with: the bytes
    /// arrive, and the bounce buffer is given back. A mapping that has no record is ended as the caller says.
    ///
    /// # Errors
    /// Each is logged and counted. After [`WrongSize`](BadMapping::WrongSize) and
    /// [`WrongDirection`](BadMapping::WrongDirection) the mapping has ended all the same; the others change nothing.
    ///
    /// # Context
    /// Any; no other call may be at work on the mapping.
    pub fn unmap(
        &self,
        dma: &Dma<K>,
        master: &Master,
        handle: usize,
        size: usize,
        direction: Direction,
    ) -> Result<(), BadMapping> {
        self.unmap_with(dma, master, handle, size, direction, AtUnmap::Sync)
    }

    /// Ends a mapping as [`unmap`](Streaming::unmap) does, and with [`AtUnmap::SkipSync`] leaves the buffer's bytes as they
    /// are.
    pub fn unmap_with(
        &self,
        dma: &Dma<K>,
        master: &Master,
        handle: usize,
        size: usize,
        direction: Direction,
        how: AtUnmap,
    ) -> Result<(), BadMapping> {
        let kernel = dma.kernel;
        self.tidy(dma);
        let claim = Claim { device: master.device, handle, size, direction };
        let result = match self.records.take(kernel, &claim) {
            Ok((record, mapping)) => {
                mapping.take_back(kernel, how);
                match mapping.bounce {
                    Some(bounce) if !bounce.can_be_freed(kernel) => self.records.leave(kernel, record),
                    bounce => {
                        if let Some(bounce) = bounce {
                            bounce.free(dma, &mapping.master);
                        }
                        self.records.put(kernel, record);
                    }
                }
                claim.check(&mapping)
            }
            Err(BadMapping::Unknown) => self.unmap_direct(dma, master, &claim, how),
            Err(error) => Err(error),
        };
        result.inspect_err(|error| refuse(dma, &claim, *error, false))
    }

    /// Makes all or part of a mapping the processor's, until it is synced for the device. `handle` is the mapping's, or
    /// some bytes above it. A part of a mapping for a device that is not coherent begins and ends on a cache line, or where
    /// the mapping does.
    ///
    /// Bytes go from the device to the processor only, and only if `direction` and the mapping's say that the device writes.
    /// `direction` is the mapping's, or, for a bidirectional mapping, any. A sync of zero bytes does nothing.
    ///
    /// # Errors
    /// Each is logged and counted, and changes nothing.
    ///
    /// # Context
    /// Any; no unmap may be at work on the mapping.
    pub fn sync_for_cpu(
        &self,
        dma: &Dma<K>,
        master: &Master,
        handle: usize,
        size: usize,
        direction: Direction,
    ) -> Result<(), BadMapping> {
        if size == 0 {
            return Ok(());
        }
        let kernel = dma.kernel;
        let claim = Claim { device: master.device, handle, size, direction };
        let (mapping, part) = self.find(dma, master, &claim)?;
        if direction.device_writes() {
            // The device said just now that it is done: no byte, and no line, may have been fetched before that.
            kernel.device_barrier();
        }
        match mapping.master.ops {
            Ops::Library(_) if direction.device_writes() => mapping.invalidate(kernel, part),
            Ops::Library(_) => {}
            Ops::Own(_) => {
                let before = self.records.find(kernel, &claim, |mapping| mapping.taken_in.replace(part));
                if let Ok(Some(before)) = before {
                    // Its operations had a `sync_in` already: this one needs a `sync_out` of its own.
                    mapping.sync_out(before, false);
                }
                mapping.sync_in(kernel, part, direction.device_writes());
            }
        }
        mapping.drain(kernel, part, direction);
        Ok(())
    }

    /// Makes all or part of a mapping the device's again: otherwise as [`sync_for_cpu`](Streaming::sync_for_cpu).
    ///
    /// Bytes go from the processor to the device only, and only if `direction` and the mapping's say that the device reads.
    /// So a driver that polls (sync for the processor, not yet, sync for the device) keeps what the device wrote meanwhile.
    pub fn sync_for_device(
        &self,
        dma: &Dma<K>,
        master: &Master,
        handle: usize,
        size: usize,
        direction: Direction,
    ) -> Result<(), BadMapping> {
        if size == 0 {
            return Ok(());
        }
        let kernel = dma.kernel;
        let claim = Claim { device: master.device, handle, size, direction };
        let (mapping, part) = self.find(dma, master, &claim)?;
        mapping.fill(kernel, part, direction);
        match mapping.master.ops {
            // The processor has only read the bounce buffer: no line of it is dirty.
            Ops::Library(_) if mapping.bounce.is_some() && !direction.device_reads() => {}
            Ops::Library(_) => mapping.flush(kernel, part),
            Ops::Own(_) => {
                if mapping.sync_out(part, true)
                    && let Ok(None) = self.records.find(kernel, &claim, |mapping| mapping.taken_in.take())
                {
                    // There was no `sync_in` that this `sync_out` follows.
                    mapping.sync_in(kernel, part, false);
                }
            }
        }
        // As in `map`.
        kernel.device_barrier();
        Ok(())
    }

    /// The mapping that `claim` tells of all or part of, and which part.
    fn find(&self, dma: &Dma<K>, master: &Master, claim: &Claim) -> Result<(Mapping, Part), BadMapping> {
        let recorded = match self.records.may_have(|| is_outside(dma, master, claim.handle, claim.size)) {
            true => self.records.find(dma.kernel, claim, |mapping| *mapping),
            false => Err(BadMapping::Unknown),
        };
        let found = match recorded {
            Err(BadMapping::Unknown) if claim.direction != Direction::Neither => {
                self.direct(dma, master, claim).ok_or(BadMapping::Unknown)
            }
            other => other,
        };
        found
            .map(|mapping| (mapping, Part { offset: claim.handle.wrapping_sub(mapping.handle), size: claim.size }))
            .inspect_err(|error| refuse(dma, claim, *error, true))
    }

    /// Gives back what interrupts left behind, and sees to the stock of records, where that is allowed.
    fn tidy(&self, dma: &Dma<K>) {
        let kernel = dma.kernel;
        if !kernel.can_sleep() {
            return;
        }
        while let Some((record, mapping)) = self.records.left(kernel) {
            if let Some(Mapping { master, bounce: Some(bounce), .. }) = mapping {
                bounce.free(dma, &master);
            }
            self.records.put(kernel, record);
        }
        self.records.restock(kernel);
    }

    /// Gives back everything that live mappings do not need. The next call in a thread gets some again. *Thread.*
    pub fn trim(&self, dma: &Dma<K>) {
        self.tidy(dma);
        self.records.clear(dma.kernel);
    }
}

/// How the processor sees `pa` at `va`: memory that is no pool's is taken as cached.
pub(crate) fn seen<K: Kernel>(dma: &Dma<K>, va: Va, pa: Pa) -> Seen {
    dma.pools().find_map(|pool| pool.seen(va, pa)).unwrap_or(Seen { cached: true, in_view: false })
}

/// Where `[va, va + size)` begins in physical memory, and whether it is in one piece there; `None` if a page of it is
/// not mapped.
fn physical<K: Kernel>(kernel: K, va: Va, size: usize) -> Option<(Pa, bool)> {
    let pa = kernel.v2p(va)?;
    let mut in_one_piece = true;
    let mut offset = PAGE_SIZE - va % PAGE_SIZE;
    while offset < size {
        in_one_piece &= kernel.v2p(va.wrapping_add(offset))? == pa.wrapping_add(offset);
        offset += PAGE_SIZE;
    }
    Some((pa, in_one_piece))
}

/// Whether no pool has any of what the device calls `[handle, handle + size)`.
fn is_outside<K: Kernel>(dma: &Dma<K>, master: &Master, handle: usize, size: usize) -> bool {
    let pa = master.pa_of(dma, handle);
    pa.is_none_or(|pa| dma.covering(pa, pa.saturating_add(size)).is_none())
}

/// Whether a buffer begins and ends on a cache line, so that no line of it holds bytes of others.
fn fills_lines<K: Kernel>(kernel: K, va: Va, size: usize) -> bool {
    (va | va.wrapping_add(size)) & kernel.cache_line_max().wrapping_sub(1) == 0
}
