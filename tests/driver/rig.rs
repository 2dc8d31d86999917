//! Binds drivers to devices on the fake kernel. All `unsafe` code of these tests is here.

pub use crate::fake_kernel::*;
pub use rt_dma_pool::additions::driver::*;
pub use rt_dma_pool::kernel::{MemoryType, Pa, Va};

use rt_dma_pool::additions::block_pool::pools::BlockPools;
use rt_dma_pool::additions::block_pool::{Effort, Pages};
use rt_dma_pool::additions::streaming::{BusMaster, Ops, Streaming, StreamingMaps};
use rt_dma_pool::dropin::buffer_request::BufferRequest;
use rt_dma_pool::dropin::registry::Dma;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{self, Addresses};
use rt_dma_pool::mem::handover::Unique;
use std::sync::Mutex;

/// Memory of the kernel, mapped linearly, and the pool.
pub const HEAP: Pa = LOW.start;
pub const POOL: Pa = LOW.start + 16 * MIB;
pub const POOL_SIZE: usize = MIB;

/// The offset that a bus with `dma-ranges` adds.
pub const BUS_OFFSET: usize = 0x4000_0000;

#[derive(Clone, Copy)]
pub struct Fake;

impl Platform for Fake {
    type Kernel = FakeKernel;
    type Pages = Coherent;
}

/// Coherent memory of a machine, as `rt_dma_alloc_coherent` returns it.
#[derive(Clone, Copy)]
pub struct Coherent {
    dma: &'static Dma<FakeKernel>,
    /// Bytes between the beginning of a page and the memory: not 0 if an operation of the BSP allocates so.
    offset: usize,
}

// SAFETY: the pools of the machine keep the rules of `Pages`.
unsafe impl Pages for Coherent {
    fn allocate(&self, device: kernel::Device, size: usize, _: usize, _: Effort) -> Option<(Va, usize)> {
        let ops = self.dma.choose_ops(device).ok()?;
        let request = BufferRequest::new(ops, device, size.checked_add(self.offset)?, Flags::COHERENT);
        let (va, handle) = self.dma.allocate_in_order(&request).ok()?;
        Some((va + self.offset, handle + self.offset))
    }

    unsafe fn free(&self, device: kernel::Device, size: usize, va: Va, handle: usize) {
        let ops = self.dma.choose_ops(device).expect("it was chosen to allocate");
        let (size, va, handle) = (size + self.offset, va - self.offset, handle - self.offset);
        self.dma.free(device, size, va, handle, Flags::COHERENT, ops).expect("it is given back as it was taken");
    }

    fn last_reachable(&self, _: kernel::Device) -> usize {
        usize::MAX
    }
}

/// A machine with one pool, and the system of its drivers.
pub struct Rig {
    pub machine: Machine,
    pub streaming: Streaming<'static, FakeKernel>,
    pub block_pools: &'static BlockPools<FakeKernel, Coherent>,
    system: &'static System<Fake>,
}

impl Rig {
    pub fn new() -> Self {
        let rig = Self::without_pool();
        rig.machine.install(c"dma", POOL, POOL_SIZE);
        rig
    }

    pub fn without_pool() -> Self {
        Self::with_offset(0)
    }

    /// Makes a machine without pools, whose coherent memory begins `offset` bytes after the beginning of a page.
    pub fn with_offset(offset: usize) -> Self {
        let machine = Machine::new();
        machine.premap_linear(HEAP, MIB);
        let dma = machine.dma;
        let streaming = Streaming::new(dma, keep(Box::new(StreamingMaps::new())));
        let pages = Coherent { dma, offset };
        let block_pools = keep(Box::new(BlockPools::new(machine.kernel, pages)));
        let master = move |device| {
            let ops = dma.choose_ops(device).map_err(|_| MapError::NoOperations)?;
            Ok(BusMaster { device, ops: Ops::Library(ops), mask: u32::MAX as usize })
        };
        let master: Box<dyn Fn(kernel::Device) -> Result<BusMaster, MapError> + Send + Sync> = Box::new(master);
        // SAFETY: the tests do not free what a driver has.
        let system =
            keep(Box::new(unsafe { System::new(machine.kernel, streaming, block_pools, pages, keep(master)) }));
        Rig { machine, streaming, block_pools, system }
    }

    pub fn device(&self, info: DeviceInfo) -> Device<Fake> {
        // SAFETY: the machine has made the device, and never frees it.
        unsafe { Device::new(self.system, self.machine.device(info)) }
    }

    pub fn plain(&self) -> Device<Fake> {
        self.device(DeviceInfo::plain())
    }

    /// Returns memory of the kernel, as a driver's static. A test uses each byte once.
    pub fn bytes(&self, offset: usize, size: usize) -> &'static mut [u8] {
        self.bytes_at(HEAP + offset, size)
    }

    pub fn bytes_at(&self, pa: Pa, size: usize) -> &'static mut [u8] {
        // SAFETY: the bytes are mapped as long as the machine exists, and only this value uses them.
        unsafe { std::slice::from_raw_parts_mut(self.machine.kernel.linear(pa) as *mut u8, size) }
    }

    /// Returns memory of the kernel in a buffer that records when it is dropped.
    pub fn drop_recorder(&self, offset: usize, size: usize) -> DropRecorder {
        DropRecorder { bytes: self.bytes(offset, size), dma: self.machine.dma, used_when_dropped: keep(Box::default()) }
    }

    /// Returns the number of bytes of the pool that are in use.
    pub fn used_bytes(&self) -> usize {
        self.machine.balance().used_bytes
    }

    /// Runs `driver` and checks that it has freed and unmapped everything.
    pub fn assert_balanced(&self, driver: impl FnOnce(Device<Fake>)) {
        let device = self.plain();
        // The pool's view is mapped once and never unmapped.
        drop(device.coherent::<u8>(1));
        self.streaming.trim();
        let before = self.machine.balance();
        driver(device);
        self.streaming.trim();
        assert_eq!(self.machine.balance(), before);
        assert_eq!(self.machine.take_errors(), NO_LINES);
    }
}

/// A buffer that records, when it is dropped, how many bytes of the pools are in use.
pub struct DropRecorder {
    bytes: &'static mut [u8],
    dma: &'static Dma<FakeKernel>,
    /// `None` until the buffer is dropped.
    pub used_when_dropped: &'static Mutex<Option<usize>>,
}

// SAFETY: moving the value does not move the bytes of the slice.
unsafe impl StableBytes<Unique> for DropRecorder {
    fn bytes(&mut self) -> &mut [u8] {
        self.bytes
    }
}

impl Drop for DropRecorder {
    fn drop(&mut self) {
        let used = self.dma.pools().map(|pool| pool.usage().used).sum();
        *self.used_when_dropped.lock().unwrap() = Some(used);
    }
}

/// A descriptor with a bit that gives it to the device.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Descriptor {
    pub address: u64,
    pub length: u32,
    pub is_devices: bool,
}

pub const IS_DEVICES: u32 = 1 << 31;

impl AsWords for Descriptor {
    type Words = [u32; 4];

    fn from_words(words: [u32; 4]) -> Self {
        let [low, high, length, flags] = words.map(u32::from_le);
        let address = u64::from(high) << 32 | u64::from(low);
        Descriptor { address, length, is_devices: flags & IS_DEVICES != 0 }
    }

    fn into_words(self) -> [u32; 4] {
        let flags = if self.is_devices { IS_DEVICES } else { 0 };
        [self.address as u32, (self.address >> 32) as u32, self.length, flags].map(u32::to_le)
    }
}
