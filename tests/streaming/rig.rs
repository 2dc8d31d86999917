//! A machine with memory in and outside pools, low and high, and its streaming mappings.

use crate::fake_kernel::*;
use rt_dma_pool::additions::streaming::{
    Attributes, BadMapping, Buffer, BusMaster, Direction, MapError, MappedBuffer, Ops, Segment, Streaming,
    StreamingMaps,
};
use rt_dma_pool::dropin::map_ops::MapOps;
use rt_dma_pool::dropin::pool::Pool;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{Addresses, BusWindow, Device, Firmware, Pa, Va};

/// Memory of the kernel's own, mapped linearly: what a driver gets from the heap.
pub const HEAP: Pa = LOW.start;
/// Memory of the kernel's own in [`HIGH`]: above 4 GiB where addresses have 64 bits.
pub const HIGH_HEAP: Pa = HIGH.end - 64 * MIB;
pub const HEAP_SIZE: usize = MIB;
pub const LOW_POOL: Pa = LOW.start + 16 * MIB;
pub const HIGH_POOL: Pa = HIGH.end - 48 * MIB;
pub const POOL_SIZE: usize = MIB;
/// Pages of the kernel's memory, none next to the one before.
pub const SCATTERED: [Pa; 3] = [HEAP + 8 * PAGE, HEAP + 4 * PAGE, HEAP + 6 * PAGE];

pub const DIRECTIONS: [Direction; 3] = [Direction::ToDevice, Direction::FromDevice, Direction::Bidirectional];

/// The mask of a device that reaches everything.
pub const NO_MASK: usize = usize::MAX;
/// The mask of a device that reaches low memory only.
pub const LOW_MASK: usize = HIGH_HEAP - 1;

/// What a bus with `dma-ranges` adds to the address of low memory. Its ranges do not cover high memory.
pub const BUS_OFFSET: usize = 0x4000_0000;
pub const PCI_WINDOW: BusWindow = BusWindow { cpu: LOW.start as u64, bus: 0x1000, size: (LOW.end - LOW.start) as u64 };

pub fn below_ranges() -> DeviceInfo {
    DeviceInfo::with_dma_ranges(&[bus_range(LOW.start, LOW.start + BUS_OFFSET, LOW.end - LOW.start)])
}

pub struct Rig {
    // Dropped before the machine that its records come from.
    mappings: StreamingMaps<FakeKernel>,
    pub machine: Machine,
    pub low: &'static Pool<FakeKernel>,
    pub high: &'static Pool<FakeKernel>,
}

impl Rig {
    pub fn new() -> Self {
        Rig::on(Machine::new())
    }

    pub fn on(machine: Machine) -> Self {
        machine.premap_linear(HEAP, HEAP_SIZE);
        machine.premap_linear(HIGH_HEAP, HEAP_SIZE);
        // The high pool first, so that first fit alone never serves a mask.
        let high = machine.install(c"high", HIGH_POOL, POOL_SIZE);
        let low = machine.install(c"low", LOW_POOL, POOL_SIZE);
        Rig { mappings: StreamingMaps::new(), machine, low, high }
    }

    /// Makes a rig whose pools have neither a linear map nor a view, so that only a thread frees their buffers.
    pub fn without_views() -> Self {
        let machine = Machine::new();
        machine.fail_always(Service::MapLinear);
        machine.set_view_limit(0);
        Rig::on(machine)
    }

    pub fn streaming(&self) -> Streaming<'_, FakeKernel> {
        Streaming::new(self.machine.dma, &self.mappings)
    }

    pub fn master(&self, device: Device, mask: usize) -> BusMaster {
        let ops = self.machine.ops_of(device).expect("its operations can be chosen");
        BusMaster { device, ops: Ops::Library(ops), mask }
    }

    /// Makes a device that does not snoop the cache, and reaches everything.
    pub fn plain(&self) -> BusMaster {
        self.master(self.machine.plain_device(), NO_MASK)
    }

    pub fn coherent(&self) -> BusMaster {
        self.master(self.machine.device(DeviceInfo::plain().coherent()), NO_MASK)
    }

    /// Returns the address of kernel memory.
    pub fn va(&self, pa: Pa) -> Va {
        self.machine.kernel.linear(pa)
    }

    pub fn fill(&self, master: &BusMaster, count: usize) -> Result<(), MapError> {
        // SAFETY: the device exists as long as the machine.
        unsafe { self.streaming().fill(master, count) }
    }

    pub fn map(&self, master: &BusMaster, va: Va, size: usize, direction: Direction) -> Result<usize, MapError> {
        self.map_with(master, va, size, direction, Attributes::empty())
    }

    pub fn map_with(
        &self,
        master: &BusMaster,
        va: Va,
        size: usize,
        direction: Direction,
        attributes: Attributes,
    ) -> Result<usize, MapError> {
        let buffer = Buffer { va, size, direction, attributes };
        // SAFETY: the fake kernel stops the test at an access to memory that is not mapped; the tests own the rest.
        unsafe { self.streaming().map(master, &buffer) }
    }

    pub fn map_page(
        &self,
        master: &BusMaster,
        page: Pa,
        offset: usize,
        size: usize,
        direction: Direction,
    ) -> Result<usize, MapError> {
        // SAFETY: the fake kernel stops the test at an access to memory that is not mapped; the tests own the rest.
        unsafe { self.streaming().map_page(master, page, offset, size, direction) }
    }

    pub fn map_list<S: Segment>(
        &self,
        master: &BusMaster,
        list: &mut [S],
        direction: Direction,
    ) -> Result<(), MapError> {
        // SAFETY: the fake kernel stops the test at an access to memory that is not mapped; the tests own the rest.
        unsafe { self.streaming().map_list(master, list, direction) }
    }

    pub fn unmap(
        &self,
        master: &BusMaster,
        handle: usize,
        size: usize,
        direction: Direction,
    ) -> Result<(), BadMapping> {
        self.unmap_with(master, handle, size, direction, Attributes::empty())
    }

    pub fn unmap_with(
        &self,
        master: &BusMaster,
        handle: usize,
        size: usize,
        direction: Direction,
        attributes: Attributes,
    ) -> Result<(), BadMapping> {
        let mapped = MappedBuffer { handle, size, direction, attributes };
        // SAFETY: the fake kernel stops the test at an access to memory that is not mapped; the tests own the rest.
        unsafe { self.streaming().unmap(master, &mapped) }
    }

    /// Unmaps each buffer of a list, as `rt_dma_unmap_sg` does. A buffer for which that fails is logged.
    pub fn unmap_list<S: Segment>(&self, master: &BusMaster, list: &[S], direction: Direction) {
        for segment in list {
            let _ = self.unmap(master, segment.handle(), segment.size(), direction);
        }
    }

    pub fn sync_for_cpu(
        &self,
        master: &BusMaster,
        handle: usize,
        size: usize,
        direction: Direction,
    ) -> Result<(), BadMapping> {
        let mapped = MappedBuffer::new(handle, size, direction);
        // SAFETY: the fake kernel stops the test at an access to memory that is not mapped; the tests own the rest.
        unsafe { self.streaming().sync_for_cpu(master, &mapped) }
    }

    pub fn sync_for_device(
        &self,
        master: &BusMaster,
        handle: usize,
        size: usize,
        direction: Direction,
    ) -> Result<(), BadMapping> {
        let mapped = MappedBuffer::new(handle, size, direction);
        // SAFETY: the fake kernel stops the test at an access to memory that is not mapped; the tests own the rest.
        unsafe { self.streaming().sync_for_device(master, &mapped) }
    }

    pub fn sync_list_for_cpu<S: Segment>(&self, master: &BusMaster, list: &[S], direction: Direction) {
        list.iter().for_each(|segment| self.sync_for_cpu(master, segment.handle(), segment.size(), direction).unwrap());
    }

    pub fn sync_list_for_device<S: Segment>(&self, master: &BusMaster, list: &[S], direction: Direction) {
        list.iter()
            .for_each(|segment| self.sync_for_device(master, segment.handle(), segment.size(), direction).unwrap());
    }

    /// Returns the physical address that the device accesses at `handle`.
    pub fn pa_of_handle(&self, master: &BusMaster, handle: usize) -> Pa {
        match master.ops {
            Ops::Library(MapOps::DeviceTree) => handle - BUS_OFFSET,
            Ops::Library(MapOps::Pci) => handle - PCI_WINDOW.bus as usize + PCI_WINDOW.cpu as usize,
            _ => handle,
        }
    }

    pub fn is_coherent(&self, master: &BusMaster) -> bool {
        self.machine.kernel.is_coherent(master.device)
    }

    pub fn device_read(&self, master: &BusMaster, handle: usize, size: usize) -> Vec<u8> {
        let pa = self.pa_of_handle(master, handle);
        if self.is_coherent(master) { self.machine.snooping_read(pa, size) } else { self.machine.device_read(pa, size) }
    }

    pub fn device_write(&self, master: &BusMaster, handle: usize, bytes: &[u8]) {
        let pa = self.pa_of_handle(master, handle);
        if self.is_coherent(master) {
            self.machine.snooping_write(pa, bytes)
        } else {
            self.machine.device_write(pa, bytes)
        }
    }

    /// Allocates a buffer of a pool.
    pub fn buffer(&self, size: usize, flags: Flags) -> Held {
        self.machine.alloc(self.machine.plain_device(), size, flags).expect("there is room")
    }

    /// Returns the bytes of pool memory in use: bounce buffers, and buffers.
    pub fn used_bytes(&self) -> usize {
        self.machine.balance().used_bytes
    }

    /// Checks that `count` error lines were written since the last call.
    pub fn assert_errors(&self, count: usize) {
        assert_eq!(self.machine.take_errors().len(), count);
    }
}

/// Returns bytes that differ from place to place, and from one `seed` to the next.
pub fn bytes(seed: usize, size: usize) -> Vec<u8> {
    (0..size).map(|at| (at * 7 + seed * 101 + at / 251) as u8).collect()
}
