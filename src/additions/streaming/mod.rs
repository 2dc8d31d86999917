//! Streaming mappings: a driver's own buffer handed to a device for a time (Linux
//! Documentation/core-api/dma-api-howto.rst, "Using Streaming DMA mappings").
//!
//! [`map`](Streaming::map) makes the buffer the device's, [`unmap`](Streaming::unmap) the processor's again; in
//! between, [`sync_for_cpu`](Streaming::sync_for_cpu) and [`sync_for_device`](Streaming::sync_for_device) hand over all
//! or part of it.
//!
//! # Kinds of mapping
//! * A *direct* mapping: the device gets the driver's own buffer, and there is no record, because the buffer's address
//!   follows from the handle. The buffer lies outside the pools, at its linear address. For a device that snoops the
//!   cache it may lie at another address, if its memory is mapped linearly too: the unmap does not need the address.
//! * A *recorded* mapping: the device gets the driver's own buffer, and a [record](recorded::table) keeps the buffer's
//!   address. That is so for a pool's memory; for a buffer at another than its linear address, except as above; where
//!   the device's bus does not lead back from the handle to the buffer; and where operations of a BSP chose the handle.
//! * A *bounced* mapping: the device gets a [bounce buffer](recorded::bounce) in place of the driver's, because it does
//!   not reach the driver's, because its pages are not contiguous, or because a cache line of it holds bytes of others
//!   that could be lost. The record keeps both addresses.
//!
//! # Files
//!
//! | file | content |
//! | --- | --- |
//! | `map`, `page`, `scatter`, `unmap`, `sync` | the calls; `page` maps a part of a page, `scatter` a list |
//! | `buffer`, `direction`, `bus_master` | what a call states: the buffer, the direction, the device |
//! | `direct` | direct mappings, with the fast path |
//! | `recorded` | mappings with a record, and bounce buffers |
//! | `locate` | where the pages of a buffer lie |
//! | `cache_sync` | cache maintenance when a buffer changes its owner |
//! | `upkeep` | work between the calls: spare records, bounce buffers that interrupts left, devices that are gone |
//! | `errors` | why a call is refused, and the line about it |
//!
//! # Two paths
//! A map and an unmap have a fast path and a general one; docs/design.md draws them.
//!
//! * The fast path (`direct::fast`) takes no lock. It maps for a device without translation and without a mask, while
//!   the maps are [tidy](Streaming::tidy), a buffer that is known to be a part of the linear map and of no pool, and
//!   that needs no bounce buffer for its cache lines. It unmaps if the handle is in the known part of the linear map,
//!   and no record can have it.
//! * The general path takes all other calls. A map looks up where the pages of the buffer lie, tries a direct mapping,
//!   and makes one with a record if that fails. An unmap looks for a record with the handle; if there is none, the
//!   mapping is taken for a direct one. The record goes to the [spare ones](recorded::spares), from which the next map
//!   takes it.
//!
//! # Context
//! Any, unless a function states otherwise. Threads allocate spare records, which interrupts use; in an interrupt, a
//! bounce buffer comes from a pool whose view is mapped already. [`fill`](Streaming::fill) makes both ready.
//!
//! # Safety
//! The functions that are `unsafe` maintain caches, and copy from and to the addresses that they are given. The caller
//! of each of them, also inside this module, guarantees:
//!
//! * The buffer that is mapped is the driver's, and stays allocated and mapped for the processor until it is unmapped.
//! * While the device has the buffer, or a part of it, no code reads or writes that part. Other bytes in the cache
//!   lines of a buffer may be used at any time, unless the map had [`OWN_LINES`](Attributes::OWN_LINES).
//! * `handle`, `size` and `direction` of an unmap or a sync are those of a mapping that is live, or of a part of one.
//!   What the library can check of this it checks, and refuses the call; of a direct mapping it cannot check all.
//! * One [`StreamingMaps`] is always used with the same [`Dma`], and the [`BusMaster`] that a call gets describes its
//!   device.
//! * A device with operations of a BSP's own exists until its mappings have ended, and [`tidy`](Streaming::tidy) has
//!   freed the bounce buffers that interrupts could not free.
//!
//! A function that needs more, or less, has a section `# Safety` of its own.

mod buffer;
mod bus_master;
mod cache_sync;
pub mod direct;
mod direction;
mod errors;
mod locate;
#[allow(unsafe_code)]
mod map;
#[allow(unsafe_code)]
mod page;
mod recorded;
#[allow(unsafe_code)]
mod scatter;
#[allow(unsafe_code)]
mod sync;
#[allow(unsafe_code)]
mod unmap;
mod upkeep;

pub use buffer::{Buffer, MappedBuffer};
pub use bus_master::{BspOps, BusMaster, FastMaster, Master, Ops};
pub use direction::{Attributes, Direction};
pub use errors::{BadMapping, MapError};
pub use recorded::bounce::KEPT_BITS;
pub use scatter::Segment;

use crate::dropin::registry::Dma;
use crate::kernel::Kernel;
use direct::early_pools::EarlyPools;
use direct::linear_range::LinearRange;
use recorded::spares::SpareRecords;
use recorded::table::RecordTable;

/// The handle that no mapping has: `RT_DMA_MAPPING_ERROR`.
pub const MAPPING_ERROR: usize = usize::MAX;

/// What the library keeps about the streaming mappings of a system from one call to the next.
pub struct StreamingMaps<K: Kernel> {
    records: RecordTable<K>,
    spares: SpareRecords<K>,
    early_pools: EarlyPools,
    linear_range: LinearRange,
}

impl<K: Kernel> StreamingMaps<K> {
    /// Makes the state of a system without mappings.
    pub const fn new() -> Self {
        StreamingMaps {
            records: RecordTable::new(),
            spares: SpareRecords::new(),
            early_pools: EarlyPools::new(),
            linear_range: LinearRange::new(),
        }
    }
}

/// The calls for streaming mappings, as methods: a copy of two references, to the system's [`StreamingMaps`] and to its
/// pools.
#[derive(Clone, Copy)]
pub struct Streaming<'a, K: Kernel> {
    dma: &'a Dma<K>,
    mappings: &'a StreamingMaps<K>,
}

impl<'a, K: Kernel> Streaming<'a, K> {
    /// Returns the value through which these mappings are made and ended.
    pub const fn new(dma: &'a Dma<K>, mappings: &'a StreamingMaps<K>) -> Self {
        Streaming { dma, mappings }
    }
}

/// Returns the last of `size` addresses from `first` on; `None` if there are none, or if they end past the end of
/// memory.
fn last_byte(first: usize, size: usize) -> Option<usize> {
    first.checked_add(size.checked_sub(1)?)
}
