//! Buffers that drivers have: where they lie, and what their first bytes are.

use super::areas::Area;
use super::{Device, NOCACHE, NOMAP, assert_leads_to, fresh, has_own_memory, pools, world};
use crate::firmware::OWN;
use crate::memory::{self, MemoryType, PAGE};

/// Bytes of a buffer that the model knows.
const KNOWN: usize = 1024;

/// A buffer, with everything that freeing it needs.
#[derive(Clone)]
pub struct Buffer {
    pub device: Device,
    pub size: usize,
    pub va: usize,
    /// The handle; that which the device would have if the driver did not ask for it.
    pub handle: usize,
    pub flags: usize,
    pub pa: usize,
    pub is_managed: bool,
    /// The first bytes; none if the buffer is not mapped.
    pub area: Area,
}

impl Buffer {
    pub fn pages(&self) -> usize {
        self.size.div_ceil(PAGE)
    }

    pub fn is_managed_by(&self, device: Device) -> bool {
        self.is_managed && self.device.0 == device.0
    }

    /// Whether it is a buffer of the board's own memory.
    pub fn is_own(&self) -> bool {
        memory::page_of(self.pa).is_some_and(|page| OWN.contains(&page))
    }

    /// Checks a new buffer, and notes its owner.
    pub fn new(device: Device, size: usize, va: usize, handle: Option<usize>, flags: usize) -> Self {
        let pa = match handle {
            _ if flags & NOMAP != 0 => va,
            Some(handle) => {
                let pa = device.reach(handle, size);
                pa.unwrap_or_else(|| panic!("the device does not reach {size} bytes at {handle:#x}"))
            }
            None => memory::v2p(va).unwrap_or_else(|| panic!("a buffer at {va:#x} is not mapped")),
        };
        assert!(pa.is_multiple_of(PAGE), "a buffer begins within a page, at {pa:#x}");
        if let Some(handle) = handle {
            assert!(device.reach(handle, size) == Some(pa), "the handle {handle:#x} does not lead to {pa:#x}");
            let last = handle as u64 + size as u64 - 1;
            assert!(last <= device.coherent_mask(), "the buffer lies beyond the mask");
        }
        let is_own = memory::page_of(pa).is_some_and(|page| OWN.contains(&page));
        assert!(!is_own || has_own_memory(device), "the board's own memory serves another device");
        let pool = pools::covering(pa, size.next_multiple_of(PAGE));
        assert!(is_own || pool.is_some(), "{size} bytes at {pa:#x} lie in no pool");
        if flags & NOMAP == 0
            && memory::with(|memory| memory.translate(va)).is_some_and(|(_, kind)| kind != MemoryType::Cached)
        {
            memory::with(|memory| memory.assert_clean(pa, size));
        }
        if flags & NOMAP == 0 {
            assert_leads_to(va, pa, size, flags & NOCACHE != 0 && !is_own);
        }
        world(|world| world.own(pa, size.div_ceil(PAGE)));
        let known = if flags & NOMAP == 0 { size.min(KNOWN) } else { 0 };
        let bytes = fresh(known);
        memory::write(va, &bytes);
        let area = Area { va, bytes, mappings: Vec::new(), is_of_pool: pool.is_some() };
        let handle = handle.unwrap_or(0);
        Buffer { device, size, va, handle, flags, pa, is_managed: false, area }
    }
}

/// Checks that no buffer, block or mapped memory lost a byte.
pub fn check_all() {
    world(|world| {
        world.buffers.iter().for_each(|buffer| buffer.area.check());
        world.areas.iter().for_each(Area::check);
        world.block_pools.iter().for_each(|pool| pool.check());
    });
}
