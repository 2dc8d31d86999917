//! The sets of map operations: whether the library maintains the cache for a device, and whether handles are
//! translated.

use crate::flags::Flags;

/// A set of map operations.
///
/// *Coherent* and *non-coherent* are RT-Thread's names (`dma_pool.c`), in the opposite of their usual sense: the
/// library maintains the cache with the coherent ones. A streaming mapping, in contrast, does not maintain it for a
/// device with the coherent ones (`additions::streaming::bus_master`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum MapOps {
    /// Handles are physical addresses; the library maintains the cache.
    Coherent,
    /// Handles are physical addresses; the library does not maintain the cache.
    NonCoherent,
    /// Handles are translated by `dma-ranges`. The device is served from the `memory-region` pools that it owns first.
    DeviceTree,
    /// Handles are translated by the windows of the host bridge.
    Pci,
}

impl MapOps {
    /// One of the two sets whose handles are physical addresses. They allocate and free alike, so this one stands for
    /// both.
    pub const UNTRANSLATED: MapOps = MapOps::NonCoherent;

    /// All sets of operations, in the order of their numbers.
    pub const ALL: [MapOps; 4] = [MapOps::Coherent, MapOps::NonCoherent, MapOps::DeviceTree, MapOps::Pci];

    /// Returns whether the library maintains the cache in a sync call with `flags`, for a device with these operations.
    /// If handles are translated, a driver sets `NOCACHE` for a buffer that is not cached.
    pub(crate) fn sync_maintains_cache(self, flags: Flags) -> bool {
        match self {
            MapOps::Coherent => true,
            MapOps::NonCoherent => false,
            MapOps::DeviceTree | MapOps::Pci => !flags.contains(Flags::NOCACHE),
        }
    }

    /// Returns whether handles are translated. If they are not, a handle is the physical address.
    pub const fn are_translated(self) -> bool {
        matches!(self, MapOps::DeviceTree | MapOps::Pci)
    }

    /// Returns the flags that these operations add to a request to pools that the device need not own.
    ///
    /// If handles are translated, these pools lie below 4 GiB, although the bus may reach more. RT-Thread's own
    /// operations add this flag, and a buffer must lie where they would place it. The regions that the device's node
    /// names are chosen by the board, wherever they lie.
    pub fn added_flags(self) -> Flags {
        if self.are_translated() { Flags::ADDRESS_32BITS } else { Flags::empty() }
    }
}
