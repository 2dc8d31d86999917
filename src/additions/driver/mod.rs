//! DMA memory for drivers in Rust, which need no `unsafe` for it and lose nothing: what is dropped is given back.
//!
//! A driver has a [`Device`], which makes everything else:
//!
//! * [`CoherentBuffer`]: values in memory that processor and device see alike. [`Ring`]: a ring of descriptors in it.
//! * [`BlockPool`] and [`BlockBox`]: values of which there are many, and which come and go.
//! * [`Mapped`] and [`Mapping`]: bytes of the driver's own that a device has for a time. Meanwhile the borrow checker
//!   keeps the processor off them.
//!
//! # Values
//!
//! Coherent memory is Device memory on aarch64. It is read and written by whole words, aligned, and there are no
//! references to it. A value says by [`AsWords`] of which words it consists; integers and arrays of integers are values
//! already.
//!
//! # What `unsafe` is left
//!
//! That a pointer is a device's, which whoever binds the driver says once ([`Device::new`]); and what the driver says
//! to its device. A device that is given a handle behind a buffer's end, or goes on writing after its buffer was
//! dropped or unmapped, writes where it likes, in Rust as in C. Stop the device first.
//!
//! What is *forgotten* ([`core::mem::forget`]) stays the device's for good, and is nobody else's ever after: it leaks,
//! and does no harm.
//!
//! # Errors and contexts
//!
//! Nothing here panics. What may sleep is marked *thread*, as in the rest of the library.

mod block;
mod coherent;
mod ring;
mod stream;

pub use block::{BlockBox, BlockPool};
pub use coherent::CoherentBuffer;
pub use ring::{Full, Ring};
pub use stream::{Bidirectional, Bytes, FromDevice, Mapped, Mapping, Refused, ToDevice, Way};

pub use crate::additions::block_pool::set::BadCreate;
pub use crate::additions::streaming::{BadMapping, MapError};
pub use crate::mem::lent::{HeapBytes, StableBytes};
pub use crate::mem::words::{Word, Words};

use crate::additions::block_pool::Pages;
use crate::additions::block_pool::set::BlockPools;
use crate::additions::streaming::{Master, Streaming};
use crate::dropin::registry::Dma;
use crate::kernel::{self, Kernel};

/// A value's form in memory that a device sees: one integer, or an array of them.
///
/// A driver implements it for its descriptors, and so says how wide each access is and, with `to_le` and its like, in
/// which order the device takes the bytes.
///
/// ```
/// use rt_dma_pool::driver::AsWords;
///
/// #[derive(Clone, Copy)]
/// struct Descriptor {
///     address: u64,
///     length: u32,
///     flags: u32,
/// }
///
/// impl AsWords for Descriptor {
///     type Words = [u32; 4];
///
///     fn from_words(words: [u32; 4]) -> Self {
///         let [low, high, length, flags] = words.map(u32::from_le);
///         Descriptor { address: u64::from(high) << 32 | u64::from(low), length, flags }
///     }
///
///     fn into_words(self) -> [u32; 4] {
///         [self.address as u32, (self.address >> 32) as u32, self.length, self.flags].map(u32::to_le)
///     }
/// }
/// ```
pub trait AsWords {
    /// The words, of one width.
    type Words: Words;

    /// The value of these words. Any words may come: a device wrote them.
    fn from_words(words: Self::Words) -> Self;
    /// Its words.
    fn into_words(self) -> Self::Words;
}

impl<W: Words> AsWords for W {
    type Words = W;

    fn from_words(words: W) -> W {
        words
    }

    fn into_words(self) -> W {
        self
    }
}

/// The word of a value's form.
pub type WordOf<T> = <<T as AsWords>::Words as Words>::Word;

/// Bytes of a value's form.
const fn size_of_form<T: AsWords>() -> usize {
    <T::Words as Words>::SIZE
}

/// A value, or a word of one, was to be written where there is none. Nothing was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutOfRange;

/// What a system is made of.
pub trait Platform: Copy + Send + Sync + 'static {
    /// Its kernel.
    type Kernel: Kernel;
    /// Where the coherent memory of its devices comes from.
    type Pages: Pages;
}

/// The DMA memory of a system, as its drivers use it.
pub struct System<P: Platform> {
    dma: &'static Dma<P::Kernel>,
    streaming: &'static Streaming<P::Kernel>,
    block_pools: &'static BlockPools<P::Kernel, P::Pages>,
    pages: P::Pages,
    master: &'static (dyn Fn(kernel::Device) -> Option<Master> + Send + Sync),
}

impl<P: Platform> System<P> {
    /// A system of these parts. `master` says how a device sees memory that is mapped for it, or that it cannot be said
    /// now.
    ///
    /// # Safety
    /// The kernel keeps the promises of [`Kernel`]. `pages` gives memory that is mapped uncached, or is coherent for
    /// the device otherwise, and is nobody else's until it is given back; its addresses were pointers once whose
    /// provenance is exposed. Nobody gives back, destroys or unmaps through the other parts what drivers have from
    /// here.
    #[allow(unsafe_code)]
    pub const unsafe fn new(
        dma: &'static Dma<P::Kernel>,
        streaming: &'static Streaming<P::Kernel>,
        block_pools: &'static BlockPools<P::Kernel, P::Pages>,
        pages: P::Pages,
        master: &'static (dyn Fn(kernel::Device) -> Option<Master> + Send + Sync),
    ) -> Self {
        System { dma, streaming, block_pools, pages, master }
    }
}

/// A device, as its driver has it.
pub struct Device<P: Platform> {
    system: &'static System<P>,
    device: kernel::Device,
}

impl<P: Platform> Clone for Device<P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: Platform> Copy for Device<P> {}

impl<P: Platform> Device<P> {
    /// The device that the system's kernel knows as `device`.
    ///
    /// # Safety
    /// It knows it, as long as this, any copy of it, or anything made by one is used or not dropped yet.
    #[allow(unsafe_code)]
    pub const unsafe fn new(system: &'static System<P>, device: kernel::Device) -> Self {
        Device { system, device }
    }
}

/// The example in the documentation compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/rust-drivers.md")]
pub struct Example;
