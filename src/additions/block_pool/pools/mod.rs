//! The block pools of a system: creating them, destroying them, and the list of them.

mod destroy;
mod shell_list;

pub use destroy::BadDestroy;

use core::error::Error;
use core::ffi::CStr;
use core::fmt;

use super::shape::{BadShape, Shape};
use super::{BlockPool, Pages, PoolName};
use crate::kernel::{Device, Kernel};
use crate::log::{Level, Line, Name};
use crate::mem::atomics::{AtomicUsize, Ordering::Relaxed};
use crate::mem::lock::IrqLock;
use crate::mem::shared::AtomicRef;
use crate::mem::turn::Turn;
use crate::text::apart;

/// The reason why a pool is not created.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadCreate {
    /// There is no device.
    NoDevice,
    /// There are no blocks of this shape.
    Shape(BadShape),
    /// The heap has no room for the bookkeeping.
    NoMemory,
    /// The caller may not sleep.
    Context,
}

impl BadCreate {
    /// Returns the text that states the reason, in the log and as the error of a driver in Rust.
    fn reason(self) -> &'static CStr {
        match self {
            BadCreate::NoDevice => apart!("no device"),
            BadCreate::Shape(BadShape::Size) => apart!("bad size"),
            BadCreate::Shape(BadShape::Align) => apart!("bad alignment"),
            BadCreate::Shape(BadShape::Boundary) => apart!("bad boundary"),
            BadCreate::NoMemory => apart!("out of memory"),
            BadCreate::Context => apart!("needs a thread"),
        }
    }
}

impl fmt::Display for BadCreate {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.reason().to_str().unwrap_or_default())
    }
}

impl Error for BadCreate {}

/// What a driver wants of a pool.
#[derive(Clone, Copy)]
pub struct BlockPoolSpec {
    /// The name for the log and the list.
    pub name: PoolName,
    /// The device.
    pub device: Option<Device>,
    /// Bytes in a block.
    pub size: usize,
    /// Every block begins at a multiple of it for the device, and up to a page for the processor. A power of two; 0
    /// means 1. [`create`](BlockPools::create) takes at most a page, and aligns blocks to a word at least.
    pub align: usize,
    /// No block crosses a multiple of it in the device's address space. A power of two that is not less than the
    /// rounded size; 0 means no boundary.
    pub boundary: usize,
}

/// All block pools whose memory comes from `P`.
pub struct BlockPools<K: Kernel, P: Pages> {
    kernel: K,
    pages: P,
    turn: Turn,
    first: AtomicRef<BlockPool<K, P>>,
    /// Held while the list is changed.
    links: IrqLock<()>,
    /// The serial number of the next pool. A creation that the heap has no room for uses one up.
    next_serial: AtomicUsize,
    refused_calls: AtomicUsize,
}

impl<K: Kernel, P: Pages> BlockPools<K, P> {
    /// Makes an empty list of pools.
    pub const fn new(kernel: K, pages: P) -> Self {
        BlockPools {
            kernel,
            pages,
            turn: Turn::new(),
            first: AtomicRef::new(),
            links: IrqLock::new(()),
            next_serial: AtomicUsize::new(0),
            refused_calls: AtomicUsize::new(0),
        }
    }

    /// Returns the number of calls that were refused because the caller was wrong, without frees: a pool counts its
    /// own.
    pub fn refused_calls(&self) -> usize {
        self.refused_calls.load(Relaxed)
    }

    /// Creates a pool, which has no memory yet.
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// A value of the specification is out of its range, the heap has no room, or the caller may not sleep. A line is
    /// logged.
    pub fn create(&self, spec: &BlockPoolSpec) -> Result<&'static BlockPool<K, P>, BadCreate> {
        self.create_with(spec, Shape::new(spec.size, spec.align, spec.boundary), self.pages)
    }

    /// Creates a pool by the rules of Linux's `dma_pool`: its blocks lie as densely, `align` may be more than a page,
    /// and threads keep memory ready for interrupts. Its memory comes from `pages`.
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// As for [`create`](BlockPools::create).
    pub fn create_linux(&self, spec: &BlockPoolSpec, pages: P) -> Result<&'static BlockPool<K, P>, BadCreate> {
        let pool = self.create_with(spec, Shape::linux(spec.size, spec.align, spec.boundary), pages)?;
        pool.start_reserve();
        Ok(pool)
    }

    /// Creates a pool of the shape that `spec` asks for, and logs an error.
    fn create_with(
        &self,
        spec: &BlockPoolSpec,
        shape: Result<Shape, BadShape>,
        pages: P,
    ) -> Result<&'static BlockPool<K, P>, BadCreate> {
        let result = self.try_create(spec, shape, pages);
        if let Err(error) = result {
            let values = [spec.size, spec.align, spec.boundary, Name::of(error.reason()).argument()];
            let format = apart!("blocks of %lu bytes aligned to %lu within %lu: %s");
            self.refuse_line(&Line::about(spec.name.shown(), format, &values));
        }
        result
    }

    /// Creates a pool of the shape that `spec` asks for.
    fn try_create(
        &self,
        spec: &BlockPoolSpec,
        shape: Result<Shape, BadShape>,
        pages: P,
    ) -> Result<&'static BlockPool<K, P>, BadCreate> {
        let device = spec.device.ok_or(BadCreate::NoDevice)?;
        let shape = shape.map_err(BadCreate::Shape)?;
        let _turn = self.turn.take(self.kernel).ok_or(BadCreate::Context)?;
        let serial = self.next_serial.fetch_add(1, Relaxed);
        let pool = BlockPool::new(self.kernel, pages, spec.name, device, shape, serial);
        let pool = pool.ok_or(BadCreate::NoMemory)?;
        self.link(pool);
        Ok(pool)
    }

    /// Puts a pool at the beginning of the list, and lets it follow a mask that was set before. The caller holds the
    /// turn.
    fn link(&self, pool: &'static BlockPool<K, P>) {
        let held = self.links.lock(self.kernel);
        pool.next.set(self.first.get());
        self.first.set(Some(pool));
        drop(held);
        pool.follow_mask();
    }

    /// Returns the pools. The caller holds the turn, or the lock of the links.
    fn pools(&self) -> impl Iterator<Item = &'static BlockPool<K, P>> {
        core::iter::successors(self.first.get(), |pool| pool.next.get())
    }

    /// Returns the device of the pool at `pool`; `None` if there is no such pool (any more), or the caller may not
    /// sleep. Every pointer is allowed: it is compared, and not read.
    ///
    /// Context: thread.
    pub fn device_of(&self, pool: *const BlockPool<K, P>) -> Option<Device> {
        let _turn = self.turn.take(self.kernel)?;
        self.pools().find(|known| core::ptr::eq(*known, pool)).map(BlockPool::device)
    }

    /// Makes the pools of a device that has another coherent mask now hand out only blocks that it reaches with that
    /// mask.
    ///
    /// Context: any. The time grows with the pools' memory.
    pub fn follow_mask(&self, device: Device) {
        let follow = || self.pools().filter(|pool| pool.device == device).for_each(BlockPool::follow_mask);
        // No pool of the list is destroyed while the turn, or in an interrupt the lock, is held.
        match self.turn.take(self.kernel) {
            Some(_turn) => follow(),
            None => {
                let _held = self.links.lock(self.kernel);
                follow();
            }
        }
    }

    /// Counts a call that is refused because the caller is wrong, and logs a line about it.
    fn refuse_line(&self, line: &Line) {
        self.refused_calls.fetch_add(1, Relaxed);
        self.kernel.log(Level::Error, line);
    }
}
