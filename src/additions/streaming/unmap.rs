//! Ending a mapping: the short paths first, then the general one.

use super::errors::refuse;
use super::records::Query;
use super::{Attributes, BadMapping, Direction, Master, Streaming};
use crate::dropin::registry::Dma;
use crate::kernel::{Device, Kernel};

impl<K: Kernel> Streaming<K> {
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
                || self.quick_unmap_pooled(dma, &Query { device: master.device, handle, size, direction }, attributes))
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
}
