//! The short path of direct mappings, which network and block drivers take for each buffer.
//!
//! It serves a device whose handles are physical addresses and that has no mask, and a buffer in the known part of the
//! linear map, away from the pools. There the physical address follows from the virtual one, and the other way round:
//! nothing is looked up, locked or recorded. Every other mapping, and every call that is wrong, takes the general path,
//! which decides the same and reports errors.
//!
//! `benches/maps.c` counts it: "linear".

use super::{Attributes, Buffer, Direction, Streaming, last_byte};
use crate::dropin::registry::Dma;
use crate::kernel::{Kernel, Pa, Va};
use crate::mem::cache;

impl<K: Kernel> Streaming<K> {
    /// Maps a buffer and returns its handle; `None`, and nothing has changed, if the general path has to do it. The device's
    /// handles are physical addresses, and it has no mask. `is_coherent`: it snoops the cache. Context: any.
    #[inline(always)] // It needs no stack frame then.
    pub(super) fn quick_map(&self, dma: &Dma<K>, is_coherent: bool, buffer: &Buffer) -> Option<usize> {
        let &Buffer { va, size, direction, attributes } = buffer;
        if va == 0 || direction == Direction::Neither || self.stock.needs_thread() {
            return None;
        }
        let offset = self.linear_range.offset()?;
        let pa = va.wrapping_add(offset);
        self.is_plain(dma, va, pa, size).then_some(())?;
        if is_coherent {
            // The driver tells the device next: that comes after the bytes, also where no cache is maintained.
            dma.kernel.device_barrier();
            return Some(pa);
        }
        let is_alone = !direction.device_writes() || attributes.own_lines || surely_fills_lines(dma.kernel, va, size);
        is_alone.then(|| flush(dma.kernel, va, size, pa))
    }

    /// Ends a direct mapping and returns true; false, and nothing has changed, if the general path has to do it. The device's
    /// handles are physical addresses. Context: any.
    #[inline(always)] // As `quick_map`.
    pub(super) fn quick_unmap(
        &self,
        dma: &Dma<K>,
        is_coherent: bool,
        handle: usize,
        size: usize,
        direction: Direction,
        attributes: Attributes,
    ) -> bool {
        let Some(offset) = self.linear_range.offset() else { return false };
        let va = handle.wrapping_sub(offset);
        let may_be_other =
            direction == Direction::Neither || self.stock.needs_thread() || self.records.may_have_outside(handle);
        if may_be_other || !self.is_plain(dma, va, handle, size) {
            return false;
        }
        let has_other_lines = !is_coherent
            && direction.device_writes()
            && !attributes.own_lines
            && !surely_fills_lines(dma.kernel, va, size);
        if has_other_lines {
            return false;
        }
        if attributes.skip_cpu_sync || direction == Direction::ToDevice {
            return true;
        }
        // The device has just reported that it is done: no byte, and no line, may have been fetched before that.
        dma.kernel.device_barrier();
        if !is_coherent {
            drop_lines(dma.kernel, va, size);
        }
        true
    }

    /// Whether the `size` bytes at `va`, which lie at `pa`, are in the known part of the linear map, and none is a pool's.
    #[inline(always)]
    fn is_plain(&self, dma: &Dma<K>, va: Va, pa: Pa, size: usize) -> bool {
        let Some(last) = last_byte(va, size) else { return false };
        self.linear_range.holds(va, last) && !dma.span.touches(pa, pa.wrapping_add(last - va))
    }
}

/// Whether a buffer begins and ends on a cache line. False may be wrong, until the general path has asked for the size of a
/// line.
#[inline(always)]
pub(super) fn surely_fills_lines<K: Kernel>(kernel: K, va: Va, size: usize) -> bool {
    (va | size) & kernel.within_line() == 0
}

/// Writes the buffer's lines back, and returns its handle.
#[inline(never)] // A coherent device's mapping needs no stack frame then.
fn flush<K: Kernel>(kernel: K, va: Va, size: usize, handle: usize) -> usize {
    cache::flush(kernel, va, size);
    kernel.device_barrier();
    handle
}

#[inline(never)] // As `flush`.
fn drop_lines<K: Kernel>(kernel: K, va: Va, size: usize) {
    // SAFETY: the driver lent the buffer: it has written nothing to it since it was flushed.
    unsafe { cache::invalidate(kernel, va, size) }
}
