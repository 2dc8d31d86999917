//! The entries of short-descriptor page tables.

use memory_addr::PhysAddr;
use page_table_multiarch::{GenericPTE, MappingFlags};

/// An entry of a short-descriptor table of either level.
///
/// This kernel runs no code from a page, so the two lowest bits also distinguish sections from pages: a section is
/// always 0b10, and a page always 0b11, which is a page with XN (execute never).
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Entry(u32);

const KIND: u32 = 0b11;
const TABLE: u32 = 0b01;
const SECTION: u32 = 0b10;
const PAGE: u32 = 0b11;

/// Attributes of a section, and of a page: the same fields at other places. AP[0]: privileged read and write.
const SECTION_READ_WRITE: u32 = 1 << 10;
const PAGE_READ_WRITE: u32 = 1 << 4;
/// Normal memory, write-back and write-allocate, shareable: TEX = 0b001, C, B, S.
const SECTION_CACHED: u32 = 1 << 12 | 1 << 3 | 1 << 2 | 1 << 16;
const PAGE_CACHED: u32 = 1 << 6 | 1 << 3 | 1 << 2 | 1 << 10;
/// Normal memory, non-cacheable, shareable: TEX = 0b001, S.
const SECTION_UNCACHED: u32 = 1 << 12 | 1 << 16;
const PAGE_UNCACHED: u32 = 1 << 6 | 1 << 10;
/// Strongly-ordered memory, which has neither TEX nor C nor B.
const DEVICE: u32 = 0;

/// The bits of the constants above. The other bits of an entry are the address.
const SECTION_ATTRIBUTES: u32 = SECTION_CACHED | SECTION_READ_WRITE;
const PAGE_ATTRIBUTES: u32 = PAGE_CACHED | PAGE_READ_WRITE;

impl Entry {
    fn is_section(self) -> bool {
        self.0 & KIND == SECTION
    }

    fn memory_type(flags: MappingFlags, cached: u32, uncached: u32) -> u32 {
        if flags.contains(MappingFlags::DEVICE) {
            DEVICE
        } else if flags.contains(MappingFlags::UNCACHED) {
            uncached
        } else {
            cached
        }
    }
}

impl GenericPTE for Entry {
    fn new_page(paddr: PhysAddr, flags: MappingFlags, is_huge: bool) -> Self {
        let address = paddr.as_usize() as u32;
        if is_huge {
            let attributes = SECTION_READ_WRITE | Self::memory_type(flags, SECTION_CACHED, SECTION_UNCACHED);
            Entry(address & !0xf_ffff | attributes | SECTION)
        } else {
            let attributes = PAGE_READ_WRITE | Self::memory_type(flags, PAGE_CACHED, PAGE_UNCACHED);
            Entry(address & !0xfff | attributes | PAGE)
        }
    }

    fn new_table(paddr: PhysAddr) -> Self {
        Entry(paddr.as_usize() as u32 & !0x3ff | TABLE)
    }

    fn paddr(&self) -> PhysAddr {
        let address = match self.0 & KIND {
            TABLE => self.0 & !0x3ff,
            SECTION => self.0 & !0xf_ffff,
            _ => self.0 & !0xfff,
        };
        (address as usize).into()
    }

    fn flags(&self) -> MappingFlags {
        let (attributes, cached, uncached) = if self.is_section() {
            (self.0 & (SECTION_ATTRIBUTES & !SECTION_READ_WRITE), SECTION_CACHED, SECTION_UNCACHED)
        } else {
            (self.0 & (PAGE_ATTRIBUTES & !PAGE_READ_WRITE), PAGE_CACHED, PAGE_UNCACHED)
        };
        let mut flags = MappingFlags::READ | MappingFlags::WRITE;
        flags.set(MappingFlags::EXECUTE, self.is_section());
        flags.set(MappingFlags::UNCACHED, attributes == uncached);
        flags.set(MappingFlags::DEVICE, attributes != uncached && attributes != cached);
        flags
    }

    fn set_paddr(&mut self, paddr: PhysAddr) {
        *self = Self::new_page(paddr, self.flags(), self.is_section());
    }

    fn set_flags(&mut self, flags: MappingFlags, is_huge: bool) {
        *self = Self::new_page(self.paddr(), flags, is_huge);
    }

    fn bits(self) -> usize {
        self.0 as usize
    }

    fn is_unused(&self) -> bool {
        self.0 == 0
    }

    fn is_present(&self) -> bool {
        self.0 & KIND != 0
    }

    fn is_huge(&self) -> bool {
        self.is_section()
    }

    fn clear(&mut self) {
        self.0 = 0;
    }
}
