//! Direct mappings: the device sees the driver's own buffer, and no record is kept, because the handle alone leads back to
//! the buffer. The buffer lies outside the pools, at its linear address.
//!
//! Such a mapping, its unmap and its syncs take no lock and use no record.

pub mod early_pools;
#[allow(unsafe_code)]
mod fast;
pub mod linear_range;

use super::recorded::mapping::Mapping;
use super::{Attributes, BadMapping, Buffer, BusMaster, Direction, Ops, Query, Streaming, last_byte};
use crate::kernel::{Handle, Kernel, Pa, Va};
use crate::mem::cache;

impl<K: Kernel> Streaming<'_, K> {
    /// Maps a buffer directly and returns its handle; `None`, and nothing has changed, if the mapping needs a record or a
    /// bounce buffer. The buffer is contiguous, begins at `pa`, and lies outside the pools.
    ///
    /// Context: any.
    pub(crate) fn map_direct(
        self,
        master: &BusMaster,
        buffer: &Buffer,
        pa: Pa,
        is_coherent: bool,
        is_first: bool,
    ) -> Option<Handle> {
        let kernel = self.dma.kernel;
        let &Buffer { va, size, .. } = buffer;
        let Ops::Library(_) = master.ops else { return None };
        if kernel.linear(pa) != va {
            return None;
        }
        // Memory outside the pools is cached.
        if buffer.endangers_others(kernel, !is_coherent) {
            return None;
        }
        // SAFETY: no operation of a BSP's own is called.
        #[allow(unsafe_code)]
        let handle = unsafe { master.reach(self.dma, va, pa, size, !is_coherent) }?;
        if master.pa_of(self.dma, handle) != Some(pa) {
            return None;
        }
        if is_first {
            self.mappings.early_pools.end(self.dma);
            if self.dma.pool_in(pa, pa.saturating_add(size)).is_some() {
                return None;
            }
        }
        self.mappings.linear_range.note_direct(kernel, va, last_byte(va, size)?, pa);
        if !is_coherent {
            cache::flush(kernel, va, size);
        }
        // The driver starts the device next: that comes after the bytes, also where no cache is maintained.
        kernel.device_barrier();
        Some(handle)
    }

    /// Returns the address of the buffer, or of the part of one, that a query is about, if the mapping can be a direct one.
    /// With `is_pools` false, no byte is a pool's.
    ///
    /// Context: any.
    fn direct_buffer(self, master: &BusMaster, query: &Query, is_pools: bool) -> Option<Va> {
        let &Query { handle, size, .. } = query;
        let pa = master.pa_of(self.dma, handle)?;
        let va = self.dma.kernel.linear(pa);
        last_byte(va, size)?;
        let location = self.mappings.linear_range.locate(self.dma, va, size)?;
        let may_be_direct = location.is_contiguous
            && location.pa == pa
            && !(is_pools && self.mappings.early_pools.touch(self.dma, pa, size));
        may_be_direct.then_some(va)
    }

    /// Returns the mapping that the query of a sync is about all or part of, if it can be a direct one. Its size and
    /// direction are the query's.
    ///
    /// Context: any.
    pub(crate) fn find_direct(self, master: &BusMaster, query: &Query) -> Option<Mapping> {
        let &Query { handle, size, direction, .. } = query;
        let va = self.direct_buffer(master, query, true)?;
        let maintain = !master.is_coherent(self.dma.kernel);
        Some(Mapping { master: *master, handle, size, direction, va, maintain, bounce: None, synced_in: None })
    }

    /// Ends a direct mapping, whose size and direction only the caller knows.
    ///
    /// Where they cannot be right, or the memory has become a pool's, the lines are flushed before they are invalidated: the
    /// device's bytes arrive, and what others may have in these lines is not lost.
    ///
    /// Context: any.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    #[allow(unsafe_code)]
    pub(crate) unsafe fn unmap_direct(
        self,
        master: &BusMaster,
        query: &Query,
        attributes: Attributes,
        is_pools: bool,
    ) -> Result<(), BadMapping> {
        let kernel = self.dma.kernel;
        let &Query { size, direction, .. } = query;
        let va = self.direct_buffer(master, query, is_pools).ok_or(BadMapping::Unknown)?;
        let maintain = !master.is_coherent(kernel);
        let result = if direction == Direction::Neither {
            Err(BadMapping::WrongDirection)
        } else if (Buffer { va, size, direction, attributes }).endangers_others(kernel, maintain) {
            // A buffer that the device writes is mapped directly only if it fills its lines, or if they are its own.
            Err(BadMapping::WrongSize)
        } else {
            Ok(())
        };
        if attributes.skip_cpu_sync || direction == Direction::ToDevice {
            return result;
        }
        // The device has just reported that it is done: no byte, and no line, may have been fetched before that.
        kernel.device_barrier();
        if maintain && (result.is_err() || is_pools) {
            cache::flush_and_invalidate(kernel, va, size);
        } else if maintain {
            // SAFETY: the caller guarantees that nothing was written to the buffer since it was flushed.
            unsafe { cache::invalidate(kernel, va, size) }
        }
        result
    }
}
