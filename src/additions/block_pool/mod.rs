//! Pools of small blocks of DMA memory, all of one size: descriptors, requests, contexts.
//!
//! The rules are those of Linux's `dma_pool` (Documentation/core-api/dma-api.rst, part Ib), with its bookkeeping outside
//! of the memory that a device can write: to take a block or to give one back touches no DMA memory, is one atomic
//! operation on a word of states (`word`), and one look-up by address (`table`) for the way back. Neither takes a lock,
//! or masks interrupts, except where a word runs out of free blocks or has one again.
//!
//! Memory comes and goes a span at a time, in threads only (`span`, `trim`).

mod group;
#[cfg(test)]
mod interleaved;
pub mod report;
mod reserve;
pub mod set;
pub mod shape;
mod span;
mod table;
mod trim;
mod word;

use crate::mem::atomics::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use core::ffi::{CStr, c_char};

use crate::kernel::{Device, Kernel, Va};
use crate::log::{Level, Line, Name};
use crate::mem::arena::Arena;
use crate::mem::heap::HeapMemory;
use crate::mem::shared::{AtomicRef, SetRef};
use crate::text::apart;
use group::{Group, OpenGroups, Taken, Unit};
use shape::Shape;
use span::Spans;
use table::{EMPTY_TABLE, Table};
use word::NotGiven;

/// Where the spans of a pool come from: the device's coherent memory.
///
/// # Safety
///
/// Memory that [`allocate`](Pages::allocate) returned is mapped for the processor, has no other user until
/// [`free`](Pages::free) gets it back, and its address is that of a pointer whose provenance was exposed.
#[allow(unsafe_code)]
pub unsafe trait Pages: Copy + Send + Sync + 'static {
    /// `size` bytes of coherent memory, whole pages, and their handle. Context: thread first, then any.
    fn allocate(&self, device: Device, size: usize) -> Option<(Va, usize)>;
    /// Allocates as [`allocate`](Pages::allocate) does, at an address and a handle that are multiples of `align`, a power of
    /// two, if that is possible. The pool checks both. Context: thread first, then any.
    fn allocate_aligned(&self, device: Device, size: usize, align: usize) -> Option<(Va, usize)> {
        let _ = align;
        self.allocate(device, size)
    }
    /// Gives them back. Context: thread.
    fn free(&self, device: Device, size: usize, va: Va, handle: usize);
    /// The last address that the device reaches now, with its coherent mask. Context: any.
    fn limit(&self, device: Device) -> usize;
}

/// Bytes of a pool's name, with the zero that ends it; what is longer is cut.
const NAME_SIZE: usize = 32;

/// A copy of a pool's name.
#[derive(Clone, Copy)]
pub struct PoolName([u8; NAME_SIZE]);

impl PoolName {
    /// Copies the beginning of a text without its final zero; no more is read of it than is copied.
    pub fn new(text: impl IntoIterator<Item = u8>) -> Self {
        let mut name = [0; NAME_SIZE];
        // The last byte stays zero.
        name.iter_mut().take(NAME_SIZE - 1).zip(text).for_each(|(place, byte)| *place = byte);
        PoolName(name)
    }

    /// For a line of text, while this copy stays.
    pub fn shown(&self) -> Name {
        // SAFETY: the last byte is zero, and the caller uses the name while this copy stays.
        #[allow(unsafe_code)]
        unsafe {
            Name::from_ptr(self.0.as_ptr().cast::<c_char>())
        }
    }
}

/// A block that a driver holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Block {
    /// Where the processor finds it.
    pub va: Va,
    /// Where the device finds it.
    pub handle: usize,
}

/// Why a block is not given back. Nothing was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadFree {
    /// No block of this pool begins there.
    Foreign,
    /// It is free already.
    NotAllocated,
    /// The block has another handle.
    WrongHandle,
}

/// A pool of blocks. Made and destroyed by a [`set`](set::BlockPools).
#[repr(C)]
pub struct BlockPool<K: Kernel, P: Pages> {
    // What every call reads, first.
    open: OpenGroups,
    table: SetRef<Table>,
    shape: Shape,
    kernel: K,
    pages: P,
    device: Device,
    name: PoolName,
    spans: Spans,
    pieces: Arena<K>,
    bad_calls: AtomicUsize,
    /// The last address that the device reaches. Written under the list's lock.
    limit: AtomicUsize,
    /// Some blocks lie beyond the limit, or did.
    has_unreachable: AtomicBool,
    /// Whether threads keep memory ready for interrupts.
    keeps_reserve: AtomicBool,
    /// How many pools were made before.
    serial: usize,
    /// The next pool of the set.
    next: AtomicRef<BlockPool<K, P>>,
}

impl<K: Kernel, P: Pages> BlockPool<K, P> {
    /// A pool without memory; `None` if the heap has no room for it. Context: thread.
    fn new(kernel: K, pages: P, name: PoolName, device: Device, shape: Shape, serial: usize) -> Option<&'static Self> {
        HeapMemory::new(kernel, size_of::<Self>())?.place(|_| BlockPool {
            open: OpenGroups::new(),
            table: SetRef::new(&EMPTY_TABLE),
            shape,
            kernel,
            pages,
            device,
            name,
            spans: Spans::new(),
            pieces: Arena::new(kernel),
            bad_calls: AtomicUsize::new(0),
            limit: AtomicUsize::new(pages.limit(device)),
            has_unreachable: AtomicBool::new(false),
            keeps_reserve: AtomicBool::new(false),
            serial,
            next: AtomicRef::new(),
        })
    }

    /// The device that it was made for.
    pub fn device(&self) -> Device {
        self.device
    }

    /// What it is called.
    pub fn name(&self) -> Name {
        self.name.shown()
    }

    /// Bytes of a block, as it was rounded up.
    pub fn block_size(&self) -> usize {
        self.shape.stride
    }

    /// Calls that were refused because the caller was wrong.
    pub fn bad_calls(&self) -> usize {
        self.bad_calls.load(Relaxed)
    }

    /// A block, or `None` if there is no memory. Context: any while a block is free; if none is free, a thread gets more
    /// memory, and an interrupt `None`.
    #[inline(always)]
    pub fn allocate(&self) -> Option<Block> {
        match self.take() {
            Some(block) => Some(block),
            None => self.allocate_slowly(),
        }
    }

    /// Takes a block that is free; if it returns `None`, [`BlockPool::allocate_slowly`] may still find one. Context: any.
    #[inline(always)]
    pub fn take(&self) -> Option<Block> {
        Some(self.block_of(&self.open.take(self.shape.slot_shift)?))
    }

    /// Takes a block after [`BlockPool::take`] got none. If the current group is empty, the next one becomes the current
    /// group. If it returns `None`, [`BlockPool::allocate_slowly`] may still find a block.
    ///
    /// Context: any.
    #[inline(always)]
    pub fn take_from_next(&self) -> Option<Block> {
        if !self.open.find_group(self.kernel) {
            return None;
        }
        let block = self.take()?;
        self.keep_reserve();
        Some(block)
    }

    /// Does what [`BlockPool::allocate`] does, for a caller of [`BlockPool::take`] that got no block.
    ///
    /// Context: as for [`BlockPool::allocate`].
    #[cold]
    #[inline(never)]
    pub fn allocate_slowly(&self) -> Option<Block> {
        let block = self.take_from_any().or_else(|| self.allocate_by_growing());
        self.keep_reserve();
        block
    }

    /// Takes a block of any group that has a free one.
    ///
    /// Context: any.
    fn take_from_any(&self) -> Option<Block> {
        Some(self.block_of(&self.open.take_from_any(self.kernel, self.shape.slot_shift)?))
    }

    #[inline(always)]
    fn block_of(&self, taken: &Taken) -> Block {
        let offset = taken.slot.wrapping_mul(self.shape.stride);
        Block { va: taken.base.wrapping_add(offset), handle: taken.unit.handle_base.load(Relaxed).wrapping_add(offset) }
    }

    /// Gives back the block at `va`, whose handle must be `handle`; zero stands for a handle that the caller did not ask
    /// for. A zero `va` is no block, and nothing happens. Context: any.
    ///
    /// What is wrong is counted, logged where that is allowed, and changes nothing.
    #[inline(always)]
    pub fn free(&self, va: Va, handle: usize) -> Result<(), BadFree> {
        let unit = self.table.get().first(self.key(va));
        let group = unit.group.get();
        // Before the unit's address is read: see `word`.
        let seen = group.word.look();
        if let Some((slot, offset)) = self.slot_in(unit, va)
            && unit.handle_start.load(Relaxed).wrapping_add(offset) == handle
            && let Ok(is_listed) = group.word.give_back(seen, unit.present, slot)
        {
            return if is_listed { Ok(()) } else { self.reopen(group) };
        }
        self.free_slowly(va, handle)
    }

    /// The same where the first look did not find it, or something changed meanwhile.
    #[cold]
    #[inline(never)]
    fn free_slowly(&self, va: Va, handle: usize) -> Result<(), BadFree> {
        if va == 0 {
            return Ok(());
        }
        loop {
            let mut units = self.table.get().candidates(self.key(va));
            let Some((unit, seen, slot, offset)) = units.find_map(|unit| {
                let seen = unit.group.get().word.look();
                let (slot, offset) = self.slot_in(unit, va)?;
                Some((unit, seen, slot, offset))
            }) else {
                return self.refuse_free(va, handle, BadFree::Foreign);
            };
            if handle != 0 && offset != handle.wrapping_sub(unit.handle_start.load(Relaxed)) {
                return self.refuse_free(va, handle, BadFree::WrongHandle);
            }
            match unit.group.get().word.give_back(seen, unit.present, slot) {
                Ok(true) => return Ok(()),
                Ok(false) => return self.reopen(unit.group.get()),
                Err(NotGiven::Free) => return self.refuse_free(va, handle, BadFree::NotAllocated),
                Err(NotGiven::Absent) => return self.refuse_free(va, handle, BadFree::Foreign),
                // Another call changed the word, so that one has come further.
                Err(NotGiven::Changed) => {}
            }
        }
    }

    /// Returns the slot of the block of `unit` that begins at `va`, and its distance from the unit's first block; `None` if no
    /// block begins there.
    #[inline(always)]
    fn slot_in(&self, unit: &Unit, va: Va) -> Option<(usize, usize)> {
        word::step();
        let offset = va.wrapping_sub(unit.start.load(Relaxed));
        // An address in another unit, or inside of a block, gives a number that no block has.
        let number = self.shape.index(offset);
        (number < unit.blocks).then_some((unit.first.wrapping_add(number), offset))
    }

    #[cold]
    #[inline(never)]
    fn reopen(&self, group: &'static Group) -> Result<(), BadFree> {
        self.open.update(self.kernel, group, || {});
        self.keep_reserve();
        Ok(())
    }

    /// What the table looks an address up by.
    #[inline(always)]
    fn key(&self, va: Va) -> usize {
        self.shape.key(va)
    }

    #[cold]
    #[inline(never)]
    fn refuse_free(&self, va: Va, handle: usize, error: BadFree) -> Result<(), BadFree> {
        let format = match error {
            BadFree::Foreign => apart!("free of block 0x%lx (handle 0x%lx): no block of this pool begins there"),
            BadFree::NotAllocated => apart!("free of block 0x%lx (handle 0x%lx): it is free already"),
            BadFree::WrongHandle => apart!("free of block 0x%lx (handle 0x%lx): wrong handle"),
        };
        self.refuse(format, &[va, handle]);
        Err(error)
    }

    /// Counts a call that is refused because the caller is wrong, and logs one line about it where that is allowed.
    #[cold]
    fn refuse(&self, format: &'static CStr, values: &[usize]) {
        self.bad_calls.fetch_add(1, Relaxed);
        self.log(format, values);
    }

    fn log(&self, format: &'static CStr, values: &[usize]) {
        self.kernel.log(Level::Error, &Line::about(self.name(), format, values));
    }
}
