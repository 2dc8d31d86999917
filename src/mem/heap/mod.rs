//! Memory and values in the kernel's heap. Slices that follow a value in the same memory are made in
//! [`bump`](super::bump).

#![allow(unsafe_code)]

mod bytes;

pub use bytes::HeapBytes;

use core::ffi::c_char;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, align_of, size_of};
use core::ops::{Deref, DerefMut};
use core::ptr::{NonNull, with_exposed_provenance_mut};
use core::slice;

use super::bitmaps::{BitmapWord, Bitmaps};
use super::bump::BumpAllocator;
use crate::kernel::Kernel;
use crate::log::Name;

/// The usual size of a cache line, in bytes. Values that different cores write are placed at least this far apart, so
/// that they share no line.
pub const CACHE_LINE: usize = 64;

/// Zeroed memory of the heap. Dropping it frees the memory, which needs a thread.
pub struct HeapMemory<K: Kernel> {
    kernel: K,
    start: NonNull<u8>,
}

// SAFETY: the value owns its memory, and gives no access to it without `unsafe` code.
unsafe impl<K: Kernel> Send for HeapMemory<K> {}
// SAFETY: as for `Send`.
unsafe impl<K: Kernel> Sync for HeapMemory<K> {}

impl<K: Kernel> HeapMemory<K> {
    /// Allocates `size` bytes, not zero; `None` if the heap has no room. They are aligned for a pointer.
    ///
    /// Context: thread.
    pub fn new(kernel: K, size: usize) -> Option<Self> {
        debug_assert!(kernel.can_sleep(), "the heap is called in a thread");
        NonNull::new(kernel.heap_alloc(size)).map(|start| HeapMemory { kernel, start })
    }

    /// Returns the address of the first byte.
    pub(crate) fn start(&self) -> NonNull<u8> {
        self.start
    }
}

impl<K: Kernel> Drop for HeapMemory<K> {
    fn drop(&mut self) {
        // SAFETY: `heap_alloc` returned the memory, which is freed this once.
        unsafe { self.kernel.heap_free(self.start.as_ptr()) }
    }
}

/// Allocates memory for a `T` and for `tail_bytes` bytes that follow it. Writes the value that `make` returns there,
/// and returns a reference to it that stays valid for ever; `None` if the heap has no room. `make` may allocate slices
/// in the bytes after the value.
///
/// The memory is freed only by [`free`], or by an [`Arena`](super::arena::Arena) that owns it.
///
/// Context: thread.
pub fn alloc_static<K: Kernel, T>(
    kernel: K,
    tail_bytes: usize,
    make: impl FnOnce(&mut BumpAllocator) -> T,
) -> Option<&'static T> {
    // The size is checked so that the memory after the value is aligned for a pointer, too.
    const { assert!(align_of::<T>() <= align_of::<usize>() && size_of::<T>().is_multiple_of(align_of::<usize>())) }
    let memory = ManuallyDrop::new(HeapMemory::new(kernel, size_of::<T>().checked_add(tail_bytes)?)?);
    let start = memory.start().cast::<T>();
    // For `free`, whose reference gives no right to the slices after the value.
    start.as_ptr().expose_provenance();
    // SAFETY: the memory has `size_of::<T>()` bytes for the value and `tail_bytes` more. Both are aligned for a
    // pointer, and used by no other code. The memory is freed only by functions whose callers guarantee that neither
    // the reference nor the slices are used any more.
    unsafe {
        let value = make(&mut BumpAllocator::new(start.add(1).cast(), tail_bytes));
        start.write(value);
        Some(start.as_ref())
    }
}

/// Frees the memory of a value of [`alloc_static`], and of the slices after it. The value is not dropped.
///
/// Context: thread.
///
/// # Safety
/// `value` is the address of a value that `alloc_static` returned. That value has not been freed, and neither it nor
/// the slices are used any more.
pub unsafe fn free<K: Kernel, T>(kernel: K, value: *const T) {
    // SAFETY: the value lies at the start of its memory, which `heap_alloc` returned, and `alloc_static` exposed that
    // pointer.
    unsafe { kernel.heap_free(with_exposed_provenance_mut(value.addr())) }
}

/// An owned value in the heap, as Rust for Linux's `KBox`. Dropping it drops the value and frees the memory, which
/// needs a thread.
pub struct KBox<K: Kernel, T> {
    memory: HeapMemory<K>,
    owns: PhantomData<T>,
}

impl<K: Kernel, T> KBox<K, T> {
    /// Moves `value` to the heap; `None` if the heap has no room.
    ///
    /// Context: thread.
    pub fn new(kernel: K, value: T) -> Option<Self> {
        const { assert!(align_of::<T>() <= align_of::<usize>() && size_of::<T>() != 0) }
        let memory = HeapMemory::new(kernel, size_of::<T>())?;
        // SAFETY: the memory is new, large enough, and aligned for a pointer, and so for `T`.
        unsafe { memory.start().cast().write(value) };
        Some(KBox { memory, owns: PhantomData })
    }

    /// Makes a box whose memory also holds arrays that belong to the value, after it: three bitmaps of `words` words
    /// each and `nodes` nodes of `N` integers, all zero, and a copy of `name`, which is [`Name::NONE`] if `name` is.
    /// `make` receives them and returns the value. Returns `None` if the heap has no room.
    ///
    /// Context: thread.
    ///
    /// # Safety
    /// `make` keeps the bitmaps, the nodes and the copy in the `T` only. The value is not moved out of the box, and
    /// none of its arrays is used after the box is dropped.
    pub unsafe fn with_arrays<const N: usize>(
        kernel: K,
        words: usize,
        nodes: usize,
        name: Name,
        make: impl FnOnce(Bitmaps, &'static mut [[i32; N]], Name<'static>) -> T,
    ) -> Option<Self> {
        const {
            let word = align_of::<usize>();
            assert!(align_of::<T>() <= word && size_of::<T>().is_multiple_of(word));
        }
        let slices =
            words.checked_mul(3 * size_of::<usize>())?.checked_add(nodes.checked_mul(size_of::<[i32; N]>())?)?;
        let name_size = name.size();
        // The allocation ends with an unused cache line. Without it, the next object in the heap could share a line
        // with the bitmaps, and each write to a bitmap would delay the cores that use that object.
        let size = slices.checked_add(size_of::<T>())?.checked_add(name_size)?.checked_add(CACHE_LINE)?;
        let memory = HeapMemory::new(kernel, size)?;
        let value = memory.start().cast::<T>();
        // SAFETY: `size` is the sum of the sizes of all that is placed here. The memory is zeroed, which is a valid
        // node and a valid word, and aligned for a pointer, which suffices for each part. No other code uses it; the
        // caller guarantees that no part is used after the box is dropped.
        unsafe {
            let first_word = value.add(1).cast::<BitmapWord>();
            let first_node = first_word.add(3 * words).cast::<[i32; N]>();
            let after_nodes = first_node.add(nodes).cast::<c_char>().as_ptr();
            let copy = if name_size == 0 {
                Name::NONE
            } else {
                after_nodes.copy_from_nonoverlapping(name.as_ptr(), name_size);
                Name::from_ptr(after_nodes)
            };
            let nodes = slice::from_raw_parts_mut(first_node.as_ptr(), nodes);
            value.write(make(Bitmaps::new(first_word, words), nodes, copy));
        }
        Some(KBox { memory, owns: PhantomData })
    }

    /// Returns the value, which is never dropped from now on, and whose memory is never freed.
    pub fn leak(self) -> &'static T {
        // SAFETY: the memory holds the value, and stays, because the box is not dropped.
        unsafe { ManuallyDrop::new(self).memory.start().cast().as_ref() }
    }
}

impl<K: Kernel, T> Deref for KBox<K, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the memory holds the value until the box is dropped.
        unsafe { self.memory.start().cast().as_ref() }
    }
}

impl<K: Kernel, T> DerefMut for KBox<K, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`; `&mut self` is the only reference to the value.
        unsafe { self.memory.start().cast().as_mut() }
    }
}

impl<K: Kernel, T> Drop for KBox<K, T> {
    fn drop(&mut self) {
        // SAFETY: the value is dropped this once. Its memory is freed after that, when the field is dropped.
        unsafe { self.memory.start().cast::<T>().drop_in_place() }
    }
}

#[cfg(test)]
mod tests;
