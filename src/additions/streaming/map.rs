//! Mapping a buffer: the fast paths first, then the general one.

use super::errors::report;
use super::{Attributes, Buffer, BusMaster, Direction, MapError, Streaming, last_byte};
use crate::kernel::{Handle, Kernel, Pa};

impl<K: Kernel> Streaming<'_, K> {
    /// Makes a buffer the device's and returns its handle. Until the buffer is unmapped or synced for the processor, the
    /// processor leaves it alone.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// Nothing has changed. Each error is logged; those that are the caller's fault are counted.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    pub unsafe fn map(self, master: &BusMaster, buffer: &Buffer) -> Result<Handle, MapError> {
        if let Some(is_coherent) = master.fast_path_coherence() {
            // SAFETY: the caller hands over the buffer, as the module's `# Safety` states.
            let handle = unsafe { self.map_direct_fast(is_coherent, buffer) };
            // SAFETY: the caller hands over the buffer, as the module's `# Safety` states.
            let handle = handle.or_else(|| unsafe { self.map_recorded_fast(master.device, is_coherent, buffer) });
            if let Some(handle) = handle {
                return Ok(handle);
            }
        }
        // SAFETY: the caller hands over the buffer, as the module's `# Safety` states.
        unsafe { self.map_general(master, buffer) }
    }

    /// Maps a buffer as [`map`](Streaming::map) does, without a try of the fast paths.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    pub unsafe fn map_general(self, master: &BusMaster, buffer: &Buffer) -> Result<Handle, MapError> {
        self.tidy();
        // SAFETY: the caller hands over the buffer, as the module's `# Safety` states.
        let result = unsafe { self.try_map(master, buffer) };
        result.inspect_err(|error| report(self.dma, master, *error, buffer.va, buffer.size))
    }

    /// # Safety
    /// See [the module](crate::additions::streaming).
    unsafe fn try_map(self, master: &BusMaster, buffer: &Buffer) -> Result<Handle, MapError> {
        let &Buffer { va, size, direction, .. } = buffer;
        let kernel = self.dma.kernel;
        if va == 0 || last_byte(va, size).is_none() || direction == Direction::Neither {
            return Err(MapError::Invalid);
        }
        let location = self.mappings.linear_range.locate(self.dma, va, size).ok_or(MapError::NotMapped)?;
        let is_coherent = master.is_coherent(kernel);
        // This load comes before the look at the pools, so that a pool that is not seen there counts as a later one.
        let is_first = self.mappings.early_pools.are_all();
        let pool = self.dma.pool_in(location.pa, location.pa.saturating_add(size));
        if pool.is_none()
            && location.is_contiguous
            && let Some(handle) = self.map_direct(master, buffer, location.pa, is_coherent, is_first)
        {
            return Ok(handle);
        }
        // SAFETY: the caller hands over the buffer, of which every page is mapped.
        let result = unsafe { self.map_recorded(master, buffer, location, pool, is_coherent) };
        // The record that this mapping took is replaced here, so that no direct mapping has to do it.
        self.tidy();
        result
    }

    /// Makes the `size` bytes at `offset` of the page at `page` the device's: by their linear address, or, where a pool
    /// contains them, by the address in the view in which they were allocated.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// As [`map`](Streaming::map).
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    pub unsafe fn map_page(
        self,
        master: &BusMaster,
        page: Pa,
        offset: usize,
        size: usize,
        direction: Direction,
    ) -> Result<Handle, MapError> {
        let found = page.checked_add(offset).ok_or(MapError::Invalid).and_then(|pa| {
            let va = match self.dma.pool_in(pa, pa.saturating_add(1)) {
                Some(pool) => pool.va_of(pa),
                None => Some(self.dma.kernel.linear(pa)),
            };
            va.filter(|va| self.dma.kernel.v2p(*va) == Some(pa)).ok_or(MapError::NotMapped)
        });
        match found {
            // SAFETY: the caller hands over the buffer, as the module's `# Safety` states.
            Ok(va) => unsafe { self.map(master, &Buffer { va, size, direction, attributes: Attributes::NONE }) },
            Err(error) => {
                report(self.dma, master, error, page.wrapping_add(offset), size);
                Err(error)
            }
        }
    }
}
