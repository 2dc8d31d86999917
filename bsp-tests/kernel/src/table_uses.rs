//! How RT-Thread's `libcpu/risc-v/common/mmu.c` counts the uses of the tables that hold the entries of pages, mistakes
//! included:
//!
//! * An unmap clears no entry of a page. A table goes, with all its entries, when it has no use any more.
//! * An unmap ends a use for each page of its range whose table exists, also for a page that is not mapped.
//! * An unmap skips 2 MiB where there is no table, or a block.
//! * `rt_hw_mmu_map` returns an address also if there was no memory for a table.
//!
//! An entry that was left is read-only here. In RT-Thread it is as before.

use core::sync::atomic::{AtomicU16, Ordering::Relaxed};

use page_table_multiarch::{MappingFlags, PageSize};

use crate::arch;
use crate::aspace::{TABLES, change, flags, is_refused};
use crate::memory::PAGE;

/// The bytes of address space for which one table has entries.
const SPAN: usize = PageSize::Size2M as usize;
/// The number of pages in a table that are mapped and not unmapped.
static USES: [AtomicU16; arch::SPACE_END / SPAN] = [const { AtomicU16::new(0) }; arch::SPACE_END / SPAN];

/// Counts the pages that boot code has mapped between two addresses.
pub fn count(start: usize, end: usize) {
    let mut va = start;
    while va < end {
        let size =
            TABLES.with(|table| table.as_ref()?.query(va.into()).ok()).map_or(PageSize::Size4K, |(.., size)| size);
        if size == PageSize::Size4K {
            USES[va / SPAN].fetch_add(1, Relaxed);
        }
        va += size as usize;
    }
}

/// Maps a page. An attribute of zero makes an entry that is not valid. Returns false if there is no memory for a table.
pub fn map_page(va: usize, pa: usize, attribute: usize) -> bool {
    change(|table| {
        let uses = &USES[va / SPAN];
        if uses.load(Relaxed) == 0 && is_refused() {
            return false;
        }
        uses.fetch_add(1, Relaxed);
        if let Ok((_, old, size)) = table.query(va.into()) {
            let is_left = size == PageSize::Size4K && !old.contains(MappingFlags::WRITE);
            assert!(is_left, "assertion failed: {va:#x} is mapped already");
            table.cursor().unmap(va.into()).unwrap();
        }
        if attribute != 0 {
            table.cursor().map(va.into(), pa.into(), PageSize::Size4K, flags(attribute)).unwrap();
        }
        true
    })
}

/// Ends a use of the table at `va`. Returns how many bytes the caller goes on.
fn unmap_page(va: usize) -> usize {
    change(|table| {
        let uses = &USES[va / SPAN];
        match uses.load(Relaxed) {
            0 => return SPAN,
            1 => {
                let first = va / SPAN * SPAN;
                for entry in (first..first + SPAN).step_by(PAGE) {
                    let _ = table.cursor().unmap(entry.into());
                }
            }
            _ => {
                let _ = table.cursor().protect(va.into(), MappingFlags::READ);
            }
        }
        uses.fetch_sub(1, Relaxed);
        PAGE
    })
}

/// Unmaps whole pages as `rt_hw_mmu_unmap` does.
pub fn unmap(mut va: usize, mut size: usize) {
    while size != 0 {
        let step = unmap_page(va);
        if step > size {
            break;
        }
        va += step;
        size -= step;
    }
}
