//! Ranges of physical memory, the whole pages in them, and what a new pool is made of.

use crate::flags::Flags;
use crate::kernel::{Device, Kernel, Node, PAGE_SHIFT, PAGE_SIZE, Pa};
use crate::log::{Level, Line, Name};
use crate::text::text;

/// The highest number of pages in a pool: its page map counts them with 31 bits.
const MAX_PAGES: usize = i32::MAX as usize;

/// A range of physical memory with a name, as RT-Thread's `rt_region_t`.
#[derive(Clone, Copy, Debug)]
pub struct Region {
    /// First byte.
    pub start: Pa,
    /// One past the last byte.
    pub end: Pa,
    /// Name of the range. It stays as long as the pool that is made of the range, unless a device has claimed the
    /// range: then the pool copies the name.
    pub name: Name<'static>,
}

impl Region {
    /// Returns the whole pages of the range; `None` if there is none, or more than [`MAX_PAGES`].
    pub fn pages(&self) -> Option<WholePages> {
        let start = first_page(self.start)?;
        let count = self.end.checked_sub(start)? >> PAGE_SHIFT;
        (1..=MAX_PAGES).contains(&count).then_some(WholePages { start, count })
    }
}

/// The pages that lie completely in a range.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WholePages {
    /// The address of the first page.
    pub start: Pa,
    /// The number of pages.
    pub count: usize,
}

/// What a new pool is made of.
#[derive(Clone, Copy)]
pub struct PoolSpec {
    /// The memory, and the name of the pool.
    pub region: Region,
    /// The flags of the pool, without those that follow from its addresses and from the interface.
    pub flags: Flags,
    /// Where the memory comes from.
    pub origin: Origin,
    /// The memory is a `reusable` region.
    pub is_reusable: bool,
}

impl PoolSpec {
    /// Returns the specification of a pool of `region` without flags, which is no `memory-region`.
    pub fn of(region: Region) -> Self {
        PoolSpec { region, flags: Flags::empty(), origin: Origin::Memory, is_reusable: false }
    }

    /// Returns the flags of a new pool: those of the specification, and those that follow from its addresses and from
    /// the interface.
    pub(super) fn flags_of_new_pool<K: Kernel>(&self, kernel: K) -> Flags {
        let flags = if ends_within_4_gib(self.region.end) { self.flags | Flags::ADDRESS_32BITS } else { self.flags };
        if kernel.sets_linear_always() { flags | Flags::LINEAR } else { flags }
    }
}

/// Where the memory of a pool comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Memory that is no `memory-region`.
    Memory,
    /// A `memory-region` that is installed for all devices. No device has claimed it.
    Region,
    /// A `memory-region` that this device with this node is the first to claim.
    RegionOf(Device, Node),
}

/// The addresses of an owner and of its device-tree node; zeros stand for no owner.
#[derive(Clone, Copy)]
pub(super) struct OwnerAddresses {
    pub(super) device: usize,
    pub(super) node: usize,
}

impl OwnerAddresses {
    /// Returns the addresses of `device`, whose node is `node`.
    pub(super) fn of(device: Device, node: Node) -> Self {
        OwnerAddresses { device: device.address(), node: node.address() }
    }
}

impl Origin {
    /// Returns whether the memory is a region that a device has claimed first.
    pub(super) fn has_device(self) -> bool {
        matches!(self, Origin::RegionOf(..))
    }

    /// Returns the addresses of the device that has claimed the memory first; zeros without a device.
    pub(super) fn first_owner(self) -> OwnerAddresses {
        match self {
            Origin::Memory | Origin::Region => OwnerAddresses { device: 0, node: 0 },
            Origin::RegionOf(device, node) => OwnerAddresses::of(device, node),
        }
    }
}

/// Logs that `[start, end)` is reserved, in the words of RT-Thread's `dma_pool.c`.
///
/// Context: thread.
pub(crate) fn log_reserved<K: Kernel>(kernel: K, name: Name, start: Pa, end: Pa) {
    let size = end.wrapping_sub(start);
    // MiB, and tenths of them.
    let (whole, tenths) = (size >> 20, ((size & 0xf_ffff) * 10) >> 20);
    kernel.log(Level::Info, &Line::about(name, text!("Reserved %lu.%lu MiB at 0x%lx", whole, tenths, start)));
}

/// Returns the address of the first page that begins at `start` or after it and that a pool may contain; `None` if
/// there is none.
///
/// A pool never contains physical page 0: its address is the null pointer in C, and a handle of zero means that the
/// caller did not ask for a handle.
pub(crate) fn first_page(start: Pa) -> Option<Pa> {
    start.max(1).checked_next_multiple_of(PAGE_SIZE)
}

/// Returns `end`; the highest address if `end` is zero and `start` is not. C computes zero as the end of a region that
/// ends with the address space. With the highest address in its place, only the last page of the region is left out.
pub(crate) fn end_before_wrap(start: Pa, end: Pa) -> Pa {
    if end == 0 && start != 0 { Pa::MAX } else { end }
}

/// Returns whether a 32-bit address reaches every byte before `end`, which is not zero. (The shift is there because a
/// 64-bit constant would take a register in the loop over the pools.)
pub(crate) fn ends_within_4_gib(end: Pa) -> bool {
    (end as u64).wrapping_sub(1) >> 32 == 0
}
