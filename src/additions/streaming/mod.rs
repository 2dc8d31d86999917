//! Streaming mappings: a driver's own buffer handed to a device for a time (Linux
//! Documentation/core-api/dma-api-howto.rst, "Using Streaming DMA mappings").
//!
//! [`map`](Streaming::map) makes the buffer the device's, [`unmap`](Streaming::unmap) the processor's again; in
//! between, [`sync_for_cpu`](Streaming::sync_for_cpu) and [`sync_for_device`](Streaming::sync_for_device) hand over all or
//! part of it. Where the device does not reach the buffer, or would share a cache line with its neighbours, a [bounce
//! buffer](bounce) takes its place.
//!
//! A mapping whose buffer can be found again by its handle (through the linear map, outside the pools) is
//! [direct]: it takes no lock and needs no memory. Every other has a [record](records), and perhaps a bounce buffer.
//!
//! # Context
//! Any, unless a function states otherwise. Threads allocate a [stock] of records, from which interrupts take; in an
//! interrupt, a bounce buffer comes from a pool whose view is mapped already. [`fill`](Streaming::fill) makes both ready.
//!
//! # Safety
//! The functions that are `unsafe` maintain caches, and copy from and to the addresses that they are given. The caller
//! guarantees:
//!
//! * The buffer that is mapped is the driver's, and stays allocated and mapped for the processor until it is unmapped.
//! * While the device has the buffer, or a part of it, no code reads or writes that part. Other bytes in the cache lines of a
//!   buffer may be used at any time, unless the map had [`own_lines`](Attributes::own_lines).
//! * `handle`, `size` and `direction` of an unmap or a sync are those of a mapping that is live, or of a part of one. What the
//!   library can check of this it checks, and refuses the call; of a direct mapping it cannot check all.
//! * All calls for one [`Streaming`] get the same [`Dma`], and a [`Master`] that describes its device.

#![allow(unsafe_code)]

pub mod bounce;
mod buffer;
mod direct;
mod errors;
mod fill;
mod forget;
mod map;
mod mapping;
mod master;
mod place;
mod pooled;
mod quick;
mod recorded;
mod records;
mod segments;
mod stock;
mod sync;
mod unmap;

pub use buffer::{Attributes, Buffer};
pub use errors::{BadMapping, MapError};
pub use master::{Direction, Master, Ops, OwnOps};
pub use records::Query;
pub use segments::Segment;

use crate::dropin::pool::AddressInfo;
use crate::dropin::registry::Dma;
use crate::kernel::{Kernel, Pa, Va};
use direct::EarlyPools;
use mapping::Mapping;
use place::LinearRange;
use records::Records;
use stock::Stock;

/// The handle that no mapping has: `RT_DMA_MAPPING_ERROR`.
pub const MAPPING_ERROR: usize = usize::MAX;

/// All streaming mappings of a system. They belong to its [`Dma`], which every call is given.
pub struct Streaming<K: Kernel> {
    records: Records<K>,
    stock: Stock<K>,
    early_pools: EarlyPools,
    linear_range: LinearRange,
}

impl<K: Kernel> Streaming<K> {
    /// No mappings.
    pub const fn new() -> Self {
        Streaming {
            records: Records::new(),
            stock: Stock::new(),
            early_pools: EarlyPools::new(),
            linear_range: LinearRange::new(),
        }
    }

    /// Frees the bounce buffers that interrupts could not free, and refills the stock of records, where that is needed and
    /// the caller may sleep. Context: any.
    #[inline(always)] // Two loads in each direct mapping. As a function of its own it takes 45 instructions.
    pub fn tidy(&self, dma: &Dma<K>) {
        if self.stock.needs_thread() && dma.kernel.can_sleep() {
            self.tidy_in_thread(dma);
        }
    }

    #[cold]
    #[inline(never)]
    fn tidy_in_thread(&self, dma: &Dma<K>) {
        while let Some((record, mapping)) = self.stock.left(dma.kernel) {
            if let Some(Mapping { master, bounce: Some(bounce), .. }) = mapping {
                bounce.free(dma, &master);
            }
            self.stock.put(dma.kernel, record);
        }
        self.stock.refill(dma.kernel);
    }

    /// Frees everything that live mappings do not need. The next call in a thread allocates a stock again. Context: thread.
    pub fn trim(&self, dma: &Dma<K>) {
        self.tidy(dma);
        self.stock.clear(dma.kernel);
    }
}

/// Returns how the processor accesses the byte at `pa` through `va`. Memory outside the pools counts as cached.
pub(crate) fn address_info<K: Kernel>(dma: &Dma<K>, va: Va, pa: Pa) -> AddressInfo {
    dma.pools().find_map(|pool| pool.address_info(va, pa)).unwrap_or(AddressInfo { is_cached: true, is_in_view: false })
}

/// Returns the address of the last of `size` bytes; `None` if there are none, or if they end past the end of memory.
fn last_byte(va: Va, size: usize) -> Option<Va> {
    va.checked_add(size.checked_sub(1)?)
}
