//! `rt_dma_pool_install`, `rt_dma_pool_extract`, `list_dma_pool`.

use core::ffi::{c_char, c_int};

use super::DMA;
use crate::abi::{rt_dma_pool, rt_region_t};
use crate::extract::ExtractError;
use crate::kernel::rtthread::{errors, revision};
use crate::kernel::{Entry, Kernel, Name, Pa, ReservedRegion};
use crate::pool::Region;

/// Makes a range of physical memory a pool, at the end of the list of pools.
///
/// `region` is in bytes; its start is rounded up to a page, its end down. Its name must stay. Returns the pool, or null
/// if `region` is null, holds no whole page, overlaps an installed pool, or there is no memory for the bookkeeping (16
/// bytes for 32 pages, and 512 for the pool): one line in the log says which. Thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_pool_install(region: *mut rt_region_t) -> *mut rt_dma_pool {
    // SAFETY: the caller's, or null.
    let region = match unsafe { region.as_ref() } {
        Some(region) => Region { start: region.start, end: region.end, name: Name(region.name) },
        None => Region { start: 0, end: 0, name: Name::of(c"(null)") },
    };
    match DMA.install_logged(&region) {
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
/// `-RT_EEMPTY` if no region has room; `-RT_ENOMEM` without memory for the bookkeeping. All or nothing. Thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_pool_extract(first: usize, second: usize, third: usize, fourth: usize) -> isize {
    if revision() >= 2 {
        return status(DMA.extract(|index| DMA.kernel.reserved(index), first, second));
    }
    let list: *mut rt_region_t = core::ptr::with_exposed_provenance_mut(first);
    if list.is_null() || second == 0 {
        return status(Err(ExtractError::BadSize));
    }
    // SAFETY: revision r1's caller hands over `second` regions, which nobody else uses meanwhile.
    let regions = unsafe { core::slice::from_raw_parts_mut(list, second) };
    let result = DMA.extract(
        |index| {
            Some(regions.get(index).map_or(Entry::End, |region| {
                Entry::Found(ReservedRegion { start: region.start, end: region.end, usable: !region.name.is_null() })
            }))
        },
        third,
        fourth,
    );
    if let Ok((start, end)) = result {
        let used =
            regions.iter_mut().find(|region| region.start <= start && end < region.end && !region.name.is_null());
        if let Some(region) = used {
            region.start = end;
        }
    }
    status(result)
}

fn status(result: Result<(Pa, Pa), ExtractError>) -> isize {
    let errors = errors();
    match result {
        Ok(_) => errors.ok,
        Err(ExtractError::BadSize) => errors.inval,
        Err(ExtractError::NoList) => errors.nosys,
        Err(ExtractError::NoRegion) => errors.empty,
        Err(ExtractError::NoMemory) => errors.nomem,
    }
}

/// The shell's command: prints every pool's name, range, size, use, longest free run and flags, and how many there
/// are. Returns 0. Thread.
#[unsafe(no_mangle)]
pub extern "C" fn list_dma_pool(argc: c_int, argv: *mut *mut c_char) -> c_int {
    let _ = (argc, argv);
    DMA.report();
    0
}
