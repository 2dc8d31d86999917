//! Direct mappings: the device sees the driver's own buffer, and no record is kept, because the handle alone leads back
//! to the buffer. [Kinds of mapping](super#kinds-of-mapping) states for which buffers.
//!
//! The fast path takes no lock. The general one may take that of a list of records, to find out that there is none.
//!
//! | file | what it has |
//! | --- | --- |
//! | `fast.rs` | The fast path of a map and an unmap, for a buffer in the known part of the linear map. |
//! | `linear_range.rs` | The part of the linear map that is known. |
//! | `early_pools.rs` | Pools older than the first direct mapping: each mapping of their memory has a record. |

pub mod early_pools;
#[allow(unsafe_code)]
mod fast;
pub mod linear_range;

use super::buffer::LocatedBuffer;
use super::cache_sync::{cache_sync_for_cpu, cache_sync_for_device};
use super::locate::touches_pool;
use super::recorded::mapping::LiveMapping;
use super::{BadMapping, BusMaster, Direction, MappedBuffer, Ops, Streaming, last_byte};
use crate::kernel::{Handle, Kernel, Pa, Va};
use crate::mem::cache;
use linear_range::LinearBytes;

impl<K: Kernel> Streaming<'_, K> {
    /// Maps a buffer directly and returns its handle; `None`, and nothing has changed, if the buffer is a pool's, or
    /// the mapping needs a record.
    ///
    /// Context: any.
    pub(super) fn map_direct(self, master: &BusMaster, buffer: &LocatedBuffer) -> Option<Handle> {
        let (dma, kernel) = (self.dma, self.dma.kernel);
        let &LocatedBuffer { va, pa, size, needs_maintenance } = buffer;
        let Ops::Library(ops) = master.ops else { return None };
        let bytes = self.linear_bytes(master, buffer)?;
        let handle = master.library_handle(dma, ops, buffer)?;
        // The unmap and the syncs have only the handle, of the first byte or of a later one. It must lead back. Without
        // translation it does; to check it all the same takes 48 instructions (`ci/bench`, rows "elsewhere").
        if ops.are_translated() && master.pa_of_range(dma, handle, size) != Some(pa) {
            return None;
        }
        // Last of the checks, because it notes the first direct mapping.
        if !self.mappings.early_pools.admit_direct(dma, pa, size) {
            return None;
        }
        self.mappings.linear_range.note_direct(kernel, bytes);
        cache_sync_for_device(kernel, va, size, needs_maintenance);
        Some(handle)
    }

    /// Returns a buffer's bytes in the linear map; `None` if the unmap or a sync needs another address of them.
    ///
    /// If no cache line is maintained for the device, the unmap and the syncs access no byte of the buffer. They only
    /// check that the handle leads to memory that is mapped linearly ([`direct_buffer`](Self::direct_buffer)). So the
    /// buffer may lie at another address, if its memory is mapped linearly too.
    fn linear_bytes(self, master: &BusMaster, buffer: &LocatedBuffer) -> Option<LinearBytes> {
        let kernel = self.dma.kernel;
        let &LocatedBuffer { pa, size, .. } = buffer;
        let va = kernel.linear(pa);
        let last = last_byte(va, size)?;
        let bytes = LinearBytes { va, last, pa };
        if va == buffer.va {
            return Some(bytes);
        }
        if master.needs_maintenance(kernel) {
            return None;
        }
        // `lies_at` alone decides it too. Without `is_known` a map takes 67 instructions more (`ci/bench`, rows
        // "elsewhere"), and without `is_mapped` 53 more if nothing is mapped at the linear address (rows "flash").
        let is_linear_too = self.is_known(va, pa, size) || kernel.is_mapped(va) && self.lies_at(va, last, pa);
        is_linear_too.then_some(bytes)
    }

    /// Returns the virtual and physical address of a mapped buffer, or of the part of one, if the mapping can be a
    /// direct one.
    ///
    /// Context: any.
    fn direct_buffer(self, master: &BusMaster, mapped: &MappedBuffer) -> Option<(Va, Pa)> {
        let &MappedBuffer { handle, size, .. } = mapped;
        let pa = master.pa_of(self.dma, handle)?;
        let va = self.dma.kernel.linear(pa);
        let may_be_direct =
            self.lies_at(va, last_byte(va, size)?, pa) && !self.mappings.early_pools.contain_any(self.dma, pa, size);
        may_be_direct.then_some((va, pa))
    }

    /// Returns the mapping of the buffer of a sync, or of the part of one, if it can be a direct one. Its size and
    /// direction are those of the sync.
    ///
    /// If the memory has become a pool's, the mapping may have ended, and the memory may have another owner. Then its
    /// lines are flushed and invalidated here, as by [`unmap_direct`](Self::unmap_direct), and the returned mapping
    /// needs no maintenance.
    ///
    /// Context: any.
    pub(super) fn find_direct(self, master: &BusMaster, mapped: &MappedBuffer) -> Option<LiveMapping> {
        let &MappedBuffer { handle, size, direction, .. } = mapped;
        let (va, pa) = self.direct_buffer(master, mapped)?;
        let mut needs_maintenance = master.needs_maintenance(self.dma.kernel);
        if needs_maintenance && touches_pool(self.dma, pa, size) {
            self.flush_and_sync_for_cpu(va, size);
            needs_maintenance = false;
        }
        Some(LiveMapping {
            master: *master,
            handle,
            size,
            direction,
            va,
            seen_va: va,
            needs_maintenance,
            ..LiveMapping::NONE
        })
    }

    /// Ends a direct mapping, whose size and direction only the caller knows.
    ///
    /// What is done with the cache lines:
    /// * Nothing if the unmap [leaves the bytes as they are](MappedBuffer::keeps_bytes).
    /// * They are flushed and then invalidated if the size or the direction cannot be right, or if the memory has
    ///   become a pool's. The device's bytes arrive, and what others may have in these lines is not lost.
    /// * Otherwise they are invalidated.
    ///
    /// Context: any.
    ///
    /// # Safety
    /// As for [`unmap`](Streaming::unmap).
    #[allow(unsafe_code)]
    pub(super) unsafe fn unmap_direct(self, master: &BusMaster, mapped: &MappedBuffer) -> Result<(), BadMapping> {
        let kernel = self.dma.kernel;
        let size = mapped.size;
        let (va, pa) = self.direct_buffer(master, mapped).ok_or(BadMapping::Unknown)?;
        let needs_maintenance = master.needs_maintenance(kernel);
        let result = self.check_direct(mapped, va, needs_maintenance);
        if mapped.keeps_bytes() {
            return result;
        }
        if needs_maintenance && (result.is_err() || touches_pool(self.dma, pa, size)) {
            self.flush_and_sync_for_cpu(va, size);
        } else {
            // SAFETY: the caller guarantees that nothing was written to the buffer since it was flushed.
            unsafe { cache_sync_for_cpu(kernel, va, size, needs_maintenance) }
        }
        result
    }

    /// Takes `[va, va + size)` back, to which the device may have written, and loses nothing that a processor has
    /// written.
    fn flush_and_sync_for_cpu(self, va: Va, size: usize) {
        self.dma.kernel.device_barrier();
        cache::flush_and_invalidate(self.dma.kernel, va, size);
    }

    /// Checks whether the size and the direction, which the caller states, can be those of the direct mapping at `va`.
    fn check_direct(self, mapped: &MappedBuffer, va: Va, needs_maintenance: bool) -> Result<(), BadMapping> {
        if mapped.direction == Direction::Neither {
            return Err(BadMapping::WrongDirection);
        }
        // A buffer that the device writes is mapped directly only if it fills its lines, or if they are its own.
        if needs_maintenance && mapped.at(va).endangers_others(self.dma.kernel) {
            return Err(BadMapping::WrongSize);
        }
        Ok(())
    }
}
