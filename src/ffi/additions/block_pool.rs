//! Pools of small blocks: `rt_dma_block_pool_*`, `list_dma_block_pool`.

use core::ffi::{c_char, c_int, c_void};
use core::hint::black_box;

use crate::abi::rt_device;
use crate::additions::block_pool::set::{BadDestroy, BlockPools, Request};
use crate::additions::block_pool::{Block, BlockPool, Pages, PoolName};
use crate::additions::device::resource::Kind;
use crate::ffi::additions::remembered::{COHERENT_MASK, FOLLOW_MASK};
use crate::ffi::dropin::buffer::{rt_dma_alloc, rt_dma_free};
use crate::ffi::status::errors;
use crate::ffi::{DEVICES, device, pointer, write_if};
use crate::flags::Flags;
use crate::kernel::rtthread::RtThread;
use crate::kernel::{Device, Va};
use crate::mem::words::DeviceMemory;

/// A pool of small blocks of DMA memory.
#[allow(non_camel_case_types)]
pub struct rt_dma_block_pool(());

/// The system's block pools.
pub(in crate::ffi) static POOLS: BlockPools<RtThread, DevicePages> = BlockPools::new(RtThread, DevicePages::new());

/// Pages from the device's own table of operations.
#[derive(Clone, Copy)]
pub struct DevicePages(());

impl DevicePages {
    pub(in crate::ffi) const fn new() -> Self {
        DevicePages(())
    }
}

/// What RT-Thread's `rt_dma_alloc_coherent` asks for.
const COHERENT: usize = Flags::NOCACHE.union(Flags::LINEAR).bits();

// SAFETY: `rt_dma_alloc` returns such memory.
unsafe impl Pages for DevicePages {
    fn allocate(&self, device: Device, size: usize) -> Option<(Va, usize)> {
        let mut handle = 0;
        // SAFETY: the device that the pool was made for, which stays as long as the pool; the handle is ours.
        let pages = unsafe { rt_dma_alloc(pointer(device.0).cast(), size, &mut handle, COHERENT) };
        (!pages.is_null()).then(|| (pages.expose_provenance(), handle))
    }

    fn free(&self, device: Device, size: usize, va: Va, handle: usize) {
        // SAFETY: as above; the addresses are not read.
        unsafe { rt_dma_free(pointer(device.0).cast(), size, pointer(va), handle, COHERENT) }
    }

    fn limit(&self, device: Device) -> usize {
        let mask = COHERENT_MASK.get().map_or(!0, |mask| mask(device));
        usize::try_from(mask).unwrap_or(usize::MAX)
    }
}

/// The pool behind a pointer, unless it is null.
///
/// # Safety
/// If it is not null, it came from `rt_dma_block_pool_create`, and was not destroyed.
#[inline(always)]
unsafe fn pool_of<'a>(pool: *mut rt_dma_block_pool) -> Option<&'a BlockPool<RtThread, DevicePages>> {
    // SAFETY: then it points to such a pool.
    unsafe { pool.cast::<BlockPool<RtThread, DevicePages>>().as_ref() }
}

/// The device that the pool was made for; `None` if there is no such pool, or the caller may not sleep. The pointer may be
/// any.
pub(in crate::ffi) fn device_of(pool: *mut rt_dma_block_pool) -> Option<Device> {
    POOLS.device_of(pool.cast_const().cast())
}

static FOLLOW: fn(Device) = |device| POOLS.follow_mask(device);

/// A pool's name: a copy of the C string, or `<anon>`.
///
/// # Safety
/// `name` is null, or a C string.
unsafe fn name_of(name: *const c_char) -> PoolName {
    if name.is_null() {
        return PoolName::new(*b"<anon>");
    }
    // SAFETY: a string's bytes are read up to its final zero.
    PoolName::new((0..).map(|at| unsafe { *name.add(at) } as u8).take_while(|byte| *byte != 0))
}

/// Makes a pool of blocks of one size, in coherent memory of `dev`.
///
/// `size` is in bytes, and is rounded up to a multiple of `align` and of a word; it may be more than a page. Every block is
/// aligned to `align`, for the processor and for the device: a power of two up to a page (0 and 1: to a word, as in any
/// case). No block crosses a multiple of `boundary` for the device: a power of two no less than the size as rounded up (0:
/// blocks may cross any). `name` is copied, up to 31 bytes, and may be null.
///
/// Memory comes when blocks are asked for, page by page, from the device's `rt_dma_alloc`. Returns null if `dev` is null, a
/// number is not as it should be, or there is no memory for the bookkeeping; one line in the log says which. Thread.
///
/// The rules are those of Linux's dma_pool_create (Documentation/core-api/dma-api.rst).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_block_pool_create(
    name: *const c_char,
    dev: *mut rt_device,
    size: usize,
    align: usize,
    boundary: usize,
) -> *mut rt_dma_block_pool {
    // Opaque to the compiler, as in `remember`, so that an image that only sets masks links no block pools.
    FOLLOW_MASK.set(black_box(&FOLLOW));
    // SAFETY: the caller's, or null.
    let request = Request { name: unsafe { name_of(name) }, device: device(dev), size, align, boundary };
    match POOLS.create(&request) {
        Ok(pool) => core::ptr::from_ref(pool).cast_mut().cast(),
        Err(_) => core::ptr::null_mut(),
    }
}

/// Takes a block. Its contents are what they were.
///
/// `dma_handle` takes the address for the device; it may be null. Returns the address for the processor: memory as
/// `rt_dma_alloc_coherent` gives it, so where that is Device memory (aarch64), only aligned accesses, and no memset or
/// memcpy. Returns null if `pool` is null or there is no memory.
///
/// Takes the same time however many blocks there are, and touches none of their memory. Any context while a block is free;
/// when none is, a thread gets another page, and an interrupt gets null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_block_pool_alloc(pool: *mut rt_dma_block_pool, dma_handle: *mut usize) -> *mut c_void {
    // SAFETY: the caller's pool.
    let Some(pool) = (unsafe { pool_of(pool) }) else { return core::ptr::null_mut() };
    match pool.take() {
        // SAFETY: the caller's, or null.
        Some(block) => unsafe { hand_out(block, dma_handle) },
        // SAFETY: the same.
        None => unsafe { alloc_slowly(pool, dma_handle) },
    }
}

/// As `rt_dma_block_pool_alloc` where no block is at hand; apart, so that it has no part in the other's stack.
#[cold]
#[inline(never)]
unsafe fn alloc_slowly(pool: &BlockPool<RtThread, DevicePages>, dma_handle: *mut usize) -> *mut c_void {
    match pool.allocate_slowly() {
        // SAFETY: the caller's, or null.
        Some(block) => unsafe { hand_out(block, dma_handle) },
        None => core::ptr::null_mut(),
    }
}

#[inline(always)]
unsafe fn hand_out(block: Block, dma_handle: *mut usize) -> *mut c_void {
    // SAFETY: the caller's, or null.
    unsafe { write_if(dma_handle, block.handle) };
    pointer(block.va)
}

/// Takes a block full of zeros: otherwise as `rt_dma_block_pool_alloc`. Cleared word by word, as Device memory takes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_block_pool_zalloc(pool: *mut rt_dma_block_pool, dma_handle: *mut usize) -> *mut c_void {
    // SAFETY: the caller's.
    let block = unsafe { rt_dma_block_pool_alloc(pool, dma_handle) };
    if !block.is_null()
        // SAFETY: the caller's pool.
        && let Some(pool) = unsafe { pool_of(pool) }
    {
        // SAFETY: a block is mapped, and nobody else's.
        unsafe { DeviceMemory::new(RtThread, block.expose_provenance(), pool.block_size()) }.zero();
    }
    block
}

/// Gives a block back.
///
/// `block` and `dma_handle` are those of its `rt_dma_block_pool_alloc`; a zero `dma_handle` says that the caller did not ask
/// for it. What does not fit (an address that is not the beginning of a block of this pool, another handle, a second free)
/// is logged and counted, and changes nothing. Null `pool` or `block` does nothing.
///
/// Takes the same time however many blocks there are. Any context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_block_pool_free(pool: *mut rt_dma_block_pool, block: *mut c_void, dma_handle: usize) {
    // SAFETY: the caller's pool.
    if let Some(pool) = unsafe { pool_of(pool) } {
        // A refused call is logged where it is refused; C has no way to be told.
        let _ = pool.free(block.expose_provenance(), dma_handle);
    }
}

/// Gives back the pages on which no block is in use, and says how many they were.
///
/// The next allocation may have to get a page again, which an interrupt cannot. Zero if `pool` is null. Thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_block_pool_trim(pool: *mut rt_dma_block_pool) -> usize {
    // SAFETY: the caller's pool.
    unsafe { pool_of(pool) }.map_or(0, BlockPool::trim)
}

/// Gives back a pool, and all its pages.
///
/// Returns `RT_EOK`; `-RT_EBUSY` while blocks are in use: a line in the log says how many, one more each of the first eight,
/// and the pool serves on; `-RT_EINVAL` if `pool` is null, or no pool (any more); `-RT_ERROR` in an interrupt. Nobody may use
/// the pool meanwhile. Thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_block_pool_destroy(pool: *mut rt_dma_block_pool) -> isize {
    // If it is managed, it is not to be destroyed again with its device, when another pool may lie there.
    let claim = DEVICES.claim(Kind::BlockPool, pool.expose_provenance(), |_, _| true);
    // SAFETY: the caller's pool.
    let result = unsafe { destroy(pool) };
    if let Some(claim) = claim {
        DEVICES.settle(claim, result.is_ok());
    }
    match result {
        Ok(()) => errors().ok,
        Err(BadDestroy::Busy(_)) => errors().busy,
        Err(BadDestroy::Unknown) => errors().inval,
        Err(BadDestroy::Context) => errors().error,
    }
}

/// The same, for callers in Rust.
///
/// # Safety
/// Nobody uses the pool meanwhile, or after it is destroyed. The pointer may be any.
pub(in crate::ffi) unsafe fn destroy(pool: *mut rt_dma_block_pool) -> Result<(), BadDestroy> {
    // SAFETY: the caller's promise.
    unsafe { POOLS.destroy(pool.cast_const().cast()) }
}

/// Prints every block pool: its name, blocks in use, blocks in all, bytes of a block as rounded up, pages. A shell command:
/// takes no arguments, returns 0. Thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn list_dma_block_pool(argc: c_int, argv: *mut *mut c_char) -> c_int {
    let _ = (argc, argv);
    POOLS.report();
    0
}
