//! Values in the kernel's heap. Slices that follow a value in the same memory are made in [`bump`](super::bump).

#![allow(unsafe_code)]

use core::ffi::c_char;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, align_of, size_of};
use core::ops::{Deref, DerefMut};
use core::ptr::{NonNull, with_exposed_provenance_mut};

use super::bitmaps::{BitmapWord, Bitmaps};
use super::bump::BumpAllocator;
use crate::kernel::Kernel;
use crate::log::Name;

/// The usual size of a cache line, in bytes. Values that different cores write are placed at least this far apart, so
/// that they share no line.
pub const LINE: usize = 64;

/// Zeroed memory of the heap that holds no value yet. It is freed when this is dropped.
pub struct HeapMemory<K: Kernel> {
    kernel: K,
    memory: NonNull<u8>,
    size: usize,
}

impl<K: Kernel> HeapMemory<K> {
    /// Allocates `size` bytes; `None` if the heap has no room.
    ///
    /// Context: thread.
    pub fn new(kernel: K, size: usize) -> Option<Self> {
        debug_assert!(kernel.can_sleep(), "the heap is called in a thread");
        NonNull::new(kernel.heap_alloc(size)).map(|memory| HeapMemory { kernel, memory, size })
    }

    /// Returns the address of the first byte.
    pub(crate) fn start(&self) -> NonNull<u8> {
        self.memory
    }

    /// Writes a value at the start of the memory and returns a reference to it that stays valid for ever; `None` if the
    /// memory is smaller than the value. `make` returns the value. It may allocate slices in the memory after the
    /// value.
    ///
    /// The memory is freed only by [`free`], or by an [`Arena`](super::arena::Arena) that owns it.
    pub fn place<T>(self, make: impl FnOnce(&mut BumpAllocator) -> T) -> Option<&'static T> {
        // The size is checked so that the memory after the value is aligned for a pointer, too.
        const { assert!(align_of::<T>() <= align_of::<usize>() && size_of::<T>().is_multiple_of(align_of::<usize>())) }
        let left = self.size.checked_sub(size_of::<T>())?;
        let memory = ManuallyDrop::new(self).memory;
        // For `free`, whose reference gives no right to the slices after the value.
        memory.as_ptr().expose_provenance();
        // SAFETY: the memory has `size_of::<T>()` bytes and `left` more, by the check above. They are aligned for a
        // pointer, and used by no other code.
        let mut after = unsafe { BumpAllocator::new(memory.add(size_of::<T>()), left) };
        let value = make(&mut after);
        let place = memory.cast::<T>();
        // SAFETY: the memory is large enough and aligned for `T`. The slices lie after it. The memory is freed only by
        // functions whose callers guarantee that the reference is not used any more.
        unsafe {
            place.write(value);
            Some(place.as_ref())
        }
    }
}

impl<K: Kernel> Drop for HeapMemory<K> {
    fn drop(&mut self) {
        // SAFETY: `heap_alloc` returned the memory, which is freed this once.
        unsafe { self.kernel.heap_free(self.memory.as_ptr()) }
    }
}

/// Frees the memory of a value of [`HeapMemory::place`], and of the slices after it. The value is not dropped.
///
/// Context: thread.
///
/// # Safety
/// `value` was returned by `place`, has not been freed, and neither it nor the slices are used any more.
pub unsafe fn free<K: Kernel, T>(kernel: K, value: *const T) {
    // SAFETY: the value lies at the start of its memory, which `heap_alloc` returned, and `place` exposed that pointer.
    unsafe { kernel.heap_free(with_exposed_provenance_mut(value.addr())) }
}

/// An owned value in the heap, as Rust for Linux's `KBox`. Dropping it drops the value and frees the memory, which
/// needs a thread.
pub struct KBox<K: Kernel, T> {
    kernel: K,
    value: NonNull<T>,
    owns: PhantomData<T>,
}

// SAFETY: a `KBox` owns its value, as a `Box` does.
unsafe impl<K: Kernel, T: Send> Send for KBox<K, T> {}
// SAFETY: as for `Send`.
unsafe impl<K: Kernel, T: Sync> Sync for KBox<K, T> {}

impl<K: Kernel, T> KBox<K, T> {
    /// Moves `value` to the heap.
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// Returns `value` if the heap has no room.
    pub fn new(kernel: K, value: T) -> Result<Self, T> {
        debug_assert!(kernel.can_sleep(), "the heap is called in a thread");
        const { assert!(align_of::<T>() <= align_of::<usize>()) }
        match NonNull::new(kernel.heap_alloc(size_of::<T>().max(1))) {
            Some(memory) => {
                let place = memory.cast::<T>();
                // SAFETY: the memory is new, large enough, and aligned for a pointer, and so for `T`.
                unsafe { place.write(value) };
                Ok(KBox { kernel, value: place, owns: PhantomData })
            }
            None => Err(value),
        }
    }
}

impl<K: Kernel, T> Deref for KBox<K, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the value stays until the `KBox` is dropped.
        unsafe { self.value.as_ref() }
    }
}

impl<K: Kernel, T> DerefMut for KBox<K, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the value stays until the `KBox` is dropped, and `&mut self` is the only reference to it.
        unsafe { self.value.as_mut() }
    }
}

impl<K: Kernel, T> Drop for KBox<K, T> {
    fn drop(&mut self) {
        // SAFETY: the value is dropped this once; then its memory, which `heap_alloc` returned, is freed this once.
        unsafe {
            self.value.drop_in_place();
            self.kernel.heap_free(self.value.as_ptr().cast());
        }
    }
}

/// A node of a page map's tree. Zeroed memory is a valid node, and aligned for it.
type Node = [i32; 4];

/// A `T` in heap memory, followed by arrays that belong to it: three bitmaps, a slice of nodes, and a copy of a name.
/// No other code refers to it yet. Dropping it frees the memory; the value is not dropped.
pub struct BoxWithArrays<K: Kernel, T> {
    kernel: K,
    memory: NonNull<T>,
}

impl<K: Kernel, T> BoxWithArrays<K, T> {
    /// Allocates memory and writes the value that `make` returns. `make` receives three bitmaps of `words` words each
    /// and `nodes` nodes, all zero, and a copy of `name`, which is [`Name::NONE`] if `name` is. Returns `None` if the
    /// heap has no room.
    ///
    /// Context: thread.
    ///
    /// # Safety
    /// `make` keeps the bitmaps, the nodes and the copy in the `T` only, and none of them is used after the box is
    /// dropped.
    pub unsafe fn new(
        kernel: K,
        words: u32,
        nodes: u32,
        name: Name,
        make: impl FnOnce(Bitmaps, &'static mut [Node], Name) -> T,
    ) -> Option<Self> {
        debug_assert!(kernel.can_sleep(), "the heap is called in a thread");
        const {
            let word = align_of::<usize>();
            assert!(align_of::<T>() <= word && size_of::<T>().is_multiple_of(word));
        }
        let (words, nodes) = (words as usize, nodes as usize);
        let slices = words.checked_mul(3 * size_of::<usize>())?.checked_add(nodes.checked_mul(size_of::<Node>())?)?;
        let name_size = size_of_name(name);
        // The allocation ends with an unused cache line. Without it, the next object in the heap could share a line
        // with the bitmaps, and each write to a bitmap would delay the cores that use that object.
        let size = slices.checked_add(size_of::<T>())?.checked_add(name_size)?.checked_add(LINE)?;
        let memory: NonNull<T> = NonNull::new(kernel.heap_alloc(size))?.cast();
        // SAFETY: `size` is the sum of the sizes of all that is placed here. The memory is zeroed, which is a valid
        // node and a valid word, and aligned for a pointer, which suffices for each part. No other code uses it; the
        // caller guarantees that no part is used after the box is dropped.
        unsafe {
            let first = memory.add(1).cast::<BitmapWord>();
            let nodes = NonNull::slice_from_raw_parts(first.add(3 * words).cast::<Node>(), nodes);
            let copy = nodes.cast::<Node>().add(nodes.len()).cast::<c_char>().as_ptr();
            let copy = if name_size == 0 {
                Name::NONE
            } else {
                copy.copy_from_nonoverlapping(name.as_ptr(), name_size);
                Name::from_ptr(copy)
            };
            memory.write(make(Bitmaps::new(first, words), &mut *nodes.as_ptr(), copy));
        }
        Some(BoxWithArrays { kernel, memory })
    }

    /// Returns the value, whose memory is never freed from now on.
    pub fn keep(self) -> &'static T {
        let kept = ManuallyDrop::new(self);
        // SAFETY: `new` wrote the value, and its memory is never freed.
        unsafe { kept.memory.as_ref() }
    }
}

impl<K: Kernel, T> Drop for BoxWithArrays<K, T> {
    fn drop(&mut self) {
        // SAFETY: `heap_alloc` returned the memory, which is freed this once.
        unsafe { self.kernel.heap_free(self.memory.cast().as_ptr()) }
    }
}

/// Returns the size of a name with its final zero, in bytes; 0 for [`Name::NONE`].
fn size_of_name(name: Name) -> usize {
    if name.as_ptr().is_null() {
        return 0;
    }
    let mut length = 0;
    // SAFETY: a name that is not null is a C string (`Name::from_ptr`), and no byte after its final zero is read. The
    // read is volatile because the compiler otherwise replaces the loop by a call of `strlen`, which an image need not
    // have.
    while unsafe { name.as_ptr().add(length).read_volatile() } != 0 {
        length += 1;
    }
    length + 1
}

#[cfg(test)]
mod tests;
