//! AArch64 at EL1 on QEMU's `virt` machine with a GICv2.

use core::arch::{asm, global_asm};
use core::sync::atomic::{AtomicU32, Ordering};

use page_table_multiarch::{MappingFlags, PageSize};
use smccc::{Hvc, psci};

pub use super::arm_virt::*;
pub use page_table_multiarch::aarch64::A64PageTable as PageTable;

/// One past the last virtual address that the kernel may map.
pub const SPACE_END: usize = 1 << 38;
/// Where `rt_ioremap_*` maps: 256 MiB, from a 2 MiB boundary on, as RT-Thread's window.
pub const WINDOW: core::ops::Range<usize> = 0x20_0000_0000..0x20_1000_0000;
/// The blocks that RT-Thread's `rt_hw_mmu_map` lays where address and length allow it.
pub const BLOCK: Option<PageSize> = Some(PageSize::Size2M);
/// The result of `rt_kmem_v2p` for an address that is not mapped (RT-Thread's aarch64 `ARCH_MAP_FAILED`).
pub const MAP_FAILED: usize = 0x1_ffff_ffff_ffff;

/// MAIR_EL1: Device-nGnRnE, Normal write-back, Normal Non-cacheable, in the page-table crate's order.
const MAIR: u64 = 0x44_ff_00;
/// TCR_EL1: 48 bits through TTBR0, 4 KiB pages, walks cached and inner shareable, 48-bit physical addresses.
const TCR: u64 = 16 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23 | 5 << 32;

global_asm!(
    r#"
.section .text.boot, "ax"
.global _start
_start:
    msr daifset, #0xf
    mov x19, x0
    mov x0, #(3 << 20)          // FP and SIMD registers at EL1
    msr cpacr_el1, x0
    adrp x0, vectors
    add x0, x0, :lo12:vectors
    msr vbar_el1, x0
    isb
    adrp x0, __stack_top
    add x0, x0, :lo12:__stack_top
    mov sp, x0
    adrp x0, __bss_start
    add x0, x0, :lo12:__bss_start
    adrp x1, __bss_end
    add x1, x1, :lo12:__bss_end
1:  cmp x0, x1
    b.hs 2f
    stp xzr, xzr, [x0], #16
    b 1b
2:  mov x0, x19
    bl {main}
3:  wfe
    b 3b

// The second core, with the address of the page tables in x0.
.global second_start
second_start:
    msr daifset, #0xf
    mov x1, #(3 << 20)
    msr cpacr_el1, x1
    adrp x1, vectors
    add x1, x1, :lo12:vectors
    msr vbar_el1, x1
    isb
    adrp x1, __second_stack_top
    add x1, x1, :lo12:__second_stack_top
    mov sp, x1
    bl {second}
4:  wfe
    b 4b

.macro fault kind
    .balign 0x80
    mov x0, #\kind
    mrs x1, esr_el1
    mrs x2, elr_el1
    mrs x3, far_el1
    b {fault}
.endm

.balign 0x800
vectors:
    fault 0
    fault 1
    fault 2
    fault 3
    fault 4
    .balign 0x80
    b irq_entry
    fault 6
    fault 7
    fault 8
    fault 9
    fault 10
    fault 11
    fault 12
    fault 13
    fault 14
    fault 15

// Code may use FP and SIMD registers anywhere: all of them are saved.
irq_entry:
    sub sp, sp, #(176 + 512 + 16)
    stp x0, x1, [sp, #0]
    stp x2, x3, [sp, #16]
    stp x4, x5, [sp, #32]
    stp x6, x7, [sp, #48]
    stp x8, x9, [sp, #64]
    stp x10, x11, [sp, #80]
    stp x12, x13, [sp, #96]
    stp x14, x15, [sp, #112]
    stp x16, x17, [sp, #128]
    stp x18, x30, [sp, #144]
    mrs x0, elr_el1
    mrs x1, spsr_el1
    stp x0, x1, [sp, #160]
    add x2, sp, #176
    stp q0, q1, [x2], #32
    stp q2, q3, [x2], #32
    stp q4, q5, [x2], #32
    stp q6, q7, [x2], #32
    stp q8, q9, [x2], #32
    stp q10, q11, [x2], #32
    stp q12, q13, [x2], #32
    stp q14, q15, [x2], #32
    stp q16, q17, [x2], #32
    stp q18, q19, [x2], #32
    stp q20, q21, [x2], #32
    stp q22, q23, [x2], #32
    stp q24, q25, [x2], #32
    stp q26, q27, [x2], #32
    stp q28, q29, [x2], #32
    stp q30, q31, [x2], #32
    mrs x0, fpsr
    mrs x1, fpcr
    stp x0, x1, [x2]
    bl {irq}
    add x2, sp, #176
    ldp q0, q1, [x2], #32
    ldp q2, q3, [x2], #32
    ldp q4, q5, [x2], #32
    ldp q6, q7, [x2], #32
    ldp q8, q9, [x2], #32
    ldp q10, q11, [x2], #32
    ldp q12, q13, [x2], #32
    ldp q14, q15, [x2], #32
    ldp q16, q17, [x2], #32
    ldp q18, q19, [x2], #32
    ldp q20, q21, [x2], #32
    ldp q22, q23, [x2], #32
    ldp q24, q25, [x2], #32
    ldp q26, q27, [x2], #32
    ldp q28, q29, [x2], #32
    ldp q30, q31, [x2], #32
    ldp x0, x1, [x2]
    msr fpsr, x0
    msr fpcr, x1
    ldp x0, x1, [sp, #160]
    msr elr_el1, x0
    msr spsr_el1, x1
    ldp x0, x1, [sp, #0]
    ldp x2, x3, [sp, #16]
    ldp x4, x5, [sp, #32]
    ldp x6, x7, [sp, #48]
    ldp x8, x9, [sp, #64]
    ldp x10, x11, [sp, #80]
    ldp x12, x13, [sp, #96]
    ldp x14, x15, [sp, #112]
    ldp x16, x17, [sp, #128]
    ldp x18, x30, [sp, #144]
    add sp, sp, #(176 + 512 + 16)
    eret
"#,
    main = sym crate::main,
    second = sym second_main,
    fault = sym fault,
    irq = sym irq,
);

// --- page tables ---------------------------------------------------------------------------------------------------

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

/// Translates `va` as RT-Thread does on aarch64: one instruction writes its result to PAR_EL1, and the next one reads it.
/// Unless interrupts are masked, an interrupt comes in between and translates another address.
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

/// Flags of memory that code may run from.
pub fn code_flags() -> MappingFlags {
    MappingFlags::READ | MappingFlags::WRITE | MappingFlags::EXECUTE
}

// --- caches --------------------------------------------------------------------------------------------------------

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

// --- cores and interrupts ------------------------------------------------------------------------------------------

/// This core's number: 0 or 1.
pub fn cpu_id() -> usize {
    let mpidr: usize;
    // SAFETY: only reads the core's number.
    unsafe { asm!("mrs {}, mpidr_el1", out(reg) mpidr, options(nomem, nostack)) };
    mpidr & 0xff
}

/// Masks interrupts on this core. Returns the argument for `irq_restore`.
pub fn irq_mask() -> usize {
    let daif: usize;
    // SAFETY: masking interrupts is always sound.
    unsafe { asm!("mrs {}, daif", "msr daifset, #3", out(reg) daif) };
    daif
}

/// Undoes `irq_mask`.
pub fn irq_restore(daif: usize) {
    // SAFETY: boot code installed the handlers.
    unsafe { asm!("msr daif, {}", in(reg) daif) };
}

/// The cycle counter of this core, which the bench switches on.
#[cfg(feature = "bench")]
pub fn cycles() -> u64 {
    let cycles: u64;
    // SAFETY: only reads.
    unsafe { asm!("mrs {}, pmccntr_el0", out(reg) cycles) };
    cycles
}

/// Lets interrupts in on this core.
pub fn irq_on() {
    // SAFETY: boot code installed the handlers.
    unsafe { asm!("msr daifclr, #3") };
}

/// Whether interrupts are masked on this core.
pub fn irqs_masked() -> bool {
    let daif: usize;
    // SAFETY: only reads.
    unsafe { asm!("mrs {}, daif", out(reg) daif) };
    daif & 1 << 7 != 0
}

/// Starts the second core, which runs [`crate::thread::second_core`] on the same page tables.
pub fn start_second_core(root: usize) -> bool {
    unsafe extern "C" {
        fn second_start();
    }
    psci::cpu_on::<Hvc>(1, second_start as *const () as u64, root as u64).is_ok()
}

extern "C" fn second_main(root: usize) -> ! {
    mmu_on(root);
    irq_on();
    crate::thread::second_core()
}

/// Sleeps until an event or an interrupt.
pub fn wait() {
    // SAFETY: a hint.
    unsafe { asm!("wfe") };
}

/// Wakes every core in [`wait`].
pub fn wake() {
    // SAFETY: a hint.
    unsafe { asm!("dsb sy", "sev") };
}

/// Ends the machine.
pub fn power_off() -> ! {
    let _ = psci::system_off::<Hvc>();
    loop {
        wait();
    }
}

/// Sets the virtual timer's interrupt to come after that many counts.
pub fn timer_set(counts: u32) {
    // SAFETY: only the tick uses the virtual timer.
    unsafe { asm!("msr cntv_tval_el0, {}", "msr cntv_ctl_el0, {}", "isb", in(reg) u64::from(counts), in(reg) 1u64) };
}

/// Counts of the generic timer in a second.
pub fn frequency() -> u64 {
    let hz: u64;
    // SAFETY: only reads.
    unsafe { asm!("mrs {}, cntfrq_el0", out(reg) hz) };
    hz
}

/// The generic timer's count.
pub fn counter() -> u64 {
    let count: u64;
    // SAFETY: only reads.
    unsafe { asm!("isb", "mrs {}, cntvct_el0", out(reg) count) };
    count
}

extern "C" fn fault(kind: usize, esr: usize, elr: usize, far: usize) -> ! {
    panic!("exception {kind} on core {}: esr {esr:#x}, at {elr:#x}, address {far:#x}", cpu_id());
}
