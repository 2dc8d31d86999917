//! Coherent memory of a device, for block pools and for drivers in Rust.

use crate::additions::block_pool::{Effort, Pages};
use crate::dropin::translate::NO_MASK;
use crate::ffi::additions::block_pool::POOLS;
use crate::ffi::additions::hooks::{FOLLOW_MASK, MASKS};
use crate::ffi::additions::special_buffers::{aligned_request, rt_dma_alloc_aligned, rt_dma_wc_flags};
use crate::ffi::additions::with_handle;
use crate::ffi::dropin::request::{rt_dma_alloc, rt_dma_free};
use crate::ffi::{DMA, c_device, pointer};
use crate::flags::Flags;
use crate::kernel::{Device, Handle, PAGE_SIZE, Va};

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
            // SAFETY: the device exists: it is that of a block pool, or of a driver's `Device` (`driver::Device::new`).
            DevicePages::WriteCombining => unsafe { rt_dma_wc_flags(c_device(device)) },
        }
    }

    /// Allocates as a driver does.
    fn allocate_as_driver(&self, device: Device, size: usize, align: usize) -> Option<(Va, Handle)> {
        let (dev, flags) = (c_device(device), self.flags(device));
        if align > PAGE_SIZE {
            // SAFETY: the device exists, as in `flags`; the handle may be written.
            with_handle(|handle| unsafe { rt_dma_alloc_aligned(dev, size, align, handle, flags) })
        } else {
            // SAFETY: the device exists, as in `flags`; the handle may be written.
            with_handle(|handle| unsafe { rt_dma_alloc(dev, size, handle, flags) })
        }
    }
}

// SAFETY: with the flags of `DevicePages::flags`, the memory is mapped uncached, or is coherent for the device. The
// pools of the library, or the operation of the BSP, give it to one caller until it is freed. `with_handle` exposes the
// provenance of its address. The library's own calls return an address of a pool's view or of the linear map, whose
// provenance was exposed.
unsafe impl Pages for DevicePages {
    fn allocate(&self, device: Device, size: usize, align: usize, effort: Effort) -> Option<(Va, Handle)> {
        let request = || aligned_request(device, size, align, self.flags(device));
        // Without a request, an operation of the BSP allocates. It decides itself whether it waits and what it logs.
        let as_driver = || self.allocate_as_driver(device, size, align);
        match effort {
            Effort::AsksBorrowers => as_driver(),
            Effort::FailsCounted => request().map_or_else(as_driver, |request| DMA.allocate_without_reclaim(&request)),
            Effort::FailsUncounted => {
                request().map_or_else(as_driver, |request| DMA.allocate_without_reclaim_uncounted(&request))
            }
        }
    }

    fn failed_waits(&self) -> usize {
        DMA.failed_waits()
    }

    unsafe fn free(&self, device: Device, size: usize, va: Va, handle: Handle) {
        // SAFETY: the device exists, as in `flags`; the caller frees what was allocated for it.
        unsafe { rt_dma_free(c_device(device), size, pointer(va), handle, self.flags(device)) }
    }

    fn last_reachable(&self, device: Device) -> usize {
        // The hook is set here, because every creation of a block pool calls this function, from C and from Rust. It is
        // set before the mask is read: if another core sets a mask meanwhile, either that mask is read here, or the
        // other core finds the hook and lets the pool follow. The creation calls this again when the pool is in the
        // list: only then can the other core find the pool.
        FOLLOW_MASK.set_before_reads(&(follow_mask as fn(Device)));
        let mask = MASKS.get().map_or(NO_MASK, |masks| (masks.coherent)(device));
        usize::try_from(mask).unwrap_or(usize::MAX)
    }
}

/// Makes the block pools of the device return only blocks that its present coherent mask reaches: the function of
/// [`FOLLOW_MASK`].
fn follow_mask(device: Device) {
    POOLS.follow_mask(device);
}
