//! The fast path of direct mappings, which network and block drivers take for each buffer.
//!
//! It serves the devices of [`FastMaster`], and a buffer in the known part of the linear map, away from the pools.
//! There the physical address follows from the virtual one, and the other way round: nothing is looked up, locked or
//! recorded (`benches/maps.c`, "linear"). Every other mapping, and every call that is wrong, takes the general path.

use crate::additions::streaming::cache_sync::{cache_sync_for_cpu, cache_sync_for_device};
use crate::additions::streaming::{Buffer, Direction, FastMaster, MappedBuffer, Streaming, last_byte};
use crate::kernel::{Handle, Kernel, Pa, Va};

impl<K: Kernel> Streaming<'_, K> {
    /// Makes a direct mapping; `None`, and nothing has changed, if the buffer is not in the known part of the linear
    /// map, or if it may need a bounce buffer.
    ///
    /// Context: any.
    ///
    /// # Safety
    /// As [`additions::streaming`](crate::additions::streaming).
    // As functions of their own, a direct map and unmap take 42 instructions more (`ci/bench`, rows "linear").
    #[inline(always)]
    pub(in crate::additions::streaming) unsafe fn map_direct_fast(
        self,
        master: FastMaster,
        buffer: &Buffer,
    ) -> Option<Handle> {
        let &Buffer { va, size, direction, .. } = buffer;
        let kernel = self.dma.kernel;
        // The general path refuses these, and logs the error (`try_map`). `is_known` is false without a size, if the
        // buffer ends past the end of memory, and in the last page of the address space, which `linear_range` never
        // contains.
        if va == 0 || direction == Direction::Neither {
            return None;
        }
        // The first direct map, which takes the general path, sets the offset and the range of `is_known`.
        let pa = va.wrapping_add(self.mappings.linear_range.offset()?);
        if !self.is_known(va, pa, size) {
            return None;
        }
        let needs_maintenance = master.needs_maintenance();
        if needs_maintenance && buffer.may_endanger_others(kernel) {
            return None;
        }
        cache_sync_for_device(kernel, va, size, needs_maintenance);
        Some(pa)
    }

    /// Ends a mapping that can only be a direct one, and returns true; otherwise returns false, and nothing has
    /// changed.
    ///
    /// Context: any.
    ///
    /// # Safety
    /// As [`additions::streaming`](crate::additions::streaming).
    #[inline(always)] // `map_direct_fast`, above, has the figure of both.
    pub(in crate::additions::streaming) unsafe fn unmap_direct_fast(
        self,
        master: FastMaster,
        mapped: &MappedBuffer,
    ) -> bool {
        let &MappedBuffer { handle, size, direction, .. } = mapped;
        let kernel = self.dma.kernel;
        // The general path refuses it, and logs it (`unmap_direct`).
        if direction == Direction::Neither {
            return false;
        }
        let Some(offset) = self.mappings.linear_range.offset() else { return false };
        let va = handle.wrapping_sub(offset);
        // A recorded mapping may have this handle: the general path searches the records.
        if !self.is_known(va, handle, size) || self.mappings.records.may_have_record_outside_pools(handle) {
            return false;
        }
        let needs_maintenance = master.needs_maintenance();
        if needs_maintenance && mapped.at(va).may_endanger_others(kernel) {
            return false;
        }
        if !mapped.keeps_bytes() {
            // SAFETY: the caller guarantees that nothing was written to the buffer since it was flushed.
            unsafe { cache_sync_for_cpu(kernel, va, size, needs_maintenance) }
        }
        true
    }

    /// Returns whether the `size` bytes at `va`, which lie at `pa`, are in the known part of the linear map, and none
    /// is a pool's.
    pub(super) fn is_known(self, va: Va, pa: Pa, size: usize) -> bool {
        let Some(last) = last_byte(va, size) else { return false };
        // `may_contain` compares with the span of all pools, so a buffer between two pools also takes the general path.
        self.mappings.linear_range.contains(va, last) && !self.dma.list.may_contain(pa, pa.wrapping_add(last - va))
    }
}

#[cfg(test)]
mod tests {
    use crate::additions::streaming::{Buffer, BusMaster, Direction, MapError, Ops, Streaming, StreamingMaps};
    use crate::dropin::map_ops::MapOps;
    use crate::dropin::registry::Dma;
    use crate::kernel::testing::Services;
    use crate::kernel::{Device, PAGE_SIZE, Pa, Va};

    /// A kernel whose memory ends at the last physical address. Its linear map begins below it.
    #[derive(Clone, Copy)]
    struct TopOfMemory;

    const OFFSET: usize = 1 << 30;

    // SAFETY: it maps nothing.
    unsafe impl Services for TopOfMemory {
        fn v2p(&self, va: Va) -> Option<Pa> {
            va.checked_add(OFFSET)
        }
        fn linear(&self, pa: Pa) -> Va {
            pa.wrapping_sub(OFFSET)
        }
    }

    /// The address of the last byte of memory is the handle of a map that failed.
    #[test]
    fn the_last_byte_of_memory_is_not_mapped_directly() {
        let dma = Dma::new(TopOfMemory);
        let maps = StreamingMaps::new();
        let streaming = Streaming::new(&dma, &maps);
        let master = BusMaster { device: Device::at(1), ops: Ops::Library(MapOps::Coherent), mask: BusMaster::NO_MASK };
        let end = usize::MAX - OFFSET;
        let map = |va: Va, size: usize| {
            let buffer = Buffer::new(va, size, Direction::ToDevice);
            // SAFETY: the kernel does not touch the memory.
            unsafe { streaming.map(&master, &buffer) }
        };
        for size in [2, PAGE_SIZE, 3 * PAGE_SIZE] {
            assert_eq!(map(end - (size - 1), size), Ok(usize::MAX - (size - 1)));
            assert_eq!(map(end, 1), Err(MapError::NoBounce), "after {size} bytes");
        }
    }
}
