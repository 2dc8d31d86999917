//! Creating a block pool.

use core::error::Error;
use core::ffi::CStr;
use core::fmt;

use super::BlockPools;
use crate::additions::block_pool::shape::{Shape, ShapeError};
use crate::additions::block_pool::{BlockPool, Pages, PoolName};
use crate::kernel::{Device, Kernel};
use crate::log::{Level, Line};
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

impl From<ShapeError> for CreateError {
    fn from(error: ShapeError) -> Self {
        CreateError::Shape(error)
    }
}

/// What a driver wants of a pool.
#[derive(Clone, Copy)]
pub struct BlockPoolSpec {
    /// The name for the log and the list.
    pub name: PoolName,
    /// The device.
    pub device: Option<Device>,
    /// Bytes in a block, not zero. They are rounded up to a multiple of `align`, and by
    /// [`create`](BlockPools::create) to whole words; [`create_linux`](BlockPools::create_linux) first raises a `size`
    /// of less than 16 to 16.
    pub size: usize,
    /// A power of two; 0 means 1. Every block begins at a multiple of it for the device, and for the processor at a
    /// multiple of it or of a page, whichever is less.
    ///
    /// [`create`](BlockPools::create) allows a page at most, and aligns blocks to a word at least. Blocks are also
    /// aligned to every power of two up to a page that divides `size`.
    pub align: usize,
    /// No block crosses a multiple of it in the device's address space. A power of two that is not less than the bytes
    /// of a block after rounding; 0 means no boundary.
    pub boundary: usize,
}

impl<K: Kernel, P: Pages> BlockPools<K, P> {
    /// Creates a pool, which has no memory yet.
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// A value of the specification is out of its range, the heap has no room, or the caller may not sleep. In a
    /// thread, a line in the log gives the reason. The call is counted, unless only the heap has no room.
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

    /// Creates a pool, or reports why it does not. `shape` is the shape of the blocks that `spec` describes, or the
    /// reason why there are none.
    fn create_of_shape(
        &self,
        spec: &BlockPoolSpec,
        shape: Result<Shape, ShapeError>,
        pages: P,
    ) -> Result<&'static BlockPool<K, P>, CreateError> {
        let created = shape.map_err(CreateError::from).and_then(|shape| self.add_pool(spec, shape, pages));
        created.inspect_err(|error| self.report(spec, *error))
    }

    /// Makes a pool, and puts it into the list.
    fn add_pool(&self, spec: &BlockPoolSpec, shape: Shape, pages: P) -> Result<&'static BlockPool<K, P>, CreateError> {
        let device = spec.device.ok_or(CreateError::NoDevice)?;
        let _turn = self.turn.take(self.kernel).ok_or(CreateError::Context)?;
        let serial = self.next_serial.fetch_add(1, Relaxed);
        let pool = BlockPool::new(self.kernel, pages, spec.name, device, shape, serial);
        let pool = pool.ok_or(CreateError::NoMemory)?;
        self.link(pool);
        Ok(pool)
    }

    /// Logs why a pool is not created, and counts the call unless only the heap has no room. Where the caller may not
    /// sleep, the kernel drops the line.
    fn report(&self, spec: &BlockPoolSpec, error: CreateError) {
        let BlockPoolSpec { size, align, boundary, .. } = *spec;
        let text = text!("blocks of %lu bytes, align %lu, boundary %lu: %s", size, align, boundary, error.reason());
        let line = Line::about(spec.name.as_name(), text);
        match error {
            CreateError::NoMemory => self.kernel.log(Level::Warning, &line),
            CreateError::NoDevice | CreateError::Shape(_) | CreateError::Context => self.refuse(&line),
        }
    }
}
