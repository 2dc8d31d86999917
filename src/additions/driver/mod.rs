//! DMA memory for drivers in Rust. Drivers need no `unsafe` for it, and dropping a value frees what it holds.
//!
//! A driver has a [`Device`], which makes everything else:
//!
//! * [`CoherentBuffer`]: values in memory that the processor and the device can access at any time. [`Ring`]: a ring of
//!   descriptors in such memory.
//! * [`BlockPool`] and [`BlockBox`]: many values of one type that are allocated and freed one by one.
//! * [`Mapping`] and [`ScopedMapping`]: bytes of the driver's own that a device has for a time. Meanwhile the borrow
//!   checker keeps the processor from accessing them.
//!
//! # Values
//!
//! Coherent memory is Device memory on aarch64. It is read and written by whole, aligned words, and there are no
//! references to it. [`AsWords`] defines the words of which a value consists. Integers and arrays of integers implement
//! it.
//!
//! # The `unsafe` code that is left
//!
//! A driver calls one `unsafe` function, which returns its [`Device`]: in RT-Thread `ffi::driver::Device::from_ptr`,
//! which calls [`Device::new`]. Its caller promises that the device exists, and that the device accesses a buffer only
//! while the buffer is allocated or mapped for it. No type can check this: before a buffer is dropped or unmapped, stop
//! the device. A device that goes on writing overwrites other memory, in Rust as in C. ([`System::new`] is `unsafe`
//! too. A driver does not call it: the library makes the system.)
//!
//! A value that is forgotten ([`core::mem::forget`]) leaks its memory, which stays the device's. This does no other
//! harm.
//!
//! # Panics and contexts
//!
//! Nothing in this module panics. The terms for contexts are defined in `docs/design.md`; a call without "Context" may
//! be made in any.

mod block;
mod coherent;
mod direction;
mod mapping;
mod ring;

pub use block::{BlockBox, BlockPool};
pub use coherent::CoherentBuffer;
pub use direction::{Bidirectional, Bytes, Direction, FromDevice, ToDevice};
pub use mapping::{Mapping, Refused, ScopedMapping};
pub use ring::{Full, Ring};

pub use crate::additions::block_pool::pools::CreateError;
pub use crate::additions::streaming::{BadMapping, MapError};
pub use crate::mem::device_memory::{OutOfRange, Word, Words};
pub use crate::mem::handover::StableBytes;
pub use crate::mem::heap::HeapBytes;

use crate::additions::block_pool::Pages;
use crate::additions::block_pool::pools::BlockPools;
use crate::additions::streaming::{BusMaster, Streaming};
use crate::kernel::{self, Kernel};

/// Values that can lie in memory that a device accesses, as one integer or as an array of integers.
///
/// A driver implements the trait for its descriptors. The implementation defines the width of each access and, with
/// `to_le` or `to_be`, the byte order of the device.
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
    /// The words of a value: an integer, or an array of integers.
    type Words: Words;

    /// Makes a value of words. The device may have written any words.
    fn from_words(words: Self::Words) -> Self;
    /// Returns the words of the value.
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

/// The word of a value that implements [`AsWords`].
pub type WordOf<T> = <<T as AsWords>::Words as Words>::Word;

/// Returns the size of a value in memory, in bytes.
const fn size_in_memory<T: AsWords>() -> usize {
    <T::Words as Words>::SIZE
}

/// The kernel of a system and the source of its coherent memory.
pub trait Platform: Copy + Send + Sync + 'static {
    /// The kernel.
    type Kernel: Kernel;
    /// The source of coherent memory for devices.
    type Pages: Pages;
}

/// A function that returns how a device accesses memory that is mapped for it; [`MapError::NoOperations`] if the
/// device's operations cannot be chosen now.
pub type FindMaster = dyn Fn(kernel::Device) -> Result<BusMaster, MapError> + Send + Sync;

/// The DMA memory of a system, from which its drivers allocate.
pub struct System<P: Platform> {
    kernel: P::Kernel,
    streaming: Streaming<'static, P::Kernel>,
    block_pools: &'static BlockPools<P::Kernel, P::Pages>,
    pages: P::Pages,
    find_master: &'static FindMaster,
}

impl<P: Platform> System<P> {
    /// Makes a system of these parts.
    ///
    /// # Safety
    /// Memory that drivers have from this system is freed, destroyed or unmapped through this system only. The duties
    /// for the memory itself are those of [`Pages`].
    #[allow(unsafe_code)]
    pub const unsafe fn new(
        kernel: P::Kernel,
        streaming: Streaming<'static, P::Kernel>,
        block_pools: &'static BlockPools<P::Kernel, P::Pages>,
        pages: P::Pages,
        find_master: &'static FindMaster,
    ) -> Self {
        System { kernel, streaming, block_pools, pages, find_master }
    }
}

/// A device, from which its driver gets DMA memory.
#[derive(Clone, Copy)]
pub struct Device<P: Platform> {
    system: &'static System<P>,
    kernel_device: kernel::Device,
}

impl<P: Platform> Device<P> {
    /// Makes a value for the device `kernel_device` of the system's kernel.
    ///
    /// # Safety
    /// The device exists as long as this value, a copy of it, or a value that one of them made is used or not yet
    /// dropped. If operations of the BSP's own serve it, and a mapping was dropped in an interrupt, it also exists
    /// until a thread has mapped or unmapped a buffer of any device. That call frees the bounce buffer by these
    /// operations.
    ///
    /// The device accesses only bytes whose handles the driver passed to it, only while these bytes are allocated or
    /// mapped for it, and mapped bytes only in the direction of their mapping. It does not write to bytes while `cpu`
    /// of their mapping runs, that of [`Mapping`] or of [`ScopedMapping`].
    #[allow(unsafe_code)]
    pub const unsafe fn new(system: &'static System<P>, kernel_device: kernel::Device) -> Self {
        Device { system, kernel_device }
    }
}

/// Compiles the example of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/rust-drivers.md")]
pub struct Example;
