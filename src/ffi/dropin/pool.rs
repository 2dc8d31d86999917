//! `rt_dma_pool_install`, `rt_dma_pool_extract`, `list_dma_pool`.

use core::ffi::{c_char, c_int};
use core::mem::offset_of;

use crate::abi::{rt_dma_pool, rt_region_t};
use crate::dropin::pool::Region;
use crate::error::Error;
use crate::ffi::DMA;
use crate::ffi::status::status;
use crate::kernel::RegionList;
use crate::kernel::rtthread::revision;
use crate::log::Name;

/// Makes a range of physical memory a pool, at the end of the list of pools.
///
/// `region` is in bytes; its start is rounded up to a page, its end down. Its name must stay. Returns the pool, or null
/// if `region` is null, holds no whole page, overlaps an installed pool, or there is no memory for the bookkeeping (at
/// most 16 bytes for 32 pages, on 32-bit processors 18, and 512 for the pool): one line in the log says which. Thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_pool_install(region: *mut rt_region_t) -> *mut rt_dma_pool {
    const {
        assert!(
            size_of::<Region>() == size_of::<rt_region_t>()
                && offset_of!(Region, name) == offset_of!(rt_region_t, name)
        )
    }
    // SAFETY: the caller's, or null; a `Region` has its layout.
    let Some(region) = (unsafe { region.cast::<Region>().as_ref() }) else {
        DMA.refuse_install(Error::BadSize, Name::NONE, 0, 0);
        return core::ptr::null_mut();
    };
    match DMA.install(region) {
        Ok(pool) => core::ptr::from_ref(&pool.public).cast_mut(),
        Err(_) => core::ptr::null_mut(),
    }
}

/// Makes the boot pools `coherent-pool` and `cma` of reserved memory.
///
/// Revision r2 calls it with `(cma_size, coherent_pool_size)`, in bytes, and the regions are memblock's reserved ones
/// named "dma-pool". Revision r1 calls it with `(region_list, list_len, cma_size, coherent_pool_size)`, and the
/// regions are those of its list that have a name; the start of the region that is used moves up, unless all of it is
/// used. The port says which of the two the BSP's `drivers/dma.h` declares; in every RT-Thread ABI the four arguments
/// travel in registers, so that the two that r2 does not pass are merely not looked at.
///
/// Returns `RT_EOK`; `-RT_EINVAL` for sizes that do not make sense or no list; `-RT_ENOSYS` without memblock;
/// `-RT_EEMPTY` if no region has room; `-RT_ENOMEM` without memory for the bookkeeping; `-RT_EBUSY` in an interrupt. All
/// or nothing. Thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_pool_extract(first: usize, second: usize, third: usize, fourth: usize) -> isize {
    let (total, coherent) = if revision() == 1 { (third, fourth) } else { (first, second) };
    // With revision r2 it means nothing.
    let list = RegionList { address: first, length: second };
    status(DMA.extract(list, total, coherent))
}

/// The shell's command: prints every pool's name, range, size, use, longest free run and flags, and how many there
/// are. Returns 0. Thread.
#[unsafe(no_mangle)]
pub extern "C" fn list_dma_pool(argc: c_int, argv: *mut *mut c_char) -> c_int {
    let _ = (argc, argv);
    DMA.report();
    0
}
