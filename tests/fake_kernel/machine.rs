//! A machine under test: the fake kernel, the library over it, and functions with which a test acts and observes.

use super::cache::CacheCall;
use super::memory::{HIGH, LOW, Mapped};
use super::{DeviceInfo, FakeKernel, Fault, Service, context};
use rt_dma_pool::dropin::pool::{Pool, Region};
use rt_dma_pool::dropin::registry::Dma;
use rt_dma_pool::dropin::translate::MapOps;
use rt_dma_pool::error::Error;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{Addresses, Device, Handle, Kernel, MemoryType, Pa, RegionList, Va};
use rt_dma_pool::log::{Level, Name};
use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};

pub const KIB: usize = 1 << 10;
pub const MIB: usize = 1 << 20;

/// An entry of memblock's reserved list.
#[derive(Clone, Copy, Debug)]
pub struct ReservedRegion {
    pub start: Pa,
    pub end: Pa,
    /// Whether the region is in use, not hot-pluggable, and named as the interface requires. The library does not see other
    /// regions.
    pub usable: bool,
}

/// Makes a range of physical memory for a pool.
pub fn range(name: &'static CStr, start: Pa, size: usize) -> Region {
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

pub struct Machine {
    pub kernel: FakeKernel,
    pub dma: &'static Dma<FakeKernel>,
    /// Each device's `dma_ops`.
    ops: Mutex<Vec<Option<MapOps>>>,
}

/// The libraries of all machines. They are never freed, because pools are not.
static LIBRARIES: Mutex<Vec<&'static Dma<FakeKernel>>> = Mutex::new(Vec::new());

impl Drop for Machine {
    fn drop(&mut self) {
        self.kernel.0.memory.close();
    }
}

/// The resources of a machine that are in use. Comparing two values shows whether a call leaked something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Balance {
    /// Bytes of the heap, without the records that are kept for the next buffers with mappings of their own.
    pub heap_bytes: usize,
    pub mappings: Vec<Mapped>,
    pub used_bytes: usize,
}

impl Machine {
    /// Makes a machine without pools and devices, whose kernel services all succeed.
    pub fn new() -> Self {
        let kernel = FakeKernel::new();
        let dma: &'static Dma<FakeKernel> = Box::leak(Box::new(Dma::new(kernel)));
        LIBRARIES.lock().unwrap().push(dma);
        Machine { kernel, dma, ops: Mutex::default() }
    }

    /// Makes a machine with one pool.
    pub fn with_pool(name: &'static CStr, start: Pa, size: usize) -> (Self, &'static Pool<FakeKernel>) {
        let machine = Machine::new();
        let pool = machine.install(name, start, size);
        (machine, pool)
    }

    // --- setting up ------------------------------------------------------------------------------------------------

    pub fn install(&self, name: &'static CStr, start: Pa, size: usize) -> &'static Pool<FakeKernel> {
        self.dma.install(&range(name, start, size)).unwrap()
    }

    pub fn device(&self, info: DeviceInfo) -> Device {
        self.ops.lock().unwrap().push(None);
        let mut records = self.kernel.0.records.lock().unwrap();
        records.devices.push(info);
        // Aligned as a `struct rt_device`.
        Device::at(records.devices.len() * size_of::<usize>())
    }

    /// Removes a device. A service that is called with it stops the test.
    pub fn remove_device(&self, device: Device) {
        self.kernel.0.records.lock().unwrap().devices[device.address() / size_of::<usize>() - 1].is_removed = true;
    }

    pub fn plain_device(&self) -> Device {
        self.device(DeviceInfo::plain())
    }

    /// Sets the contents of `/reserved-memory` and of the boot allocator; `None` represents a kernel without memblock.
    pub fn set_reserved(&self, list: Option<Vec<ReservedRegion>>) {
        self.kernel.0.records.lock().unwrap().reserved = list;
    }

    /// Sets whether the cache may hold lines of write-through memory, as on most processors other than aarch64.
    pub fn set_caches_write_through(&self, does: bool) {
        self.kernel.0.caches_write_through.store(does, Relaxed);
    }

    /// Returns how often the library translated an address.
    pub fn look_ups(&self) -> usize {
        self.kernel.0.look_ups.load(Relaxed)
    }

    /// Returns how often the library masked interrupts, which it does for each lock.
    pub fn irq_saves(&self) -> usize {
        self.kernel.0.irq_saves.load(Relaxed)
    }

    /// Makes the kernel refuse mappings of more than this number of bytes.
    pub fn set_largest_mapping(&self, bytes: usize) {
        self.kernel.0.largest_mapping.store(bytes, Relaxed);
    }

    /// Leaves the MMU off: all RAM is mapped at its linear address, and nothing else can be mapped.
    pub fn drop_page_tables(&self) {
        for ram in [LOW, HIGH] {
            self.kernel.0.memory.map_linear(ram.start, ram.end - ram.start, false);
        }
        self.kernel.0.has_page_tables.store(false, Relaxed);
    }

    /// Behaves as revision r1 of the interface: every pool has the flag `LINEAR`, and the library maps no pool linearly.
    pub fn set_revision_1(&self) {
        self.kernel.0.is_every_pool_linear.store(true, Relaxed);
        self.fail_always(Service::MapLinear);
    }

    /// Makes the kernel place the next mapping at `va`.
    pub fn map_next_at(&self, va: Va) {
        self.kernel.0.memory.map_next_at(va);
    }

    pub fn map_at_install(&self) {
        self.kernel.0.maps_at_install.store(true, Relaxed);
    }

    pub fn set_view_limit(&self, bytes: usize) {
        self.kernel.0.view_limit.store(bytes, Relaxed);
    }

    /// Maps this range linearly, as boot code does before it calls the library.
    pub fn premap_linear(&self, start: Pa, size: usize) {
        self.kernel.0.memory.map_linear(start, size, false);
    }

    /// Maps these pages one after the other, as a kernel's own allocator may.
    pub fn map_pages(&self, pages: &[Pa], memory: MemoryType) -> Va {
        self.kernel.0.memory.map_pages(pages, memory)
    }

    /// Makes the calls `[first, first + count)` of the service fail, counted from zero beginning now.
    pub fn fail(&self, service: Service, first: usize, count: usize) {
        self.kernel.0.records.lock().unwrap().faults.insert(service, Fault { calls: 0, first, count });
    }

    pub fn fail_always(&self, service: Service) {
        self.fail(service, 0, usize::MAX);
    }

    /// Makes the service succeed again. Returns whether a call failed.
    pub fn repair(&self, service: Service) -> bool {
        let fault = self.kernel.0.records.lock().unwrap().faults.remove(&service);
        fault.is_some_and(|fault| fault.calls > fault.first)
    }

    /// Makes `writer` run with every line of the log.
    pub fn set_writer(&self, writer: Option<Arc<dyn Fn() + Send + Sync>>) {
        *self.kernel.0.writer.write().unwrap() = writer;
    }

    /// Makes `handler` run as an interrupt whenever interrupts are enabled.
    pub fn set_interrupt(&self, handler: Option<Arc<dyn Fn() + Send + Sync>>) {
        *self.kernel.0.handler.write().unwrap() = handler;
    }

    pub fn in_interrupt<T>(&self, code: impl FnOnce() -> T) -> T {
        context::in_interrupt(code)
    }

    pub fn with_interrupts_off<T>(&self, code: impl FnOnce() -> T) -> T {
        context::with_interrupts_off(code)
    }

    // --- a driver's calls, as the C ABI makes them -----------------------------------------------------------------

    /// Replaces the device by another one at the same address, which has no operations.
    pub fn replace(&self, device: Device, info: DeviceInfo) {
        let index = device.address() / size_of::<usize>() - 1;
        self.kernel.0.records.lock().unwrap().devices[index] = info;
        self.ops.lock().unwrap()[index] = None;
    }

    /// Makes the device's first call, if it has made none: its operations are chosen, and kept. Returns them; `None` if they
    /// cannot be chosen now.
    pub fn first_call(&self, device: Device) -> Option<MapOps> {
        if let Some(ops) = self.ops.lock().unwrap()[device.address() / size_of::<usize>() - 1] {
            return Some(ops);
        }
        let ops = self.dma.choose_ops(device).ok()?;
        self.ops.lock().unwrap()[device.address() / size_of::<usize>() - 1] = Some(ops);
        Some(ops)
    }

    pub fn alloc(&self, device: Device, size: usize, flags: Flags) -> Option<Held> {
        let (ops, mut handle) = (self.first_call(device)?, MaybeUninit::new(0));
        let buffer = if ops.are_translated() {
            self.dma.allocate_general(device, size, Some(&mut handle), flags, ops)
        } else {
            self.dma.allocate_fast(device, size, Some(&mut handle), flags)
        };
        // SAFETY: it was initialised above.
        #[allow(unsafe_code)]
        let handle = unsafe { handle.assume_init() };
        Some(Held { device, size, flags, va: buffer?.as_ptr().expose_provenance(), handle })
    }

    pub fn free(&self, held: Held) -> Result<(), Error> {
        let Held { device, size, flags, va, handle } = held;
        self.dma.free(device, size, va, handle, flags, self.first_call(device).expect("chosen when it was allocated"))
    }

    /// Frees a buffer, and checks that the call is refused and counted, that it logs one line with the reason, and that it
    /// changes nothing.
    pub fn assert_refused(&self, held: Held, why: Error) {
        let (before, count) = (self.balance(), self.dma.bad_calls());
        assert_eq!(self.free(held), Err(why), "{held:x?}");
        assert_eq!(self.dma.bad_calls(), count + 1);
        let (lines, reason) = (self.take_errors(), why.reason().to_str().unwrap());
        assert!(matches!(&lines[..], [line] if line.contains(reason)), "{reason}: {lines:?}");
        assert_eq!(self.balance(), before);
    }

    /// Makes the bytes of a buffer visible to the device by the operations `ops`, and returns the handle.
    pub fn sync_out(&self, ops: MapOps, device: Device, data: Va, size: usize, flags: Flags) -> Result<Handle, Error> {
        let mut handle = MaybeUninit::new(0);
        self.dma.sync_out(ops, device, data, size, Some(&mut handle), flags)?;
        // SAFETY: it was initialised above.
        #[allow(unsafe_code)]
        Ok(unsafe { handle.assume_init() })
    }

    /// Makes the bytes of a buffer visible to the processor by the operations `ops`.
    pub fn sync_in(&self, ops: MapOps, device: Device, data: Va, size: usize, flags: Flags) -> Result<(), Error> {
        // SAFETY: the cache is simulated; it contains no Rust values.
        #[allow(unsafe_code)]
        unsafe {
            self.dma.sync_in(ops, device, data, size, flags)
        }
    }

    /// `rt_dma_pool_extract` of revision r2.
    pub fn extract(&self, total: usize, coherent: usize) -> Result<(Pa, Pa), Error> {
        let before = self.dma.pools().count();
        match self.dma.extract(RegionList::RESERVED, total, coherent) {
            Ok(()) | Err(Error::High) => {
                let start = self.dma.pools().nth(before).unwrap().region().start;
                Ok((start, start.wrapping_add(total)))
            }
            Err(error) => Err(error),
        }
    }

    // --- memory ----------------------------------------------------------------------------------------------------

    /// Returns the physical address and the memory type to which `va` is mapped.
    pub fn at(&self, va: Va) -> Option<(Pa, MemoryType)> {
        self.kernel.0.memory.translate(va)
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
    pub fn coherent_write(&self, pa: Pa, bytes: &[u8]) {
        self.kernel.0.cache.lock().unwrap().snoop(&self.kernel.0.memory, pa, bytes.len());
        self.device_write(pa, bytes);
    }

    /// Reads as a device that snoops the processor's cache.
    pub fn coherent_read(&self, pa: Pa, size: usize) -> Vec<u8> {
        self.kernel.0.cache.lock().unwrap().snoop(&self.kernel.0.memory, pa, size);
        self.device_read(pa, size)
    }

    /// Sets the length of the longer lines of the cache, in bytes; the others have [`LINE`](super::LINE). Empties the cache.
    pub fn set_largest_line(&self, bytes: usize) {
        self.kernel.0.cache.lock().unwrap().largest_line = bytes;
    }

    /// Makes a flush leave lines in the cache, clean.
    pub fn keep_flushed_lines(&self) {
        self.kernel.0.cache.lock().unwrap().keeps_flushed = true;
    }

    /// Writes every dirty line to memory.
    pub fn evict_cache(&self) {
        self.kernel.0.cache.lock().unwrap().evict(&self.kernel.0.memory);
    }

    // --- the record ------------------------------------------------------------------------------------------------

    pub fn take_cache_calls(&self) -> Vec<CacheCall> {
        std::mem::take(&mut self.kernel.0.cache.lock().unwrap().calls)
    }

    /// Returns the lines of one level since the last call.
    pub fn take_log(&self, level: Level) -> Vec<String> {
        let mut records = self.kernel.0.records.lock().unwrap();
        let (wanted, others) = std::mem::take(&mut records.log).into_iter().partition(|(of, _)| *of == level);
        records.log = others;
        wanted.into_iter().map(|(_, line): (Level, String)| line).collect()
    }

    pub fn take_errors(&self) -> Vec<String> {
        self.take_log(Level::Error)
    }

    /// Returns what `list_dma_pool` prints.
    pub fn list(&self) -> Vec<String> {
        self.dma.report();
        self.take_printed()
    }

    /// Returns the lines for the shell since the last call.
    pub fn take_printed(&self) -> Vec<String> {
        let text = std::mem::take(&mut self.kernel.0.records.lock().unwrap().printed);
        assert!(text.is_empty() || text.ends_with('\n'), "{text:?} ends within a line");
        text.lines().map(str::to_owned).collect()
    }

    /// Returns the number of device barriers.
    pub fn barriers(&self) -> usize {
        self.kernel.0.barriers.load(Relaxed)
    }

    /// Returns the number of mappings that the kernel made.
    pub fn maps_made(&self) -> usize {
        self.kernel.0.maps.load(Relaxed)
    }

    pub fn mappings(&self) -> Vec<Mapped> {
        self.kernel.0.memory.mapped()
    }

    pub fn balance(&self) -> Balance {
        let taken: usize = self.kernel.0.records.lock().unwrap().heap.values().sum();
        let heap_bytes = taken - self.dma.pools().map(|pool| pool.own_mappings.kept_bytes()).sum::<usize>();
        let used_bytes = self.dma.pools().map(|pool| pool.usage().used).sum();
        let mut mappings = self.mappings();
        mappings.sort_by_key(|mapped| (mapped.pa, mapped.size, mapped.memory as i32));
        Balance { heap_bytes, mappings, used_bytes }
    }

    /// Reads `pool->map` as C does: whether each page is in use.
    pub fn bitmap(&self, pool: &Pool<FakeKernel>) -> Vec<bool> {
        const BITS: usize = usize::BITS as usize;
        let words = pool.public.map.load(Relaxed) as usize;
        let word = |index: usize| usize::from_ne_bytes(self.peek_host(words + index * size_of::<usize>()));
        (0..pool.public.bits.load(Relaxed)).map(|page| word(page / BITS) >> (page % BITS) & 1 != 0).collect()
    }

    /// Returns the linear address of `pa`, which must be mapped.
    pub fn at_linear(&self, pa: Pa) -> Va {
        assert!(self.is_linear(pa), "{pa:#x} is not mapped linearly");
        self.kernel.linear(pa)
    }

    /// Returns whether the linear map contains this page.
    pub fn is_linear(&self, pa: Pa) -> bool {
        self.at(self.kernel.linear(pa)).is_some()
    }
}
