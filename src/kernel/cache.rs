//! The data cache, and the order in which devices observe what the processor does.

#![allow(unsafe_code)]

use super::Va;

/// The maintenance of the data cache, and the order in which devices observe accesses.
///
/// Different caches may have lines of different lengths. Each operation reaches every line, in every cache, that holds
/// a byte of the range: the kernel therefore steps through the range by the smallest line.
///
/// The caller passes a range that is mapped and not empty. Otherwise the processor may raise an exception, which stops
/// the kernel.
///
/// The operations that flush are safe functions: they lose no byte that a processor wrote. But a flush writes dirty
/// lines over what a device has written to the same memory, and so may the cache itself at any time. The callers of
/// this trait decide which buffers are flushed, and when.
///
/// # Safety
///
/// The operations, [`copy`](Cache::copy) and [`device_barrier`](Cache::device_barrier) have done what they state when
/// they return. [`cache_line_max`](Cache::cache_line_max) is a power of two, and
/// [`line_offset_mask`](Cache::line_offset_mask) is that number minus one, or all ones.
pub unsafe trait Cache {
    /// Writes dirty lines of `[va, va + size)` to memory. The processor decides whether the lines stay in the cache: on
    /// aarch64 RT-Thread removes them; on 32-bit Arm and on the C906 they stay, clean.
    ///
    /// Context: any.
    fn cache_flush(&self, va: Va, size: usize);

    /// Writes dirty lines of `[va, va + size)` to memory and removes all lines of the range. The range lies within one
    /// page, or is one line.
    ///
    /// What this core writes to a line meanwhile is not lost. What another core writes is not lost if the processor has
    /// one operation for both steps, as Arm's have. RT-Thread has none for RISC-V. There the port flushes and then
    /// invalidates, with interrupts masked, and a write of another core between the two is lost
    /// (`rt_dma_port_cache.c`).
    ///
    /// Context: any.
    fn cache_flush_and_invalidate(&self, va: Va, size: usize);

    /// Writes the line that contains `va` to memory if it is dirty, and removes it, as
    /// [`cache_flush_and_invalidate`](Cache::cache_flush_and_invalidate) does. Called only if
    /// [`line_offset_mask`](Cache::line_offset_mask) is not all ones.
    ///
    /// Context: any.
    fn cache_flush_and_invalidate_line(&self, va: Va) {
        let line_offset_mask = self.line_offset_mask();
        self.cache_flush_and_invalidate(va & !line_offset_mask, line_offset_mask + 1);
    }

    /// Removes the lines of `[va, va + size)` without writing them to memory.
    ///
    /// Context: any.
    ///
    /// # Safety
    /// No byte in a line of the range has been written by a processor since the line was last flushed, or the caller
    /// allows that such a byte is lost. A line that is only partly in the range is removed with all its bytes.
    unsafe fn cache_invalidate(&self, va: Va, size: usize);

    /// Returns the size, in bytes, of the largest line of any cache of the system: a power of two. Maintenance of one
    /// byte may affect every byte of an aligned block of this size.
    ///
    /// Context: any.
    fn cache_line_max(&self) -> usize;

    /// Returns the bits of an address that are its offset within a line: [`cache_line_max`](Cache::cache_line_max)
    /// minus one. A kernel may return all ones until `cache_line_max` was called first, and where lines have different
    /// sizes.
    ///
    /// Context: any.
    fn line_offset_mask(&self) -> usize {
        self.cache_line_max() - 1
    }

    /// Returns whether the cache may hold (clean) lines of memory that is mapped write-through. It does not on aarch64,
    /// where `rt_ioremap_wt` makes Normal Non-cacheable memory (`MMU_MAP_K_RW` of its `mmu.h`).
    ///
    /// Context: any.
    fn caches_write_through(&self) -> bool;

    /// Orders the accesses of this core for every observer in the system, devices included: all accesses to memory and
    /// to device registers before the call precede all those after it.
    ///
    /// A fence of the language does not suffice. It orders accesses to memory for the other cores; neither devices nor
    /// accesses to device registers have to observe that order.
    ///
    /// Context: any.
    fn device_barrier(&self);

    /// Copies `size` bytes with accesses that uncached memory permits, and then orders the copy for devices: a device
    /// observes the copy before anything that the caller does afterwards.
    ///
    /// Context: any.
    ///
    /// # Safety
    /// `[from, from + size)` is mapped and may be read; `[to, to + size)` is mapped and may be written; the two do not
    /// overlap. No Rust reference to either is used meanwhile.
    unsafe fn copy(&self, to: Va, from: Va, size: usize);
}
