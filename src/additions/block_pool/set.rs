//! The block pools of a system: making them, destroying them, and the list of them.

use crate::mem::atomics::{AtomicUsize, Ordering::Relaxed};

use super::report::{InUse, Usage};
use super::shape::{BadShape, Shape};
use super::{BlockPool, Pages, PoolName};
use crate::kernel::{Device, Kernel};
use crate::log::{Level, Line, Name};
use crate::mem::heap::free;
use crate::mem::lock::IrqLock;
use crate::mem::shared::AtomicRef;
use crate::mem::turn::Turn;
use crate::text::apart;

/// Why a pool is not made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadCreate {
    /// There is no device.
    NoDevice,
    /// There are no such blocks.
    Shape(BadShape),
    /// The heap has no room for the bookkeeping.
    NoMemory,
    /// The caller may not sleep.
    Context,
}

/// Why a pool is not destroyed. It serves on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadDestroy {
    /// There is no such pool (any more).
    Unknown,
    /// This number of its blocks is in use.
    Busy(usize),
    /// The caller may not sleep.
    Context,
}

/// What a driver asks of a pool.
#[derive(Clone, Copy)]
pub struct Request {
    /// The name of the pool.
    pub name: PoolName,
    /// Whose blocks they are.
    pub device: Option<Device>,
    /// Bytes of a block.
    pub size: usize,
    /// Every block begins at a multiple of it, for the device, and up to a page for the processor. A power of two; zero means
    /// one. [`create`](BlockPools::create) takes at most a page, and at least a word's size in any case.
    pub align: usize,
    /// No block crosses a multiple of it, for the device: a power of two that is not less than the rounded size; zero means no
    /// boundary.
    pub boundary: usize,
}

/// [`Shape::new`] or [`Shape::linux`].
type Rules = fn(usize, usize, usize) -> Result<Shape, BadShape>;

/// All block pools whose memory comes from `P`.
pub struct BlockPools<K: Kernel, P: Pages> {
    kernel: K,
    pages: P,
    turn: Turn,
    first: AtomicRef<BlockPool<K, P>>,
    /// Held while the list is changed.
    links: IrqLock<()>,
    /// How many pools were made.
    made: AtomicUsize,
    bad_calls: AtomicUsize,
}

impl<K: Kernel, P: Pages> BlockPools<K, P> {
    /// No pools.
    pub const fn new(kernel: K, pages: P) -> Self {
        BlockPools {
            kernel,
            pages,
            turn: Turn::new(),
            first: AtomicRef::new(),
            links: IrqLock::new(()),
            made: AtomicUsize::new(0),
            bad_calls: AtomicUsize::new(0),
        }
    }

    /// Calls that were refused because the caller was wrong, other than frees: those count with their pool.
    pub fn bad_calls(&self) -> usize {
        self.bad_calls.load(Relaxed)
    }

    /// Creates a pool, which has no memory yet. Context: thread.
    pub fn create(&self, request: &Request) -> Result<&'static BlockPool<K, P>, BadCreate> {
        self.create_by(request, Shape::new, self.pages)
    }

    /// Creates a pool by the rules of Linux's `dma_pool`: its blocks lie as densely, `align` may be more than a page, and
    /// threads keep memory ready for interrupts. Its memory comes from `pages`. Context: thread.
    pub fn create_linux(&self, request: &Request, pages: P) -> Result<&'static BlockPool<K, P>, BadCreate> {
        let pool = self.create_by(request, Shape::linux, pages)?;
        pool.start_reserve();
        Ok(pool)
    }

    fn create_by(&self, request: &Request, shape: Rules, pages: P) -> Result<&'static BlockPool<K, P>, BadCreate> {
        let result = self.try_create(request, shape, pages);
        let format = match result {
            Ok(_) => return result,
            Err(BadCreate::NoDevice) => apart!("blocks of %lu bytes aligned to %lu within %lu: no device"),
            Err(BadCreate::Shape(BadShape::Size)) => {
                apart!("blocks of %lu bytes aligned to %lu within %lu: bad size")
            }
            Err(BadCreate::Shape(BadShape::Align)) => {
                apart!("blocks of %lu bytes aligned to %lu within %lu: bad alignment")
            }
            Err(BadCreate::Shape(BadShape::Boundary)) => {
                apart!("blocks of %lu bytes aligned to %lu within %lu: bad boundary")
            }
            Err(BadCreate::NoMemory) => apart!("blocks of %lu bytes aligned to %lu within %lu: out of memory"),
            Err(BadCreate::Context) => apart!("blocks of %lu bytes aligned to %lu within %lu: needs a thread"),
        };
        let values = &[request.size, request.align, request.boundary];
        self.refuse_line(&Line::about(request.name.shown(), format, values));
        result
    }

    fn try_create(&self, request: &Request, shape: Rules, pages: P) -> Result<&'static BlockPool<K, P>, BadCreate> {
        let device = request.device.ok_or(BadCreate::NoDevice)?;
        let shape = shape(request.size, request.align, request.boundary).map_err(BadCreate::Shape)?;
        let pool = {
            let _turn = self.turn.take(self.kernel).ok_or(BadCreate::Context)?;
            let serial = self.made.fetch_add(1, Relaxed);
            let pool = BlockPool::new(self.kernel, pages, request.name, device, shape, serial);
            let pool = pool.ok_or(BadCreate::NoMemory)?;
            self.append(pool);
            pool
        };
        // A mask that was set before it was in the list.
        pool.follow_mask();
        Ok(pool)
    }

    /// Puts a pool at the end of the list. The caller holds the list's turn.
    fn append(&self, pool: &'static BlockPool<K, P>) {
        let last = self.pools().last();
        let _held = self.links.lock(self.kernel);
        pool.next.set(None);
        last.map_or(&self.first, |last| &last.next).set(Some(pool));
    }

    /// The pools in the order in which they were made, for a caller that has the turn, or the lock of the links.
    fn pools(&self) -> impl Iterator<Item = &'static BlockPool<K, P>> {
        core::iter::successors(self.first.get(), |pool| pool.next.get())
    }

    /// The device of the pool at `pool`, which may be anything: it is looked up, not read. `None` if there is no such pool
    /// (any more), or the caller may not sleep. Context: thread.
    pub fn device_of(&self, pool: *const BlockPool<K, P>) -> Option<Device> {
        let _turn = self.turn.take(self.kernel)?;
        self.pools().find(|known| core::ptr::eq(*known, pool)).map(BlockPool::device)
    }

    /// The device has another coherent mask: its pools hand out only blocks that it reaches with that one. Context: any;
    /// takes the longer the more memory the pools have.
    pub fn follow_mask(&self, device: Device) {
        let follow = || self.pools().filter(|pool| pool.device == device).for_each(BlockPool::follow_mask);
        // A pool of the list is not destroyed while its turn, or in an interrupt the lock, is held.
        match self.turn.take(self.kernel) {
            Some(_turn) => follow(),
            None => {
                let _held = self.links.lock(self.kernel);
                follow();
            }
        }
    }

    /// Gives back all that the pool at `pool` has, and the pool itself. While blocks are in use it serves on, and one line
    /// in the log has their number, and one more line each the address of the first few. Context: thread.
    ///
    /// # Safety
    /// No other call uses the pool meanwhile; or afterwards, if it is destroyed. `pool` itself may be anything: it is
    /// looked up, not read.
    #[allow(unsafe_code)]
    pub unsafe fn destroy(&self, pool: *const BlockPool<K, P>) -> Result<(), BadDestroy> {
        let mut in_use = None;
        let result = match self.empty(pool, &mut in_use) {
            Ok(pool) => {
                // SAFETY: the caller promises that it is not used; it is in the list no more, so no call finds it, and it is
                // given back once.
                unsafe {
                    pool.pieces.release();
                    free(self.kernel, core::ptr::from_ref(pool));
                }
                return Ok(());
            }
            Err(error) => error,
        };
        let format = match result {
            BadDestroy::Unknown => apart!("destroy of 0x%lx: not a block pool (any more)"),
            BadDestroy::Context => apart!("destroy of 0x%lx: needs a thread"),
            BadDestroy::Busy(_) => {
                self.bad_calls.fetch_add(1, Relaxed);
                if let Some(blocks) = in_use {
                    blocks.log(self.kernel);
                }
                return Err(result);
            }
        };
        self.refuse_line(&Line::about(Name::of(apart!("dma.pool")), format, &[pool as usize]));
        Err(result)
    }

    /// Takes a pool without blocks in use off the list, and gives back its pages. If blocks are in use, they are put into
    /// `in_use`, to be logged.
    fn empty(
        &self,
        pool: *const BlockPool<K, P>,
        in_use: &mut Option<InUse>,
    ) -> Result<&'static BlockPool<K, P>, BadDestroy> {
        let pool = self.unlink(pool, in_use)?;
        // Without the turn: the device's memory may write lines to the log.
        pool.trim();
        if pool.usage().pages == 0 {
            return Ok(pool);
        }
        // Against the rules, a block was taken meanwhile. The memory must stay.
        let _turn = self.turn.take(self.kernel).ok_or(BadDestroy::Context)?;
        self.append(pool);
        let blocks = pool.blocks_in_use().ok_or(BadDestroy::Context)?;
        Err(BadDestroy::Busy(in_use.insert(blocks).count()))
    }

    /// Takes a pool without blocks in use off the list. If blocks are in use, they are put into `in_use`.
    fn unlink(
        &self,
        pool: *const BlockPool<K, P>,
        in_use: &mut Option<InUse>,
    ) -> Result<&'static BlockPool<K, P>, BadDestroy> {
        let _turn = self.turn.take(self.kernel).ok_or(BadDestroy::Context)?;
        let mut link = &self.first;
        loop {
            let found = link.get().ok_or(BadDestroy::Unknown)?;
            if core::ptr::eq(found, pool) {
                let blocks = found.blocks_in_use().ok_or(BadDestroy::Context)?;
                if blocks.count() != 0 {
                    return Err(BadDestroy::Busy(in_use.insert(blocks).count()));
                }
                let _held = self.links.lock(self.kernel);
                link.set(found.next.get());
                return Ok(found);
            }
            link = &found.next;
        }
    }

    fn refuse_line(&self, line: &Line) {
        self.bad_calls.fetch_add(1, Relaxed);
        self.kernel.log(Level::Error, line);
    }

    /// Prints a header, one line for each pool, and their number. Context: thread.
    pub fn report(&self) {
        if !self.kernel.can_sleep() {
            return;
        }
        self.kernel.print(apart!("Name              In use   Total Size/Byte   Pages\n"), &[]);
        let (mut count, mut bad_calls, mut serial) = (0, self.bad_calls(), 0);
        // A row is collected with the turn, and printed without: pools may come and go in between.
        while let Some(row) = self.row(serial) {
            let Row { usage, .. } = row;
            let values = [row.name.shown().argument(), usage.in_use, usage.blocks, row.block_size, usage.pages];
            self.kernel.print(apart!("%-16s %7lu %7lu %9lu %7lu\n"), &values);
            count += 1;
            bad_calls += row.bad_calls;
            serial = row.serial.wrapping_add(1);
        }
        if bad_calls != 0 {
            self.kernel.print(apart!("dma.pool: %lu calls refused\n"), &[bad_calls]);
        }
        self.kernel.print(apart!("%lu DMA block pools found\n"), &[count]);
    }

    /// The row of the first pool that was made as number `serial` or later.
    fn row(&self, serial: usize) -> Option<Row> {
        let _turn = self.turn.take(self.kernel)?;
        let pool = self.pools().filter(|pool| pool.serial >= serial).min_by_key(|pool| pool.serial)?;
        Some(Row {
            serial: pool.serial,
            name: pool.name,
            usage: pool.usage(),
            block_size: pool.block_size(),
            bad_calls: pool.bad_calls(),
        })
    }
}

/// A pool's line in the list.
struct Row {
    serial: usize,
    name: PoolName,
    usage: Usage,
    block_size: usize,
    bad_calls: usize,
}
