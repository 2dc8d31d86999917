//! The page tables, and the caches.

use core::arch::asm;

/// Turns the MMU and the caches on, on this core.
pub fn mmu_on(root: usize) {
    // TTBR0: page-table walks are shareable, and their memory is write-back cached inside and outside.
    const WALKS: usize = 1 << 6 | 1 << 3 | 1 << 1;
    // SAFETY: the tables map the running code, its data and its stack at the addresses they have now.
    unsafe {
        asm!(
            "dsb",
            "mcr p15, 0, {zero}, c2, c0, 2",    // TTBCR: short descriptors, all through TTBR0
            "mcr p15, 0, {root}, c2, c0, 0",    // TTBR0
            "mcr p15, 0, {domains}, c3, c0, 0", // DACR: domain 0 obeys its entries
            "mcr p15, 0, {zero}, c8, c7, 0",    // TLBIALL
            "mcr p15, 0, {zero}, c7, c5, 0",    // ICIALLU
            "dsb",
            "isb",
            "mrc p15, 0, {sctlr}, c1, c0, 0",
            "orr {sctlr}, {sctlr}, #(1 << 0)",  // MMU
            "orr {sctlr}, {sctlr}, #(1 << 2)",  // data cache
            "orr {sctlr}, {sctlr}, #(1 << 12)", // instruction cache
            "bic {sctlr}, {sctlr}, #(1 << 28)", // TEX remap off
            "bic {sctlr}, {sctlr}, #(1 << 29)", // AP[0] is no access flag
            "mcr p15, 0, {sctlr}, c1, c0, 0",
            "isb",
            zero = in(reg) 0,
            root = in(reg) root | WALKS,
            domains = in(reg) 1,
            sctlr = out(reg) _,
        )
    }
}

/// Makes earlier writes to the page tables visible to every core's walks, and drops old entries from the TLB of this
/// core only, as RT-Thread's `libcpu/arm/cortex-a/tlb.h`.
pub fn tables_written() {
    // SAFETY: barriers, and TLBIALL.
    unsafe { asm!("dsb", "mcr p15, 0, {}, c8, c7, 0", "dsb", "isb", in(reg) 0) }
}

fn cache_lines(va: usize, size: usize) -> impl Iterator<Item = usize> {
    let ctr: usize;
    // SAFETY: CTR only describes the caches.
    unsafe { asm!("mrc p15, 0, {}, c0, c0, 1", out(reg) ctr) };
    let line = 4usize << (ctr >> 16 & 0xf);
    (va & !(line - 1)..va + size).step_by(line)
}

/// Writes dirty lines to memory and drops them.
pub fn cache_clean_invalidate(va: usize, size: usize) {
    for line in cache_lines(va, size) {
        // SAFETY: DCCIMVAC changes no memory as this core sees it.
        unsafe { asm!("mcr p15, 0, {}, c7, c14, 1", in(reg) line) };
    }
    barrier();
}

/// Drops lines, dirty or not.
pub fn cache_invalidate(va: usize, size: usize) {
    for line in cache_lines(va, size) {
        // SAFETY: DCIMVAC: the caller of `rt_hw_cpu_dcache_ops` asked to lose what is dirty.
        unsafe { asm!("mcr p15, 0, {}, c7, c6, 1", in(reg) line) };
    }
    barrier();
}

fn barrier() {
    // SAFETY: a barrier.
    unsafe { asm!("dsb") }
}
