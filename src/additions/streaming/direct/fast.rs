//! The fast path of direct mappings, which network and block drivers take for each buffer.
//!
//! It serves a device whose handles are physical addresses and that has no mask, and a buffer in the known part of the
//! linear map, away from the pools. There the physical address follows from the virtual one, and the other way round:
//! nothing is looked up, locked or recorded. Every other mapping, and every call that is wrong, takes the general path,
//! which decides the same and reports errors.
//!
//! `benches/maps.c` counts it: "linear".

use crate::additions::streaming::{Attributes, Buffer, Direction, Query, Streaming, last_byte};
use crate::kernel::{Handle, Kernel, Pa, Va};
use crate::mem::cache;

impl<K: Kernel> Streaming<'_, K> {
    /// Maps a buffer as [`map`](Streaming::map) does, if that takes neither a lock nor a record; else returns `None`, and
    /// nothing has changed. The device's handles are physical addresses, and it has no mask. `is_coherent`: it snoops the cache.
    ///
    /// Context: any.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    #[inline(always)] // It needs no stack frame then.
    pub unsafe fn map_direct_fast(self, is_coherent: bool, buffer: &Buffer) -> Option<Handle> {
        let &Buffer { va, size, direction, .. } = buffer;
        if va == 0 || direction == Direction::Neither || self.mappings.spares.needs_thread() {
            return None;
        }
        let offset = self.mappings.linear_range.offset()?;
        let pa = va.wrapping_add(offset);
        self.is_plain(va, pa, size).then_some(())?;
        if is_coherent {
            // The driver starts the device next: that comes after the bytes, also where no cache is maintained.
            self.dma.kernel.device_barrier();
            return Some(pa);
        }
        (!buffer.may_endanger_others(self.dma.kernel, true)).then(|| flush(self.dma.kernel, va, size, pa))
    }

    /// Ends a direct mapping as [`unmap`](Streaming::unmap) does, and returns true, if that takes neither a lock nor a record;
    /// else returns false, and nothing has changed. The device is one of [`map_direct_fast`](Streaming::map_direct_fast).
    ///
    /// Context: any.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    #[inline(always)] // As `map_direct_fast`.
    pub unsafe fn unmap_direct_fast(self, is_coherent: bool, query: &Query, attributes: Attributes) -> bool {
        let &Query { handle, size, direction, .. } = query;
        let Some(offset) = self.mappings.linear_range.offset() else { return false };
        let va = handle.wrapping_sub(offset);
        let may_be_other = direction == Direction::Neither
            || self.mappings.spares.needs_thread()
            || self.mappings.records.may_have_outside(handle);
        if may_be_other || !self.is_plain(va, handle, size) {
            return false;
        }
        // Tested here and passed as true: LLVM tests what is passed last, which takes 4 instructions more ("linear").
        if !is_coherent && (Buffer { va, size, direction, attributes }).may_endanger_others(self.dma.kernel, true) {
            return false;
        }
        if attributes.skip_cpu_sync || direction == Direction::ToDevice {
            return true;
        }
        // The device has just reported that it is done: no byte, and no line, may have been fetched before that.
        self.dma.kernel.device_barrier();
        if !is_coherent {
            // SAFETY: the caller guarantees that nothing was written to the buffer since it was flushed.
            unsafe { drop_lines(self.dma.kernel, va, size) };
        }
        true
    }

    /// Whether the `size` bytes at `va`, which lie at `pa`, are in the known part of the linear map, and none is a pool's.
    fn is_plain(self, va: Va, pa: Pa, size: usize) -> bool {
        let Some(last) = last_byte(va, size) else { return false };
        self.mappings.linear_range.holds(va, last) && !self.dma.may_contain(pa, pa.wrapping_add(last - va))
    }
}

/// Writes the buffer's lines back, and returns its handle.
#[inline(never)] // A coherent device's mapping needs no stack frame then.
fn flush<K: Kernel>(kernel: K, va: Va, size: usize, handle: Handle) -> usize {
    cache::flush(kernel, va, size);
    kernel.device_barrier();
    handle
}

/// Invalidates the buffer's lines.
///
/// # Safety
/// As for [`cache::invalidate`].
#[inline(never)] // As `flush`.
unsafe fn drop_lines<K: Kernel>(kernel: K, va: Va, size: usize) {
    // SAFETY: the caller guarantees that no byte was written to these lines since they were flushed.
    unsafe { cache::invalidate(kernel, va, size) }
}
