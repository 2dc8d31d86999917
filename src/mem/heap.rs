//! Values in the kernel's heap: the one place that turns its memory into Rust values.

#![allow(unsafe_code)]

use core::ffi::c_char;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, align_of, size_of};
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;
use core::slice;
use core::sync::atomic::{
    AtomicPtr, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

use super::bitmaps::Bitmaps;
use crate::kernel::Kernel;
use crate::log::Name;

/// A type whose all-zero bytes are a value, and that needs no more alignment than a pointer.
///
/// # Safety
/// Both must be true.
pub unsafe trait Zeroed {}

// SAFETY: plain integers; `i32` needs at most the alignment of a pointer.
unsafe impl Zeroed for [i32; 4] {}

/// Zeroed heap memory that nobody uses yet. Dropped, it goes back to the heap.
pub struct Reserved<K: Kernel> {
    kernel: K,
    memory: NonNull<u8>,
    size: usize,
}

impl<K: Kernel> Reserved<K> {
    /// `size` bytes, or `None` if the heap has none. *Thread.*
    pub fn new(kernel: K, size: usize) -> Option<Self> {
        debug_assert!(kernel.can_sleep(), "the heap is asked where sleeping is allowed");
        NonNull::new(kernel.heap_alloc(size)).map(|memory| Reserved { kernel, memory, size })
    }

    /// Its first byte.
    pub(crate) fn start(&self) -> NonNull<u8> {
        self.memory
    }

    /// Uses the memory for good: for a `T`, and behind it for the slices that `make` takes from the [`Tail`].
    /// `None` if it is too small for a `T`.
    #[inline(always)]
    pub fn place<T>(self, make: impl FnOnce(&mut Tail) -> T) -> Option<&'static T> {
        // What follows the `T` must be aligned for a pointer, too.
        const { assert!(align_of::<T>() <= align_of::<usize>() && size_of::<T>().is_multiple_of(align_of::<usize>())) }
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

/// A `T` in heap memory, and behind it three bitmaps, a slice of `N`s and a name that are its own. Nobody sees it yet. Dropped,
/// the memory goes back to the heap.
pub struct Slot<K: Kernel, T> {
    kernel: K,
    memory: NonNull<T>,
}

impl<K: Kernel, T> Slot<K, T> {
    /// What `make` makes of bitmaps of `words` words each, of `nodes` values, all zero, and of a copy of `name` (none if there
    /// is no name); `None` if the heap has no room. *Thread.*
    ///
    /// # Safety
    /// `name` is a C string or null. `make` keeps the bitmaps, the values and the copy nowhere but in the `T`, and no copy of them is used after the slot is
    /// dropped: their memory goes back to the heap with it.
    #[inline(always)]
    pub unsafe fn new<N: Zeroed + 'static>(
        kernel: K,
        words: u32,
        nodes: u32,
        name: Name,
        make: impl FnOnce(Bitmaps, &'static mut [N], Name) -> T,
    ) -> Option<Self> {
        debug_assert!(kernel.can_sleep(), "the heap is asked where sleeping is allowed");
        const {
            let word = align_of::<usize>();
            assert!(align_of::<T>() <= word && size_of::<T>().is_multiple_of(word) && align_of::<N>() <= word);
        }
        let (words, nodes) = (words as usize, nodes as usize);
        let slices = words.checked_mul(3 * size_of::<usize>())?.checked_add(nodes.checked_mul(size_of::<N>())?)?;
        // SAFETY: the caller says that it is a C string or null.
        let name_size = unsafe { size_of_name(name) };
        let size = slices.checked_add(size_of::<T>())?.checked_add(name_size)?;
        let memory: NonNull<T> = NonNull::new(kernel.heap_alloc(size))?.cast();
        // SAFETY: as many bytes were asked for, zeroed and aligned for a pointer, which is enough for each of these;
        // `Zeroed` says that zero is an `N`. Nobody else uses them, and they are given back before anybody sees the `T`, or
        // never.
        unsafe {
            let first = memory.add(1).cast::<AtomicUsize>();
            let nodes = NonNull::slice_from_raw_parts(first.add(3 * words).cast::<N>(), nodes);
            let copy = nodes.cast::<N>().add(nodes.len()).cast::<c_char>().as_ptr();
            let copy = if name_size == 0 {
                Name::NONE
            } else {
                copy.copy_from_nonoverlapping(name.0, name_size);
                Name(copy)
            };
            memory.write(make(Bitmaps::new(first, words), &mut *nodes.as_ptr(), copy));
        }
        Some(Slot { kernel, memory })
    }

    /// The value, for good.
    #[inline(always)]
    pub fn keep(self) -> &'static T {
        let slot = ManuallyDrop::new(self);
        // SAFETY: `new` wrote it, and from now on its memory is never given back.
        unsafe { slot.memory.as_ref() }
    }
}

impl<K: Kernel, T> Drop for Slot<K, T> {
    fn drop(&mut self) {
        // SAFETY: it came from `heap_alloc`, and is given back once.
        unsafe { self.kernel.heap_free(self.memory.cast().as_ptr()) }
    }
}

/// The bytes of a name with its zero at the end; none for a null name.
///
/// # Safety
/// `name` is a C string or null.
unsafe fn size_of_name(name: Name) -> usize {
    if name.0.is_null() {
        return 0;
    }
    let mut length = 0;
    // SAFETY: the string ends behind the byte that is zero, and no later byte is read. Volatile, since otherwise the compiler
    // makes a call of `strlen` of the loop, which the image need not have.
    while unsafe { name.0.add(length).read_volatile() } != 0 {
        length += 1;
    }
    length + 1
}

/// What follows a value placed in a [`Reserved`]: memory to take slices from.
pub struct Tail {
    next: NonNull<u8>,
    left: usize,
}

impl Tail {
    /// Takes the next `length` values, each as `make` makes it of its number; fewer if fewer are left, or it makes none.
    pub fn slice_with<T>(&mut self, length: usize, mut make: impl FnMut(usize) -> Option<T>) -> &'static [T] {
        const { assert!(align_of::<T>() <= align_of::<usize>() && size_of::<T>() != 0) }
        let most = length.min(self.left / size_of::<T>());
        let bytes = (most * size_of::<T>()).next_multiple_of(align_of::<usize>()).min(self.left);
        let start = self.next.cast::<T>();
        self.left -= bytes;
        // SAFETY: `bytes` were left of memory that is aligned for a pointer, used by nobody else and never given back
        // but by who says that nobody uses it; a slice is made of the values that were written.
        unsafe {
            self.next = self.next.add(bytes);
            let mut length = 0;
            while length < most
                && let Some(value) = make(length)
            {
                start.add(length).write(value);
                length += 1;
            }
            slice::from_raw_parts(start.as_ptr(), length)
        }
    }
}

/// Heap memory that is placed piece by piece, and given back all at once: what is found without a lock, and so must not
/// go while somebody may still look at it.
pub struct Pieces<K: Kernel> {
    kernel: K,
    last: AtomicPtr<u8>,
}

/// A piece: it begins with the address of the piece before, or null.
#[repr(C)]
struct Piece<T> {
    before: AtomicPtr<u8>,
    value: T,
}

impl<K: Kernel> Pieces<K> {
    /// No pieces.
    pub const fn new(kernel: K) -> Self {
        Pieces { kernel, last: AtomicPtr::new(core::ptr::null_mut()) }
    }

    /// A piece for a `T` and `tail` bytes behind it, as [`Reserved::place`] uses them; `None` if the heap has none. One
    /// caller at a time. *Thread.*
    pub fn place<T>(&self, tail: usize, make: impl FnOnce(&mut Tail) -> T) -> Option<&'static T> {
        let reserved = Reserved::new(self.kernel, size_of::<Piece<T>>().checked_add(tail)?)?;
        let memory = reserved.memory.as_ptr();
        let before = AtomicPtr::new(self.last.load(Acquire));
        let piece = reserved.place(|tail| Piece { before, value: make(tail) })?;
        self.last.store(memory, Release);
        Some(&piece.value)
    }

    /// Gives all pieces back. *Thread.*
    ///
    /// # Safety
    /// Nobody uses anything that was placed any more; nobody else places or releases meanwhile.
    pub unsafe fn release(&self) {
        let mut next = self.last.swap(core::ptr::null_mut(), Acquire);
        while let Some(memory) = NonNull::new(next) {
            // SAFETY: every piece begins with this word, came from `heap_alloc`, and is given back once.
            unsafe {
                next = memory.cast::<AtomicPtr<u8>>().as_ref().load(Acquire);
                self.kernel.heap_free(memory.as_ptr());
            }
        }
    }
}

/// Gives back what [`Reserved::place`] placed. *Thread.*
///
/// # Safety
/// `value` came from `place`, is given back once, and nobody uses it, or the slices behind it, any more.
pub unsafe fn give_back<K: Kernel, T>(kernel: K, value: *const T) {
    // SAFETY: the value stands where the memory begins, which came from `heap_alloc`.
    unsafe { kernel.heap_free(value.cast_mut().cast()) }
}

/// A slice that is set once, and read without a lock; empty before.
pub struct OnceSlice<T: 'static> {
    length: AtomicUsize,
    start: AtomicPtr<T>,
}

impl<T: Sync> OnceSlice<T> {
    /// Empty.
    pub const fn new() -> Self {
        OnceSlice { length: AtomicUsize::new(0), start: AtomicPtr::new(NonNull::dangling().as_ptr()) }
    }

    /// What it was set to. Any context.
    #[inline(always)]
    pub fn get(&self) -> &'static [T] {
        let length = self.length.load(Acquire);
        // SAFETY: a length that is not zero was set behind the start of the same slice, and neither changes afterwards; a
        // start is never null.
        unsafe { slice::from_raw_parts(self.start.load(Relaxed), length) }
    }

    /// Sets it, if it was not set before.
    pub fn set(&self, value: &'static [T]) {
        let (empty, start) = (NonNull::dangling().as_ptr(), value.as_ptr().cast_mut());
        if self.start.compare_exchange(empty, start, Relaxed, Relaxed).is_ok() {
            self.length.store(value.len(), Release);
        }
    }
}

/// A reference that is set now and then, and read without a lock.
pub struct AtomicRef<T: 'static>(AtomicPtr<T>);

impl<T: Sync> AtomicRef<T> {
    /// None.
    pub const fn new() -> Self {
        AtomicRef(AtomicPtr::new(core::ptr::null_mut()))
    }

    /// What it was set to last. Any context.
    #[inline(always)]
    pub fn get(&self) -> Option<&'static T> {
        // SAFETY: it is null, or was made from a `&'static T`, and `Acquire` sees what was written before.
        unsafe { self.0.load(Acquire).as_ref() }
    }

    /// Sets it. Any context.
    pub fn set(&self, value: Option<&'static T>) {
        self.0.store(value.map_or(core::ptr::null_mut(), |value| core::ptr::from_ref(value).cast_mut()), Release);
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
        debug_assert!(kernel.can_sleep(), "the heap is asked where sleeping is allowed");
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
