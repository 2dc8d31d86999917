//! A buffer that is lent to a device: kept as an address, since a device writes where a reference says that nobody
//! does.

#![allow(unsafe_code)]

use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ops::{Deref, DerefMut};
use core::ptr::{with_exposed_provenance, with_exposed_provenance_mut};
use core::slice;

use super::heap::Reserved;
use crate::kernel::{Kernel, Va};

mod sealed {
    pub trait Sealed {}
}

/// What is lent.
pub trait Access: sealed::Sealed + 'static {
    /// The borrow that is lent.
    type Bytes<'a>;

    /// The address and size of the buffer.
    fn lend(bytes: Self::Bytes<'_>) -> (Va, usize);

    /// The buffer again.
    ///
    /// # Safety
    /// [`lend`](Access::lend) was given a borrow of it that lasts for `'a`, and no other is made of it in that time.
    unsafe fn restore<'a>(start: Va, size: usize) -> Self::Bytes<'a>;
}

/// The device reads: the processor may go on reading.
pub struct Shared;
/// The device writes: nobody else touches it.
pub struct Unique;

impl sealed::Sealed for Shared {}
impl Access for Shared {
    type Bytes<'a> = &'a [u8];

    fn lend(bytes: &[u8]) -> (Va, usize) {
        (bytes.as_ptr().expose_provenance(), bytes.len())
    }

    unsafe fn restore<'a>(start: Va, size: usize) -> &'a [u8] {
        // SAFETY: the caller's promise: it is a slice that was borrowed for as long.
        unsafe { slice::from_raw_parts(with_exposed_provenance(start), size) }
    }
}

impl sealed::Sealed for Unique {}
impl Access for Unique {
    type Bytes<'a> = &'a mut [u8];

    fn lend(bytes: &mut [u8]) -> (Va, usize) {
        (bytes.as_mut_ptr().expose_provenance(), bytes.len())
    }

    unsafe fn restore<'a>(start: Va, size: usize) -> &'a mut [u8] {
        // SAFETY: the caller's promise: it is a slice that was borrowed for as long, uniquely, and is so again.
        unsafe { slice::from_raw_parts_mut(with_exposed_provenance_mut(start), size) }
    }
}

/// A lent buffer. The borrow lasts as long as this.
pub struct Lent<'a, A: Access> {
    start: Va,
    size: usize,
    borrow: PhantomData<A::Bytes<'a>>,
}

impl<'a, A: Access> Lent<'a, A> {
    /// Lends it.
    pub fn new(bytes: A::Bytes<'a>) -> Self {
        let (start, size) = A::lend(bytes);
        Lent { start, size, borrow: PhantomData }
    }

    /// Its first byte.
    pub fn start(&self) -> Va {
        self.start
    }

    /// Its bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The buffer for a time, in which no device writes to it.
    pub fn bytes(&mut self) -> A::Bytes<'_> {
        // SAFETY: it was borrowed for longer, and nobody makes another of it while this one lasts.
        unsafe { A::restore(self.start, self.size) }
    }
}

/// Bytes that their owner can lend for good, and take back.
///
/// # Safety
/// The bytes stay where they are when the owner is moved, as long as it is not dropped, and `bytes` always gives the
/// same.
pub unsafe trait Owner<A: Access>: 'static {
    /// The bytes.
    fn bytes(&mut self) -> A::Bytes<'_>;
}

// SAFETY: a reference refers to the same bytes wherever it is.
unsafe impl Owner<Shared> for &'static [u8] {
    fn bytes(&mut self) -> &[u8] {
        self
    }
}

// SAFETY: as above.
unsafe impl Owner<Shared> for &'static mut [u8] {
    fn bytes(&mut self) -> &[u8] {
        self
    }
}

// SAFETY: as above.
unsafe impl Owner<Unique> for &'static mut [u8] {
    fn bytes(&mut self) -> &mut [u8] {
        self
    }
}

/// An owner whose bytes are lent: it may be one that says, by its type, that nobody else writes to them.
pub struct Held<B>(MaybeUninit<B>);

impl<B> Held<B> {
    /// Lends the bytes of `owner`.
    ///
    /// # Safety
    /// The caller drops the returned [`Lent`] before the returned [`Held`] is dropped or taken: the bytes may be gone
    /// afterwards.
    pub unsafe fn lend<A: Access>(owner: B) -> (Self, Lent<'static, A>)
    where
        B: Owner<A>,
    {
        let mut held = Held(MaybeUninit::new(owner));
        // SAFETY: it was initialised just now.
        let (start, size) = A::lend(unsafe { held.0.assume_init_mut() }.bytes());
        (held, Lent { start, size, borrow: PhantomData })
    }

    /// The owner. Its bytes are not lent any more.
    pub fn take(self) -> B {
        // SAFETY: it is initialised, and used this once: `self` is not dropped.
        unsafe { ManuallyDrop::new(self).0.assume_init_read() }
    }
}

impl<B> Drop for Held<B> {
    fn drop(&mut self) {
        // SAFETY: it is initialised, and dropped once.
        unsafe { self.0.assume_init_drop() }
    }
}

/// Bytes in the kernel's heap that share no cache line with others. Dropped in a *thread*, they go back; elsewhere,
/// where the heap cannot be called, they are lost.
pub struct HeapBytes<K: Kernel> {
    kernel: K,
    memory: ManuallyDrop<Reserved<K>>,
    /// Bytes before the first.
    before: usize,
    size: usize,
}

impl<K: Kernel> HeapBytes<K> {
    /// So many bytes, not none, all zero; `None` if the heap has no room. *Thread.*
    pub fn new(kernel: K, size: usize) -> Option<Self> {
        let line = kernel.cache_line_max();
        if size == 0 || !kernel.can_sleep() {
            return None;
        }
        let in_lines = size.checked_next_multiple_of(line.max(1))?;
        let memory = Reserved::new(kernel, in_lines.checked_add(line)?)?;
        // Less than a line, up to which there is room.
        let before = memory.start().addr().get().wrapping_neg() & line.wrapping_sub(1);
        Some(HeapBytes { kernel, memory: ManuallyDrop::new(memory), before, size })
    }
}

// SAFETY: it owns its bytes, as a `Vec` does.
unsafe impl<K: Kernel> Send for HeapBytes<K> {}
// SAFETY: as above.
unsafe impl<K: Kernel> Sync for HeapBytes<K> {}

impl<K: Kernel> Drop for HeapBytes<K> {
    fn drop(&mut self) {
        if self.kernel.can_sleep() {
            // SAFETY: it is dropped this once, and not used afterwards.
            unsafe { ManuallyDrop::drop(&mut self.memory) }
        }
    }
}

impl<K: Kernel> Deref for HeapBytes<K> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: so many bytes from there on are this value's own, and were zeroed.
        unsafe { slice::from_raw_parts(self.memory.start().as_ptr().add(self.before), self.size) }
    }
}

impl<K: Kernel> DerefMut for HeapBytes<K> {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above.
        unsafe { slice::from_raw_parts_mut(self.memory.start().as_ptr().add(self.before), self.size) }
    }
}

// SAFETY: the bytes are in the heap.
unsafe impl<K: Kernel> Owner<Shared> for HeapBytes<K> {
    fn bytes(&mut self) -> &[u8] {
        self
    }
}

// SAFETY: as above.
unsafe impl<K: Kernel> Owner<Unique> for HeapBytes<K> {
    fn bytes(&mut self) -> &mut [u8] {
        self
    }
}
