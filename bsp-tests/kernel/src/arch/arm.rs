//! ARMv7-A in SVC mode on QEMU's `virt` machine with a GICv2. Floating-point registers are used where the target's ABI passes
//! arguments in them.
//!
//! Register names and encodings are those of the Arm Architecture Reference Manual, ARMv7-A and ARMv7-R edition.

use core::arch::{asm, global_asm};

use page_table_multiarch::arm::A32PagingMetaData;
use page_table_multiarch::{MappingFlags, PageSize, PageTable32};
use smccc::{Hvc, psci};

mod entry;

pub use super::arm_virt::*;
use entry::Entry;

/// Short-descriptor page tables: 1 MiB sections and 4 KiB pages.
pub type PageTable<H> = PageTable32<A32PagingMetaData, Entry, H>;

/// The result of `rt_kmem_v2p` for an address that is not mapped (RT-Thread's `ARCH_MAP_FAILED` for Cortex-A).
pub const MAP_FAILED: usize = usize::MAX;
/// One past the last virtual address that the kernel may map.
pub const SPACE_END: usize = 0xffff_f000;
/// Where `rt_ioremap_*` maps: 256 MiB above RAM.
pub const WINDOW: core::ops::Range<usize> = 0xc000_0000..0xd000_0000;
/// RT-Thread's `rt_hw_mmu_map` lays no blocks here, only pages.
pub const BLOCK: Option<PageSize> = None;

global_asm!(
    r#"
.arch_extension virt
.section .text.boot, "ax"
.arm

// Lets code use the floating-point registers. Changes r0.
.macro fpu_on
.if {fpu}
    mrc p15, 0, r0, c1, c0, 2   // CPACR
    orr r0, r0, #(0xf << 20)
    mcr p15, 0, r0, c1, c0, 2
    isb
    mov r0, #(1 << 30)
    vmsr fpexc, r0              // EN
.endif
.endm

.global _start
_start:
    cpsid if
    mov r4, r2                  // the device tree, where a boot loader hands one over
    ldr r0, =vectors
    mcr p15, 0, r0, c12, c0, 0  // VBAR
    fpu_on
    ldr sp, =__stack_top
    ldr r0, =__bss_start
    ldr r1, =__bss_end
    mov r2, #0
1:  cmp r0, r1
    strlo r2, [r0], #4
    blo 1b
    mov r0, r4
    bl {main}
2:  wfe
    b 2b

// The second core, with the address of the page tables in r0.
.global second_start
second_start:
    cpsid if
    ldr r1, =vectors
    mcr p15, 0, r1, c12, c0, 0
    mov r4, r0
    fpu_on
    mov r0, r4
    ldr sp, =__second_stack_top
    bl {second}
3:  wfe
    b 3b

.balign 32
vectors:
    b 4f                        // reset
    b 5f                        // undefined instruction
    b 4f                        // supervisor call
    b 6f                        // prefetch abort
    b 7f                        // data abort
    b 4f
    b irq_entry
    b 4f                        // FIQ

4:  mov r0, #0
    b fault_entry
5:  mov r0, #1
    b fault_entry
6:  mov r0, #3
    mrc p15, 0, r2, c5, c0, 1   // IFSR
    mrc p15, 0, r3, c6, c0, 2   // IFAR
    b fault_entry
7:  mov r0, #4
    mrc p15, 0, r2, c5, c0, 0   // DFSR
    mrc p15, 0, r3, c6, c0, 0   // DFAR
fault_entry:
    mov r1, lr
    cps #0x13                   // SVC mode, whose stack is there
    bic sp, sp, #7
    b {fault}

irq_entry:
    sub lr, lr, #4
    srsdb sp!, #0x13            // return address and status, on the stack of SVC mode
    cps #0x13
    push {{r0-r4, r12, lr}}
    and r4, sp, #4              // the procedure call standard wants a multiple of 8
    sub sp, sp, r4
.if {fpu}
    vpush {{d0-d7}}             // the registers that a function may change; the ABI has no d16 to d31 here
    vmrs r0, fpscr
    push {{r0, r1}}
.endif
    bl {irq}
.if {fpu}
    pop {{r0, r1}}
    vmsr fpscr, r0
    vpop {{d0-d7}}
.endif
    add sp, sp, r4
    clrex                       // an exclusive access that was interrupted starts anew
    pop {{r0-r4, r12, lr}}
    rfeia sp!

.ltorg
"#,
    main = sym crate::main,
    second = sym second_main,
    fault = sym fault,
    irq = sym irq,
    fpu = const cfg!(target_abi = "eabihf") as usize,
);

// --- page tables ---------------------------------------------------------------------------------------------------

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

/// Makes earlier writes to the page tables visible to every core's walks, and drops old entries from the TLBs.
pub fn tables_written() {
    // SAFETY: barriers, and TLBIALLIS.
    unsafe { asm!("dsb", "mcr p15, 0, {}, c8, c3, 0", "dsb", "isb", in(reg) 0) }
}

/// Flags of memory that code may run from. Only whole sections are: see [`Entry`].
pub fn code_flags() -> MappingFlags {
    MappingFlags::READ | MappingFlags::WRITE | MappingFlags::EXECUTE
}

// --- caches --------------------------------------------------------------------------------------------------------

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

// --- cores and interrupts ------------------------------------------------------------------------------------------

/// The bit of CPSR that masks interrupts.
const MASKED: usize = 1 << 7;

/// This core's number: 0 or 1.
pub fn cpu_id() -> usize {
    let mpidr: usize;
    // SAFETY: only reads the core's number.
    unsafe { asm!("mrc p15, 0, {}, c0, c0, 5", out(reg) mpidr, options(nomem, nostack)) };
    mpidr & 0xff
}

/// Masks interrupts on this core. Returns the argument for `irq_restore`.
pub fn irq_mask() -> usize {
    let cpsr: usize;
    // SAFETY: masking interrupts is always sound.
    unsafe { asm!("mrs {}, cpsr", "cpsid i", out(reg) cpsr) };
    cpsr & MASKED
}

/// Undoes `irq_mask`.
pub fn irq_restore(saved: usize) {
    if saved & MASKED == 0 {
        irq_on();
    }
}

/// Lets interrupts in on this core.
pub fn irq_on() {
    // SAFETY: boot code installed the handlers.
    unsafe { asm!("cpsie i") };
}

/// Whether interrupts are masked on this core.
pub fn irqs_masked() -> bool {
    let cpsr: usize;
    // SAFETY: only reads.
    unsafe { asm!("mrs {}, cpsr", out(reg) cpsr) };
    cpsr & MASKED != 0
}

/// Starts the second core, which runs [`crate::thread::second_core`] on the same page tables.
pub fn start_second_core(root: usize) -> bool {
    unsafe extern "C" {
        fn second_start();
    }
    psci::cpu_on_32::<Hvc>(1, second_start as *const () as u32, root as u32).is_ok()
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
    unsafe { asm!("dsb", "sev") };
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
    // SAFETY: CNTV_TVAL and CNTV_CTL: only the tick uses the virtual timer.
    unsafe { asm!("mcr p15, 0, {}, c14, c3, 0", "mcr p15, 0, {}, c14, c3, 1", "isb", in(reg) counts, in(reg) 1) };
}

/// Counts of the generic timer in a second.
pub fn frequency() -> u64 {
    let hz: u32;
    // SAFETY: only reads CNTFRQ.
    unsafe { asm!("mrc p15, 0, {}, c14, c0, 0", out(reg) hz) };
    hz.into()
}

/// The generic timer's count.
pub fn counter() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: only reads CNTVCT.
    unsafe { asm!("isb", "mrrc p15, 1, {}, {}, c14", out(reg) low, out(reg) high) };
    u64::from(high) << 32 | u64::from(low)
}

extern "C" fn fault(kind: usize, at: usize, status: usize, address: usize) -> ! {
    panic!("exception {kind} on core {}: status {status:#x}, at {at:#x}, address {address:#x}", cpu_id());
}
