//! The model: what the drivers of the machine have.

use std::cell::RefCell;
use std::ops::Range;

use super::Device;
use super::areas::Area;
use super::blocks::BlockPool;
use super::buffers::Buffer;
use crate::devices::DEVICES;
use crate::memory::{self, PAGE, PAGES};

/// Borrowed memory.
#[derive(Clone, Copy)]
pub struct Loan {
    pub va: usize,
    pub size: usize,
}

/// What the drivers of the machine have.
pub struct World {
    /// The streaming and the coherent mask of each device.
    pub masks: [[u64; 2]; DEVICES],
    pub buffers: Vec<Buffer>,
    /// Buffers and blocks that were freed: for second frees.
    pub freed: Vec<Buffer>,
    /// The pages that belong to a buffer or a borrower.
    pub owned: [bool; PAGES],
    pub block_pools: Vec<BlockPool>,
    /// Memory of the kernel that is mapped for devices.
    pub areas: Vec<Area>,
    pub loans: Vec<Loan>,
    /// A number for the next bytes to write.
    pub seed: u8,
    /// Pools that were installed before the first mapping.
    pub early_pools: usize,
}

thread_local! {
    static WORLD: RefCell<World> = const { RefCell::new(World {
        masks: [[!0; 2]; DEVICES],
        buffers: Vec::new(),
        freed: Vec::new(),
        owned: [false; PAGES],
        block_pools: Vec::new(),
        areas: Vec::new(),
        loans: Vec::new(),
        seed: 0,
        early_pools: 0,
    }) };
}

/// Calls `look` with the model. No call of the library is made meanwhile.
pub fn world<T>(look: impl FnOnce(&mut World) -> T) -> T {
    WORLD.with_borrow_mut(look)
}

impl World {
    /// Returns whether the device has a buffer, a block pool or a mapping.
    pub fn has_anything(&self, device: Device) -> bool {
        self.is_mapped_for(device)
            || self.buffers.iter().any(|buffer| buffer.device.0 == device.0)
            || self.block_pools.iter().any(|pool| pool.device.0 == device.0)
    }

    /// Returns whether the device has a mapping.
    pub fn is_mapped_for(&self, device: Device) -> bool {
        self.all_areas().any(|area| area.is_mapped_for(device))
    }

    fn all_areas(&self) -> impl Iterator<Item = &Area> {
        self.areas.iter().chain(self.buffers.iter().map(|buffer| &buffer.area))
    }

    /// Returns whether a driver has memory in these pages: a buffer, borrowed memory, a block, or a mapping whose bytes
    /// or bounce buffer lie there.
    pub fn has_memory_in(&self, pages: Range<usize>) -> bool {
        let range = memory::pa_of(pages.start)..memory::pa_of(pages.start) + pages.len() * PAGE;
        let mut mappings = self.all_areas().flat_map(|area| &area.mappings);
        self.owned[pages].contains(&true)
            || self.block_pools.iter().any(|pool| pool.has_block_in(&range))
            || mappings.any(|mapping| mapping.device.reach(mapping.handle, 1).is_some_and(|pa| range.contains(&pa)))
    }

    pub fn disown(&mut self, buffer: &Buffer) {
        if let Some(page) = memory::page_of(buffer.pa) {
            self.owned[page..page + buffer.pages()].fill(false);
        }
    }

    /// Notes the owner of pages, which must have none.
    pub fn own(&mut self, pa: usize, pages: usize) {
        let page = memory::page_of(pa).unwrap_or_else(|| panic!("a buffer at {pa:#x} is no RAM"));
        let owned = &mut self.owned[page..page + pages];
        assert!(!owned.contains(&true), "a page at {pa:#x} has two owners");
        owned.fill(true);
    }
}
