//! Pools of small blocks of DMA memory, all of one size: descriptors, requests, contexts. The rules are those of
//! Linux's `dma_pool` (Documentation/core-api/dma-api.rst, part Ib).
//!
//! ```text
//! span    the pages that a pool gets from the device's pools at once: here one page, 64 blocks of 64 bytes
//! units   |  blocks 0 to 31        |  blocks 32 to 63       |       blocks that lie next to each other
//!             |                        |
//! groups     [ version, listed, 1110...1 ]  [ ... ]                a word with one bit for each block: 1 is free
//!             ^           ^
//!             core 0's current group      list -> group -> group    the other groups that have a free block
//! ```
//!
//! One entry of the hash table finds a unit, and one word has the states of a group. Small blocks: each unit has a
//! group of its own, as above. Large blocks: units of several spans share a group. With blocks of a page, a unit is one
//! block, and a group has up to 32 of them (16 on a 32-bit processor).
//!
//! *Allocate*: each core has a current group. The call clears the lowest free bit of its word, by one atomic operation.
//! If there is none, the first group of the list becomes the current one. If the list is empty, the core shares the
//! current group of another core. If no block is free, a thread adds a span.
//!
//! *Free*: a hash table has the unit of each address. The call computes the block's bit and sets it, by one atomic
//! operation, which fails if the block is free. If the group is not listed, the call lists it.
//!
//! *Trim*: frees the memory of each span whose blocks are all free. The bookkeeping of the span and of its units stays,
//! because a call without a lock may still look at it: the span is *vacant*, until it gets memory again. One caller at
//! a time adds and removes memory: it holds the pool's [turn](crate::mem::turn).
//!
//! The bookkeeping lies outside of the memory that a device can write: no call touches DMA memory.
//!
//! | file | what it has |
//! | --- | --- |
//! | `shape` | how blocks, units and spans lie in memory |
//! | `states` | the states of a group's blocks, in one word, and why a second free fails |
//! | `group` | units and groups |
//! | `listed_groups` | the current groups of the cores, and the list of the others |
//! | `spans`, `batch` | the bookkeeping of spans; how it is made |
//! | `table`, `table_growth` | the hash table, and its growth |
//! | `allocate`, `free` | the calls of drivers |
//! | `pages`, `span_memory` | where the memory of spans comes from, and how it is freed |
//! | `grow`, `trim` | spans that are added and removed |
//! | `follow_mask`, `reserve`, `usage` | masks of devices, blocks kept for interrupts, blocks in use |
//! | `pools`, `name` | all pools: creation, destruction, the list; the name of a pool |
//! | `preemption` | where the unit tests interrupt the calls |

mod allocate;
mod batch;
mod follow_mask;
mod free;
mod group;
mod grow;
mod listed_groups;
mod name;
mod pages;
pub mod pools;
mod preemption;
mod reserve;
pub mod shape;
mod span_memory;
mod spans;
pub mod states;
mod table;
mod table_growth;
#[cfg(test)]
mod tests;
mod trim;
pub mod usage;

pub use allocate::Block;
pub use name::PoolName;
pub use pages::{Effort, Pages};

use crate::kernel::{Device, Kernel};
use crate::log::{Level, Line, Name};
use crate::mem::arena::Arena;
use crate::mem::atomic_ref::{AlwaysSetRef, AtomicRef};
use crate::mem::atomics::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use crate::mem::heap::alloc_static;
use crate::text::Text;
use follow_mask::LastReachable;
use listed_groups::ListedGroups;
use shape::Shape;
use spans::Spans;
use table::{EMPTY_TABLE, UnitTable};

/// The reason why a block is not freed. Nothing was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FreeError {
    /// No block of this pool begins at the address.
    Foreign,
    /// The block is free already.
    NotAllocated,
    /// The block has another handle.
    WrongHandle,
}

/// A pool of blocks. [`BlockPools`](pools::BlockPools) makes and destroys it.
#[repr(C)]
pub struct BlockPool<K: Kernel, P: Pages> {
    // What every call reads comes first.
    table: AlwaysSetRef<UnitTable>,
    groups: ListedGroups,
    kernel: K,
    pages: P,
    device: Device,
    name: PoolName,
    spans: Spans,
    /// The heap memory of the bookkeeping.
    arena: Arena<K>,
    refused_calls: AtomicUsize,
    last_reachable: LastReachable,
    /// Whether the device may not reach some blocks. `note_unreachable` sets it, `trim_unreachable` clears it; both
    /// state the order.
    has_unreachable: AtomicBool,
    /// Whether threads keep memory ready for interrupts.
    keeps_reserve: AtomicBool,
    /// The number of the pool in the order of creation.
    serial: usize,
    /// The next pool of the list.
    next: AtomicRef<BlockPool<K, P>>,
}

impl<K: Kernel, P: Pages> BlockPool<K, P> {
    /// Makes a pool without memory; `None` if the heap has no room for it.
    ///
    /// Context: thread.
    fn new(kernel: K, pages: P, name: PoolName, device: Device, shape: Shape, serial: usize) -> Option<&'static Self> {
        alloc_static(kernel, 0, |_| BlockPool {
            table: AlwaysSetRef::new(&EMPTY_TABLE),
            groups: ListedGroups::new(shape),
            kernel,
            pages,
            device,
            name,
            spans: Spans::new(),
            arena: Arena::new(kernel),
            refused_calls: AtomicUsize::new(0),
            last_reachable: LastReachable::new(pages.last_reachable(device)),
            has_unreachable: AtomicBool::new(false),
            keeps_reserve: AtomicBool::new(false),
            serial,
            next: AtomicRef::new(),
        })
    }

    /// Returns how the blocks lie in memory.
    fn shape(&self) -> &Shape {
        &self.groups.shape
    }

    /// Returns the device for which the pool was made.
    pub fn device(&self) -> Device {
        self.device
    }

    /// Returns the name.
    pub fn name(&self) -> Name<'_> {
        self.name.as_name()
    }

    /// Returns the bytes of a block, as the size was rounded up.
    pub fn block_size(&self) -> usize {
        self.shape().stride
    }

    /// Returns the number of calls that were refused because the caller was wrong, or may not sleep.
    pub fn refused_calls(&self) -> usize {
        self.refused_calls.load(Relaxed)
    }

    /// Counts a call that is refused because the caller is wrong, and logs one line about it where text may be written.
    #[cold]
    fn refuse(&self, text: Text) {
        self.refused_calls.fetch_add(1, Relaxed);
        self.log(text);
    }

    /// Returns whether the caller may sleep, and counts a refused call if not.
    fn may_sleep_or_count(&self) -> bool {
        let may_sleep = self.kernel.can_sleep();
        if !may_sleep {
            self.refused_calls.fetch_add(1, Relaxed);
        }
        may_sleep
    }

    /// Logs an error of the pool.
    fn log(&self, text: Text) {
        self.kernel.log(Level::Error, &Line::about(self.name(), text));
    }
}
