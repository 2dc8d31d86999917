//! Pools of small blocks of DMA memory, all of one size: descriptors, requests, contexts.
//!
//! The rules are those of Linux's `dma_pool` (Documentation/core-api/dma-api.rst, part Ib). The bookkeeping lies outside of the
//! memory that a device can write: no call touches DMA memory. An allocation is one atomic operation on a [word] that holds
//! the states of a [group] of blocks. A free finds the word by the address, in a [table], and is one atomic operation too.
//! Neither takes a lock or masks interrupts, except where a group runs out of free blocks or has one again.
//!
//! Memory comes and goes a [span] at a time, in threads only, except for the pools that keep a [reserve].

mod allocate;
mod bookkeeping;
mod free;
mod group;
#[cfg(test)]
mod interleaved;
mod mask;
mod name;
mod pages;
pub mod report;
mod reserve;
pub mod set;
pub mod shape;
mod span;
mod table;
mod trim;
mod word;

pub use allocate::Block;
pub use name::PoolName;
pub use pages::Pages;

use crate::mem::atomics::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use core::ffi::CStr;

use crate::kernel::{Device, Kernel};
use crate::log::{Level, Line, Name};
use crate::mem::arena::Arena;
use crate::mem::heap::HeapMemory;
use crate::mem::shared::{AtomicRef, NonNullRef};
use bookkeeping::Spans;
use group::OpenGroups;
use shape::Shape;
use table::{EMPTY_TABLE, Table};

/// The reason why a block is not freed. Nothing was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadFree {
    /// No block of this pool begins at the address.
    Foreign,
    /// The block is free already.
    NotAllocated,
    /// The block has another handle.
    WrongHandle,
}

/// A pool of blocks. [`BlockPools`](set::BlockPools) makes and destroys it.
#[repr(C)]
pub struct BlockPool<K: Kernel, P: Pages> {
    // What every call reads comes first.
    table: NonNullRef<Table>,
    open: OpenGroups,
    kernel: K,
    pages: P,
    device: Device,
    name: PoolName,
    spans: Spans,
    /// The heap memory of the bookkeeping.
    arena: Arena<K>,
    bad_calls: AtomicUsize,
    /// The last address that the device reaches. Written with the list's lock held.
    limit: AtomicUsize,
    /// Whether some blocks lie beyond the limit, or did.
    has_unreachable: AtomicBool,
    /// Whether threads keep memory ready for interrupts.
    keeps_reserve: AtomicBool,
    /// The number of pools that were made before.
    serial: usize,
    /// The next pool of the set.
    next: AtomicRef<BlockPool<K, P>>,
}

impl<K: Kernel, P: Pages> BlockPool<K, P> {
    /// Makes a pool without memory; `None` if the heap has no room for it.
    ///
    /// Context: thread.
    fn new(kernel: K, pages: P, name: PoolName, device: Device, shape: Shape, serial: usize) -> Option<&'static Self> {
        HeapMemory::new(kernel, size_of::<Self>())?.place(|_| BlockPool {
            table: NonNullRef::new(&EMPTY_TABLE),
            open: OpenGroups::new(shape),
            kernel,
            pages,
            device,
            name,
            spans: Spans::new(),
            arena: Arena::new(kernel),
            bad_calls: AtomicUsize::new(0),
            limit: AtomicUsize::new(pages.limit(device)),
            has_unreachable: AtomicBool::new(false),
            keeps_reserve: AtomicBool::new(false),
            serial,
            next: AtomicRef::new(),
        })
    }

    /// Returns the device for which the pool was made.
    pub fn device(&self) -> Device {
        self.device
    }

    /// Returns the name. The caller uses it while the pool exists.
    pub fn name(&self) -> Name {
        self.name.shown()
    }

    /// Returns the bytes of a block, as the size was rounded up.
    pub fn block_size(&self) -> usize {
        self.open.shape.stride
    }

    /// Returns the number of calls that were refused because the caller was wrong.
    pub fn bad_calls(&self) -> usize {
        self.bad_calls.load(Relaxed)
    }

    /// Counts a call that is refused because the caller is wrong, and logs one line about it where text may be written.
    #[cold]
    fn refuse(&self, format: &'static CStr, values: &[usize]) {
        self.bad_calls.fetch_add(1, Relaxed);
        self.log(format, values);
    }

    /// Logs an error of the pool.
    fn log(&self, format: &'static CStr, values: &[usize]) {
        self.kernel.log(Level::Error, &Line::about(self.name(), format, values));
    }
}
