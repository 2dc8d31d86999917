//! Values in the kernel's heap: the one place that turns its memory into Rust values.

#![allow(unsafe_code)]

use core::marker::PhantomData;
use core::mem::{ManuallyDrop, align_of, size_of};
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;
use core::slice;
use core::sync::atomic::{
    AtomicPtr, AtomicUsize,
    Ordering::{Acquire, Release},
};

use super::Kernel;

/// A type whose all-zero bytes are a value, and that needs no more alignment than a pointer.
///
/// # Safety
/// Both must be true.
pub unsafe trait Zeroed {}

// SAFETY: plain integers, and atomics with the layout of plain integers.
unsafe impl Zeroed for AtomicUsize {}
// SAFETY: as above.
unsafe impl Zeroed for usize {}
// SAFETY: as above; `u32` needs at most the alignment of a pointer.
unsafe impl Zeroed for [u32; 4] {}

/// Zeroed heap memory that nobody uses yet. Dropped, it goes back to the heap.
pub struct Reserved<K: Kernel> {
    kernel: K,
    memory: NonNull<u8>,
    size: usize,
}

impl<K: Kernel> Reserved<K> {
    /// `size` bytes, or `None` if the heap has none. *Thread.*
    pub fn new(kernel: K, size: usize) -> Option<Self> {
        NonNull::new(kernel.heap_alloc(size)).map(|memory| Reserved { kernel, memory, size })
    }

    /// Uses the memory for good: for a `T`, and behind it for the slices that `make` takes from the [`Tail`].
    /// `None` if it is too small for a `T`.
    pub fn place<T>(self, make: impl FnOnce(&mut Tail) -> T) -> Option<&'static T> {
        const { assert!(align_of::<T>() <= align_of::<usize>()) }
        let left = self.size.checked_sub(size_of::<T>())?;
        let memory = ManuallyDrop::new(self).memory;
        // SAFETY: `size_of::<T>()` bytes lie within the memory, by the check above.
        let mut tail = Tail { next: unsafe { memory.add(size_of::<T>()) }, left };
        let value = make(&mut tail);
        let place = memory.cast::<T>();
        // SAFETY: the heap gave memory aligned for a pointer, and so for `T`; the tail begins behind it; the memory is
        // never given back, so the reference may live for good.
        unsafe {
            place.write(value);
            Some(place.as_ref())
        }
    }
}

impl<K: Kernel> Drop for Reserved<K> {
    fn drop(&mut self) {
        // SAFETY: it came from `heap_alloc`, and is given back once.
        unsafe { self.kernel.heap_free(self.memory.as_ptr()) }
    }
}

/// What follows a value placed in a [`Reserved`]: zeroed memory to take slices from.
pub struct Tail {
    next: NonNull<u8>,
    left: usize,
}

impl Tail {
    /// Takes the next `length` values, all zero; fewer if fewer are left.
    pub fn slice<T: Zeroed>(&mut self, length: usize) -> &'static mut [T] {
        let length = length.min(self.left / size_of::<T>());
        // Every size is rounded up to a pointer's, so that the next slice is aligned too.
        let bytes = (length * size_of::<T>()).next_multiple_of(align_of::<usize>()).min(self.left);
        let start = self.next.cast::<T>();
        self.left -= bytes;
        // SAFETY: `bytes` were left of memory that is zeroed, aligned for a pointer, used by nobody else and never given
        // back; `Zeroed` says that zero is a value and that the alignment is enough.
        unsafe {
            self.next = self.next.add(bytes);
            slice::from_raw_parts_mut(start.as_ptr(), length)
        }
    }
}

/// A reference that is set once, and read without a lock: a link of a list that only grows.
pub struct OnceRef<T: 'static>(AtomicPtr<T>);

impl<T: Sync> OnceRef<T> {
    /// Not set.
    pub const fn new() -> Self {
        OnceRef(AtomicPtr::new(core::ptr::null_mut()))
    }

    /// What it was set to. Any context.
    #[inline(always)]
    pub fn get(&self) -> Option<&'static T> {
        // SAFETY: it is null, or was made from a `&'static T` by `set`, and `Acquire` sees what was written before.
        unsafe { self.0.load(Acquire).as_ref() }
    }

    /// Sets it, so that others find `value`.
    pub fn set(&self, value: &'static T) {
        self.0.store(core::ptr::from_ref(value).cast_mut(), Release);
    }
}

/// An owned value in the heap; dropped, the value goes and its memory with it. *Thread*, both ways.
pub struct KBox<K: Kernel, T> {
    kernel: K,
    value: NonNull<T>,
    owns: PhantomData<T>,
}

// SAFETY: a `KBox` owns its value, as a `Box` does.
unsafe impl<K: Kernel, T: Send> Send for KBox<K, T> {}
// SAFETY: as above.
unsafe impl<K: Kernel, T: Sync> Sync for KBox<K, T> {}

impl<K: Kernel, T> KBox<K, T> {
    /// Moves `value` to the heap, or gives it back if there is no memory. *Thread.*
    pub fn new(kernel: K, value: T) -> Result<Self, T> {
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
        // SAFETY: the value lives until the `KBox` is dropped.
        unsafe { self.value.as_ref() }
    }
}

impl<K: Kernel, T> DerefMut for KBox<K, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and `&mut self` says that nobody else looks.
        unsafe { self.value.as_mut() }
    }
}

impl<K: Kernel, T> Drop for KBox<K, T> {
    fn drop(&mut self) {
        // SAFETY: the value is dropped once, then its memory, which came from `heap_alloc`, is given back once.
        unsafe {
            self.value.drop_in_place();
            self.kernel.heap_free(self.value.as_ptr().cast());
        }
    }
}
