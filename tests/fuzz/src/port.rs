//! The functions that the library calls in RT-Thread: what `rtthread-port/` is in a BSP.

#![allow(non_upper_case_globals)]

use std::ffi::{c_char, c_int, c_void};
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};

use crate::machine::{self, Service};
use crate::memory::{self, MemoryType, PAGE};
use crate::{devices, heap};

pub const UNMAPPED: usize = usize::MAX;

/// The negative numbers of RT-Thread's errors.
pub const OK: isize = 0;
pub const INVAL: isize = -10;
pub const NOSYS: isize = -6;
pub const EMPTY: isize = -4;
pub const NOMEM: isize = -5;
pub const BUSY: isize = -7;
pub const ERROR: isize = -1;
pub const IO: isize = -8;

/// `rt_dma_port_configuration`. Two of its numbers change from run to run.
#[repr(C)]
pub struct Configuration {
    errors: [isize; 8],
    pub view_limit_mib: AtomicU16,
    pub revision: AtomicU16,
    ops_offset: u16,
    maps_at_install: u16,
}

#[unsafe(no_mangle)]
pub static rt_dma_port_configuration: Configuration = Configuration {
    errors: [OK, INVAL, NOSYS, EMPTY, NOMEM, BUSY, ERROR, IO],
    view_limit_mib: AtomicU16::new(0),
    revision: AtomicU16::new(2),
    ops_offset: 0,
    maps_at_install: 0,
};

pub fn revision() -> u16 {
    rt_dma_port_configuration.revision.load(Relaxed)
}

#[unsafe(no_mangle)]
pub extern "C" fn rt_dma_port_heap_alloc(size: usize) -> usize {
    machine::assert_thread("the heap");
    heap::allocate(size)
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_heap_free(block: usize) {
    machine::assert_thread("the heap");
    heap::free(block);
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_v2p(va: usize) -> usize {
    memory::v2p(va).unwrap_or(UNMAPPED)
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_has_page_tables() -> c_int {
    1
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_pv_offset() -> usize {
    memory::pv_offset()
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_map_linear(va: usize, pa: usize, size: usize) {
    machine::assert_thread("the linear map");
    assert!(va == memory::linear(pa) && size.is_multiple_of(PAGE));
    // Revision r1 leaves the linear map to the boot code.
    if revision() == 2 && !machine::count_and_check_failure(Service::MapLinear) {
        memory::with(|memory| memory.map_linear(pa, size / PAGE));
    }
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_unmap_linear(va: usize, size: usize) {
    machine::assert_thread("the linear map");
    let pa = memory::v2p(va).unwrap_or_else(|| panic!("{va:#x} is unmapped, which is not mapped"));
    assert!(va == memory::linear(pa) && size.is_multiple_of(PAGE));
    memory::with(|memory| memory.unmap_linear(pa, size / PAGE));
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_map(pa: usize, size: usize, memory: c_int) -> usize {
    machine::assert_thread("ioremap");
    assert!(pa.is_multiple_of(PAGE) && size.is_multiple_of(PAGE) && size != 0);
    if machine::count_and_check_failure(Service::Map) {
        return 0;
    }
    let memory_type = [MemoryType::Cached, MemoryType::Uncached, MemoryType::WriteThrough][memory as usize];
    let page = |pa| memory::page_of(pa).unwrap_or_else(|| panic!("{pa:#x} is mapped, which is no RAM"));
    let pages: Vec<_> = (pa..pa + size).step_by(PAGE).map(page).collect();
    memory::with(|memory| memory.map_pages(&pages, memory_type)).unwrap_or(0)
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_unmap(va: usize) {
    machine::assert_thread("iounmap");
    memory::with(|memory| memory.unmap(va));
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_cache(operation: c_int, va: usize, size: c_int) {
    maintain(operation, va, size);
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_cache_flush_and_invalidate(va: usize, size: c_int) {
    maintain(FLUSH_AND_INVALIDATE, va, size);
}

/// The port's numbers of the cache operations.
const FLUSH: c_int = 1;
const INVALIDATE: c_int = 2;
/// A number that is not one of the port's.
const FLUSH_AND_INVALIDATE: c_int = 3;

fn maintain(operation: c_int, va: usize, size: c_int) {
    let size = usize::try_from(size).expect("a cache operation has a positive size");
    let end = va + size;
    let mut at = va;
    // The pages of a buffer need not be contiguous in physical memory.
    while at < end {
        let next = end.min((at & !(PAGE - 1)) + PAGE);
        let pa = memory::v2p(at).unwrap_or_else(|| panic!("cache maintenance at {at:#x}, where nothing is mapped"));
        memory::with(|memory| match operation {
            FLUSH => memory.flush(pa, next - at, memory.keeps_flushed),
            INVALIDATE => memory.invalidate(pa, next - at),
            FLUSH_AND_INVALIDATE => memory.flush(pa, next - at, false),
            _ => panic!("cache operation {operation}"),
        });
        at = next;
    }
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_cache_line_max() -> usize {
    memory::with(|memory| memory.largest_line)
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_irq_save() -> usize {
    machine::mask()
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_irq_restore(before: usize) {
    machine::unmask(before);
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_critical_enter() -> usize {
    machine::mask()
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_critical_exit(before: usize) {
    machine::unmask(before);
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_is_atomic() -> c_int {
    machine::is_atomic().into()
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_pause() {
    machine::pause();
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_device_name(dev: usize) -> *const c_char {
    devices::kind(dev).map_or(std::ptr::null(), |kind| kind.name.map_or(std::ptr::null(), |name| name.as_ptr()))
}

/// Returns a text as `printf` writes it.
fn format(format: *const c_char, values: *const usize) -> String {
    let mut text = [0; 512];
    // SAFETY: the library passes six words.
    let [a, b, c, d, e, f] = unsafe { *values.cast::<[usize; 6]>() };
    // SAFETY: the library states that its formats use `%s`, `%lu` and `%lx` only, and at most six of them.
    let length = unsafe { libc::snprintf(text.as_mut_ptr().cast(), text.len(), format, a, b, c, d, e, f) };
    assert!(length >= 0, "the format cannot be written");
    String::from_utf8_lossy(&text[..text.len().min(length as usize)]).into_owned()
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_log(
    level: c_int,
    _dev: usize,
    name: *const c_char,
    text: *const c_char,
    values: *const usize,
) {
    machine::assert_unlocked("the log");
    if !name.is_null() {
        // SAFETY: the name of a pool or a device is a C string.
        let _ = unsafe { std::ffi::CStr::from_ptr(name) }.to_bytes().len();
    }
    let line = format(text, values);
    crate::log!("the library: {line}");
    // A request that fails may be one of the library's own.
    if level == 0 && !line.starts_with("unreachable") {
        machine::note_error();
    }
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_list_options(argc: c_int, argv: *mut *mut c_char) -> c_int {
    // SAFETY: the arguments are those of `list_dma_pool`.
    unsafe { rt_dma_pool::ffi::rt_dma_list_pools(argc, argv) }
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_print(text: *const c_char, values: *const usize) {
    machine::assert_thread("the console");
    format(text, values);
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_device_choose_ops(dev: usize, ops: *mut c_void) {
    let _ = devices::ops_of(dev).compare_exchange(std::ptr::null_mut(), ops, Relaxed, Relaxed);
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_device_set_ops(dev: usize, ops: *mut c_void) {
    devices::ops_of(dev).store(ops, Relaxed);
}
