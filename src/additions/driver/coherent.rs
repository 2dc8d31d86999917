//! Values in coherent memory of one owner.

use core::marker::PhantomData;

use super::{AsWords, Device, OutOfRange, Platform, WordOf, size_of_form};
use crate::additions::block_pool::Pages;
use crate::mem::words::{DeviceMemory, Words};

/// Values of one type, one behind the other, that processor and device see alike
/// (Linux Documentation/core-api/dma-api.rst, part Ia). For bytes, it is one of `u8`.
///
/// Dropped, the memory is given back: in any context, but in a *thread* where its pool is beyond the view limit.
pub struct CoherentBuffer<T: AsWords, P: Platform> {
    memory: DeviceMemory<P::Kernel>,
    device: Device<P>,
    start: usize,
    handle: usize,
    size: usize,
    values: PhantomData<fn(T) -> T>,
}

impl<P: Platform> Device<P> {
    /// So many values of coherent memory, all of whose words are zero; `None` for none, and if no pool that serves the
    /// device has room. Any context where the system's coherent memory comes in any: see
    /// [`Dma::allocate`](crate::dropin::registry::Dma::allocate).
    pub fn coherent<T: AsWords>(&self, length: usize) -> Option<CoherentBuffer<T, P>> {
        let size = length.checked_mul(size_of_form::<T>()).filter(|size| *size != 0)?;
        let (start, handle) = self.system.pages.allocate(self.device, size)?;
        // SAFETY: the system says that so much memory is mapped there, and is ours until it is given back.
        #[allow(unsafe_code)]
        let memory = unsafe { DeviceMemory::new(self.system.dma.kernel, start, size) };
        let mut buffer = CoherentBuffer { memory, device: *self, start, handle, size, values: PhantomData };
        buffer.zero();
        Some(buffer)
    }
}

impl<T: AsWords, P: Platform> CoherentBuffer<T, P> {
    /// How many values there are, not zero.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.size / size_of_form::<T>()
    }

    /// Bytes of all values.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Where the device finds the first value.
    pub fn handle(&self) -> usize {
        self.handle
    }

    /// Where the device finds a value, if there is one of this number.
    pub fn handle_of(&self, index: usize) -> Option<usize> {
        Some(self.handle.wrapping_add(self.offset_of(index)?))
    }

    /// Where a value begins, if there is one of this number.
    fn offset_of(&self, index: usize) -> Option<usize> {
        index.checked_mul(size_of_form::<T>()).filter(|offset| *offset < self.size)
    }

    /// Where a word of a value begins.
    fn offset_of_word(&self, index: usize, word: usize) -> Option<usize> {
        let offset = word.checked_mul(size_of::<WordOf<T>>()).filter(|offset| *offset < size_of_form::<T>())?;
        self.offset_of(index)?.checked_add(offset)
    }

    /// A value as it is now, word by word from its first; `None` if there is none of this number.
    pub fn read(&self, index: usize) -> Option<T> {
        self.memory.read(self.offset_of(index)?).map(T::from_words)
    }

    /// Writes a value, word by word from its first. What the driver does next, the device sees after it.
    ///
    /// A device that takes a descriptor as soon as a bit of it is set is told by
    /// [`write_word`](CoherentBuffer::write_word), last.
    pub fn write(&mut self, index: usize, value: T) -> Result<(), OutOfRange> {
        let offset = self.offset_of(index).ok_or(OutOfRange)?;
        self.memory.write(offset, value.into_words()).ok_or(OutOfRange)
    }

    /// One word of a value, by one access.
    pub fn read_word(&self, index: usize, word: usize) -> Option<WordOf<T>>
    where
        WordOf<T>: Words,
    {
        self.memory.read(self.offset_of_word(index, word)?)
    }

    /// Writes one word of a value, by one access.
    pub fn write_word(&mut self, index: usize, word: usize, value: WordOf<T>) -> Result<(), OutOfRange>
    where
        WordOf<T>: Words,
    {
        let offset = self.offset_of_word(index, word).ok_or(OutOfRange)?;
        self.memory.write(offset, value).ok_or(OutOfRange)
    }

    /// Copies bytes out, from the byte at `offset` on: all that `to` takes, or none.
    pub fn read_bytes(&self, offset: usize, to: &mut [u8]) -> Result<(), OutOfRange> {
        self.memory.read_bytes(offset, to).ok_or(OutOfRange)
    }

    /// Copies bytes in, to the byte at `offset` and behind: all, or none.
    pub fn write_bytes(&mut self, offset: usize, from: &[u8]) -> Result<(), OutOfRange> {
        self.memory.write_bytes(offset, from).ok_or(OutOfRange)
    }

    /// Makes every word zero.
    pub fn zero(&mut self) {
        self.memory.zero();
    }
}

impl<T: AsWords, P: Platform> Drop for CoherentBuffer<T, P> {
    fn drop(&mut self) {
        let Device { system, device } = self.device;
        system.pages.free(device, self.size, self.start, self.handle);
    }
}
