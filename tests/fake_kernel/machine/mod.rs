//! A machine under test: the fake kernel, and the library over it. A test acts on it (`setup`, `calls`, `memory`,
//! `console`), and observes what happened (`observe`).

mod calls;
mod console;
mod memory;
mod observe;
mod setup;

use super::{FakeKernel, Mapped, keep};
use rt_dma_pool::dropin::map_ops::MapOps;
use rt_dma_pool::dropin::pool::{Pool, Region};
use rt_dma_pool::dropin::registry::Dma;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{Device, Pa, Va};
use rt_dma_pool::log::Name;
use std::ffi::CStr;
use std::sync::Mutex;

pub const KIB: usize = 1 << 10;
pub const MIB: usize = 1 << 20;

/// What a log without a line is compared with.
pub const NO_LINES: [&str; 0] = [];

/// A fake kernel with the library on it.
pub struct Machine {
    pub kernel: FakeKernel,
    pub dma: &'static Dma<FakeKernel>,
    /// Each device's `dma_ops`, by the index of the device; `None` until its first call.
    ops: Mutex<Vec<Option<MapOps>>>,
}

impl Machine {
    /// Makes a machine without pools and devices, whose kernel services all succeed.
    pub fn new() -> Self {
        let kernel = FakeKernel::new();
        // It is never freed, because pools are not.
        let dma = keep(Box::new(Dma::new(kernel)));
        Machine { kernel, dma, ops: Mutex::default() }
    }

    /// Makes a machine with one pool.
    pub fn with_pool(name: &'static CStr, start: Pa, size: usize) -> (Self, &'static Pool<FakeKernel>) {
        let machine = Machine::new();
        let pool = machine.install(name, start, size);
        (machine, pool)
    }
}

/// Unmaps the memory of the machine. Its library stays, and must not be called any more.
impl Drop for Machine {
    fn drop(&mut self) {
        self.kernel.0.memory.close();
    }
}

/// An entry of memblock's reserved list.
#[derive(Clone, Copy, Debug)]
pub struct ReservedRegion {
    pub start: Pa,
    pub end: Pa,
    /// Whether the region is in use, not hot-pluggable, and named as the interface requires. The library does not see
    /// other regions.
    pub usable: bool,
}

/// Makes a range of physical memory for a pool.
pub fn region(name: &'static CStr, start: Pa, size: usize) -> Region {
    Region { start, end: start + size, name: Name::of(name) }
}

/// A buffer that a test has, with everything that freeing it needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Held {
    pub device: Device,
    pub size: usize,
    pub flags: Flags,
    pub va: Va,
    pub handle: usize,
}

/// The resources of a machine that are in use. Comparing two values shows whether a call leaked something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Balance {
    /// Bytes of the heap, without the records that are kept for the next buffers with mappings of their own.
    pub heap_bytes: usize,
    pub mappings: Vec<Mapped>,
    pub used_bytes: usize,
}
