//! The regions in which `rt_dma_pool_extract` makes pools.

#![allow(unsafe_code)]

use super::Pa;
use crate::error::Error;

/// The list of regions in which boot pools are made.
///
/// In revision r1 of the interface, the caller of `rt_dma_pool_extract` passes it. In revision r2 it is memblock's
/// reserved list, and this value is ignored: it is [`RegionList::NONE`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RegionList {
    /// Address of the first region, or 0.
    pub(super) address: usize,
    /// Number of regions in the list.
    pub(super) length: usize,
}

impl RegionList {
    /// No list.
    pub const NONE: RegionList = RegionList { address: 0, length: 0 };

    /// Makes the list of a caller of `rt_dma_pool_extract`.
    ///
    /// # Safety
    /// `address` is 0, or that of `length` regions that no other code uses as long as the list is used.
    pub const unsafe fn new(address: usize, length: usize) -> Self {
        RegionList { address, length }
    }
}

/// A region in which boot pools can be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BootRegion {
    /// First byte.
    pub start: Pa,
    /// One past the last byte.
    pub end: Pa,
    /// The address at which the kernel keeps the region's entry; never zero.
    pub address: usize,
}

/// The regions that were reserved for pools when the system booted.
///
/// # Safety
///
/// The kernel does not use the memory of a region that [`region`](PoolRegions::region) returns, and does not allocate
/// it to other code, unless an earlier call of [`shrink`](PoolRegions::shrink) has recorded a pool there.
pub unsafe trait PoolRegions {
    /// Returns region `index` of those in which boot pools can be made.
    ///
    /// Of memblock's list, only regions that are in use, not hot-pluggable, and named as the interface requires are
    /// counted. Of a caller's list, all are counted, and a region without a name is empty.
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// [`Error::NoRegion`] after the last region; [`Error::BadSize`] if the interface requires a list and there is
    /// none; [`Error::NoMemblock`] if the kernel has no memblock.
    fn region(&self, list: &RegionList, index: usize) -> Result<BootRegion, Error>;

    /// Records that pools cover `region` from its first byte up to `end`, which is not above the end of `region`.
    ///
    /// * An entry of a caller's list begins at `end` from now on. An entry that ends at `end` is not changed.
    /// * If `region` is only the rest of an entry, because earlier pools cover its beginning, the entry is not changed.
    ///   The next extract finds these pools, as this one did.
    /// * memblock's list is never changed.
    ///
    /// Context: thread.
    fn shrink(&self, region: BootRegion, end: Pa);
}
