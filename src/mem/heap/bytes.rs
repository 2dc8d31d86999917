//! Bytes in the kernel's heap that can be handed over to a device.

#![allow(unsafe_code)]

use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use core::slice;

use super::HeapMemory;
use crate::kernel::Kernel;
use crate::mem::handover::{Shared, StableBytes, Unique};

/// Bytes in the kernel's heap that share no cache line with other memory.
///
/// Dropping the value in a thread frees the memory. Dropped in another context, which cannot call the heap, the memory
/// is never freed.
pub struct HeapBytes<K: Kernel> {
    kernel: K,
    memory: ManuallyDrop<HeapMemory<K>>,
    /// Bytes of the memory before the first byte of the value.
    gap: usize,
    size: usize,
}

impl<K: Kernel> HeapBytes<K> {
    /// Allocates `size` bytes, all zero; `None` if `size` is 0, the heap has no room, the caller may not sleep, or the
    /// kernel returns a cache line whose size is no power of two.
    ///
    /// Context: thread.
    pub fn new(kernel: K, size: usize) -> Option<Self> {
        let line = kernel.cache_line_max();
        if size == 0 || !line.is_power_of_two() || !kernel.can_sleep() {
            return None;
        }
        let in_lines = size.checked_next_multiple_of(line)?;
        let memory = HeapMemory::new(kernel, in_lines.checked_add(line)?)?;
        // Since `line` is a power of two, this is the distance to the next multiple of `line`. The memory is `line`
        // bytes longer than `in_lines`, so the lines fit.
        let gap = memory.start().addr().get().wrapping_neg() & line.wrapping_sub(1);
        Some(HeapBytes { kernel, memory: ManuallyDrop::new(memory), gap, size })
    }
}

impl<K: Kernel> Drop for HeapBytes<K> {
    fn drop(&mut self) {
        if self.kernel.can_sleep() {
            // SAFETY: the memory is dropped this once, and not used afterwards.
            unsafe { ManuallyDrop::drop(&mut self.memory) }
        }
    }
}

impl<K: Kernel> Deref for HeapBytes<K> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the memory has `gap + size` bytes, which were zeroed and belong to this value.
        unsafe { slice::from_raw_parts(self.memory.start().as_ptr().add(self.gap), self.size) }
    }
}

impl<K: Kernel> DerefMut for HeapBytes<K> {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `deref`; `&mut self` is unique.
        unsafe { slice::from_raw_parts_mut(self.memory.start().as_ptr().add(self.gap), self.size) }
    }
}

// SAFETY: moving the value does not move its bytes, which lie in the heap.
unsafe impl<K: Kernel> StableBytes<Shared> for HeapBytes<K> {
    fn bytes(&mut self) -> &[u8] {
        self
    }
}

// SAFETY: as for `Shared`.
unsafe impl<K: Kernel> StableBytes<Unique> for HeapBytes<K> {
    fn bytes(&mut self) -> &mut [u8] {
        self
    }
}
