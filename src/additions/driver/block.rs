//! Values in blocks of a block pool.

use core::marker::PhantomData;

use super::{AsWords, BadCreate, Device, OutOfRange, Platform, WordOf, size_of_form};
use crate::additions::block_pool::set::Request;
use crate::additions::block_pool::{self, Block, PoolName};
use crate::mem::words::{DeviceMemory, Word, Words};

/// A pool of blocks of coherent memory, each for one value: see [`block_pool`].
///
/// It outlives its boxes. Dropped, which a *thread* does, it gives back all memory. A pool of which a box was
/// forgotten stays, since the box's memory is still the device's, and a line in the log says so.
pub struct BlockPool<T: AsWords, P: Platform> {
    pool: &'static block_pool::BlockPool<P::Kernel, P::Pages>,
    device: Device<P>,
    values: PhantomData<fn(T) -> T>,
}

impl<P: Platform> Device<P> {
    /// A pool that has no memory yet. `align` and `boundary` are in bytes, powers of two, or zero, as in
    /// [`Request`]. *Thread.*
    pub fn block_pool<T: AsWords>(
        &self,
        name: &str,
        align: usize,
        boundary: usize,
    ) -> Result<BlockPool<T, P>, BadCreate> {
        // A block is aligned to a word of the processor; a longer one may be two.
        let align = align.max(size_of::<WordOf<T>>());
        let name = PoolName::new(name.bytes());
        let request = Request { name, device: Some(self.device), size: size_of_form::<T>(), align, boundary };
        let pool = self.system.block_pools.create(&request)?;
        Ok(BlockPool { pool, device: *self, values: PhantomData })
    }
}

impl<T: AsWords, P: Platform> BlockPool<T, P> {
    /// A block whose words are all zero, or `None` if there is no memory. Any context while a block is free; where none
    /// is, a thread gets more memory, and an interrupt `None`.
    pub fn allocate(&self) -> Option<BlockBox<'_, T, P>> {
        let block = self.pool.allocate()?;
        // SAFETY: a block of so many bytes, which is mapped, and ours until it is given back.
        #[allow(unsafe_code)]
        let mut memory = unsafe { DeviceMemory::new(self.device.system.dma.kernel, block.va, size_of_form::<T>()) };
        memory.zero();
        Some(BlockBox { pool: self, block, memory })
    }

    /// Gives back the pages on which no block is in use, and says how many they were. *Thread.*
    pub fn trim(&self) -> usize {
        self.pool.trim()
    }
}

impl<T: AsWords, P: Platform> Drop for BlockPool<T, P> {
    fn drop(&mut self) {
        // SAFETY: this was the only one to use it, but for its boxes: they are gone, or have been forgotten, and then
        // the pool is not destroyed.
        #[allow(unsafe_code)]
        let _ = unsafe { self.device.system.block_pools.destroy(self.pool) };
    }
}

/// A block, with a value that processor and device see alike. Dropped, it is given back. Any context.
///
/// It does not outlive its pool:
///
/// ```compile_fail,E0505
/// # use rt_dma_pool::driver::*;
/// fn outlive<P: Platform>(pool: BlockPool<u32, P>) -> Option<u32> {
///     let block = pool.allocate()?;
///     drop(pool);
///     Some(block.read())
/// }
/// ```
pub struct BlockBox<'pool, T: AsWords, P: Platform> {
    pool: &'pool BlockPool<T, P>,
    block: Block,
    memory: DeviceMemory<P::Kernel>,
}

impl<T: AsWords, P: Platform> BlockBox<'_, T, P> {
    /// Where the device finds it.
    pub fn handle(&self) -> usize {
        self.block.handle
    }

    /// The value as it is now, word by word from its first.
    pub fn read(&self) -> T {
        // A block is aligned, and large enough.
        T::from_words(self.memory.read(0).unwrap_or_else(|| T::Words::gather(|_| WordOf::<T>::ZERO)))
    }

    /// Writes the value, word by word from its first. What the driver does next, the device sees after it.
    pub fn write(&mut self, value: T) {
        // As above.
        let _ = self.memory.write(0, value.into_words());
    }

    /// One word of the value, by one access.
    pub fn read_word(&self, word: usize) -> Option<WordOf<T>>
    where
        WordOf<T>: Words,
    {
        self.memory.read(word.checked_mul(size_of::<WordOf<T>>())?)
    }

    /// Writes one word of the value, by one access.
    pub fn write_word(&mut self, word: usize, value: WordOf<T>) -> Result<(), OutOfRange>
    where
        WordOf<T>: Words,
    {
        let offset = word.checked_mul(size_of::<WordOf<T>>()).ok_or(OutOfRange)?;
        self.memory.write(offset, value).ok_or(OutOfRange)
    }
}

impl<T: AsWords, P: Platform> Drop for BlockBox<'_, T, P> {
    fn drop(&mut self) {
        // It is the pool's, and was not given back before.
        let _ = self.pool.pool.free(self.block.va, self.block.handle);
    }
}
