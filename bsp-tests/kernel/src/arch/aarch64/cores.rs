//! Cores, interrupts, and the timer.

use core::arch::asm;

use smccc::{Hvc, psci};

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

/// Returns the cycle counter of this core, which the bench switches on.
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

/// Returns whether interrupts are masked on this core.
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

/// Wakes every core in [`wait`](super::wait).
pub fn wake() {
    // SAFETY: a hint.
    unsafe { asm!("dsb sy", "sev") };
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

/// Returns the generic timer's count.
pub fn counter() -> u64 {
    let count: u64;
    // SAFETY: only reads.
    unsafe { asm!("isb", "mrs {}, cntvct_el0", out(reg) count) };
    count
}

pub(super) extern "C" fn fault(kind: usize, esr: usize, elr: usize, far: usize) -> ! {
    panic!("exception {kind} on core {}: esr {esr:#x}, at {elr:#x}, address {far:#x}", cpu_id());
}
