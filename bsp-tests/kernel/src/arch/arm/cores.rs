//! Cores, interrupts, and the timer.

use core::arch::asm;

use smccc::{Hvc, psci};

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

/// Returns whether interrupts are masked on this core.
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

/// Wakes every core in [`wait`](super::wait).
pub fn wake() {
    // SAFETY: a hint.
    unsafe { asm!("dsb", "sev") };
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

/// Returns the generic timer's count.
pub fn counter() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: only reads CNTVCT.
    unsafe { asm!("isb", "mrrc p15, 1, {}, {}, c14", out(reg) low, out(reg) high) };
    u64::from(high) << 32 | u64::from(low)
}

pub(super) extern "C" fn fault(kind: usize, at: usize, status: usize, address: usize) -> ! {
    panic!("exception {kind} on core {}: status {status:#x}, at {at:#x}, address {address:#x}", cpu_id());
}
