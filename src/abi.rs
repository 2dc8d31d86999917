//! The structures that C sees, with RT-Thread's names and layouts (`drivers/dma.h`, `mm_page.h`).
//!
//! Fields that C may access at any time are atomics, which have the layout of the value that they contain. The end of
//! this file asserts the place of every field in Rust, and `rtthread-port/rt_dma_port_check.c` asserts it in the BSP's
//! headers.

#![allow(non_camel_case_types)]

use core::ffi::{c_char, c_void};
use core::sync::atomic::{AtomicPtr, AtomicUsize};

/// RT-Thread's unsigned integer with the size of a pointer: addresses, handles and flags.
pub type rt_ubase_t = usize;

/// RT-Thread's size in bytes, or number of things.
pub type rt_size_t = usize;

/// RT-Thread's error number: `RT_EOK`, which is 0, or a negative `RT_E...` code. A `long` or `int`, with the size of a
/// pointer.
pub type rt_err_t = isize;

/// A device. The library reads its `dma_ops`, at the offset that the port measured; only the port accesses its other
/// members.
pub struct rt_device(());

/// A range of physical memory.
#[repr(C)]
pub struct rt_region_t {
    /// First byte.
    pub start: rt_size_t,
    /// One past the last byte.
    pub end: rt_size_t,
    /// The name; may be null.
    pub name: *const c_char,
}

/// A link of RT-Thread's doubly linked list.
#[repr(C)]
pub struct rt_list_t {
    /// The next link, or the head of the list.
    pub next: AtomicPtr<rt_list_t>,
    /// The previous link, or the head of the list.
    pub prev: AtomicPtr<rt_list_t>,
}

impl rt_list_t {
    /// Makes a link that belongs to no list.
    pub const fn new() -> Self {
        rt_list_t { next: AtomicPtr::new(core::ptr::null_mut()), prev: AtomicPtr::new(core::ptr::null_mut()) }
    }
}

/// A pool of DMA memory. The library's private state follows it in memory.
#[repr(C)]
pub struct rt_dma_pool {
    /// `region.start`: first byte of the installed region.
    pub region_start: AtomicUsize,
    /// `region.end`: one past the last byte of the installed region.
    pub region_end: AtomicUsize,
    /// `region.name`; may be null.
    pub region_name: AtomicPtr<c_char>,
    /// The link in the list of pools.
    pub list: rt_list_t,
    /// `RT_DMA_F_*`. A BSP may change them after install; the next call uses the new value.
    pub flags: AtomicUsize,
    /// Bit `n` is set while page `n` is in use. C may read it.
    pub map: AtomicPtr<usize>,
    /// Number of pages.
    pub bits: AtomicUsize,
    /// Physical address of page 0.
    pub start: AtomicUsize,
    /// The device that a `RT_DMA_F_DEVICE` pool serves. A BSP may change it after install; the
    /// next call uses the new value.
    pub dev: AtomicPtr<rt_device>,
}

/// A device's map operations. A null member stands for the default operation.
#[repr(C)]
pub struct rt_dma_map_ops {
    /// Allocates a buffer.
    pub alloc: Option<
        unsafe extern "C" fn(
            dev: *mut rt_device,
            size: rt_size_t,
            dma_handle: *mut rt_ubase_t,
            flags: rt_ubase_t,
        ) -> *mut c_void,
    >,
    /// Frees a buffer.
    pub free: Option<
        unsafe extern "C" fn(
            dev: *mut rt_device,
            size: rt_size_t,
            cpu_addr: *mut c_void,
            dma_handle: rt_ubase_t,
            flags: rt_ubase_t,
        ),
    >,
    /// Makes the processor's writes visible to the device.
    pub sync_out_data: Option<
        unsafe extern "C" fn(
            dev: *mut rt_device,
            data: *mut c_void,
            size: rt_size_t,
            dma_handle: *mut rt_ubase_t,
            flags: rt_ubase_t,
        ) -> rt_err_t,
    >,
    /// Makes the device's writes visible to the processor.
    pub sync_in_data: Option<
        unsafe extern "C" fn(
            dev: *mut rt_device,
            out_data: *mut c_void,
            size: rt_size_t,
            dma_handle: rt_ubase_t,
            flags: rt_ubase_t,
        ) -> rt_err_t,
    >,
}

/// The places of the fields, in words: the values of `rtthread-port/rt_dma_port_check.c`.
const _: () = {
    use core::mem::{offset_of, size_of};
    const WORD: usize = size_of::<usize>();

    assert!(size_of::<rt_list_t>() == 2 * WORD);
    assert!(offset_of!(rt_list_t, next) == 0);
    assert!(offset_of!(rt_list_t, prev) == WORD);

    assert!(size_of::<rt_region_t>() == 3 * WORD);
    assert!(offset_of!(rt_region_t, start) == 0);
    assert!(offset_of!(rt_region_t, end) == WORD);
    assert!(offset_of!(rt_region_t, name) == 2 * WORD);

    assert!(size_of::<rt_dma_pool>() == 10 * WORD);
    assert!(offset_of!(rt_dma_pool, region_start) == 0);
    assert!(offset_of!(rt_dma_pool, region_end) == WORD);
    assert!(offset_of!(rt_dma_pool, region_name) == 2 * WORD);
    assert!(offset_of!(rt_dma_pool, list) == 3 * WORD);
    assert!(offset_of!(rt_dma_pool, flags) == 5 * WORD);
    assert!(offset_of!(rt_dma_pool, map) == 6 * WORD);
    assert!(offset_of!(rt_dma_pool, bits) == 7 * WORD);
    assert!(offset_of!(rt_dma_pool, start) == 8 * WORD);
    assert!(offset_of!(rt_dma_pool, dev) == 9 * WORD);

    assert!(size_of::<rt_dma_map_ops>() == 4 * WORD);
    assert!(offset_of!(rt_dma_map_ops, alloc) == 0);
    assert!(offset_of!(rt_dma_map_ops, free) == WORD);
    assert!(offset_of!(rt_dma_map_ops, sync_out_data) == 2 * WORD);
    assert!(offset_of!(rt_dma_map_ops, sync_in_data) == 3 * WORD);
};
