//! A kernel whose cores shuttle switches. It maps memory at addresses that are used again at once.

use super::leak;
use rt_dma_pool::kernel::testing::Services;
use rt_dma_pool::kernel::{Device, NamedRegion, PAGE_SIZE, Pa, Va};
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The kernel: a leaked value, so that it can be copied.
#[derive(Clone, Copy)]
pub struct ShuttleKernel(&'static State);

struct State {
    /// The mappings: address, physical address, size.
    mappings: Mutex<Vec<(Va, Pa, usize)>>,
    view_limit: usize,
    is_in_interrupt: AtomicBool,
}

/// The devices that own [`LENDABLE`].
pub const OWNERS: [Device; 2] = [Device::at(0x2000), Device::at(0x3000)];

/// A `reusable` region of two pages.
pub const LENDABLE: NamedRegion = NamedRegion {
    start: 0x9000_0000,
    end: 0x9000_0000 + 2 * PAGE_SIZE,
    is_no_map: false,
    is_reusable: true,
    serves_every_device: false,
};

/// Where mappings begin.
const WINDOW: Va = 0x4000_0000_0000;

impl ShuttleKernel {
    /// Makes a kernel that maps pools of up to `view_limit` bytes as a whole.
    pub fn new(view_limit: usize) -> Self {
        ShuttleKernel(leak(State {
            mappings: Mutex::new(Vec::new()),
            view_limit,
            is_in_interrupt: AtomicBool::new(false),
        }))
    }

    /// Returns the number of mappings.
    pub fn mappings(&self) -> usize {
        self.0.mappings.lock().unwrap().len()
    }

    /// From now on, every call is made in an interrupt.
    pub fn enter_interrupt(&self) {
        self.0.is_in_interrupt.store(true, Relaxed);
    }
}

// SAFETY: a mapping stays until it is unmapped.
unsafe impl Services for ShuttleKernel {
    fn switch(&self) {
        shuttle::thread::yield_now();
    }
    fn can_sleep(&self) -> bool {
        !self.0.is_in_interrupt.load(Relaxed)
    }
    fn core_hint(&self) -> usize {
        // Two of three cores have one number: the block pools' cores share groups, too.
        usize::from(shuttle::current::me()) / 2
    }
    fn v2p(&self, va: Va) -> Option<Pa> {
        let mappings = self.0.mappings.lock().unwrap();
        mappings.iter().find(|(base, _, size)| va.wrapping_sub(*base) < *size).map(|(base, pa, _)| pa + (va - base))
    }
    fn map_linear(&self, va: Va, pa: Pa, size: usize) {
        self.0.mappings.lock().unwrap().push((va, pa, size));
    }
    fn unmap_linear(&self, va: Va, _size: usize) {
        self.unmap(va);
    }
    fn map(&self, pa: Pa, size: usize) -> Option<NonZeroUsize> {
        let mut mappings = self.0.mappings.lock().unwrap();
        // The lowest address that is free: the one that was unmapped last, as a rule.
        let is_free = |va: Va| mappings.iter().all(|(base, _, other)| va + size <= *base || base + other <= va);
        let va = (0..).map(|page| WINDOW + page * PAGE_SIZE).find(|va| is_free(*va)).unwrap();
        mappings.push((va, pa, size));
        NonZeroUsize::new(va)
    }
    fn unmap(&self, va: Va) {
        let mut mappings = self.0.mappings.lock().unwrap();
        let index = mappings.iter().position(|mapping| mapping.0 == va).expect("unmapped twice");
        mappings.remove(index);
    }
    fn view_limit(&self) -> usize {
        self.0.view_limit
    }
    fn memory_region(&self, device: Device) -> Option<NamedRegion> {
        OWNERS.contains(&device).then_some(LENDABLE)
    }
}
