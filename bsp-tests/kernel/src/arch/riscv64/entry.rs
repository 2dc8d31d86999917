//! The entries of Sv39 page tables.

use memory_addr::PhysAddr;
use page_table_multiarch::{GenericPTE, MappingFlags};

/// An entry of an Sv39 page table, with the page-based memory type of its leaf (RISC-V Privileged ISA, "Svpbmt").
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Entry(usize);

const VALID: usize = 1 << 0;
const READ: usize = 1 << 1;
const WRITE: usize = 1 << 2;
const EXECUTE: usize = 1 << 3;
const ACCESSED_DIRTY: usize = 3 << 6;
const NON_CACHEABLE: usize = 1 << 61;
const IO: usize = 2 << 61;
const ADDRESS: usize = ((1 << 44) - 1) << 10;

impl Entry {
    fn leaf_bits(flags: MappingFlags) -> usize {
        let mut bits = VALID | ACCESSED_DIRTY;
        for (flag, bit) in [
            (MappingFlags::READ, READ),
            (MappingFlags::WRITE, WRITE),
            (MappingFlags::EXECUTE, EXECUTE),
            (MappingFlags::UNCACHED, NON_CACHEABLE),
            (MappingFlags::DEVICE, IO),
        ] {
            bits |= if flags.contains(flag) { bit } else { 0 };
        }
        bits
    }
}

impl GenericPTE for Entry {
    fn new_page(paddr: PhysAddr, flags: MappingFlags, is_huge: bool) -> Self {
        // As in RT-Thread's block mapping, a block drops the low bits of the address.
        let page = paddr.as_usize() & if is_huge { !0x1f_ffff } else { !0xfff };
        Entry(page >> 2 | Self::leaf_bits(flags))
    }

    fn new_table(paddr: PhysAddr) -> Self {
        Entry(paddr.as_usize() >> 2 & ADDRESS | VALID)
    }

    fn paddr(&self) -> PhysAddr {
        ((self.0 & ADDRESS) << 2).into()
    }

    fn flags(&self) -> MappingFlags {
        let mut flags = MappingFlags::empty();
        flags.set(MappingFlags::READ, self.0 & READ != 0);
        flags.set(MappingFlags::WRITE, self.0 & WRITE != 0);
        flags.set(MappingFlags::EXECUTE, self.0 & EXECUTE != 0);
        flags.set(MappingFlags::UNCACHED, self.0 & NON_CACHEABLE != 0);
        flags.set(MappingFlags::DEVICE, self.0 & IO != 0);
        flags
    }

    fn set_paddr(&mut self, paddr: PhysAddr) {
        self.0 = self.0 & !ADDRESS | paddr.as_usize() >> 2 & ADDRESS;
    }

    fn set_flags(&mut self, flags: MappingFlags, _is_huge: bool) {
        self.0 = self.0 & ADDRESS | Self::leaf_bits(flags);
    }

    fn bits(self) -> usize {
        self.0
    }

    fn is_unused(&self) -> bool {
        self.0 == 0
    }

    fn is_present(&self) -> bool {
        self.0 & VALID != 0
    }

    fn is_huge(&self) -> bool {
        self.0 & (READ | WRITE | EXECUTE) != 0
    }

    fn clear(&mut self) {
        self.0 = 0;
    }
}
