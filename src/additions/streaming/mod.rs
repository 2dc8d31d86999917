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
mod errors;
mod master;
mod records;
mod segments;

pub use errors::{BadMapping, MapError};
pub use master::{Direction, Master, Ops, OwnOps};
pub use segments::Segment;

use crate::additions::streaming::bounce::Bounce;
use crate::dropin::pool::Seen;
use crate::dropin::registry::Dma;
use crate::kernel::{Kernel, PAGE_SIZE, Pa, Va};
use errors::{refuse, report};
use records::{Claim, Records};

/// The handle that no mapping has: `RT_DMA_MAPPING_ERROR`.
pub const MAPPING_ERROR: usize = usize::MAX;

/// A buffer that a device has.
#[derive(Clone, Copy)]
struct Mapping {
    master: Master,
    handle: usize,
    /// Never zero.
    size: usize,
    direction: Direction,
    /// The driver's address.
    va: Va,
    /// Its cache lines are to be maintained.
    maintain: bool,
    bounce: Option<Bounce>,
}

impl Mapping {
    /// Makes the `size` bytes at `offset` the device's.
    ///
    /// A bounce buffer gets the driver's bytes also where only the device writes: what the device leaves out is then
    /// what the driver had there, as it would be without one, and no bytes of others.
    fn hand_over<K: Kernel>(&self, kernel: K, offset: usize, size: usize) {
        let va = self.va.wrapping_add(offset);
        match self.bounce {
            Some(bounce) => bounce.fill(kernel, &self.master, va, offset, size),
            None => self.master.hand_over(kernel, va, size, self.maintain),
        }
        // The driver tells the device next: that comes after the bytes, also where no cache is maintained.
        kernel.device_barrier();
    }

    /// Makes the `size` bytes at `offset` the processor's.
    fn take_back<K: Kernel>(&self, kernel: K, offset: usize, size: usize, direction: Direction) {
        if !direction.device_writes() {
            return;
        }
        // The device said just now that it is done: no byte, and no line, may have been fetched before that.
        kernel.device_barrier();
        let (va, handle) = (self.va.wrapping_add(offset), self.handle.wrapping_add(offset));
        match self.bounce {
            Some(bounce) => bounce.drain(kernel, &self.master, va, handle, offset, size),
            None => self.master.take_back(kernel, va, handle, size, self.maintain),
        }
    }
}

/// All streaming mappings of a system. They belong to its [`Dma`], which every call is given.
pub struct Streaming<K: Kernel> {
    records: Records<K>,
}

impl<K: Kernel> Streaming<K> {
    /// No mappings.
    pub const fn new() -> Self {
        Streaming { records: Records::new() }
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
        let in_lines = (va | va.wrapping_add(size)) & kernel.cache_line_max().wrapping_sub(1) == 0;
        let is_alone = in_lines || !maintain || !direction.device_writes();
        let handle = if in_one_piece && is_alone { master.reach(dma, va, pa, size, maintain) } else { None };

        let mut mapping = Mapping { master: *master, handle: 0, size, direction, va, maintain, bounce: None };
        if let Some(handle) = handle {
            mapping.handle = handle;
            if !self.is_found_again(dma, &mapping, pa) {
                let record = self.records.spare(kernel).ok_or(MapError::NoMemory)?;
                self.records.insert(kernel, record, mapping, is_outside(dma, master, handle, size));
            }
            mapping.hand_over(kernel, 0, size);
            return Ok(handle);
        }
        // The record first: it is given back more easily.
        let record = self.records.spare(kernel).ok_or(MapError::NoMemory)?;
        let Some((bounce, handle)) = Bounce::new(dma, master, coherent, size) else {
            self.records.put(kernel, record);
            return Err(MapError::NoBounce);
        };
        mapping.handle = handle;
        mapping.bounce = Some(bounce);
        mapping.hand_over(kernel, 0, size);
        self.records.insert(kernel, record, mapping, is_outside(dma, master, handle, size));
        Ok(handle)
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

    /// Makes the buffer of a mapping the processor's again, with what the device wrote to it. Any context; no other
    /// call may be at work on the mapping.
    pub fn unmap(
        &self,
        dma: &Dma<K>,
        master: &Master,
        handle: usize,
        size: usize,
        direction: Direction,
    ) -> Result<(), BadMapping> {
        let kernel = dma.kernel;
        self.tidy(dma);
        let claim = Claim { device: master.device, handle, size, direction };
        let result = match self.records.take(kernel, &claim) {
            Ok((record, mapping)) => {
                mapping.take_back(kernel, 0, size, direction);
                match mapping.bounce {
                    Some(bounce) if !bounce.can_be_freed(kernel) => self.records.leave(kernel, record),
                    bounce => {
                        if let Some(bounce) = bounce {
                            bounce.free(dma, &mapping.master);
                        }
                        self.records.put(kernel, record);
                    }
                }
                Ok(())
            }
            Err(BadMapping::Unknown) => {
                let found = unrecorded(dma, master, &claim).ok_or(BadMapping::Unknown);
                found.map(|mapping| mapping.take_back(kernel, 0, size, direction))
            }
            Err(error) => Err(error),
        };
        result.inspect_err(|error| refuse(dma, &claim, *error, false))
    }

    /// Makes all or part of a mapping the processor's, until it is synced for the device. `handle` is the mapping's, or
    /// some bytes above it. A part of a device's that is not coherent begins and ends on a cache line, or where the
    /// mapping does. Any context; no unmap may be at work on the mapping.
    pub fn sync_for_cpu(
        &self,
        dma: &Dma<K>,
        master: &Master,
        handle: usize,
        size: usize,
        direction: Direction,
    ) -> Result<(), BadMapping> {
        let claim = Claim { device: master.device, handle, size, direction };
        let (mapping, offset) = self.find(dma, master, &claim)?;
        mapping.take_back(dma.kernel, offset, size, direction);
        Ok(())
    }

    /// Makes all or part of a mapping the device's again. As [`sync_for_cpu`](Streaming::sync_for_cpu).
    pub fn sync_for_device(
        &self,
        dma: &Dma<K>,
        master: &Master,
        handle: usize,
        size: usize,
        direction: Direction,
    ) -> Result<(), BadMapping> {
        let claim = Claim { device: master.device, handle, size, direction };
        let (mapping, offset) = self.find(dma, master, &claim)?;
        mapping.hand_over(dma.kernel, offset, size);
        Ok(())
    }

    /// The mapping that `claim` tells of all or part of, and where in it.
    fn find(&self, dma: &Dma<K>, master: &Master, claim: &Claim) -> Result<(Mapping, usize), BadMapping> {
        let recorded = match self.records.may_have(|| is_outside(dma, master, claim.handle, claim.size)) {
            true => self.records.find(dma.kernel, claim),
            false => Err(BadMapping::Unknown),
        };
        let found = match recorded {
            Err(BadMapping::Unknown) => unrecorded(dma, master, claim).ok_or(BadMapping::Unknown),
            other => other,
        };
        found
            .map(|mapping| (mapping, claim.handle.wrapping_sub(mapping.handle)))
            .inspect_err(|error| refuse(dma, claim, *error, true))
    }

    /// Whether [`unrecorded`] finds the mapping of memory at `pa` again.
    fn is_found_again(&self, dma: &Dma<K>, mapping: &Mapping, pa: Pa) -> bool {
        mapping.master.pa_of(dma, mapping.handle) == Some(pa)
            && dma.kernel.linear(pa) == mapping.va
            && dma.covering(pa, pa.saturating_add(mapping.size)).is_none()
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

/// The mapping of which no record was kept: of memory outside the pools, at its linear address.
fn unrecorded<K: Kernel>(dma: &Dma<K>, master: &Master, claim: &Claim) -> Option<Mapping> {
    let &Claim { handle, size, direction, .. } = claim;
    let kernel = dma.kernel;
    let pa = master.pa_of(dma, handle)?;
    let va = kernel.linear(pa);
    va.checked_add(size.checked_sub(1)?)?;
    let is_there = direction != Direction::Neither
        && dma.covering(pa, pa.saturating_add(size)).is_none()
        && physical(kernel, va, size) == Some((pa, true));
    let maintain = !master.is_coherent(kernel);
    is_there.then_some(Mapping { master: *master, handle, size, direction, va, maintain, bounce: None })
}
