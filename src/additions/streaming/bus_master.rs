//! The device that a mapping is for, which is the bus master: what it reaches, and whose operations maintain the cache
//! for it.
//!
//! | type | content |
//! | --- | --- |
//! | [`BusMaster`] | The device, its operations and its mask: what the general path needs. |
//! | [`FastMaster`] | The device and its operations, where the fast path serves it. |
//! | [`Master`] | The device as a caller has it, from which the fast and the general path get one of the two above. |

use super::buffer::LocatedBuffer;
use super::{MAPPING_ERROR, MapError, last_byte};
use crate::dropin::map_ops::MapOps;
use crate::dropin::registry::Dma;
use crate::flags::Flags;
use crate::kernel::{Device, Handle, Kernel, Pa, Va};

/// A device as its streaming mappings see it: its address, its operations and its mask. (`Bus` of `dropin::translate`
/// only translates handles.)
#[derive(Clone, Copy, Debug)]
pub struct BusMaster {
    /// The device.
    pub device: Device,
    /// Its operations.
    pub ops: Ops,
    /// The highest handle that the device can put on its bus; [`NO_MASK`](BusMaster::NO_MASK) if nothing limits it. The
    /// type is not `u64`, because a record has it: records lie in the heap, whose memory is aligned for a pointer only.
    pub mask: usize,
}

/// Whose operations a device has.
#[derive(Clone, Copy, Debug)]
pub enum Ops {
    /// The library's.
    Library(MapOps),
    /// The BSP's.
    Bsp(&'static BspOps),
}

/// Operations of a BSP's own (`dev->dma_ops`), which define a device's handles and keep its memory coherent.
///
/// An operation may hold something from a `sync_out` to the next `sync_in`, an entry of an IOMMU for example. So over
/// the life of a mapping, `sync_in` is called exactly once for each `sync_out` that succeeded. A call that is made for
/// this reason alone has `NOCACHE` among its flags: the cache needs no maintenance then. An exception are mappings that
/// a removed device left: [`forget_earlier_device`](super::Streaming::forget_earlier_device) ends them, and calls none
/// of these operations.
///
/// A mapping keeps the handle that it got first. So for a device whose mappings are synced, `sync_out` returns the same
/// handle each time it is called for the same bytes.
///
/// # Safety
/// The caller of an operation guarantees:
///
/// * The device exists, and has these operations.
/// * A buffer that is freed came from `alloc` for this device, with this size and this handle. It is not used any more,
///   and is freed once.
/// * Bytes that are synced are mapped for the processor. Those of a `sync_in` have the handle that `sync_out` returned.
/// * Without `NOCACHE` among the flags of a `sync_in`, no code has written to its bytes since they were flushed.
#[derive(Debug)]
pub struct BspOps {
    /// Allocates a buffer, and returns its address and its handle.
    pub alloc: unsafe fn(device: Device, size: usize) -> Option<(Va, Handle)>,
    /// Frees such a buffer.
    pub free: unsafe fn(device: Device, size: usize, va: Va, handle: Handle),
    /// Makes the processor's bytes visible to the device, and returns the handle. The bytes are physically contiguous,
    /// unless the BSP's own `alloc` allocated them otherwise.
    pub sync_out: unsafe fn(device: Device, va: Va, size: usize, flags: Flags) -> Option<Handle>,
    /// Makes the device's bytes visible to the processor, and returns whether it succeeded.
    pub sync_in: unsafe fn(device: Device, va: Va, size: usize, handle: Handle, flags: Flags) -> bool,
}

/// A device that the fast path serves: its handles are physical addresses, and it has no mask.
#[derive(Clone, Copy, Debug)]
pub struct FastMaster {
    /// The device.
    pub device: Device,
    /// Its operations, which are the library's and do not translate.
    pub ops: MapOps,
}

impl FastMaster {
    /// Returns whether the lines of cached memory are maintained for the device, as
    /// [`BusMaster::needs_maintenance`] does.
    pub(super) fn needs_maintenance(self) -> bool {
        self.ops != MapOps::Coherent
    }
}

impl From<FastMaster> for BusMaster {
    fn from(FastMaster { device, ops }: FastMaster) -> Self {
        BusMaster { device, ops: Ops::Library(ops), mask: BusMaster::NO_MASK }
    }
}

impl BusMaster {
    /// The mask of a device that has none: it reaches every address.
    pub const NO_MASK: usize = usize::MAX;

    /// Returns whether each handle is known to be the physical address of what the device accesses.
    pub fn has_physical_handles(&self) -> bool {
        matches!(self.ops, Ops::Library(ops) if !ops.are_translated())
    }

    /// Returns whether the lines of cached memory are maintained for the device, because it does not snoop the cache.
    ///
    /// *Coherent* operations are chosen for devices whose node has `dma-coherent`, which snoop the cache, and for no
    /// others. `rt_dma_sync_out_data` and `rt_dma_sync_in_data` maintain the cache for these devices, and do not for
    /// those with *non-coherent* operations, as RT-Thread does ([`MapOps`]). A streaming mapping does the opposite,
    /// because it promises more: every device that does not snoop the cache gets its maintenance.
    pub(super) fn needs_maintenance<K: Kernel>(&self, kernel: K) -> bool {
        match self.ops {
            Ops::Library(MapOps::Coherent) => false,
            Ops::Library(MapOps::NonCoherent) => true,
            // `DeviceTree`, `Pci` and `Bsp`. If the three are written in place of `_`, a map of a pool's memory takes 3
            // instructions more (`ci/bench`, rows "pool").
            _ => !kernel.is_coherent(self.device),
        }
    }

    /// Returns the handle for a mapping of contiguous memory, if the device reaches all of it.
    ///
    /// With the library's operations this only computes. With a BSP's own it makes one `sync_out`, and the caller must
    /// make one `sync_in` at the end of the mapping. If `sync_out` returns a handle that cannot be used, the `sync_in`
    /// is made here, and the result is `None`.
    ///
    /// # Safety
    /// The device exists, and the memory is mapped for the processor.
    #[allow(unsafe_code)]
    // As a function of its own it takes 49 instructions more (`ci/bench`, rows "pool").
    #[inline(always)]
    pub(super) unsafe fn acquire_handle<K: Kernel>(&self, dma: &Dma<K>, memory: &LocatedBuffer) -> Option<Handle> {
        match self.ops {
            Ops::Library(ops) => self.library_handle(dma, ops, memory),
            // SAFETY: the caller guarantees that the device exists, and that the memory is mapped.
            Ops::Bsp(bsp) => unsafe { self.sync_out_by_bsp(bsp, memory) },
        }
    }

    /// Computes the handle of contiguous memory by the library's operations; `None` if the device does not reach all of
    /// it.
    #[inline(always)] // As a function of its own it takes 4 instructions more ("pool").
    pub(super) fn library_handle<K: Kernel>(
        &self,
        dma: &Dma<K>,
        ops: MapOps,
        memory: &LocatedBuffer,
    ) -> Option<Handle> {
        let &LocatedBuffer { pa, size, .. } = memory;
        let handle =
            if ops.are_translated() { dma.bus(ops, self.device).handle_of(pa, size, self.mask as u64)? } else { pa };
        self.can_use(handle, size).then_some(handle)
    }

    /// Makes the one `sync_out` of [`acquire_handle`](Self::acquire_handle), and returns the handle.
    ///
    /// # Safety
    /// As for [`acquire_handle`](Self::acquire_handle).
    #[allow(unsafe_code)]
    unsafe fn sync_out_by_bsp(&self, bsp: &BspOps, memory: &LocatedBuffer) -> Option<Handle> {
        let &LocatedBuffer { va, size, needs_maintenance, .. } = memory;
        // SAFETY: the caller guarantees that the device exists, and that the bytes are mapped.
        let handle = unsafe { (bsp.sync_out)(self.device, va, size, sync_flags(needs_maintenance)) }?;
        if !self.can_use(handle, size) {
            // SAFETY: the caller guarantees that the device exists, and that the bytes are mapped; `sync_out` returned
            // the handle.
            unsafe { self.sync_in_unused(bsp, memory, handle) };
            return None;
        }
        Some(handle)
    }

    /// Returns the handle as [`acquire_handle`](Self::acquire_handle) does, if its bits in `kept_bits` are `expected`.
    /// Otherwise makes the `sync_in` that a `sync_out` needs, and returns `None`.
    ///
    /// # Safety
    /// As for [`acquire_handle`](Self::acquire_handle).
    #[allow(unsafe_code)]
    pub(super) unsafe fn acquire_handle_with_bits<K: Kernel>(
        &self,
        dma: &Dma<K>,
        memory: &LocatedBuffer,
        expected: usize,
        kept_bits: usize,
    ) -> Option<Handle> {
        // SAFETY: the caller guarantees that the device exists, and that the memory is mapped.
        let handle = unsafe { self.acquire_handle(dma, memory) }?;
        if handle & kept_bits == expected {
            return Some(handle);
        }
        if let Ops::Bsp(bsp) = self.ops {
            // SAFETY: the caller guarantees that the device exists, and that the memory is mapped; `acquire_handle` got
            // the handle from `sync_out`.
            unsafe { self.sync_in_unused(bsp, memory, handle) };
        }
        None
    }

    /// Makes the one `sync_in` that is needed after a `sync_out` whose handle cannot be used.
    ///
    /// # Safety
    /// The device exists, the memory is mapped, and `sync_out` returned the handle for it.
    #[allow(unsafe_code)]
    unsafe fn sync_in_unused(&self, bsp: &BspOps, memory: &LocatedBuffer, handle: Handle) {
        // A failure changes nothing here: the handle is not used in either case.
        // SAFETY: the caller keeps to the duties; with `NOCACHE` there is none about writes to the bytes.
        let _ = unsafe { (bsp.sync_in)(self.device, memory.va, memory.size, handle, Flags::NOCACHE) };
    }

    /// Returns whether the device can put the `size` bytes from `handle` on its bus, and the handle is not the one of a
    /// failure.
    fn can_use(&self, handle: Handle, size: usize) -> bool {
        last_byte(handle, size).is_some_and(|last| last <= self.mask) && handle != MAPPING_ERROR
    }

    /// Returns the physical address of the device's address `handle`; `None` if there is none, or with operations of
    /// the BSP's own.
    pub(super) fn pa_of<K: Kernel>(&self, dma: &Dma<K>, handle: Handle) -> Option<Pa> {
        match self.ops {
            Ops::Library(ops) if ops.are_translated() => dma.bus(ops, self.device).pa_of(handle),
            Ops::Library(_) => Some(handle),
            Ops::Bsp(_) => None,
        }
    }

    /// Returns the physical address to which `handle` leads, as [`pa_of`](Self::pa_of), if the handles of the `size`
    /// bytes from there on lead to the bytes after it.
    ///
    /// With `dma-ranges`, the handle of a later byte may lead elsewhere (`Firmware::pa_of_handle`), where a sync would
    /// look for the mapping in vain. Windows of a PCI bridge always lead back: a handle belongs to one memory only
    /// (`Firmware::bus_window`).
    ///
    /// Only the first and the last byte are looked at. So one mistake is not found: a device tree gives the same bus
    /// addresses to two memories, and the second range is so small that it lies between these two bytes. A sync that
    /// begins in it would maintain the cache lines of other memory.
    pub(super) fn pa_of_range<K: Kernel>(&self, dma: &Dma<K>, handle: Handle, size: usize) -> Option<Pa> {
        let pa = self.pa_of(dma, handle)?;
        let last = last_byte(pa, size)?;
        (self.pa_of(dma, last_byte(handle, size)?) == Some(last)).then_some(pa)
    }
}

/// A device as the caller of a map or an unmap has it: a [`BusMaster`], or `struct rt_device *` in C
/// (`ffi/additions/streaming/arguments.rs`). The fast path needs less of it than the general one.
pub trait Master: Copy {
    /// Returns the device as the fast path needs it; `None` if it does not serve the device.
    fn for_fast_path(self) -> Option<FastMaster>;
    /// Returns the device as the general path needs it.
    ///
    /// # Errors
    /// [`Invalid`](MapError::Invalid) if there is no device; [`NoOperations`](MapError::NoOperations) if the device's
    /// operations cannot be chosen now. Either is counted, and logged if the caller may sleep.
    fn for_general_path(self) -> Result<BusMaster, MapError>;
}

impl Master for &BusMaster {
    fn for_fast_path(self) -> Option<FastMaster> {
        match self.ops {
            Ops::Library(ops) if !ops.are_translated() && self.mask == BusMaster::NO_MASK => {
                Some(FastMaster { device: self.device, ops })
            }
            _ => None,
        }
    }

    fn for_general_path(self) -> Result<BusMaster, MapError> {
        Ok(*self)
    }
}

/// Returns the flags of a call of the BSP's own operations, which maintain the cache only if `needs_maintenance` is
/// true.
pub(super) fn sync_flags(needs_maintenance: bool) -> Flags {
    if needs_maintenance { Flags::empty() } else { Flags::NOCACHE }
}
