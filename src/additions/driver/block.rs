//! Values in blocks of a block pool.

use core::marker::PhantomData;

use super::{AsWords, CreateError, Device, OutOfRange, Platform, WordOf, size_in_memory};
use crate::additions::block_pool::pools::BlockPoolSpec;
use crate::additions::block_pool::{self, Block, PoolName};
use crate::kernel::Handle;
use crate::mem::device_memory::DeviceValue;

/// A pool of blocks of coherent memory, each for one value: see [`block_pool`].
///
/// The pool outlives its boxes. Dropping it in a thread frees all memory. In two cases the pool and its memory stay
/// for ever:
///
/// * A box was forgotten ([`core::mem::forget`]), because a device may still use the memory of the box. A line in the
///   log has the number of such boxes. A further line for each of the first eight has its address.
/// * The pool is dropped where the caller may not sleep. `list_dma_block_pool` counts the drop as a refused call, and
///   still lists the pool.
pub struct BlockPool<T: AsWords, P: Platform> {
    blocks: &'static block_pool::BlockPool<P::Kernel, P::Pages>,
    device: Device<P>,
    /// The pool has no `T`: it makes words of a value, and a value of words. So threads can share the pool whatever `T`
    /// is.
    values: PhantomData<fn(T) -> T>,
}

impl<P: Platform> Device<P> {
    /// Makes a pool that has no memory yet.
    ///
    /// * `name` is for the log and for `list_dma_block_pool`. Its first 31 bytes are kept.
    /// * `align` is in bytes, a power of two, at most a page. Every block is aligned to it, and to a word. Zero: as 1.
    /// * `boundary` is in bytes, a power of two. No block crosses a multiple of it in the device's address space. It is
    ///   at least the size of a block: that of the words of `T`, rounded up to the alignment. Zero: no boundary.
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// See [`CreateError`].
    ///
    /// # Examples
    ///
    /// Commands of four words, which the device wants at multiples of 64 bytes:
    ///
    /// ```
    /// use rt_dma_pool::driver::{CreateError, Device, Platform};
    ///
    /// /// Starts the device with a command, and returns the first word that the device has written over it.
    /// fn run<P: Platform>(device: Device<P>, start_and_wait: impl Fn(usize)) -> Result<Option<u32>, CreateError> {
    ///     let commands = device.block_pool::<[u32; 4]>("commands", 64, 0)?;
    ///     let Some(mut command) = commands.allocate() else { return Ok(None) };
    ///     command.write([1, 2, 3, 4].map(u32::to_le));
    ///     start_and_wait(command.handle());
    ///     Ok(command.read_word(0).map(u32::from_le))
    /// }
    /// ```
    pub fn block_pool<T: AsWords>(
        &self,
        name: &str,
        align: usize,
        boundary: usize,
    ) -> Result<BlockPool<T, P>, CreateError> {
        let name = PoolName::new(name.bytes());
        let spec =
            BlockPoolSpec { name, device: Some(self.kernel_device), size: size_in_memory::<T>(), align, boundary };
        let blocks = self.system.block_pools.create(&spec)?;
        Ok(BlockPool { blocks, device: *self, values: PhantomData })
    }
}

impl<T: AsWords, P: Platform> BlockPool<T, P> {
    /// Allocates a block, whose words are all zero. Returns `None` if there is no memory.
    ///
    /// Context: any. If no block is free, a thread allocates more memory; any other caller gets `None`.
    pub fn allocate(&self) -> Option<BlockBox<'_, T, P>> {
        let block = self.blocks.allocate()?;
        // SAFETY: the block has the size of the value. It is mapped, and used by this box only until it is freed. It is
        // aligned for the words, because the size of a word divides that of the block (see `BlockPoolSpec::align`).
        #[allow(unsafe_code)]
        let value = unsafe { DeviceValue::zeroed(self.device.system.kernel, block.va) };
        Some(BlockBox { pool: self, block, value })
    }

    /// Frees the pages on which no block is in use. Returns their number.
    ///
    /// Context: thread.
    pub fn trim(&self) -> usize {
        self.blocks.trim()
    }
}

impl<T: AsWords, P: Platform> Drop for BlockPool<T, P> {
    fn drop(&mut self) {
        // SAFETY: only this value and its boxes use the pool. The boxes have been dropped; if one was forgotten,
        // `destroy` refuses.
        #[allow(unsafe_code)]
        let _ = unsafe { self.device.system.block_pools.destroy(self.blocks) };
    }
}

/// A block with a value that the processor and the device can access at any time. Dropping it frees the block.
///
/// Context of the drop: any.
///
/// A box does not outlive its pool:
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
    value: DeviceValue<P::Kernel, T::Words>,
}

impl<T: AsWords, P: Platform> BlockBox<'_, T, P> {
    /// Returns the address at which the device accesses the block.
    pub fn handle(&self) -> Handle {
        self.block.handle
    }

    /// Reads the value, word by word from the first. If the device writes the value at the same time, some words may be
    /// old and some new. So after a word that states that the device is done, read the value once more.
    ///
    /// Context: any.
    pub fn read(&self) -> T {
        T::from_words(self.value.read())
    }

    /// Writes the value as [`CoherentBuffer::write`](super::CoherentBuffer::write).
    ///
    /// Context: any.
    pub fn write(&mut self, value: T) {
        self.value.write(value.into_words());
    }

    /// Reads one word of the value in one access; a 64-bit word on a 32-bit processor in two. Returns `None` if the
    /// value has no such word.
    ///
    /// Context: any.
    pub fn read_word(&self, word: usize) -> Option<WordOf<T>> {
        self.value.read_word(word)
    }

    /// Writes one word of the value in one access; a 64-bit word on a 32-bit processor in two.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// [`OutOfRange`] if the value has no such word.
    pub fn write_word(&mut self, word: usize, value: WordOf<T>) -> Result<(), OutOfRange> {
        self.value.write_word(word, value)
    }
}

impl<T: AsWords, P: Platform> Drop for BlockBox<'_, T, P> {
    fn drop(&mut self) {
        // An error does not occur: the block is the pool's, and is freed this once.
        let _ = self.pool.blocks.free(self.block.va, self.block.handle);
    }
}
