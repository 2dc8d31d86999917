//! The block pools of a system: making them, destroying them, and the list of them.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::shape::{BadShape, Shape};
use super::{BlockPool, Pages, PoolName};
use crate::kernel::{Device, Kernel};
use crate::log::{Level, Line, Name};
use crate::mem::heap::{AtomicRef, give_back};
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
    /// So many of its blocks are in use.
    Busy(usize),
    /// The caller may not sleep.
    Context,
}

/// What a driver asks of a pool.
#[derive(Clone, Copy)]
pub struct Request {
    /// What the pool shall be called.
    pub name: PoolName,
    /// Whose blocks they are.
    pub device: Option<Device>,
    /// Bytes of a block.
    pub size: usize,
    /// What every block's address is a multiple of, for processor and device: a power of two up to a page. No less than a
    /// word in any case.
    pub align: usize,
    /// What no block crosses a multiple of, for the device: a power of two no less than `size` rounded up to `align`; zero
    /// if blocks may lie anywhere.
    pub boundary: usize,
}

/// All block pools whose memory comes from `P`.
pub struct BlockPools<K: Kernel, P: Pages> {
    kernel: K,
    pages: P,
    turn: Turn,
    first: AtomicRef<BlockPool<K, P>>,
    bad_calls: AtomicUsize,
}

impl<K: Kernel, P: Pages> BlockPools<K, P> {
    /// No pools.
    pub const fn new(kernel: K, pages: P) -> Self {
        BlockPools { kernel, pages, turn: Turn::new(), first: AtomicRef::new(), bad_calls: AtomicUsize::new(0) }
    }

    /// Calls that were refused because the caller was wrong, other than frees: those count with their pool.
    pub fn bad_calls(&self) -> usize {
        self.bad_calls.load(Relaxed)
    }

    /// A new pool, which has no memory yet. *Thread.*
    pub fn create(&self, request: &Request) -> Result<&'static BlockPool<K, P>, BadCreate> {
        let result = self.try_create(request);
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

    fn try_create(&self, request: &Request) -> Result<&'static BlockPool<K, P>, BadCreate> {
        let device = request.device.ok_or(BadCreate::NoDevice)?;
        let shape = Shape::new(request.size, request.align, request.boundary).map_err(BadCreate::Shape)?;
        let _turn = self.turn.take(self.kernel).ok_or(BadCreate::Context)?;
        let pool = BlockPool::new(self.kernel, self.pages, request.name, device, shape).ok_or(BadCreate::NoMemory)?;
        let last = self.pools().last();
        last.map_or(&self.first, |last| &last.next).set(Some(pool));
        Ok(pool)
    }

    /// The pools in the order in which they were made, for whose turn it is.
    fn pools(&self) -> impl Iterator<Item = &'static BlockPool<K, P>> {
        core::iter::successors(self.first.get(), |pool| pool.next.get())
    }

    /// The device of the pool at `pool`, which may be anything: it is looked up, not read. `None` if there is no such pool
    /// (any more), or the caller may not sleep. *Thread.*
    pub fn device_of(&self, pool: *const BlockPool<K, P>) -> Option<Device> {
        let _turn = self.turn.take(self.kernel)?;
        self.pools().find(|known| core::ptr::eq(*known, pool)).map(BlockPool::device)
    }

    /// Gives back all that the pool at `pool` has, and the pool itself. While blocks are in use it serves on, and one line
    /// in the log says how many, and one more each of the first few. *Thread.*
    ///
    /// # Safety
    /// Nobody uses the pool meanwhile; or afterwards, if it is destroyed. `pool` itself may be anything: it is looked up,
    /// not read.
    #[allow(unsafe_code)]
    pub unsafe fn destroy(&self, pool: *const BlockPool<K, P>) -> Result<(), BadDestroy> {
        let result = match self.unlink(pool) {
            Ok(pool) => {
                // SAFETY: the caller says that nobody uses it; it is in the list no more, so nobody finds it, and it is
                // given back once.
                unsafe {
                    pool.pieces.release();
                    give_back(self.kernel, core::ptr::from_ref(pool));
                }
                return Ok(());
            }
            Err(error) => error,
        };
        let (format, name) = match result {
            BadDestroy::Unknown => (apart!("destroy of 0x%lx: not a block pool (any more)"), apart!("dma.pool")),
            BadDestroy::Context => (apart!("destroy of 0x%lx: needs a thread"), apart!("dma.pool")),
            // It named itself, and its blocks.
            BadDestroy::Busy(_) => {
                self.bad_calls.fetch_add(1, Relaxed);
                return Err(result);
            }
        };
        self.refuse_line(&Line::about(Name::of(name), format, &[pool as usize]));
        Err(result)
    }

    /// Takes a pool without blocks and pages off the list.
    fn unlink(&self, pool: *const BlockPool<K, P>) -> Result<&'static BlockPool<K, P>, BadDestroy> {
        let _turn = self.turn.take(self.kernel).ok_or(BadDestroy::Context)?;
        let mut link = &self.first;
        loop {
            let found = link.get().ok_or(BadDestroy::Unknown)?;
            if core::ptr::eq(found, pool) {
                found.empty()?;
                link.set(found.next.get());
                return Ok(found);
            }
            link = &found.next;
        }
    }

    fn refuse_line(&self, line: &Line) {
        self.bad_calls.fetch_add(1, Relaxed);
        self.kernel.say(Level::Error, line);
    }

    /// Prints a header, one line for each pool, and their number. *Thread.*
    pub fn report(&self) {
        let Some(_turn) = self.turn.take(self.kernel) else { return };
        self.kernel.print(apart!("Name              In use   Total Size/Byte   Pages\n"), &[]);
        let (mut count, mut bad_calls) = (0, self.bad_calls());
        for pool in self.pools() {
            let usage = pool.usage();
            let values = [pool.name().word(), usage.in_use, usage.blocks, pool.block_size(), usage.pages];
            self.kernel.print(apart!("%-16s %7lu %7lu %9lu %7lu\n"), &values);
            count += 1;
            bad_calls += pool.bad_calls();
        }
        if bad_calls != 0 {
            self.kernel.print(apart!("dma.pool: %lu calls refused\n"), &[bad_calls]);
        }
        self.kernel.print(apart!("%lu DMA block pools found\n"), &[count]);
    }
}
