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
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Coherent memory of a machine, as `rt_dma_alloc_coherent` returns it.
#[derive(Clone, Copy)]
struct Coherent {
    dma: &'static Dma<FakeKernel>,
    /// The coherent mask, which all devices of the machine share.
    mask: &'static AtomicUsize,
}

const COHERENT: Flags = Flags::NOCACHE.union(Flags::LINEAR);

// SAFETY: the machine's pools fulfil the duties of `Pages`.
unsafe impl Pages for Coherent {
    fn allocate(&self, device: Device, size: usize, align: usize, effort: Effort) -> Option<(Va, usize)> {
        let (ops, mask) = (self.dma.choose_ops(device).ok()?, self.last_reachable(device) as u64);
        let request = BufferRequest { ops, device, size, flags: COHERENT, mask, align };
        match effort {
            Effort::AsksBorrowers => self.dma.allocate_in_order(&request).ok(),
            Effort::FailsCounted => self.dma.allocate_without_reclaim(&request),
            Effort::FailsUncounted => self.dma.allocate_without_reclaim_uncounted(&request),
        }
    }

    fn failed_waits(&self) -> usize {
        self.dma.failed_waits()
    }

    unsafe fn free(&self, device: Device, size: usize, va: Va, handle: usize) {
        let ops = self.dma.choose_ops(device).expect("it was chosen to allocate");
        self.dma.free(device, size, va, handle, COHERENT, ops).expect("a span is given back as it was taken");
    }

    fn last_reachable(&self, _: Device) -> usize {
        self.mask.load(Relaxed)
    }
}

type Pool<P = Coherent> = BlockPool<FakeKernel, P>;
type Pools<P = Coherent> = BlockPools<FakeKernel, P>;

/// A machine with one region of DMA memory, a device, and block pools.
struct Rig {
    machine: Machine,
    pools: &'static Pools,
    device: Device,
    mask: &'static AtomicUsize,
}

impl Rig {
    fn new() -> Self {
        Self::with_pages(1024)
    }

    fn with_pages(pages: usize) -> Self {
        let (machine, _) = Machine::with_pool(c"dma", START, pages * PAGE);
        Self::of(machine)
    }

    fn of(machine: Machine) -> Self {
        let mask = keep(Box::new(AtomicUsize::new(usize::MAX)));
        let pools = keep(Box::new(Pools::new(machine.kernel, Coherent { dma: machine.dma, mask })));
        let device = machine.plain_device();
        Rig { machine, pools, device, mask }
    }

    /// Sets the coherent mask, as `rt_dma_set_coherent_mask` does.
    fn set_mask(&self, mask: usize) {
        self.mask.store(mask, Relaxed);
        self.pools.follow_mask(self.device);
    }

    /// The memory of the pools.
    fn source(&self) -> Coherent {
        Coherent { dma: self.machine.dma, mask: self.mask }
    }

    fn create(&self, size: usize, align: usize, boundary: usize) -> &'static Pool {
        self.try_create(size, align, boundary).unwrap()
    }

    /// Creates a pool that keeps a reserve.
    fn create_linux(&self, size: usize, align: usize, boundary: usize) -> &'static Pool {
        let spec = spec(Some(self.device), size, align, boundary);
        self.pools.create_linux(&spec, self.source()).unwrap()
    }

    fn try_create(&self, size: usize, align: usize, boundary: usize) -> Result<&'static Pool, CreateError> {
        self.pools.create(&spec(Some(self.device), size, align, boundary))
    }

    /// Destroys a pool that has no block in use. All its pages are freed.
    fn destroy(&self, pool: &'static Pool) {
        // SAFETY: tests do not use a pool after they destroyed it.
        unsafe { self.pools.destroy(pool) }.unwrap();
    }

    fn list(&self) -> Vec<String> {
        self.pools.list_pools();
        self.machine.take_printed()
    }
}

fn spec(device: Option<Device>, size: usize, align: usize, boundary: usize) -> BlockPoolSpec {
    BlockPoolSpec { name: PoolName::new(*b"blocks"), device, size, align, boundary }
}

fn usage(in_use: usize, blocks: usize, pages: usize) -> BlockUsage {
    BlockUsage { in_use, blocks, pages }
}

/// Allocates a block, and checks that its virtual address leads to its handle.
fn take(rig: &Rig, pool: &Pool) -> Block {
    let block = pool.allocate().expect("there is memory");
    assert_eq!(rig.machine.pa_of(block.va), block.handle);
    block
}

fn free_all<P: Pages>(pool: &Pool<P>, held: impl IntoIterator<Item = Block>) {
    held.into_iter().for_each(|block| pool.free(block.va, block.handle).unwrap());
}
