//! Mapping a buffer: the fast path first, then the general path.

use super::errors::report_map;
use super::locate::Location;
use super::{Buffer, BusMaster, Direction, MapError, Master, Streaming, last_byte};
use crate::kernel::{Handle, Kernel};

impl<K: Kernel> Streaming<'_, K> {
    /// Hands a buffer over to the device, and returns its handle. Until the buffer is unmapped or synced for the
    /// processor, the processor leaves it alone.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// Nothing has changed then.
    /// * [`Invalid`](MapError::Invalid) and [`NotMapped`](MapError::NotMapped): counted, and logged if the caller may
    ///   sleep.
    /// * [`NoBounce`](MapError::NoBounce): logged if the caller may sleep.
    /// * [`NoMemory`](MapError::NoMemory): logged if the caller may sleep, otherwise only counted.
    /// * Those of [`Master::for_general_path`]: that method has reported them.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    // Without `inline(always)` here and in `unmap`, a direct map and its unmap take 20 instructions more (`ci/bench`,
    // rows "linear").
    #[inline(always)]
    pub unsafe fn map(self, master: impl Master, buffer: &Buffer) -> Result<Handle, MapError> {
        // Only the general path tidies: it refills the spare records, and frees bounce buffers that interrupts left.
        if self.is_tidy()
            && let Some(fast) = master.for_fast_path()
        {
            // SAFETY: the caller hands over the buffer, as the module's `# Safety` states.
            if let Some(handle) = unsafe { self.map_direct_fast(fast, buffer) } {
                return Ok(handle);
            }
            // SAFETY: nothing was mapped, so the caller still hands over the buffer.
            return unsafe { self.map_general(&fast.into(), buffer) };
        }
        // SAFETY: the caller hands over the buffer, as the module's `# Safety` states.
        unsafe { self.tidy_and_map(master, buffer) }
    }

    /// Maps a buffer where the fast path cannot be tried: the maps are not tidy, or it does not serve the device.
    // If this is inlined in `map`, the map of a list takes 66 instructions more (`ci/bench`, rows "list").
    #[inline(never)]
    unsafe fn tidy_and_map(self, master: impl Master, buffer: &Buffer) -> Result<Handle, MapError> {
        let master = master.for_general_path()?;
        self.tidy();
        // SAFETY: the caller hands over the buffer, as the module's `# Safety` states.
        unsafe { self.map_general(&master, buffer) }
    }

    /// Maps a buffer of any device, directly or with a record, and reports the error.
    unsafe fn map_general(self, master: &BusMaster, buffer: &Buffer) -> Result<Handle, MapError> {
        // SAFETY: the caller hands over the buffer, as the module's `# Safety` states.
        let result = unsafe { self.try_map(master, buffer) };
        // The record that this mapping took is replaced here, so that no direct mapping has to do it.
        self.tidy();
        result.inspect_err(|error| report_map(self.dma, master, *error, buffer.va, buffer.size))
    }

    /// Maps a buffer directly if that is possible; otherwise records the mapping, with a bounce buffer if it needs one.
    unsafe fn try_map(self, master: &BusMaster, buffer: &Buffer) -> Result<Handle, MapError> {
        let &Buffer { va, size, direction, .. } = buffer;
        let kernel = self.dma.kernel;
        if va == 0 || last_byte(va, size).is_none() || direction == Direction::Neither {
            return Err(MapError::Invalid);
        }
        let location = self.locate(va, size, master.needs_maintenance(kernel)).ok_or(MapError::NotMapped)?;
        let Location { buffer: located, is_contiguous, extends_outside_pools } = &location;
        let needs_bounce = !is_contiguous || (located.needs_maintenance && buffer.endangers_others(kernel));
        if !needs_bounce
            && *extends_outside_pools
            && let Some(handle) = self.map_direct(master, located)
        {
            return Ok(handle);
        }
        // SAFETY: the caller hands over the buffer, of which every page is mapped.
        unsafe { self.map_with_record(master, direction, &location, needs_bounce) }
    }
}
