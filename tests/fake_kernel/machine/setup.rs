//! Setting up a machine: pools, devices, and what the kernel does.

use super::{Machine, ReservedRegion, region};
use crate::fake_kernel::{DeviceInfo, FailingCalls, FakeKernel, HIGH, LOW, Service, device_at, index_of};
use rt_dma_pool::dropin::pool::Pool;
use rt_dma_pool::error::Error;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{Device, MemoryType, Pa, Va};
use std::ffi::CStr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

impl Machine {
    /// Installs a pool of `size` bytes.
    pub fn install(&self, name: &'static CStr, start: Pa, size: usize) -> &'static Pool<FakeKernel> {
        self.try_install(name, start, size).unwrap()
    }

    /// Installs a pool of `size` bytes, or returns why it is refused.
    pub fn try_install(&self, name: &'static CStr, start: Pa, size: usize) -> Result<&'static Pool<FakeKernel>, Error> {
        self.dma.install(&region(name, start, size))
    }

    /// Writes the flags of a pool, as C does.
    pub fn set_pool_flags(&self, pool: &Pool<FakeKernel>, flags: Flags) {
        pool.public.flags.store(flags.bits(), Relaxed);
    }

    /// Writes the owner of a pool, as C does; [`Device::NONE`] for none.
    pub fn set_pool_owner(&self, pool: &Pool<FakeKernel>, device: Device) {
        pool.public.dev.store(std::ptr::with_exposed_provenance_mut(device.address()), Relaxed);
    }

    /// Adds a device, which has no operations yet.
    pub fn device(&self, info: DeviceInfo) -> Device {
        self.ops.lock().unwrap().push(None);
        let mut records = self.kernel.records();
        records.devices.push(info);
        device_at(records.devices.len() - 1)
    }

    /// Removes a device. A service that is called with it stops the test.
    pub fn remove_device(&self, device: Device) {
        self.kernel.records().devices[index_of(device)].is_removed = true;
    }

    /// Adds a device without a firmware node.
    pub fn plain_device(&self) -> Device {
        self.device(DeviceInfo::plain())
    }

    /// Sets memblock's reserved list, where `extract` looks for a region; `None` represents a kernel without memblock.
    pub fn set_reserved(&self, list: Option<Vec<ReservedRegion>>) {
        self.kernel.records().reserved = list;
    }

    /// Sets whether the cache may hold lines of write-through memory, as on most processors other than aarch64.
    pub fn set_caches_write_through(&self, caches: bool) {
        self.kernel.0.caches_write_through.store(caches, Relaxed);
    }

    /// Makes the kernel refuse mappings of more than this number of bytes.
    pub fn set_largest_mapping(&self, bytes: usize) {
        self.kernel.0.largest_mapping.store(bytes, Relaxed);
    }

    /// Leaves the MMU off: all RAM is mapped at its linear address, and nothing else can be mapped.
    pub fn leave_mmu_off(&self) {
        for ram in [LOW, HIGH] {
            self.kernel.0.memory.map_linear(ram.start, ram.end - ram.start);
        }
        self.kernel.0.has_page_tables.store(false, Relaxed);
    }

    /// Behaves as revision r1 of the interface: every pool has the flag `LINEAR`, and the library maps no pool
    /// linearly. The second is a failure of [`Service::MapLinear`], so that a repair of this service would end it.
    pub fn set_revision_1(&self) {
        self.kernel.0.sets_linear_always.store(true, Relaxed);
        self.fail_always(Service::MapLinear);
    }

    /// Makes the kernel place the next mapping at `va`.
    pub fn map_next_at(&self, va: Va) {
        self.kernel.0.memory.map_next_at(va);
    }

    /// Makes the library map a pool for uncached buffers when it is installed, and not for the first such buffer.
    pub fn set_maps_at_install(&self) {
        self.kernel.0.maps_at_install.store(true, Relaxed);
    }

    /// Sets the size of the largest pool that gets views, in bytes. With 0, each uncached buffer has a mapping of its
    /// own.
    pub fn set_view_limit(&self, bytes: usize) {
        self.kernel.0.view_limit.store(bytes, Relaxed);
    }

    /// Maps this range linearly, as boot code does before it calls the library.
    pub fn premap_linear(&self, start: Pa, size: usize) {
        self.kernel.0.memory.map_linear(start, size);
    }

    /// Maps these pages one after the other, as a kernel's own allocator may.
    pub fn map_pages(&self, pages: &[Pa], memory: MemoryType) -> Va {
        self.kernel.0.memory.map_pages(pages, memory)
    }

    /// Makes the calls `[first, first + count)` of the service fail, counted from zero beginning now.
    pub fn fail(&self, service: Service, first: usize, count: usize) {
        self.kernel.records().failing.insert(service, FailingCalls { calls: 0, first, count });
    }

    /// Makes every call of the service fail, until [`repair`](Machine::repair).
    pub fn fail_always(&self, service: Service) {
        self.fail(service, 0, usize::MAX);
    }

    /// Makes the service succeed again. Returns whether a call failed.
    pub fn repair(&self, service: Service) -> bool {
        let failing = self.kernel.records().failing.remove(&service);
        failing.is_some_and(|failing| failing.calls > failing.first)
    }

    /// Makes `driver` run with every line that the kernel writes.
    pub fn set_console_driver(&self, driver: impl Fn() + Send + Sync + 'static) {
        *self.kernel.0.console_driver.write().unwrap() = Some(Arc::new(driver));
    }

    pub fn clear_console_driver(&self) {
        *self.kernel.0.console_driver.write().unwrap() = None;
    }

    /// Makes `handler` run as an interrupt, before the library masks interrupts, after it restores them, and in
    /// services that may sleep.
    pub fn set_interrupt(&self, handler: impl Fn() + Send + Sync + 'static) {
        *self.kernel.0.interrupt_handler.write().unwrap() = Some(Arc::new(handler));
    }

    pub fn clear_interrupt(&self) {
        *self.kernel.0.interrupt_handler.write().unwrap() = None;
    }

    /// Replaces the device by another one at the same address, which has no operations.
    pub fn replace(&self, device: Device, info: DeviceInfo) {
        let index = index_of(device);
        self.kernel.records().devices[index] = info;
        self.ops.lock().unwrap()[index] = None;
    }
}
