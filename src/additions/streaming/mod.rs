//! Streaming mappings: a driver's own buffer handed to a device for a time (Linux
//! Documentation/core-api/dma-api-howto.rst, "Using Streaming DMA mappings").
//!
//! [`map`](Streaming::map) makes the buffer the device's, [`unmap`](Streaming::unmap) the processor's again; in
//! between, [`sync_for_cpu`](Streaming::sync_for_cpu) and [`sync_for_device`](Streaming::sync_for_device) hand over all or
//! part of it. Where the device does not reach the buffer, or would share a cache line with its neighbours, a [bounce
//! buffer](bounce) takes its place.
//!
//! A mapping whose buffer can be found again by its handle (through the linear map, outside the pools) is
//! [direct]: it takes no lock and needs no memory. Every other has a [record](records), and perhaps a bounce buffer.
//!
//! # Context
//! Any, unless a function states otherwise. Threads allocate a [stock] of records, from which interrupts take; in an
//! interrupt, a bounce buffer comes from a pool whose view is mapped already.
//!
//! # Safety
//! The functions that are `unsafe` maintain caches, and copy from and to the addresses that they are given. The caller
//! guarantees:
//!
//! * The buffer that is mapped is the driver's, and stays allocated and mapped for the processor until it is unmapped.
//! * While the device has the buffer, or a part of it, no code reads or writes that part. Other bytes in the cache lines of a
//!   buffer may be used at any time, unless the map had [`own_lines`](Attributes::own_lines).
//! * `handle`, `size` and `direction` of an unmap or a sync are those of a mapping that is live, or of a part of one. What the
//!   library can check of this it checks, and refuses the call; of a direct mapping it cannot check all.
//! * All calls for one [`Streaming`] get the same [`Dma`], and a [`Master`] that describes its device.

#![allow(unsafe_code)]

pub mod bounce;
mod direct;
mod errors;
mod mapping;
mod master;
mod place;
mod pooled;
mod quick;
mod recorded;
mod records;
mod segments;
mod stock;

pub use errors::{BadMapping, MapError};
pub use master::{Direction, Master, Ops, OwnOps};
pub use segments::Segment;

use crate::dropin::pool::Seen;
use crate::dropin::registry::Dma;
use crate::kernel::{Device, Kernel, Pa, Va};
use direct::EarlyPools;
use errors::{refuse, report};
use mapping::{Mapping, Part};
use place::LinearRange;
use records::{Query, Records};
use stock::Stock;

/// The handle that no mapping has: `RT_DMA_MAPPING_ERROR`.
pub const MAPPING_ERROR: usize = usize::MAX;

/// What a driver states about a mapping beyond its buffer and direction.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Attributes {
    /// An unmap leaves the buffer's bytes as they are, because the driver has synced what it wants to see (Linux
    /// `DMA_ATTR_SKIP_CPU_SYNC`). A map ignores it.
    pub skip_cpu_sync: bool,
    /// From the map to the unmap, no code writes to a cache line that the buffer touches, the bytes of others in these lines
    /// included (Linux `DMA_ATTR_CPU_CACHE_CLEAN`). Then a buffer that the device writes needs no bounce buffer for its lines.
    /// The map and the unmap both have it.
    pub own_lines: bool,
}

impl Attributes {
    /// Nothing.
    pub const NONE: Self = Attributes { skip_cpu_sync: false, own_lines: false };
    /// [`skip_cpu_sync`](Attributes::skip_cpu_sync).
    pub const SKIP_CPU_SYNC: Self = Attributes { skip_cpu_sync: true, ..Self::NONE };
    /// [`own_lines`](Attributes::own_lines).
    pub const OWN_LINES: Self = Attributes { own_lines: true, ..Self::NONE };
}

/// What is to be mapped.
#[derive(Clone, Copy)]
struct Buffer {
    va: Va,
    /// Bytes.
    size: usize,
    direction: Direction,
    attributes: Attributes,
}

/// All streaming mappings of a system. They belong to its [`Dma`], which every call is given.
pub struct Streaming<K: Kernel> {
    records: Records<K>,
    stock: Stock<K>,
    early_pools: EarlyPools,
    linear_range: LinearRange,
}

impl<K: Kernel> Streaming<K> {
    /// No mappings.
    pub const fn new() -> Self {
        Streaming {
            records: Records::new(),
            stock: Stock::new(),
            early_pools: EarlyPools::new(),
            linear_range: LinearRange::new(),
        }
    }

    // --- map -------------------------------------------------------------------------------------------------------

    /// Makes `[va, va + size)` the device's and returns its handle. Until the buffer is unmapped or synced for the processor,
    /// the processor leaves it alone. Context: any.
    ///
    /// # Errors
    /// Nothing has changed. Each error is logged; those that are the caller's fault are counted.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    pub unsafe fn map(
        &self,
        dma: &Dma<K>,
        master: &Master,
        va: Va,
        size: usize,
        direction: Direction,
    ) -> Result<usize, MapError> {
        // SAFETY: the caller's promise.
        unsafe { self.map_with(dma, master, va, size, direction, Attributes::NONE) }
    }

    /// Maps a buffer as [`map`](Streaming::map) does, with attributes.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    #[inline(always)]
    pub unsafe fn map_with(
        &self,
        dma: &Dma<K>,
        master: &Master,
        va: Va,
        size: usize,
        direction: Direction,
        attributes: Attributes,
    ) -> Result<usize, MapError> {
        let buffer = Buffer { va, size, direction, attributes };
        if let Some(is_coherent) = master.usual()
            && let Some(handle) = self
                .quick_map(dma, is_coherent, &buffer)
                .or_else(|| self.quick_map_pooled(dma, master.device, is_coherent, &buffer))
        {
            return Ok(handle);
        }
        self.map_in_general(dma, master, &buffer)
    }

    /// Maps a buffer of a usual device as [`map_with`](Streaming::map_with) does, if that takes neither a lock nor a record;
    /// else returns `None`, and nothing has changed. Such a device has no mask, and operations of the library with physical
    /// handles, coherent ones if `is_coherent`. Context: any.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    #[inline(always)]
    pub unsafe fn map_at_once(
        &self,
        dma: &Dma<K>,
        is_coherent: bool,
        va: Va,
        size: usize,
        direction: Direction,
        attributes: Attributes,
    ) -> Option<usize> {
        self.quick_map(dma, is_coherent, &Buffer { va, size, direction, attributes })
    }

    /// Maps a buffer of pool memory as [`map_with`](Streaming::map_with) does, for the devices of
    /// [`map_at_once`](Streaming::map_at_once) and after that has returned `None`; returns `None`, and nothing has changed, if
    /// it takes more than a record. Context: any.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    #[inline(always)]
    #[allow(clippy::too_many_arguments)] // As those of `map_with`.
    pub unsafe fn map_pooled(
        &self,
        dma: &Dma<K>,
        device: Device,
        is_coherent: bool,
        va: Va,
        size: usize,
        direction: Direction,
        attributes: Attributes,
    ) -> Option<usize> {
        self.quick_map_pooled(dma, device, is_coherent, &Buffer { va, size, direction, attributes })
    }

    /// Maps a buffer as [`map_with`](Streaming::map_with) does, after [`map_at_once`](Streaming::map_at_once) has returned
    /// `None`, or for a device that is not a usual one.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    #[inline(always)]
    pub unsafe fn map_not_at_once(
        &self,
        dma: &Dma<K>,
        master: &Master,
        va: Va,
        size: usize,
        direction: Direction,
        attributes: Attributes,
    ) -> Result<usize, MapError> {
        self.map_in_general(dma, master, &Buffer { va, size, direction, attributes })
    }

    /// Maps a buffer for which the short path is not tried.
    #[inline(never)]
    fn map_in_general(&self, dma: &Dma<K>, master: &Master, buffer: &Buffer) -> Result<usize, MapError> {
        self.tidy(dma);
        self.try_map(dma, master, buffer).inspect_err(|error| report(dma, master, *error, buffer.va, buffer.size))
    }

    #[inline(always)]
    fn try_map(&self, dma: &Dma<K>, master: &Master, buffer: &Buffer) -> Result<usize, MapError> {
        let &Buffer { va, size, direction, .. } = buffer;
        let kernel = dma.kernel;
        if va == 0 || last_byte(va, size).is_none() || direction == Direction::Neither {
            return Err(MapError::Invalid);
        }
        let place = self.linear_range.place_of(dma, va, size).ok_or(MapError::NotMapped)?;
        let is_coherent = master.is_coherent(kernel);
        // This load comes before the look at the pools, so that a pool that is not seen there counts as a later one.
        let is_first = self.early_pools.are_all();
        let pool = dma.covering(place.pa, place.pa.saturating_add(size));
        if pool.is_none()
            && place.is_contiguous
            && let Some(handle) = self.map_direct(dma, master, buffer, place.pa, is_coherent, is_first)
        {
            return Ok(handle);
        }
        let result = self.map_recorded(dma, master, buffer, place, pool, is_coherent);
        // The record that this mapping took is replaced here, so that no direct mapping has to do it.
        self.tidy(dma);
        result
    }

    /// Makes the `size` bytes at `offset` of the page at `page` the device's: by their linear address, or, where a pool
    /// contains them, by the address in the view in which they were allocated. Context: any.
    ///
    /// # Errors
    /// As [`map`](Streaming::map).
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    pub unsafe fn map_page(
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
            // SAFETY: the caller's promise.
            Ok(va) => unsafe { self.map(dma, master, va, size, direction) },
            Err(error) => {
                report(dma, master, error, page.wrapping_add(offset), size);
                Err(error)
            }
        }
    }

    // --- unmap -----------------------------------------------------------------------------------------------------

    /// Makes the buffer of a mapping the processor's again, with what the device wrote to it. Context: any; no other call may
    /// be at work on the mapping.
    ///
    /// The mapping is ended as it was recorded, also where `size` or `direction` is not what it was mapped with: the bytes
    /// arrive, and the bounce buffer is given back. A direct mapping, which has no record, is ended as the caller states.
    ///
    /// # Errors
    /// Each is logged and counted. After [`WrongSize`](BadMapping::WrongSize) and
    /// [`WrongDirection`](BadMapping::WrongDirection) the mapping has ended all the same; the others change nothing.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    pub unsafe fn unmap(
        &self,
        dma: &Dma<K>,
        master: &Master,
        handle: usize,
        size: usize,
        direction: Direction,
    ) -> Result<(), BadMapping> {
        // SAFETY: the caller's promise.
        unsafe { self.unmap_with(dma, master, handle, size, direction, Attributes::NONE) }
    }

    /// Ends a mapping as [`unmap`](Streaming::unmap) does, with attributes.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    #[inline(always)]
    pub unsafe fn unmap_with(
        &self,
        dma: &Dma<K>,
        master: &Master,
        handle: usize,
        size: usize,
        direction: Direction,
        attributes: Attributes,
    ) -> Result<(), BadMapping> {
        if let Some(is_coherent) = master.usual()
            && (self.quick_unmap(dma, is_coherent, handle, size, direction, attributes)
                || self.quick_unmap_pooled(
                    dma,
                    &Query { device: master.device, handle, size, direction },
                    attributes,
                ))
        {
            return Ok(());
        }
        // SAFETY: the caller's promise.
        unsafe { self.unmap_not_at_once(dma, master, handle, size, direction, attributes) }
    }

    /// Ends a mapping of pool memory as [`unmap_with`](Streaming::unmap_with) does, and returns true, after
    /// [`unmap_at_once`](Streaming::unmap_at_once) has returned false; else returns false, and nothing has changed. Context:
    /// any.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    #[inline(always)]
    pub unsafe fn unmap_pooled(
        &self,
        dma: &Dma<K>,
        device: Device,
        handle: usize,
        size: usize,
        direction: Direction,
        attributes: Attributes,
    ) -> bool {
        self.quick_unmap_pooled(dma, &Query { device, handle, size, direction }, attributes)
    }

    /// Ends a mapping as [`unmap_with`](Streaming::unmap_with) does, after [`unmap_at_once`](Streaming::unmap_at_once) has
    /// returned false, or for a device that is not a usual one.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    #[inline(always)]
    pub unsafe fn unmap_not_at_once(
        &self,
        dma: &Dma<K>,
        master: &Master,
        handle: usize,
        size: usize,
        direction: Direction,
        attributes: Attributes,
    ) -> Result<(), BadMapping> {
        self.tidy(dma);
        let query = Query { device: master.device, handle, size, direction };
        let pa = master.pa_of(dma, handle);
        let is_pools = pa.is_some_and(|pa| dma.covering(pa, pa.saturating_add(size.max(1))).is_some());
        let may_have_record = pa.is_none() || is_pools || self.records.may_have_outside(handle);
        let recorded = match may_have_record {
            true => self.unmap_recorded(dma, &query, attributes),
            false => Err(BadMapping::Unknown),
        };
        let result = match recorded {
            Err(BadMapping::Unknown) => self.unmap_direct(dma, master, &query, attributes, is_pools),
            other => other,
        };
        result.inspect_err(|error| refuse(dma, &query, *error, false))
    }

    /// Ends a mapping of a usual device as [`unmap_with`](Streaming::unmap_with) does, and returns true, if that takes neither a
    /// lock nor a record; else returns false, and nothing has changed. The device is one of
    /// [`map_at_once`](Streaming::map_at_once). Context: any.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    #[inline(always)]
    pub unsafe fn unmap_at_once(
        &self,
        dma: &Dma<K>,
        is_coherent: bool,
        handle: usize,
        size: usize,
        direction: Direction,
        attributes: Attributes,
    ) -> bool {
        self.quick_unmap(dma, is_coherent, handle, size, direction, attributes)
    }

    // --- sync ------------------------------------------------------------------------------------------------------

    /// Makes all or part of a mapping the processor's, until it is synced for the device. `handle` is the mapping's, or
    /// some bytes above it. A part of a mapping for a device that is not coherent begins and ends on a cache line, or where
    /// the mapping does. Context: any; no unmap may be at work on the mapping.
    ///
    /// Bytes go from the device to the processor only, and only if `direction` and the mapping's state that the device writes.
    /// `direction` is the mapping's, or, for a bidirectional mapping, any. A sync of zero bytes does nothing.
    ///
    /// # Errors
    /// Each is logged and counted, and changes nothing.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    pub unsafe fn sync_for_cpu(
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
        let query = Query { device: master.device, handle, size, direction };
        let (mapping, part) = self.find(dma, master, &query)?;
        if direction.device_writes() {
            // The device has just reported that it is done: no byte, and no line, may have been fetched before that.
            kernel.device_barrier();
        }
        match mapping.master.ops {
            Ops::Library(_) if direction.device_writes() => mapping.invalidate(kernel, part),
            Ops::Library(_) => {}
            Ops::Own(_) => {
                let before = self.records.find(kernel, &query, |mapping| mapping.taken_in.replace(part));
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
    /// Bytes go from the processor to the device only, and only if `direction` and the mapping's state that the device reads.
    /// So a driver that polls (sync for the processor, not yet, sync for the device) keeps what the device wrote meanwhile.
    ///
    /// # Errors
    /// Each is logged and counted, and changes nothing.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    pub unsafe fn sync_for_device(
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
        let query = Query { device: master.device, handle, size, direction };
        let (mapping, part) = self.find(dma, master, &query)?;
        mapping.fill(kernel, part, direction);
        match mapping.master.ops {
            // The processor has only read the bounce buffer: no line of it is dirty.
            Ops::Library(_) if mapping.bounce.is_some() && !direction.device_reads() => {}
            Ops::Library(_) => mapping.flush(kernel, part),
            Ops::Own(_) => {
                if mapping.sync_out(part, true)
                    && let Ok(None) = self.records.find(kernel, &query, |mapping| mapping.taken_in.take())
                {
                    // There was no `sync_in` that this `sync_out` follows.
                    mapping.sync_in(kernel, part, false);
                }
            }
        }
        // As in `map_direct`.
        kernel.device_barrier();
        Ok(())
    }

    /// Returns the mapping that `query` is about all or part of, and which part.
    fn find(&self, dma: &Dma<K>, master: &Master, query: &Query) -> Result<(Mapping, Part), BadMapping> {
        let pa = master.pa_of(dma, query.handle);
        let is_pools = || pa.is_none_or(|pa| dma.covering(pa, pa.saturating_add(query.size)).is_some());
        let recorded = match self.records.may_have_outside(query.handle) || is_pools() {
            true => self.records.find(dma.kernel, query, |mapping| *mapping),
            false => Err(BadMapping::Unknown),
        };
        let found = match recorded {
            Err(BadMapping::Unknown) if query.direction != Direction::Neither => {
                self.find_direct(dma, master, query).ok_or(BadMapping::Unknown)
            }
            other => other,
        };
        found
            .map(|mapping| (mapping, Part { offset: query.handle.wrapping_sub(mapping.handle), size: query.size }))
            .inspect_err(|error| refuse(dma, query, *error, true))
    }

    // --- the stock of records --------------------------------------------------------------------------------------

    /// Frees the bounce buffers that interrupts could not free, and refills the stock of records, where that is needed and
    /// the caller may sleep. Context: any.
    #[inline(always)] // Two loads in each direct mapping. As a function of its own it takes 45 instructions.
    fn tidy(&self, dma: &Dma<K>) {
        if self.stock.needs_thread() && dma.kernel.can_sleep() {
            self.tidy_in_thread(dma);
        }
    }

    #[cold]
    #[inline(never)]
    fn tidy_in_thread(&self, dma: &Dma<K>) {
        while let Some((record, mapping)) = self.stock.left(dma.kernel) {
            if let Some(Mapping { master, bounce: Some(bounce), .. }) = mapping {
                bounce.free(dma, &master);
            }
            self.stock.put(dma.kernel, record);
        }
        self.stock.refill(dma.kernel);
    }

    /// Frees everything that live mappings do not need. The next call in a thread allocates a stock again. Context: thread.
    pub fn trim(&self, dma: &Dma<K>) {
        self.tidy(dma);
        self.stock.clear(dma.kernel);
    }
}

/// Returns how the processor sees `pa` at `va`. Memory outside the pools counts as cached.
pub(crate) fn seen<K: Kernel>(dma: &Dma<K>, va: Va, pa: Pa) -> Seen {
    dma.pools().find_map(|pool| pool.seen(va, pa)).unwrap_or(Seen { cached: true, in_view: false })
}

/// Returns the address of the last of `size` bytes; `None` if there are none, or if they end past the end of memory.
fn last_byte(va: Va, size: usize) -> Option<Va> {
    va.checked_add(size.checked_sub(1)?)
}

/// Whether a buffer begins and ends on a cache line, so that no line of it holds bytes of others.
fn fills_lines<K: Kernel>(kernel: K, va: Va, size: usize) -> bool {
    match kernel.within_line() {
        usize::MAX => (va | size) & (kernel.cache_line_max() - 1) == 0,
        within_line => (va | size) & within_line == 0,
    }
}
