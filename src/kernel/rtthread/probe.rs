//! On aarch64 the processor answers whether an address is mapped ([`Kernel::is_mapped`](crate::kernel::Kernel::is_mapped)), and
//! whether pages are where they are expected ([`Kernel::leads_to`](crate::kernel::Kernel::leads_to)).
//!
//! The instructions are inline: a sync call that maintains the cache then saves no registers. The answer is whether cache
//! maintenance at the address would fault. It takes 10 instructions; the port's translation takes about 40.

use core::arch::asm;

use crate::kernel::{PAGE_SIZE, Pa, Va};

/// Translates as for a write, as `rt_kmem_v2p` does and as the maintenance will. An interrupt or a thread switch between
/// the instructions could replace the result, so interrupts are masked; the result of a translation that this one
/// interrupted is restored. (See `translate` in the port.)
#[inline(always)]
pub fn is_mapped(va: Va) -> bool {
    let result: usize;
    // SAFETY: the instructions read the page tables, and restore all state that they change. Without `nomem`, earlier
    // writes to the page tables are not moved after them.
    unsafe {
        asm!(
            "mrs {daif}, daif",
            "msr daifset, #3",
            "mrs {earlier}, par_el1",
            "at s1e1w, {va}",
            "isb",
            "mrs {result}, par_el1",
            "msr par_el1, {earlier}",
            "msr daif, {daif}",
            va = in(reg) va,
            daif = out(reg) _,
            earlier = out(reg) _,
            result = out(reg) result,
            options(nostack, preserves_flags)
        )
    };
    // PAR_EL1.F: the translation failed.
    result & FAILED == 0
}

/// PAR_EL1.F: the translation failed.
const FAILED: usize = 1;
/// PAR_EL1.PA: bits 12 to 47.
const PAGE_ADDRESS: usize = 0xffff_ffff_f000;
/// Pages that are looked up with interrupts masked: less than 200 instructions.
const CHUNK: usize = 16;

/// A further page of a streaming map costs 45 instructions by it, and 72 by the port's translation (`ci/bench`).
pub fn leads_to(mut va: Va, mut pa: Pa, mut pages: usize) -> bool {
    while pages != 0 {
        let chunk = pages.min(CHUNK);
        if !chunk_leads_to(va, pa, chunk) {
            return false;
        }
        (va, pa) = (va.wrapping_add(chunk * PAGE_SIZE), pa.wrapping_add(chunk * PAGE_SIZE));
        pages -= chunk;
    }
    true
}

#[inline(always)]
fn chunk_leads_to(mut va: Va, mut pa: Pa, pages: usize) -> bool {
    let (daif, earlier): (usize, usize);
    // SAFETY: as in `is_mapped`. The state is restored below.
    unsafe {
        asm!(
            "mrs {daif}, daif",
            "msr daifset, #3",
            "mrs {earlier}, par_el1",
            daif = out(reg) daif,
            earlier = out(reg) earlier,
            options(nostack, preserves_flags)
        )
    };
    let end = va.wrapping_add(pages * PAGE_SIZE);
    let mut is_there = true;
    while is_there && va != end {
        let result: usize;
        // SAFETY: as in `is_mapped`.
        unsafe {
            asm!(
                "at s1e1w, {va}",
                "isb",
                "mrs {result}, par_el1",
                va = in(reg) va,
                result = out(reg) result,
                options(nostack, preserves_flags)
            )
        };
        is_there = result & (PAGE_ADDRESS | FAILED) == pa;
        (va, pa) = (va.wrapping_add(PAGE_SIZE), pa.wrapping_add(PAGE_SIZE));
    }
    // SAFETY: restores what was saved above.
    unsafe {
        asm!(
            "msr par_el1, {earlier}",
            "msr daif, {daif}",
            daif = in(reg) daif,
            earlier = in(reg) earlier,
            options(nostack, preserves_flags)
        )
    };
    is_there
}
