//! What the processor and devices read and write, and the cache between them.

use super::Machine;
use rt_dma_pool::kernel::{Addresses, MemoryType, Pa, Va};

impl Machine {
    /// Returns the physical address and the memory type to which `va` is mapped.
    pub fn translate(&self, va: Va) -> Option<(Pa, MemoryType)> {
        self.kernel.0.memory.translate(va)
    }

    /// Returns the physical address to which `va` is mapped. Panics if it is not mapped.
    #[track_caller]
    pub fn pa_of(&self, va: Va) -> Pa {
        self.translate(va).expect("it is mapped").0
    }

    /// Returns the linear address of `pa`, which must be mapped.
    pub fn linear_va(&self, pa: Pa) -> Va {
        assert!(self.is_linear(pa), "{pa:#x} is not mapped linearly");
        self.kernel.linear(pa)
    }

    /// Returns whether the linear map contains this page.
    pub fn is_linear(&self, pa: Pa) -> bool {
        self.translate(self.kernel.linear(pa)).is_some()
    }

    /// Writes as the processor does: through the cache if the mapping is cached.
    pub fn cpu_write(&self, va: Va, bytes: &[u8]) {
        self.kernel.store(va, bytes);
    }

    /// Reads as the processor does: through the cache if the mapping is cached.
    pub fn cpu_read(&self, va: Va, size: usize) -> Vec<u8> {
        self.kernel.load(va, size)
    }

    /// Writes through the host's own mapping, without the cache model.
    pub fn poke(&self, va: Va, bytes: &[u8]) {
        self.kernel.0.memory.write(va, bytes);
    }

    /// Reads through the host's own mapping, without the cache model.
    pub fn peek(&self, va: Va, size: usize) -> Vec<u8> {
        let mut bytes = vec![0; size];
        self.kernel.0.memory.read(va, &mut bytes);
        bytes
    }

    /// Reads the library's own memory, as C code does that follows a pointer of `struct rt_dma_pool`.
    pub fn peek_host<const N: usize>(&self, address: usize) -> [u8; N] {
        // SAFETY: tests pass the bitmap of a pool, which is never freed, and do not write to it meanwhile.
        unsafe { (address as *const [u8; N]).read_unaligned() }
    }

    pub fn device_write(&self, pa: Pa, bytes: &[u8]) {
        self.kernel.0.memory.device_write(pa, bytes);
    }

    pub fn device_read(&self, pa: Pa, size: usize) -> Vec<u8> {
        let mut bytes = vec![0; size];
        self.kernel.0.memory.device_read(pa, &mut bytes);
        bytes
    }

    /// Writes as a device that snoops the processor's cache.
    pub fn snooping_write(&self, pa: Pa, bytes: &[u8]) {
        self.kernel.0.cache.lock().unwrap().snoop(&self.kernel.0.memory, pa, bytes.len());
        self.device_write(pa, bytes);
    }

    /// Reads as a device that snoops the processor's cache.
    pub fn snooping_read(&self, pa: Pa, size: usize) -> Vec<u8> {
        self.kernel.0.cache.lock().unwrap().snoop(&self.kernel.0.memory, pa, size);
        self.device_read(pa, size)
    }

    /// Empties the cache, and sets the length of its longer lines, in bytes; the others have [`LINE`](crate::fake_kernel::LINE).
    pub fn set_largest_line(&self, bytes: usize) {
        self.kernel.0.cache.lock().unwrap().set_largest_line(&self.kernel.0.memory, bytes);
    }

    /// Makes the kernel report this as the length of the longer lines, which keep their length.
    pub fn set_reported_line(&self, bytes: usize) {
        self.kernel.0.cache.lock().unwrap().reported_line = bytes;
    }

    /// Makes a flush leave lines in the cache, clean.
    pub fn keep_flushed_lines(&self) {
        self.kernel.0.cache.lock().unwrap().keeps_flushed = true;
    }

    /// Returns whether the cache has a line that contains a byte of `[pa, pa + size)`.
    pub fn has_cache_line(&self, pa: Pa, size: usize) -> bool {
        self.kernel.0.cache.lock().unwrap().has_line(pa, size)
    }

    /// Writes every dirty line to memory, and empties the cache.
    pub fn evict_cache(&self) {
        self.kernel.0.cache.lock().unwrap().evict(&self.kernel.0.memory);
    }
}
