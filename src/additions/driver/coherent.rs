//! Values in coherent memory.

use core::fmt;
use core::marker::PhantomData;

use super::{AsWords, Device, OutOfRange, Platform, WordOf, size_in_memory};
use crate::additions::block_pool::{Effort, Pages};
use crate::kernel::{Handle, PAGE_SIZE};
use crate::mem::device_memory::DeviceMemory;

/// Values of one type, one after the other, that the processor and the device can access at any time
/// (Linux Documentation/core-api/dma-api.rst, part Ia). Use `u8` for plain bytes.
///
/// Dropping it frees the memory. Context of the drop: any; thread if the memory has a mapping of its own, because its
/// pool is larger than the view limit (`RT_DMA_POOL_VIEW_LIMIT`), or the kernel had no room for a view.
pub struct CoherentBuffer<T: AsWords, P: Platform> {
    memory: DeviceMemory<P::Kernel>,
    device: Device<P>,
    handle: Handle,
    /// As in [`BlockPool`](super::BlockPool): the buffer has words, and no `T`.
    values: PhantomData<fn(T) -> T>,
}

impl<P: Platform> Device<P> {
    /// Allocates coherent memory for `length` values, whose words are all zero. Returns `None` if `length` is 0, if no
    /// pool that serves the device has room, or if an operation of the BSP returned memory that is not aligned for the
    /// words.
    ///
    /// Context: thread first, then any, as `rt_dma_alloc_coherent`; always thread for memory of a pool that is larger
    /// than the view limit.
    pub fn coherent<T: AsWords>(&self, length: usize) -> Option<CoherentBuffer<T, P>> {
        let size = length.checked_mul(size_in_memory::<T>()).filter(|size| *size != 0)?;
        let (start, handle) = self.system.pages.allocate(self.kernel_device, size, PAGE_SIZE, Effort::AsksBorrowers)?;
        // SAFETY: the caller of `System::new` guarantees that `size` bytes are mapped there, and are not used by other
        // code until they are freed.
        #[allow(unsafe_code)]
        let memory = unsafe { DeviceMemory::new(self.system.kernel, start, size) };
        let mut buffer = CoherentBuffer { memory, device: *self, handle, values: PhantomData };
        if !start.is_multiple_of(size_of::<WordOf<T>>()) {
            // Dropping `buffer` gives the memory back.
            return None;
        }
        buffer.zero();
        Some(buffer)
    }
}

impl<T: AsWords, P: Platform> CoherentBuffer<T, P> {
    /// Returns the number of values, not zero.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.size() / size_in_memory::<T>()
    }

    /// Returns the size of all values, in bytes.
    pub fn size(&self) -> usize {
        self.memory.size()
    }

    /// Returns the address at which the device accesses the first value.
    pub fn handle(&self) -> Handle {
        self.handle
    }

    /// Returns the address at which the device accesses value `index`; `None` if there is no such value.
    pub fn handle_of(&self, index: usize) -> Option<Handle> {
        Some(self.handle.wrapping_add(self.offset_of(index)?))
    }

    /// Returns the offset of value `index`, in bytes.
    fn offset_of(&self, index: usize) -> Option<usize> {
        index.checked_mul(size_in_memory::<T>()).filter(|offset| *offset < self.size())
    }

    /// Reads value `index`, word by word from the first. Returns `None` if there is no such value. If the device writes
    /// the value at the same time, some words may be old and some new. So after a word that states that the device is
    /// done, read the value once more.
    ///
    /// Context: any.
    pub fn read(&self, index: usize) -> Option<T> {
        self.memory.read(self.offset_of(index)?).map(T::from_words)
    }

    /// Writes value `index`, word by word from the first. The device observes the last word after all others, and the
    /// value before anything that the driver does next.
    ///
    /// If the device takes a descriptor as soon as a certain bit is set, this bit lies in the last word, or is set
    /// last, with [`write_word`](CoherentBuffer::write_word). On a 32-bit processor a 64-bit word takes two accesses,
    /// in either order: use 32-bit words for what the device waits for.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`OutOfRange`] if there is no such value.
    pub fn write(&mut self, index: usize, value: T) -> Result<(), OutOfRange> {
        let offset = self.offset_of(index).ok_or(OutOfRange)?;
        self.memory.write(offset, value.into_words())
    }

    /// Reads one word of value `index` in one access; a 64-bit word on a 32-bit processor in two. Returns `None`
    /// if there is no such value or word.
    ///
    /// Context: any.
    pub fn read_word(&self, index: usize, word: usize) -> Option<WordOf<T>> {
        self.memory.read_word::<T::Words>(self.offset_of(index)?, word)
    }

    /// Writes one word of value `index` in one access; a 64-bit word on a 32-bit processor in two.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`OutOfRange`] if there is no such value or word.
    pub fn write_word(&mut self, index: usize, word: usize, value: WordOf<T>) -> Result<(), OutOfRange> {
        let offset = self.offset_of(index).ok_or(OutOfRange)?;
        self.memory.write_word::<T::Words>(offset, word, value)
    }

    /// Copies the bytes from `offset` on to `to`, which is filled.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`OutOfRange`] if they would end after the buffer; nothing is copied.
    pub fn read_bytes(&self, offset: usize, to: &mut [u8]) -> Result<(), OutOfRange> {
        self.memory.read_bytes(offset, to)
    }

    /// Copies all of `from` to the bytes from `offset` on.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`OutOfRange`] if they would end after the buffer; nothing is copied.
    pub fn write_bytes(&mut self, offset: usize, from: &[u8]) -> Result<(), OutOfRange> {
        self.memory.write_bytes(offset, from)
    }

    /// Sets every byte to zero.
    ///
    /// Context: any.
    pub fn zero(&mut self) {
        self.memory.zero();
    }
}

impl<T: AsWords, P: Platform> fmt::Debug for CoherentBuffer<T, P> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut value = to.debug_struct("CoherentBuffer");
        value.field("handle", &self.handle).field("size", &self.size()).finish_non_exhaustive()
    }
}

impl<T: AsWords, P: Platform> Drop for CoherentBuffer<T, P> {
    fn drop(&mut self) {
        let Device { system, kernel_device } = self.device;
        // SAFETY: `coherent` allocated the memory for this value, which ends here.
        #[allow(unsafe_code)]
        unsafe {
            system.pages.free(kernel_device, self.memory.size(), self.memory.start(), self.handle)
        }
    }
}
