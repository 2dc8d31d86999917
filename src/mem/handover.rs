//! Bytes that are handed over to a device. They are represented by an address and not by a reference: a reference would
//! promise the compiler that nothing else writes to them, and a device does.

#![allow(unsafe_code)]

use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ptr::{with_exposed_provenance, with_exposed_provenance_mut};
use core::slice;

use crate::kernel::Va;

mod sealed {
    pub trait Sealed {}
}

/// The access to the bytes that the processor gives up while a device has them: [`Shared`] or [`Unique`].
pub trait Access: sealed::Sealed + 'static {
    /// The borrow of the bytes.
    type Bytes<'a>;

    /// Converts a borrow to the address and the size of the bytes.
    fn hand_over(bytes: Self::Bytes<'_>) -> (Va, usize);

    /// Makes a borrow of the bytes again.
    ///
    /// # Safety
    /// [`hand_over`](Access::hand_over) converted a borrow that lasts for `'a` to this address and size. No other
    /// borrow of the bytes is used during `'a`, unless both are shared.
    unsafe fn restore<'a>(start: Va, size: usize) -> Self::Bytes<'a>;
}

/// The device reads the bytes: the processor may read them, too.
pub struct Shared;
/// The device writes the bytes: the processor does not access them.
pub struct Unique;

impl sealed::Sealed for Shared {}
impl Access for Shared {
    type Bytes<'a> = &'a [u8];

    fn hand_over(bytes: &[u8]) -> (Va, usize) {
        (bytes.as_ptr().expose_provenance(), bytes.len())
    }

    unsafe fn restore<'a>(start: Va, size: usize) -> &'a [u8] {
        // SAFETY: the caller guarantees that the bytes are borrowed during `'a`.
        unsafe { slice::from_raw_parts(with_exposed_provenance(start), size) }
    }
}

impl sealed::Sealed for Unique {}
impl Access for Unique {
    type Bytes<'a> = &'a mut [u8];

    fn hand_over(bytes: &mut [u8]) -> (Va, usize) {
        (bytes.as_mut_ptr().expose_provenance(), bytes.len())
    }

    unsafe fn restore<'a>(start: Va, size: usize) -> &'a mut [u8] {
        // SAFETY: the caller guarantees that the bytes are borrowed during `'a`, and that no other borrow is used.
        unsafe { slice::from_raw_parts_mut(with_exposed_provenance_mut(start), size) }
    }
}

/// Bytes that are handed over. Their borrow lasts as long as this value.
pub struct HandedOver<'a, A: Access> {
    start: Va,
    size: usize,
    borrow: PhantomData<A::Bytes<'a>>,
}

impl<'a, A: Access> HandedOver<'a, A> {
    /// Hands over the bytes of a borrow.
    pub fn new(bytes: A::Bytes<'a>) -> Self {
        let (start, size) = A::hand_over(bytes);
        HandedOver { start, size, borrow: PhantomData }
    }

    /// Returns the address of the first byte.
    pub fn start(&self) -> Va {
        self.start
    }

    /// Returns the number of bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Returns a borrow of the bytes.
    ///
    /// # Safety
    /// While the borrow is used, the device does not write to a byte that is accessed through it.
    pub unsafe fn bytes(&mut self) -> A::Bytes<'_> {
        // SAFETY: the bytes are borrowed during `'a`, and `&mut self` keeps a second borrow from being made.
        unsafe { A::restore(self.start, self.size) }
    }
}

/// Buffers whose bytes stay at one address until the buffer is dropped, and which can therefore be handed over to a
/// device.
///
/// # Safety
/// Moving the buffer does not move its bytes. `bytes` returns the same bytes at every call, and they stay valid until
/// the buffer is dropped. While the bytes are handed over with the access [`Unique`], no clone of the buffer and no
/// other reference or pointer reads or writes them; while they are handed over with [`Shared`], none writes them.
pub unsafe trait StableBytes<A: Access>: 'static {
    /// Returns the bytes.
    fn bytes(&mut self) -> A::Bytes<'_>;
}

// SAFETY: moving a reference does not move the bytes that it refers to.
unsafe impl StableBytes<Shared> for &'static [u8] {
    fn bytes(&mut self) -> &[u8] {
        self
    }
}

// SAFETY: as for `&[u8]`.
unsafe impl StableBytes<Shared> for &'static mut [u8] {
    fn bytes(&mut self) -> &[u8] {
        self
    }
}

// SAFETY: as for `&[u8]`.
unsafe impl StableBytes<Unique> for &'static mut [u8] {
    fn bytes(&mut self) -> &mut [u8] {
        self
    }
}

/// A buffer whose bytes are handed over.
///
/// The `MaybeUninit` withdraws what the type of the buffer promises the compiler meanwhile: for `&'static mut [u8]`,
/// that nothing else writes to the bytes.
pub struct HandedOverBuffer<B>(MaybeUninit<B>);

impl<B> HandedOverBuffer<B> {
    /// Hands over the bytes of `buffer`.
    ///
    /// # Safety
    /// The caller drops the returned [`HandedOver`] before it drops the returned [`HandedOverBuffer`] or calls
    /// [`take_back`](HandedOverBuffer::take_back), after which the bytes may have been freed.
    pub unsafe fn new<A: Access>(buffer: B) -> (Self, HandedOver<'static, A>)
    where
        B: StableBytes<A>,
    {
        let mut holder = HandedOverBuffer(MaybeUninit::new(buffer));
        // SAFETY: the line above initialised it.
        let (start, size) = A::hand_over(unsafe { holder.0.assume_init_mut() }.bytes());
        (holder, HandedOver { start, size, borrow: PhantomData })
    }

    /// Returns the buffer. Its bytes are not handed over any more.
    pub fn take_back(self) -> B {
        // SAFETY: it is initialised, and read this once: `self` is not dropped.
        unsafe { ManuallyDrop::new(self).0.assume_init_read() }
    }
}

impl<B> Drop for HandedOverBuffer<B> {
    fn drop(&mut self) {
        // SAFETY: it is initialised, and dropped once.
        unsafe { self.0.assume_init_drop() }
    }
}
