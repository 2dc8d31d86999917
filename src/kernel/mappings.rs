//! Mappings: giving the processor addresses for the memory of a pool.

#![allow(unsafe_code)]

use core::num::NonZeroUsize;

use super::{Pa, Va};

/// How the processor accesses memory through a mapping.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub enum MemoryType {
    /// Write-back cached: `rt_ioremap_cached`.
    Cached = 0,
    /// Not cached: `rt_ioremap_nocache`. On aarch64 this is Device memory, which permits aligned accesses only.
    Uncached = 1,
    /// Write-through: `rt_ioremap_wt`. On aarch64 this is Normal Non-cacheable memory, the closest that RT-Thread
    /// offers there.
    WriteThrough = 2,
}

/// Making and removing mappings.
///
/// # Safety
///
/// A mapping that [`map`](Mappings::map) or [`map_linear`](Mappings::map_linear) made stays until
/// [`unmap`](Mappings::unmap) or [`unmap_linear`](Mappings::unmap_linear).
pub unsafe trait Mappings {
    /// Asks the kernel to map `[pa, pa + size)` write-back cached at `va`. The kernel may leave the linear map to its
    /// boot code, fail, or map other memory, without an error. So the caller does not use the mapping before
    /// [`v2p`](super::Addresses::v2p) confirms that it leads to `pa`.
    ///
    /// Context: thread.
    ///
    /// # Safety
    /// `va` is [`linear`](super::Addresses::linear)`(pa)`, and nothing is mapped in `[va, va + size)`. The memory is
    /// not used in a way that a cached mapping disturbs.
    unsafe fn map_linear(&self, va: Va, pa: Pa, size: usize);

    /// Undoes [`map_linear`](Mappings::map_linear).
    ///
    /// Context: thread.
    ///
    /// # Safety
    /// `map_linear` mapped `[va, va + size)`, and nothing is accessed through it any more.
    unsafe fn unmap_linear(&self, va: Va, size: usize);

    /// Maps `[pa, pa + size)`, which consists of whole pages, at an address that the kernel chooses. Returns the
    /// address; `None` if the kernel cannot. When it returns, every core translates addresses of the mapping.
    ///
    /// The caller does not use the mapping before [`v2p`](super::Addresses::v2p) confirms that it leads to `pa`:
    /// RT-Thread's aarch64 code can map other memory without an error (see `rtthread/mappings.rs`).
    ///
    /// Context: thread.
    fn map(&self, pa: Pa, size: usize, memory: MemoryType) -> Option<NonZeroUsize>;

    /// Removes a mapping of [`map`](Mappings::map).
    ///
    /// Context: thread.
    ///
    /// # Safety
    /// `va` was returned by `map`, has not been unmapped, and nothing is accessed through it any more.
    unsafe fn unmap(&self, va: Va);

    /// Returns whether the interface sets the flag `LINEAR` of every pool, as RT-Thread 5.2.2 does. Then the linear map
    /// is left to boot code, and [`map_linear`](Mappings::map_linear) maps nothing. Otherwise only a pool that is
    /// mapped linearly has the flag.
    ///
    /// Context: any.
    fn sets_linear_always(&self) -> bool;

    /// Returns the largest size, in bytes, of a pool that is mapped as a whole for an uncached or write-through buffer.
    ///
    /// Context: any.
    fn view_limit(&self) -> usize;

    /// Returns whether a pool is mapped for uncached buffers when it is installed, if it is no larger than
    /// [`view_limit`](Mappings::view_limit). Otherwise it is mapped for the first such buffer.
    ///
    /// Context: any.
    fn maps_at_install(&self) -> bool {
        false
    }
}
