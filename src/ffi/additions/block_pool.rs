//! Pools of small blocks: `rt_dma_block_pool_*`, `list_dma_block_pool`.

use core::ffi::{c_char, c_int, c_void};
use core::hint::black_box;

use crate::abi::rt_device;
use crate::additions::block_pool::set::{BadCreate, BadDestroy, BlockPools, Request};
use crate::additions::block_pool::{Block, BlockPool, Pages, PoolName};
use crate::additions::device::resource::Kind;
use crate::ffi::additions::attributes::{rt_dma_alloc_aligned, rt_dma_wc_flags};
use crate::ffi::additions::remembered::{COHERENT_MASK, FOLLOW_MASK};
use crate::ffi::dropin::buffer::{rt_dma_alloc, rt_dma_free};
use crate::ffi::status::errors;
use crate::ffi::{DEVICES, DMA, dev, device, pointer, write_if};
use crate::flags::Flags;
use crate::kernel::rtthread::RtThread;
use crate::kernel::{Device, Kernel, Va};
use crate::mem::words::DeviceMemory;

/// @brief A pool of small blocks of DMA memory.
#[allow(non_camel_case_types)]
pub struct rt_dma_block_pool(());

/// The system's block pools.
pub(in crate::ffi) static POOLS: BlockPools<RtThread, DevicePages> = BlockPools::new(RtThread, DevicePages::Coherent);

/// Allocates pages by the device's own table of operations.
#[derive(Clone, Copy)]
pub enum DevicePages {
    /// As `rt_dma_alloc_coherent` returns them.
    Coherent,
    /// As `rt_dma_alloc_wc` returns them: Normal memory on aarch64.
    WriteCombining,
}

impl DevicePages {
    fn flags(&self, device: Device) -> usize {
        match self {
            DevicePages::Coherent => Flags::COHERENT.bits(),
            // SAFETY: the pool's device exists as long as the pool.
            DevicePages::WriteCombining => unsafe { rt_dma_wc_flags(dev(device)) },
        }
    }
}

// SAFETY: `rt_dma_alloc` returns memory that only its caller owns, at both addresses, until it is freed.
unsafe impl Pages for DevicePages {
    fn allocate(&self, device: Device, size: usize) -> Option<(Va, usize)> {
        let mut handle = 0;
        // SAFETY: the pool's device exists as long as the pool; `handle` is a local variable.
        let pages = unsafe { rt_dma_alloc(dev(device), size, &mut handle, self.flags(device)) };
        (!pages.is_null()).then(|| (pages.expose_provenance(), handle))
    }

    fn allocate_aligned(&self, device: Device, size: usize, align: usize) -> Option<(Va, usize)> {
        let mut handle = 0;
        // SAFETY: the pool's device exists as long as the pool; `handle` is a local variable.
        let pages = unsafe { rt_dma_alloc_aligned(dev(device), size, align, &mut handle, self.flags(device)) };
        (!pages.is_null()).then(|| (pages.expose_provenance(), handle))
    }

    fn free(&self, device: Device, size: usize, va: Va, handle: usize) {
        // SAFETY: the pool's device exists as long as the pool; a wrong address is refused without reading it.
        unsafe { rt_dma_free(dev(device), size, pointer(va), handle, self.flags(device)) }
    }

    fn limit(&self, device: Device) -> usize {
        let mask = COHERENT_MASK.get().map_or(!0, |mask| mask(device));
        usize::try_from(mask).unwrap_or(usize::MAX)
    }
}

/// Returns the pool that the pointer refers to, or `None` if the pointer is null.
///
/// # Safety
/// If the pointer is not null, `rt_dma_block_pool_create` returned it, and the pool was not destroyed.
#[inline(always)]
unsafe fn pool_of<'a>(pool: *mut rt_dma_block_pool) -> Option<&'a BlockPool<RtThread, DevicePages>> {
    // SAFETY: the caller guarantees that a pointer that is not null points to a pool.
    unsafe { pool.cast::<BlockPool<RtThread, DevicePages>>().as_ref() }
}

/// Returns the device of the pool; `None` if the pointer is not a pool's, or the caller may not sleep. Every pointer is
/// allowed.
///
/// Context: thread.
pub(in crate::ffi) fn device_of(pool: *mut rt_dma_block_pool) -> Option<Device> {
    POOLS.device_of(pool.cast_const().cast())
}

static FOLLOW: fn(Device) = |device| POOLS.follow_mask(device);

/// Copies a C string as a pool's name; a null pointer gives `<anon>`.
///
/// # Safety
/// `name` is null or points to a string that ends with a zero byte.
unsafe fn name_of(name: *const c_char) -> PoolName {
    if name.is_null() {
        return PoolName::new(*b"<anon>");
    }
    // SAFETY: `take_while` stops at the final zero byte, so that only bytes of the string are read.
    PoolName::new((0..).map(|at| unsafe { *name.add(at) } as u8).take_while(|byte| *byte != 0))
}

/// @brief Creates a pool of small blocks of one size, in coherent memory of a device.
///
/// The pool allocates pages from the device's `rt_dma_alloc`, when blocks are asked for. The rules are those of Linux's
/// `dma_pool_create` (Documentation/core-api/dma-api.rst).
///
/// @code{.c}
/// struct rt_dma_block_pool *pool = rt_dma_block_pool_create("descriptors", dev, sizeof(struct descriptor), 16, 0);
/// rt_ubase_t handle;
/// struct descriptor *descriptor = rt_dma_block_pool_zalloc(pool, &handle);
///
/// if (descriptor)
/// {
///     start_and_wait(handle);
///     rt_dma_block_pool_free(pool, descriptor, handle);
/// }
/// rt_dma_block_pool_destroy(pool);
/// @endcode
///
/// @param[in] name Name for the log and for `list_dma_block_pool`. Up to 31 bytes are copied. May be NULL.
/// @param[in] dev The device.
/// @param[in] size Bytes in a block, not zero. Rounded up to a multiple of `align` and of a word. May be more than a page.
/// @param[in] align Every block begins at a multiple of it, for the processor and for the device. A power of two up to a page;
/// 0 and 1 mean a word.
/// @param[in] boundary No block crosses a multiple of it in the device's address space. A power of two that is not less than
/// the rounded size; 0 means no boundary.
/// @return The pool; NULL if `dev` is NULL, if a number is out of its range, or without memory for the bookkeeping. One line in
/// the log gives the reason.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_block_pool_create(
    name: *const c_char,
    dev: *mut rt_device,
    size: usize,
    align: usize,
    boundary: usize,
) -> *mut rt_dma_block_pool {
    // SAFETY: the caller passes a C string or null.
    unsafe { create(name, dev, size, align, boundary, |request| POOLS.create(request)) }
}

/// @brief Creates a pool of small blocks by the rules of Linux's `dma_pool_create`.
///
/// It differs from a pool of `rt_dma_block_pool_create` in this:
/// - The blocks are the memory of `rt_dma_alloc_wc`: Normal memory on aarch64, so that `memset` and unaligned accesses are
///   allowed.
/// - `size` is rounded up to a multiple of `align` only, and to 16 bytes, so that a page holds as many blocks as on Linux.
/// - `align` may be more than a page.
/// - Threads keep a few blocks free, and bookkeeping for more memory. So an interrupt gets blocks from a pool that is empty or
///   was never used. `rt_dma_block_pool_fill` makes more ready.
///
/// All other functions take both kinds of pools.
///
/// @param[in] name Name for the log and for `list_dma_block_pool`. Up to 31 bytes are copied. May be NULL.
/// @param[in] dev The device.
/// @param[in] size Bytes in a block, not zero. May be more than a page.
/// @param[in] align Every block begins at a multiple of it for the device, and up to a page for the processor. A power of two; 0
/// means 1.
/// @param[in] boundary As for `rt_dma_block_pool_create`.
/// @return As for `rt_dma_block_pool_create`. That there is no DMA memory yet is no error.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_block_pool_create_linux(
    name: *const c_char,
    dev: *mut rt_device,
    size: usize,
    align: usize,
    boundary: usize,
) -> *mut rt_dma_block_pool {
    let create_linux = |request: &Request| POOLS.create_linux(request, DevicePages::WriteCombining);
    // SAFETY: the caller passes a C string or null.
    unsafe { create(name, dev, size, align, boundary, create_linux) }
}

/// Creates a pool by `create`, which gets what C asked for. Returns null if there is none.
///
/// # Safety
/// `name` is null or points to a string that ends with a zero byte.
unsafe fn create(
    name: *const c_char,
    dev: *mut rt_device,
    size: usize,
    align: usize,
    boundary: usize,
    create: impl FnOnce(&Request) -> Result<&'static BlockPool<RtThread, DevicePages>, BadCreate>,
) -> *mut rt_dma_block_pool {
    // `black_box` hides the value from the compiler, as in `remember`: an image that only sets masks links no block pools.
    FOLLOW_MASK.set(black_box(&FOLLOW));
    // SAFETY: the caller guarantees it.
    let request = Request { name: unsafe { name_of(name) }, device: device(dev), size, align, boundary };
    match create(&request) {
        Ok(pool) => core::ptr::from_ref(pool).cast_mut().cast(),
        Err(_) => core::ptr::null_mut(),
    }
}

/// @brief Makes sure that blocks are free, for an interrupt that will allocate them.
///
/// The pool gets pages until at least `count` blocks are free. `rt_dma_block_pool_trim` frees these pages as others.
///
/// @param[in] pool The pool.
/// @param[in] count The number of blocks that are to be free.
/// @retval RT_EOK At least `count` blocks are free.
/// @retval -RT_EINVAL `pool` is NULL.
/// @retval -RT_ENOMEM There is no memory for as many.
/// @retval -RT_EBUSY The caller may not sleep.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_block_pool_fill(pool: *mut rt_dma_block_pool, count: usize) -> isize {
    let errors = errors();
    // SAFETY: the caller passes a pool or null.
    let Some(pool) = (unsafe { pool_of(pool) }) else { return errors.inval };
    if !DMA.kernel.can_sleep() {
        return errors.busy;
    }
    if pool.fill(count) { errors.ok } else { errors.nomem }
}

/// @brief Allocates a block. Its contents are undefined.
///
/// A block is memory as `rt_dma_alloc_coherent` returns it. Where that is Device memory (aarch64), only aligned accesses are
/// allowed, and neither `memset` nor `memcpy`. A block of `rt_dma_block_pool_create_linux` is Normal memory, without these limits.
///
/// The call takes the same time however many blocks the pool has, and does not touch their memory.
///
/// @param[in] pool The pool.
/// @param[out] dma_handle Receives the block's address for the device. May be NULL. Not written on failure.
/// @return The block; NULL if `pool` is NULL or there is no memory.
/// @note Context: any. If no block is free, the pool needs a page more. A thread gets it; elsewhere the call returns NULL, unless
/// the pool keeps a reserve (`rt_dma_block_pool_create_linux`).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_block_pool_alloc(pool: *mut rt_dma_block_pool, dma_handle: *mut usize) -> *mut c_void {
    // SAFETY: the caller passes a pool or null.
    let Some(pool) = (unsafe { pool_of(pool) }) else { return core::ptr::null_mut() };
    match pool.take() {
        // SAFETY: the caller passes a valid address or null.
        Some(block) => unsafe { hand_out(block, dma_handle) },
        // SAFETY: the caller passes a valid address or null.
        None => unsafe { alloc_from_next(pool, dma_handle) },
    }
}

/// Allocates a block when the pool's current group has none. A function of its own, so that `rt_dma_block_pool_alloc` needs no
/// stack frame for it.
///
/// # Safety
/// `dma_handle` is null or valid for a write.
#[cold]
#[inline(never)]
unsafe fn alloc_from_next(pool: &BlockPool<RtThread, DevicePages>, dma_handle: *mut usize) -> *mut c_void {
    match pool.take_from_next() {
        // SAFETY: the caller passes a valid address or null.
        Some(block) => unsafe { hand_out(block, dma_handle) },
        // SAFETY: the caller passes a valid address or null.
        None => unsafe { alloc_slowly(pool, dma_handle) },
    }
}

/// Allocates a block when two groups had none.
///
/// # Safety
/// `dma_handle` is null or valid for a write.
#[cold]
#[inline(never)]
unsafe fn alloc_slowly(pool: &BlockPool<RtThread, DevicePages>, dma_handle: *mut usize) -> *mut c_void {
    match pool.allocate_slowly() {
        // SAFETY: the caller passes a valid address or null.
        Some(block) => unsafe { hand_out(block, dma_handle) },
        None => core::ptr::null_mut(),
    }
}

#[inline(always)]
unsafe fn hand_out(block: Block, dma_handle: *mut usize) -> *mut c_void {
    // SAFETY: the caller passes a valid address or null.
    unsafe { write_if(dma_handle, block.handle) };
    pointer(block.va)
}

/// @brief Allocates a block and fills it with zeros.
///
/// Works as `rt_dma_block_pool_alloc`. The block is cleared by aligned stores of words, which Device memory allows.
///
/// @param[in] pool The pool.
/// @param[out] dma_handle Receives the block's address for the device. May be NULL. Not written on failure.
/// @return The block; NULL if `pool` is NULL or there is no memory.
/// @note Context: any. If no block is free, the pool needs a page more: a thread gets it; elsewhere the call returns NULL, unless
/// the pool keeps a reserve (`rt_dma_block_pool_create_linux`).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_block_pool_zalloc(pool: *mut rt_dma_block_pool, dma_handle: *mut usize) -> *mut c_void {
    // SAFETY: the caller passes what `rt_dma_block_pool_alloc` takes.
    let block = unsafe { rt_dma_block_pool_alloc(pool, dma_handle) };
    if !block.is_null()
        // SAFETY: the caller passes a pool or null.
        && let Some(pool) = unsafe { pool_of(pool) }
    {
        // SAFETY: the block is mapped, and this call owns it until it returns it.
        unsafe { DeviceMemory::new(RtThread, block.expose_provenance(), pool.block_size()) }.zero();
    }
    block
}

/// @brief Frees a block.
///
/// A wrong call is logged and counted, and changes nothing: an address that is not the beginning of a block of this pool, a
/// handle that is not the block's, a second free.
///
/// The call takes the same time however many blocks the pool has.
///
/// @param[in] pool The pool. With NULL the call does nothing.
/// @param[in] block The block. With NULL the call does nothing.
/// @param[in] dma_handle The handle that the allocation returned; 0 if the driver did not ask for it.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_block_pool_free(pool: *mut rt_dma_block_pool, block: *mut c_void, dma_handle: usize) {
    // SAFETY: the caller passes a pool or null.
    if let Some(pool) = unsafe { pool_of(pool) } {
        // A wrong call is logged in `free`; the C function has no result.
        let _ = pool.free(block.expose_provenance(), dma_handle);
    }
}

/// @brief Frees the pages on which no block is in use.
///
/// The next allocation may need a page again. Only a thread can get one.
///
/// @param[in] pool The pool.
/// @return The number of pages that were freed; 0 if `pool` is NULL, and where the caller may not sleep.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_block_pool_trim(pool: *mut rt_dma_block_pool) -> usize {
    // SAFETY: the caller passes a pool or null.
    unsafe { pool_of(pool) }.map_or(0, BlockPool::trim)
}

/// @brief Destroys a pool, and frees its pages.
///
/// While blocks are in use, the pool stays and works as before. A line in the log gives their number, and one line each the
/// address of the first eight.
///
/// No other call may use the pool at the same time.
///
/// @param[in] pool The pool.
/// @retval RT_EOK The pool is destroyed.
/// @retval -RT_EBUSY Blocks are in use.
/// @retval -RT_EINVAL `pool` is NULL, was destroyed before, or is not a pool.
/// @retval -RT_ERROR The caller may not sleep.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_block_pool_destroy(pool: *mut rt_dma_block_pool) -> isize {
    // A managed pool must not be destroyed again with its device: another pool may be at its address by then.
    let claim = DEVICES.claim(Kind::BlockPool, pool.expose_provenance(), |_, _| true);
    // SAFETY: the caller passes a pool or null.
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

/// Destroys a pool that is not managed (any more).
///
/// Context: thread.
///
/// # Errors
/// Blocks are in use, the pointer is not a pool's, or the caller may not sleep.
///
/// # Safety
/// No other call uses the pool during this call, or after the pool is destroyed. Every pointer is allowed.
pub(in crate::ffi) unsafe fn destroy(pool: *mut rt_dma_block_pool) -> Result<(), BadDestroy> {
    // SAFETY: the caller guarantees it.
    unsafe { POOLS.destroy(pool.cast_const().cast()) }
}

/// @brief Prints a line for every block pool: its name, blocks in use, all blocks, bytes of a block after rounding, pages.
///
/// It is a shell command.
///
/// @param[in] argc Has no effect.
/// @param[in] argv Has no effect.
/// @return 0.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn list_dma_block_pool(argc: c_int, argv: *mut *mut c_char) -> c_int {
    let _ = (argc, argv);
    POOLS.report();
    0
}
