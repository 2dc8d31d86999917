//! The page tables, and the caches.

use core::arch::asm;
use core::sync::atomic::{AtomicU32, Ordering};

use super::irqs_masked;

/// MAIR_EL1: Device-nGnRnE, Normal write-back, Normal Non-cacheable, in the page-table crate's order.
const MAIR: u64 = 0x44_ff_00;
/// TCR_EL1: 48 bits through TTBR0, 4 KiB pages, walks cached and inner shareable, 48-bit physical addresses.
const TCR: u64 = 16 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23 | 5 << 32;

/// Turns the MMU and the caches on, on this core.
pub fn mmu_on(root: usize) {
    // SAFETY: the tables map the running code, its data and its stack at the addresses they have now.
    unsafe {
        asm!(
            "dsb sy",
            "msr mair_el1, {mair}",
            "msr tcr_el1, {tcr}",
            "msr ttbr0_el1, {root}",
            "isb",
            "tlbi vmalle1",
            "dsb sy",
            "isb",
            "mrs {sctlr}, sctlr_el1",
            "orr {sctlr}, {sctlr}, #(1 << 0)",
            "orr {sctlr}, {sctlr}, #(1 << 2)",
            "orr {sctlr}, {sctlr}, #(1 << 12)",
            "msr sctlr_el1, {sctlr}",
            "isb",
            mair = in(reg) MAIR,
            tcr = in(reg) TCR,
            root = in(reg) root,
            sctlr = out(reg) _,
        )
    }
}

/// Makes earlier writes to the page tables visible to every core's walks.
pub fn tables_written() {
    // SAFETY: a barrier.
    unsafe { asm!("dsb ishst", "isb") }
}

/// Translates `va` as RT-Thread does on aarch64: one instruction writes its result to PAR_EL1, and the next one reads
/// it. Unless interrupts are masked, an interrupt comes in between and translates another address.
pub fn v2p(va: usize) -> Option<usize> {
    // SAFETY: only writes PAR_EL1.
    unsafe { asm!("at s1e1w, {}", in(reg) va) };
    if !irqs_masked() {
        static ANOTHER: AtomicU32 = AtomicU32::new(0);
        // Alternates between an address of memory and one that is not mapped.
        let is_memory = ANOTHER.fetch_add(1, Ordering::Relaxed) % 2 == 0;
        let another = if is_memory { (&raw const ANOTHER).addr() } else { usize::MAX };
        // SAFETY: only writes PAR_EL1.
        unsafe { asm!("at s1e1w, {}", "isb", in(reg) another) };
    }
    let par: usize;
    // SAFETY: only reads.
    unsafe { asm!("isb", "mrs {}, par_el1", out(reg) par) };
    (par & 1 == 0).then_some(par & 0xffff_ffff_f000 | va & 0xfff)
}

fn cache_lines(va: usize, size: usize) -> impl Iterator<Item = usize> {
    let ctr: usize;
    // SAFETY: CTR_EL0 only describes the caches.
    unsafe { asm!("mrs {}, ctr_el0", out(reg) ctr) };
    let line = 4usize << (ctr >> 16 & 0xf);
    (va & !(line - 1)..va + size).step_by(line)
}

/// Writes dirty lines to memory and drops them.
pub fn cache_clean_invalidate(va: usize, size: usize) {
    for line in cache_lines(va, size) {
        // SAFETY: changes no memory as this core sees it.
        unsafe { asm!("dc civac, {}", in(reg) line) };
    }
    barrier();
}

/// Drops lines, dirty or not.
pub fn cache_invalidate(va: usize, size: usize) {
    for line in cache_lines(va, size) {
        // SAFETY: the caller of `rt_hw_cpu_dcache_ops` asked to lose what is dirty.
        unsafe { asm!("dc ivac, {}", in(reg) line) };
    }
    barrier();
}

fn barrier() {
    // SAFETY: a barrier.
    unsafe { asm!("dsb sy") }
}
