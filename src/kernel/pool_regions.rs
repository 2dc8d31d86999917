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
    /// Address of the first entry, or 0.
    pub(super) first_entry: usize,
    /// Number of entries.
    pub(super) length: usize,
}

impl RegionList {
    /// No list.
    pub const NONE: RegionList = RegionList { first_entry: 0, length: 0 };

    /// Makes the list of a caller of `rt_dma_pool_extract`.
    ///
    /// # Safety
    /// `first_entry` is 0, or the address of an array of `length` `rt_region_t`. As long as the list or a region of it
    /// is used, the array may be read and written, and no other code reads or writes it. The name of each entry is null
    /// or a C string.
    pub const unsafe fn new(first_entry: usize, length: usize) -> Self {
        RegionList { first_entry, length }
    }
}

/// A region in which boot pools can be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BootRegion {
    /// First byte.
    pub start: Pa,
    /// One past the last byte; 0 if that is the last byte of the address space.
    pub end: Pa,
    /// The number by which the kernel finds the region's entry in its list; RT-Thread's is the entry's address.
    pub(super) entry: usize,
}

impl BootRegion {
    /// Makes a region that [`region`](PoolRegions::region) returns.
    ///
    /// # Safety
    /// By `entry`, the [`shrink_entry`](PoolRegions::shrink_entry) of the same kernel finds the region's entry, as long
    /// as the region is used.
    pub const unsafe fn new(start: Pa, end: Pa, entry: usize) -> Self {
        BootRegion { start, end, entry }
    }
}

/// The regions that were reserved for pools when the system booted.
///
/// # Safety
///
/// The kernel does not use the memory of a region that [`region`](PoolRegions::region) returns, and does not allocate
/// it to other code. The region may contain memory of installed pools.
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

    /// In a caller's list, makes the entry of `region` begin at `end`, because pools cover `region` up to there. `end`
    /// is not above the end of `region`; if it is that end, the entry stays as it is. memblock's list is never changed.
    ///
    /// The caller may have raised `region.start`, because earlier pools cover the beginning of the entry. Then the
    /// entry stays as it is too. The next extract finds all these pools in the list of pools.
    ///
    /// Context: thread.
    fn shrink_entry(&self, region: BootRegion, end: Pa);
}
