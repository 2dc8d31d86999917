//! A kernel for tests: an implementation of [`Kernel`] over a memory file, which records the calls that it gets.
//!
//! It is stricter than a real one. A service that may sleep panics when the library calls it with a lock held, in an
//! interrupt or with interrupts masked; so does a line of text that is written with a lock or a turn held, a cache
//! operation on memory that is not mapped, a second mapping at a linear address, an unmap of an address that is not
//! mapped, and a free of memory that the heap did not return.

#![allow(dead_code, unused_imports)] // Each test crate uses its part.

mod cache;
mod context;
mod devices;
mod kept;
mod machine;
mod memory;
mod printf;
mod reserved_memory;
mod services;
mod threads;

pub use cache::{CacheCall, LINE, Maintenance};
pub use devices::{DeviceInfo, bus_range, named_region};
pub use kept::keep;
pub use machine::{Held, KIB, MIB, Machine, NO_LINES, ReservedRegion, region};
pub use memory::{HIGH, LOW, Mapped, WrongMapping};
pub use reserved_memory::{BootMemory, SharedPoolNode};
pub use threads::{CORES, SetAtEnd, on_every_core};

use cache::Cache;
use memory::Memory;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{Cache as _, Device, MemoryType, NamedRegion, PAGE_SIZE, Pa, Threads, Va};
use rt_dma_pool::log::Level;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};

pub const PAGE: usize = PAGE_SIZE;

/// Where most tests have their pool.
pub const START: Pa = LOW.start;

/// The flags of a request for cached memory.
pub const CACHED: Flags = Flags::empty();

/// A service that a test can make fail.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Service {
    HeapAlloc,
    Map,
    MapLinear,
    BusRanges,
    /// Memblock's reservation.
    Reserve,
    /// Reading a region of a device's node: the heap has no room for what the kernel needs.
    MemoryRegion,
    /// `map` succeeds, but the mapping leads to other memory.
    MapWrong(WrongMapping),
    /// `map_linear` succeeds, but its first page leads to other memory.
    MapLinearWrong,
}

/// Which calls of a service fail, and the number of its calls so far.
#[derive(Clone, Copy)]
struct FailingCalls {
    calls: usize,
    first: usize,
    count: usize,
}

type Handler = Arc<dyn Fn() + Send + Sync>;

#[derive(Default)]
struct Records {
    heap: HashMap<usize, usize>,
    failing: HashMap<Service, FailingCalls>,
    log: Vec<(Level, String)>,
    /// What the shell has printed.
    printed: String,
    devices: Vec<DeviceInfo>,
    /// memblock's reserved list; `None` in a kernel without memblock.
    reserved: Option<Vec<ReservedRegion>>,
    boot: BootMemory,
}

/// The state of a kernel.
pub struct Inner {
    memory: Memory,
    cache: Mutex<Cache>,
    records: Mutex<Records>,
    view_limit: AtomicUsize,
    maps_at_install: AtomicBool,
    /// The size of the largest mapping that the kernel has room for, in bytes.
    largest_mapping: AtomicUsize,
    caches_write_through: AtomicBool,
    has_page_tables: AtomicBool,
    /// Whether the interface is that of revision r1.
    sets_linear_always: AtomicBool,
    /// Runs on a core where an interrupt may come: see [`FakeKernel::let_interrupt_come`].
    interrupt_handler: RwLock<Option<Handler>>,
    /// Runs in the thread that writes a line.
    console_driver: RwLock<Option<Handler>>,
    maps: AtomicUsize,
    barriers: AtomicUsize,
    /// The numbers of calls of `v2p`, of `irq_save` and of `pause`.
    look_ups: AtomicUsize,
    irq_saves: AtomicUsize,
    ticks: AtomicUsize,
}

/// The kernel: a reference that can be copied.
#[derive(Clone, Copy)]
pub struct FakeKernel(&'static Inner);

/// All kernels. They are never freed, because pools refer to them, and no pool is freed.
static KERNELS: Mutex<Vec<&'static Inner>> = Mutex::new(Vec::new());

impl FakeKernel {
    fn new() -> Self {
        let inner: &'static Inner = Box::leak(Box::new(Inner {
            memory: Memory::new(),
            cache: Mutex::default(),
            records: Mutex::default(),
            view_limit: AtomicUsize::new(64 << 20),
            maps_at_install: AtomicBool::new(false),
            largest_mapping: AtomicUsize::new(usize::MAX),
            caches_write_through: AtomicBool::new(true),
            has_page_tables: AtomicBool::new(true),
            sets_linear_always: AtomicBool::new(false),
            interrupt_handler: RwLock::default(),
            console_driver: RwLock::default(),
            maps: AtomicUsize::new(0),
            barriers: AtomicUsize::new(0),
            look_ups: AtomicUsize::new(0),
            irq_saves: AtomicUsize::new(0),
            ticks: AtomicUsize::new(0),
        }));
        KERNELS.lock().unwrap().push(inner);
        FakeKernel(inner)
    }

    fn records(&self) -> MutexGuard<'static, Records> {
        self.0.records.lock().unwrap()
    }

    /// Counts a call of a service, and returns whether it fails.
    fn count_and_check_failure(&self, service: Service) -> bool {
        match self.records().failing.get_mut(&service) {
            Some(failing) => {
                let number = failing.calls;
                failing.calls += 1;
                (failing.first..failing.first.saturating_add(failing.count)).contains(&number)
            }
            None => false,
        }
    }

    /// Checks that sleeping is allowed, and lets an interrupt come. Every service that may sleep begins with it.
    fn begin_sleeping(&self, service: &str) {
        assert!(context::can_sleep(), "{service} is called where sleeping is not allowed");
        self.let_interrupt_come();
    }

    /// Runs the interrupt handler if interrupts are enabled. An interrupt comes before the library masks interrupts,
    /// after it restores them, and in services that may sleep.
    fn let_interrupt_come(&self) {
        if context::can_sleep()
            && let Some(handler) = self.0.interrupt_handler.read().unwrap().clone()
        {
            context::in_interrupt(|| handler());
        }
    }

    /// Checks that text may be written: the console's driver may itself call the library, and would wait for what the
    /// caller holds.
    fn assert_nothing_held(&self) {
        assert!(!context::locked(), "text under a lock");
        assert_eq!(context::turns(), 0, "text with a turn held");
    }

    /// Checks that text may be written, and runs the console's driver. Every service that writes text begins with it.
    fn begin_writing(&self, service: &str) {
        self.assert_nothing_held();
        self.begin_sleeping(service);
        let driver = self.0.console_driver.read().unwrap().clone();
        if let Some(driver) = driver {
            context::in_console_driver(|| driver());
        }
    }

    /// Applies a cache operation to the lines of `[va, va + size)`, which must be mapped.
    fn maintain(&self, operation: Maintenance, va: Va, size: usize) {
        assert!(!context::locked(), "cache maintenance under a lock");
        self.0.memory.assert_mapped(va, size);
        let (pa, _) = self.0.memory.translate(va).expect("mapped");
        self.0.cache.lock().unwrap().maintain(&self.0.memory, CacheCall { operation, pa, size });
    }

    /// Reads as the processor does: through the cache if the mapping is cached.
    fn load(&self, va: Va, size: usize) -> Vec<u8> {
        let Inner { memory, cache, .. } = self.0;
        memory.assert_mapped(va, size);
        let mut bytes = vec![0; size];
        for (start, length) in by_page(va, size) {
            let part = &mut bytes[start - va..][..length];
            match memory.translate(start) {
                Some((pa, kind)) if self.caches(kind) => cache.lock().unwrap().read(memory, pa, part),
                _ => memory.read(start, part),
            }
        }
        bytes
    }

    /// Writes as the processor does: through the cache if the mapping is cached.
    fn store(&self, va: Va, bytes: &[u8]) {
        let Inner { memory, cache, .. } = self.0;
        memory.assert_mapped(va, bytes.len());
        for (start, length) in by_page(va, bytes.len()) {
            let part = &bytes[start - va..][..length];
            match memory.translate(start) {
                Some((pa, MemoryType::Cached)) => cache.lock().unwrap().write(memory, pa, part),
                Some((pa, kind)) if self.caches(kind) => cache.lock().unwrap().write_through(memory, pa, part),
                _ => memory.write(start, part),
            }
        }
    }

    fn caches(&self, kind: MemoryType) -> bool {
        match kind {
            MemoryType::Cached => true,
            MemoryType::Uncached => false,
            MemoryType::WriteThrough => self.caches_write_through(),
        }
    }

    fn device(&self, device: Device) -> DeviceInfo {
        assert!(!context::locked(), "a service for a device under a lock");
        let info = self.records().devices[index_of(device)].clone();
        assert!(!info.is_removed, "a call for a device that was removed");
        info
    }
}

/// Returns every pair of an item of `first` and one of `second`.
pub fn pairs<A: Clone, B: Clone>(first: impl IntoIterator<Item = A>, second: &[B]) -> Vec<(A, B)> {
    first.into_iter().flat_map(|a| second.iter().map(move |b| (a.clone(), b.clone()))).collect()
}

/// Returns the device number `index`, aligned as a `struct rt_device`. Its address is never null.
fn device_at(index: usize) -> Device {
    Device::at((index + 1) * size_of::<usize>())
}

/// Returns the number of a device of [`device_at`].
fn index_of(device: Device) -> usize {
    device.address() / size_of::<usize>() - 1
}

/// Returns the parts of `[va, va + size)`, page by page.
fn by_page(va: Va, size: usize) -> impl Iterator<Item = (Va, usize)> {
    let pages = va & !(PAGE - 1)..va + size;
    pages.step_by(PAGE).map(move |page| (page.max(va), (page + PAGE).min(va + size) - page.max(va)))
}
