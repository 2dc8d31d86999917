//! Values in memory that may be Device memory. They are read and written by whole, aligned words; each [`Word`] takes
//! one access, which the compiler neither merges with another nor omits (Arm ARM DDI 0487, B2.7.2). No reference to
//! such memory is made, because a device writes to it.

#![allow(unsafe_code)]

use core::error::Error;
use core::fmt;
use core::marker::PhantomData;
use core::ptr::{with_exposed_provenance, with_exposed_provenance_mut};

use crate::kernel::copy::copy_aligned;
use crate::kernel::{Kernel, Va};

mod sealed {
    pub trait Sealed {}
}

/// An integer that the processor reads and writes in one access. On a 32-bit processor, a 64-bit integer takes two.
pub trait Word: Words<Word = Self> + Send + Sync {}

/// A value that lies in memory as one word, or as several words of one width, one after the other.
pub trait Words: Copy + sealed::Sealed + 'static {
    /// The word. Its width is the width of every access.
    type Word: Word;
    /// Number of words, not zero.
    const COUNT: usize;
    /// Bytes of all words.
    const SIZE: usize = Self::COUNT * size_of::<Self::Word>();

    /// Makes a value of the words that `word` returns for each index, from the first to the last.
    fn from_words(word: impl FnMut(usize) -> Self::Word) -> Self;
    /// Passes each word with its index to `put`, from the first to the last.
    fn for_each_word(self, put: impl FnMut(usize, Self::Word));
}

macro_rules! integers {
    ($($integer:ty)*) => {$(
        impl sealed::Sealed for $integer {}
        impl Word for $integer {}
        impl Words for $integer {
            type Word = $integer;
            const COUNT: usize = 1;

            fn from_words(mut word: impl FnMut(usize) -> $integer) -> Self {
                word(0)
            }

            fn for_each_word(self, mut put: impl FnMut(usize, $integer)) {
                put(0, self)
            }
        }
    )*};
}
integers!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

impl<W: Word, const N: usize> sealed::Sealed for [W; N] {}
impl<W: Word, const N: usize> Words for [W; N] {
    type Word = W;
    const COUNT: usize = {
        assert!(N != 0, "a value has at least one word");
        N
    };

    fn from_words(word: impl FnMut(usize) -> W) -> Self {
        core::array::from_fn(word)
    }

    fn for_each_word(self, mut put: impl FnMut(usize, W)) {
        for (index, word) in self.into_iter().enumerate() {
            put(index, word);
        }
    }
}

/// The error of an access to a value, a word or bytes that the memory does not have. Nothing was read or written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutOfRange;

impl fmt::Display for OutOfRange {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("the memory has no such bytes")
    }
}

impl Error for OutOfRange {}

/// Mapped memory that is read and written through this value only, except by a device.
///
/// Every call is ordered for devices ([`device_barrier`](crate::kernel::Cache::device_barrier)). A read returns no
/// value from before an access that precedes the call, for example the read of a register in which the device reports
/// that it is done. The device observes a write before anything that the caller does after the call.
pub struct DeviceMemory<K: Kernel> {
    kernel: K,
    start: Va,
    size: usize,
}

impl<K: Kernel> DeviceMemory<K> {
    /// Makes a value for the `size` bytes at `start`.
    ///
    /// # Safety
    /// The bytes are mapped for reading and writing as long as the value is used. `start` is the address of a pointer
    /// with exposed provenance. No Rust value lies in the bytes, and only this value and a device access them.
    pub unsafe fn new(kernel: K, start: Va, size: usize) -> Self {
        DeviceMemory { kernel, start, size }
    }

    /// Returns the address of the first byte.
    pub fn start(&self) -> Va {
        self.start
    }

    /// Returns the number of bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Returns the address of the `size` bytes at `offset`, if they lie within the memory and `align` divides the
    /// address.
    fn address_of(&self, offset: usize, size: usize, align: usize) -> Option<Va> {
        let address = self.start.wrapping_add(offset);
        let is_within = offset.checked_add(size).is_some_and(|end| end <= self.size);
        (is_within && address.is_multiple_of(align)).then_some(address)
    }

    /// Returns the value at `offset` (in bytes); `None` if it is not aligned or would end after the memory.
    fn value_at<W: Words>(&self, offset: usize) -> Option<DeviceValue<K, W>> {
        let start = self.address_of(offset, W::SIZE, size_of::<W::Word>())?;
        Some(DeviceValue { kernel: self.kernel, start, words: PhantomData })
    }

    /// Reads the value at `offset` (in bytes), as [`DeviceValue::read`]. Returns `None` if it is not aligned or would
    /// end after the memory.
    ///
    /// Context: any.
    pub fn read<W: Words>(&self, offset: usize) -> Option<W> {
        Some(self.value_at(offset)?.read())
    }

    /// Writes the value at `offset` (in bytes), as [`DeviceValue::write`].
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`OutOfRange`] if the value is not aligned or would end after the memory; nothing is written.
    pub fn write<W: Words>(&mut self, offset: usize, value: W) -> Result<(), OutOfRange> {
        self.value_at(offset).ok_or(OutOfRange)?.write(value);
        Ok(())
    }

    /// Reads word `index` of the value at `offset` (in bytes) as one [`Word`]. Returns `None` if the value is not
    /// aligned or would end after the memory, or has no such word.
    ///
    /// Context: any.
    pub fn read_word<W: Words>(&self, offset: usize, index: usize) -> Option<W::Word> {
        self.value_at::<W>(offset)?.read_word(index)
    }

    /// Writes word `index` of the value at `offset` (in bytes) as one [`Word`].
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`OutOfRange`] if the value is not aligned or would end after the memory, or has no such word.
    pub fn write_word<W: Words>(&mut self, offset: usize, index: usize, value: W::Word) -> Result<(), OutOfRange> {
        self.value_at::<W>(offset).ok_or(OutOfRange)?.write_word(index, value)
    }

    /// Copies bytes from the memory to `to`.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`OutOfRange`] if the bytes would end after the memory; nothing is copied.
    pub fn read_bytes(&self, offset: usize, to: &mut [u8]) -> Result<(), OutOfRange> {
        let from = with_exposed_provenance(self.address_of(offset, to.len(), 1).ok_or(OutOfRange)?);
        self.kernel.device_barrier();
        // SAFETY: `to.len()` bytes lie within mapped memory. `to` is a Rust value and therefore does not lie there.
        unsafe { copy_aligned(to.as_mut_ptr(), from, to.len()) };
        self.kernel.device_barrier();
        Ok(())
    }

    /// Copies `from` to the memory.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`OutOfRange`] if the bytes would end after the memory; nothing is copied.
    pub fn write_bytes(&mut self, offset: usize, from: &[u8]) -> Result<(), OutOfRange> {
        let to = with_exposed_provenance_mut(self.address_of(offset, from.len(), 1).ok_or(OutOfRange)?);
        // SAFETY: `from.len()` bytes lie within mapped memory. `from` is a Rust value and therefore does not lie there.
        unsafe { copy_aligned(to, from.as_ptr(), from.len()) };
        self.kernel.device_barrier();
        Ok(())
    }

    /// Sets every byte to zero. It does not use `memset`, whose `dc zva` faults on Device memory (Arm ARM, DC ZVA). The
    /// device observes the zeros before anything that is written after this call.
    ///
    /// Context: any.
    pub fn zero(&mut self) {
        const WORD: usize = size_of::<usize>();
        let mut at = 0;
        while at < self.size {
            // The memory may begin or end in the middle of a word.
            let step = match self.address_of(at, WORD, WORD) {
                Some(address) => {
                    // SAFETY: the word lies within mapped memory and is aligned.
                    unsafe { with_exposed_provenance_mut::<usize>(address).write_volatile(0) };
                    WORD
                }
                None => {
                    // SAFETY: the byte lies within mapped memory.
                    unsafe { with_exposed_provenance_mut::<u8>(self.start.wrapping_add(at)).write_volatile(0) };
                    1
                }
            };
            at = at.saturating_add(step);
        }
        self.kernel.device_barrier();
    }
}

/// One value in mapped memory, which is read and written as [`DeviceMemory`] is.
pub struct DeviceValue<K: Kernel, W: Words> {
    kernel: K,
    start: Va,
    words: PhantomData<fn(W) -> W>,
}

impl<K: Kernel, W: Words> DeviceValue<K, W> {
    /// Makes a value of the memory at `start`, and sets every byte of it to zero.
    ///
    /// # Safety
    /// As for [`DeviceMemory::new`], for the [`SIZE`](Words::SIZE) bytes of the value. `start` is a multiple of the
    /// size of a word.
    pub unsafe fn zeroed(kernel: K, start: Va) -> Self {
        // SAFETY: the caller guarantees it.
        unsafe { DeviceMemory::new(kernel, start, W::SIZE) }.zero();
        DeviceValue { kernel, start, words: PhantomData }
    }

    /// Returns word `index`, which is a value too; `None` if there is no such word.
    fn word_at(&self, index: usize) -> Option<DeviceValue<K, W::Word>> {
        let start = self.start.wrapping_add(index.wrapping_mul(size_of::<W::Word>()));
        (index < W::COUNT).then_some(DeviceValue { kernel: self.kernel, start, words: PhantomData })
    }

    /// Reads the value, word by word in rising order. It is newer than what was read before this call, and older than
    /// what is read after it.
    ///
    /// Context: any.
    pub fn read(&self) -> W {
        let words = with_exposed_provenance::<W::Word>(self.start);
        self.kernel.device_barrier();
        // SAFETY: the words of the value lie within mapped memory and are aligned; `from_words` uses no other index.
        let value = W::from_words(|at| unsafe { words.wrapping_add(at).read_volatile() });
        self.kernel.device_barrier();
        value
    }

    /// Writes the value, word by word in rising order. The device observes the last word after all others, and the
    /// value before anything that is written after this call.
    ///
    /// Context: any.
    pub fn write(&mut self, value: W) {
        let words = with_exposed_provenance_mut::<W::Word>(self.start);
        value.for_each_word(|at, word| {
            // The last word may have the bit that gives the others to the device.
            if at != 0 && at.wrapping_add(1) == W::COUNT {
                self.kernel.device_barrier();
            }
            // SAFETY: the words of the value lie within mapped memory and are aligned; `for_each_word` uses no other
            // index.
            unsafe { words.wrapping_add(at).write_volatile(word) }
        });
        self.kernel.device_barrier();
    }

    /// Reads word `index` as one [`Word`]. Returns `None` if the value has no such word.
    ///
    /// Context: any.
    pub fn read_word(&self, index: usize) -> Option<W::Word> {
        Some(self.word_at(index)?.read())
    }

    /// Writes word `index` as one [`Word`].
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`OutOfRange`] if the value has no such word.
    pub fn write_word(&mut self, index: usize, value: W::Word) -> Result<(), OutOfRange> {
        self.word_at(index).ok_or(OutOfRange)?.write(value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::testing::{HeapOnly, Services};
    use std::cell::RefCell;
    use std::vec::Vec;

    /// Makes memory of 8-byte words, which are aligned for every integer, with a frame around it.
    fn memory(frame: &mut [u64; 6], start: usize, size: usize) -> DeviceMemory<HeapOnly> {
        // SAFETY: the memory lies in the middle of the array, which the test does not use meanwhile.
        unsafe { DeviceMemory::new(HeapOnly, frame.as_mut_ptr().expose_provenance() + 8 + start, size) }
    }

    // The offsets are those of words of 8 bytes, and of a u64 that is aligned to 8: on i686 it is aligned to 4.
    #[cfg(target_pointer_width = "64")]
    #[test]
    fn only_what_lies_within_and_is_aligned() {
        let mut frame = [!0; 6];
        let mut memory = memory(&mut frame, 0, 20);
        assert_eq!(memory.write(16, 1u32), Ok(()));
        assert_eq!(memory.write(12, [2u32, 3]), Ok(()));
        assert_eq!(memory.read(12), Some([2u32, 3]));
        assert_eq!(memory.read::<u64>(8), Some(u64::from_ne_bytes(*b"\xff\xff\xff\xff\x02\0\0\0")));
        for offset in [17, 20, usize::MAX - 3, usize::MAX] {
            assert_eq!(memory.write(offset, 0u32), Err(OutOfRange), "{offset}");
            assert_eq!(memory.read::<[u32; 2]>(offset), None, "{offset}");
            assert_eq!(memory.write_bytes(offset, &[0; 4]), Err(OutOfRange), "{offset}");
        }
        assert_eq!(memory.read::<u32>(2), None);
        assert_eq!(memory.read::<u64>(4), None);
        assert_eq!(memory.write(16, [0u32, 0]), Err(OutOfRange));
        let mut bytes = [0; 5];
        assert_eq!(memory.read_bytes(16, &mut bytes), Err(OutOfRange));
        assert_eq!(memory.read_bytes(15, &mut bytes), Ok(()));
        assert_eq!(bytes, [0, 3, 0, 0, 0]);
        assert_eq!((frame[0], frame[4], frame[5]), (!0, !0, !0));
    }

    /// A kernel that keeps what the three words at this address are at each barrier.
    #[derive(Clone, Copy)]
    struct Watched(Va);

    std::thread_local! {
        static AT_BARRIERS: RefCell<Vec<[u32; 3]>> = const { RefCell::new(Vec::new()) };
    }

    // SAFETY: the kernel maps nothing.
    unsafe impl Services for Watched {
        fn device_barrier(&self) {
            // SAFETY: the test below has the words there, and no reference to them meanwhile.
            let words = unsafe { with_exposed_provenance::<[u32; 3]>(self.0).read_volatile() };
            AT_BARRIERS.with_borrow_mut(|at_barriers| at_barriers.push(words));
        }
    }

    /// The last word may have the bit that gives a descriptor to the device.
    #[test]
    fn the_device_observes_the_last_word_after_all_others() {
        let mut words = [0u32; 3];
        let start = words.as_mut_ptr().expose_provenance();
        // SAFETY: the test does not use the array meanwhile.
        let mut memory = unsafe { DeviceMemory::new(Watched(start), start, size_of_val(&words)) };
        assert_eq!(memory.write(0, [1u32, 2, 3]), Ok(()));
        assert_eq!(memory.write(0, 4u32), Ok(()));
        assert_eq!(AT_BARRIERS.take(), [[1, 2, 0], [1, 2, 3], [4, 2, 3]]);
    }

    #[test]
    fn zero_covers_every_byte_and_no_other() {
        for (start, size) in (0..9).flat_map(|start| (0..24).map(move |size| (start, size))) {
            let mut frame = [!0; 6];
            memory(&mut frame, start, size).zero();
            let bytes: Vec<_> = frame.iter().flat_map(|word| word.to_ne_bytes()).collect();
            let zeros = 8 + start..8 + start + size;
            assert!(bytes.iter().enumerate().all(|(at, byte)| (*byte == 0) == zeros.contains(&at)), "{start} {size}");
        }
    }
}
