//! The memory of block pools: the device's own.

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
            // SAFETY: the pool's device exists as long as the pool.
            DevicePages::WriteCombining => unsafe { rt_dma_wc_flags(c_device(device)) },
        }
    }

    /// Allocates as a driver does.
    fn allocate_as_driver(&self, device: Device, size: usize, align: usize) -> Option<(Va, Handle)> {
        let (dev, flags) = (c_device(device), self.flags(device));
        if align > PAGE_SIZE {
            // SAFETY: the pool's device exists as long as the pool; the handle may be written.
            with_handle(|handle| unsafe { rt_dma_alloc_aligned(dev, size, align, handle, flags) })
        } else {
            // SAFETY: as above.
            with_handle(|handle| unsafe { rt_dma_alloc(dev, size, handle, flags) })
        }
    }
}

// SAFETY: `rt_dma_alloc` returns memory that only its caller owns, at both addresses, until it is freed.
unsafe impl Pages for DevicePages {
    fn allocate(&self, device: Device, size: usize, align: usize, effort: Effort) -> Option<(Va, Handle)> {
        if effort == Effort::AsksBorrowers {
            return self.allocate_as_driver(device, size, align);
        }
        let Some(request) = aligned_request(device, size, align, self.flags(device)) else {
            // An operation of the BSP allocates. It decides itself whether it waits and what it logs.
            return self.allocate_as_driver(device, size, align);
        };
        if effort == Effort::FailsCounted {
            DMA.allocate_without_reclaim(&request)
        } else {
            DMA.allocate_without_reclaim_uncounted(&request)
        }
    }

    fn failed_waits(&self) -> usize {
        DMA.failed_waits()
    }

    unsafe fn free(&self, device: Device, size: usize, va: Va, handle: Handle) {
        // SAFETY: the pool's device exists as long as the pool; the caller frees what was allocated for it.
        unsafe { rt_dma_free(c_device(device), size, pointer(va), handle, self.flags(device)) }
    }

    fn last_reachable(&self, device: Device) -> usize {
        // Here, because every new pool reads the mask, whether a driver in C or in Rust makes it.
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
