//! Creating a block pool.

use core::error::Error;
use core::ffi::CStr;
use core::fmt;

use super::BlockPools;
use crate::additions::block_pool::shape::{Shape, ShapeError};
use crate::additions::block_pool::{BlockPool, Pages, PoolName};
use crate::kernel::{Device, Kernel};
use crate::log::Line;
use crate::mem::atomics::Ordering::Relaxed;
use crate::text::{separate_cstr, text};

/// The reason why a pool is not created.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CreateError {
    /// There is no device.
    NoDevice,
    /// There are no blocks of this shape.
    Shape(ShapeError),
    /// The heap has no room for the bookkeeping.
    NoMemory,
    /// The caller may not sleep.
    Context,
}

impl CreateError {
    /// Returns the text that states the reason, in the log and as the error of a driver in Rust.
    fn reason(self) -> &'static CStr {
        match self {
            CreateError::NoDevice => separate_cstr!("no device"),
            CreateError::Shape(ShapeError::Size) => separate_cstr!("bad size"),
            CreateError::Shape(ShapeError::Align) => separate_cstr!("bad alignment"),
            CreateError::Shape(ShapeError::Boundary) => separate_cstr!("bad boundary"),
            CreateError::NoMemory => separate_cstr!("out of memory"),
            CreateError::Context => separate_cstr!("needs a thread"),
        }
    }
}

impl fmt::Display for CreateError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.reason().to_str().unwrap_or_default())
    }
}

impl Error for CreateError {}

/// What a driver wants of a pool.
#[derive(Clone, Copy)]
pub struct BlockPoolSpec {
    /// The name for the log and the list.
    pub name: PoolName,
    /// The device.
    pub device: Option<Device>,
    /// Bytes in a block.
    pub size: usize,
    /// A power of two; 0 means 1. Every block begins at a multiple of it for the device, and for the processor at a
    /// multiple of it or of a page, whichever is less.
    ///
    /// [`create`](BlockPools::create) allows a page at most, and aligns blocks to a word at least. Blocks are also
    /// aligned to every power of two up to a page that divides `size`.
    pub align: usize,
    /// No block crosses a multiple of it in the device's address space. A power of two that is not less than the
    /// rounded size; 0 means no boundary.
    pub boundary: usize,
}

impl<K: Kernel, P: Pages> BlockPools<K, P> {
    /// Creates a pool, which has no memory yet.
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// A value of the specification is out of its range, the heap has no room, or the caller may not sleep. A line is
    /// logged.
    pub fn create(&self, spec: &BlockPoolSpec) -> Result<&'static BlockPool<K, P>, CreateError> {
        self.create_of_shape(spec, Shape::new(spec.size, spec.align, spec.boundary), self.pages)
    }

    /// Creates a pool by the rules of Linux's `dma_pool`: its blocks lie as densely, `align` may be more than a page,
    /// and threads keep memory ready for interrupts. Its memory comes from `pages`.
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// As for [`create`](BlockPools::create).
    pub fn create_linux(&self, spec: &BlockPoolSpec, pages: P) -> Result<&'static BlockPool<K, P>, CreateError> {
        let pool = self.create_of_shape(spec, Shape::linux(spec.size, spec.align, spec.boundary), pages)?;
        pool.start_reserve();
        Ok(pool)
    }

    /// Creates a pool, and logs an error. `shape` is the shape of the blocks that `spec` describes, or the reason why
    /// there are none.
    fn create_of_shape(
        &self,
        spec: &BlockPoolSpec,
        shape: Result<Shape, ShapeError>,
        pages: P,
    ) -> Result<&'static BlockPool<K, P>, CreateError> {
        self.try_create(spec, shape, pages).inspect_err(|error| {
            let BlockPoolSpec { size, align, boundary, .. } = *spec;
            let text =
                text!("blocks of %lu bytes aligned to %lu within %lu: %s", size, align, boundary, error.reason());
            self.refuse(&Line::about(spec.name.shown(), text));
        })
    }

    /// Does what [`create_of_shape`](Self::create_of_shape) does, but logs nothing.
    fn try_create(
        &self,
        spec: &BlockPoolSpec,
        shape: Result<Shape, ShapeError>,
        pages: P,
    ) -> Result<&'static BlockPool<K, P>, CreateError> {
        let device = spec.device.ok_or(CreateError::NoDevice)?;
        let shape = shape.map_err(CreateError::Shape)?;
        let _turn = self.turn.take(self.kernel).ok_or(CreateError::Context)?;
        let serial = self.next_serial.fetch_add(1, Relaxed);
        let pool = BlockPool::new(self.kernel, pages, spec.name, device, shape, serial);
        let pool = pool.ok_or(CreateError::NoMemory)?;
        self.link(pool);
        Ok(pool)
    }
}
