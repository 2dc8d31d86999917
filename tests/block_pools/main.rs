//! Tests pools of small blocks. Each file has one subject.

#[path = "../fake_kernel/mod.rs"]
mod fake_kernel;

mod calls;
mod failures;
mod lending;
mod masks;
mod properties;
mod reserve;
mod sources;
mod text;
mod threads;

use fake_kernel::*;
use rt_dma_pool::additions::block_pool::pools::{BlockPoolSpec, BlockPools, CreateError};
use rt_dma_pool::additions::block_pool::usage::BlockUsage;
use rt_dma_pool::additions::block_pool::{Block, BlockPool, Effort, Pages, PoolName};
use rt_dma_pool::dropin::buffer_request::BufferRequest;
use rt_dma_pool::dropin::registry::Dma;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{Device, Pa, Va};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

pub const START: Pa = LOW.start;

/// The addresses of leaked values: as long as a static refers to them, the leak sanitizer does not report them.
static KEPT: Mutex<Vec<usize>> = Mutex::new(Vec::new());

pub fn keep<T>(value: T) -> &'static T {
    let value: &'static T = Box::leak(Box::new(value));
    KEPT.lock().unwrap().push(value as *const T as usize);
    value
}

/// Coherent memory of a machine, as `rt_dma_alloc_coherent` returns it.
#[derive(Clone, Copy)]
pub struct Coherent(&'static Dma<FakeKernel>, &'static AtomicUsize);

const COHERENT: Flags = Flags::NOCACHE.union(Flags::LINEAR);

// SAFETY: the machine's pools fulfil the duties of `Pages`.
unsafe impl Pages for Coherent {
    fn allocate(&self, device: Device, size: usize, align: usize, effort: Effort) -> Option<(Va, usize)> {
        let ops = self.0.choose_ops(device).ok()?;
        let mask = self.last_reachable(device) as u64;
        let request = BufferRequest { ops, device, size, flags: COHERENT, mask, align };
        match effort {
            Effort::AsksBorrowers => self.0.allocate_in_order(&request).ok(),
            Effort::FailsCounted => self.0.allocate_without_reclaim(&request),
            Effort::FailsUncounted => self.0.allocate_without_reclaim_uncounted(&request),
        }
    }

    fn failed_waits(&self) -> usize {
        self.0.failed_waits()
    }

    unsafe fn free(&self, device: Device, size: usize, va: Va, handle: usize) {
        let ops = self.0.choose_ops(device).expect("it was chosen to allocate");
        self.0.free(device, size, va, handle, COHERENT, ops).expect("a span is given back as it was taken");
    }

    /// The coherent mask, which all devices of the machine share.
    fn last_reachable(&self, _: Device) -> usize {
        self.1.load(Relaxed)
    }
}

pub type Pool<P = Coherent> = BlockPool<FakeKernel, P>;
pub type Pools<P = Coherent> = BlockPools<FakeKernel, P>;

/// A machine with one region of DMA memory, a device, and block pools.
pub struct Blocks {
    pub machine: Machine,
    pub pools: &'static Pools,
    pub device: Device,
    mask: &'static AtomicUsize,
}

#[allow(clippy::new_without_default)]
impl Blocks {
    pub fn new() -> Self {
        Self::with_pages(1024)
    }

    pub fn with_pages(pages: usize) -> Self {
        let (machine, _) = Machine::with_pool(c"dma", START, pages * PAGE);
        Self::of(machine)
    }

    pub fn of(machine: Machine) -> Self {
        let mask = keep(AtomicUsize::new(usize::MAX));
        let pools = keep(Pools::new(machine.kernel, Coherent(machine.dma, mask)));
        let device = machine.plain_device();
        Blocks { machine, pools, device, mask }
    }

    /// Sets the coherent mask, as `rt_dma_set_coherent_mask` does.
    pub fn set_mask(&self, mask: usize) {
        self.mask.store(mask, Relaxed);
        self.pools.follow_mask(self.device);
    }

    /// The memory of the pools.
    pub fn source(&self) -> Coherent {
        Coherent(self.machine.dma, self.mask)
    }

    pub fn create(&self, size: usize, align: usize, boundary: usize) -> &'static Pool {
        self.try_create(size, align, boundary).unwrap()
    }

    /// Creates a pool that keeps a reserve.
    pub fn create_linux(&self, size: usize, align: usize, boundary: usize) -> &'static Pool {
        let request = request(Some(self.device), size, align, boundary);
        self.pools.create_linux(&request, self.source()).unwrap()
    }

    pub fn try_create(&self, size: usize, align: usize, boundary: usize) -> Result<&'static Pool, CreateError> {
        self.pools.create(&request(Some(self.device), size, align, boundary))
    }

    /// Destroys a pool that has no block in use. All its pages are freed.
    pub fn destroy(&self, pool: &'static Pool) {
        // SAFETY: tests do not use a pool after they destroyed it.
        unsafe { self.pools.destroy(pool) }.unwrap();
    }

    pub fn list(&self) -> Vec<String> {
        self.pools.list_pools();
        self.machine.take_printed()
    }
}

pub fn request(device: Option<Device>, size: usize, align: usize, boundary: usize) -> BlockPoolSpec {
    BlockPoolSpec { name: PoolName::new(*b"blocks"), device, size, align, boundary }
}

pub fn usage(in_use: usize, blocks: usize, pages: usize) -> BlockUsage {
    BlockUsage { in_use, blocks, pages }
}

/// Allocates a block, and checks that its virtual address leads to its handle.
pub fn take(blocks: &Blocks, pool: &Pool) -> Block {
    let block = pool.allocate().expect("there is memory");
    assert_eq!(blocks.machine.at(block.va).expect("it is mapped").0, block.handle);
    block
}

pub fn free_all(pool: &Pool, held: impl IntoIterator<Item = Block>) {
    held.into_iter().for_each(|block| pool.free(block.va, block.handle).unwrap());
}
