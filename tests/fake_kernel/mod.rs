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
mod pairs;
mod printf;
mod processor;
mod reserved_memory;
mod services;
mod threads;

pub use cache::{CacheCall, LINE, Maintenance};
pub use devices::{DeviceInfo, bus_range, named_region};
pub use kept::keep;
pub use machine::{Held, KIB, MIB, Machine, NO_LINES, ReservedRegion, region};
pub use memory::{HIGH, LOW, Mapped, WrongMapping};
pub use pairs::pairs;
pub use reserved_memory::{BootMemory, SharedPoolNode};
pub use threads::{CORES, SetAtEnd, on_every_core};

use cache::Cache;
use memory::Memory;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{Device, NamedRegion, PAGE_SIZE, Pa, Threads};
use rt_dma_pool::log::Level;
use std::collections::{HashMap, HashSet};
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

/// Which calls of a service fail. They are counted from zero, beginning when the test set this.
#[derive(Clone, Copy)]
struct FailingCalls {
    /// The number of calls so far.
    calls: usize,
    /// The first call that fails.
    first: usize,
    /// The number of calls that fail, one after the other.
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
    /// The devices' nodes whose bus has ranges that were read: see [`FakeKernel::begin_using_ranges`].
    nodes_with_ranges_read: HashSet<usize>,
}

/// The state of a kernel.
pub struct State {
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
    /// The number of mappings that `map` made.
    map_count: AtomicUsize,
    /// The number of device barriers.
    barrier_count: AtomicUsize,
    /// The number of calls of `v2p`.
    look_up_count: AtomicUsize,
    /// The number of calls of `irq_save`.
    irq_save_count: AtomicUsize,
    /// The number of calls of `pause`.
    tick_count: AtomicUsize,
}

/// The kernel: a reference that can be copied.
#[derive(Clone, Copy)]
pub struct FakeKernel(&'static State);

impl FakeKernel {
    fn new() -> Self {
        // It is never freed, because pools refer to it, and no pool is freed.
        FakeKernel(keep(Box::new(State {
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
            map_count: AtomicUsize::new(0),
            barrier_count: AtomicUsize::new(0),
            look_up_count: AtomicUsize::new(0),
            irq_save_count: AtomicUsize::new(0),
            tick_count: AtomicUsize::new(0),
        })))
    }

    fn records(&self) -> MutexGuard<'static, Records> {
        self.0.records.lock().unwrap()
    }

    /// Returns whether this call of a service fails. Counts the call if the test has set which calls fail.
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

    /// Checks that sleeping is allowed, and lets an interrupt come. Every service that may sleep begins with it, unless
    /// it sleeps in its first call only: see `begin_using_ranges`.
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

    /// Checks that text may be written, and runs the console's driver. A service calls it where it writes text.
    fn begin_writing(&self, service: &str) {
        self.assert_nothing_held();
        self.begin_sleeping(service);
        let driver = self.0.console_driver.read().unwrap().clone();
        if let Some(driver) = driver {
            context::in_console_driver(|| driver());
        }
    }

    /// Checks that sleeping is allowed, unless the ranges of the device's bus were read before: the first call for a
    /// bus reads them. A device with another node has another bus.
    fn begin_using_ranges(&self, device: Device, service: &str) {
        let node = self.device(device).node;
        if !self.records().nodes_with_ranges_read.contains(&node) {
            self.begin_sleeping(service);
        }
    }

    fn device(&self, device: Device) -> DeviceInfo {
        assert!(!context::locked(), "a service for a device under a lock");
        let info = self.records().devices[index_of(device)].clone();
        assert!(!info.is_removed, "a call for a device that was removed");
        info
    }
}

/// Returns the device number `index`, aligned as a `struct rt_device`. Its address is never null.
fn device_at(index: usize) -> Device {
    Device::at((index + 1) * size_of::<usize>())
}

/// Returns the number of a device of [`device_at`].
fn index_of(device: Device) -> usize {
    device.address() / size_of::<usize>() - 1
}
