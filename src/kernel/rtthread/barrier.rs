//! The barrier that devices observe ([`Kernel::device_barrier`](crate::kernel::Kernel::device_barrier)).

#[cfg(target_os = "none")]
use core::arch::asm;

/// Arm: a device is in the outer shareable domain, while a language fence (`dmb ish`) orders for the cores alone (Arm ARM
/// DDI 0487, "Data Memory Barrier (DMB)"; Linux arch/arm64/include/asm/barrier.h, `dma_mb`).
#[cfg(all(target_os = "none", any(target_arch = "aarch64", target_arch = "arm")))]
#[inline(always)]
pub fn device() {
    // SAFETY: a barrier changes nothing. No `nomem`: the compiler moves no access across it either.
    unsafe { asm!("dmb osh", options(nostack, preserves_flags)) };
}

/// RISC-V: accesses to device registers are input and output (`i`, `o`), which a language fence (`fence rw,rw`) does not
/// order (The RISC-V Instruction Set Manual, Volume I, "Memory Ordering Instructions").
#[cfg(all(target_os = "none", any(target_arch = "riscv64", target_arch = "riscv32")))]
#[inline(always)]
pub fn device() {
    // SAFETY: as above.
    unsafe { asm!("fence iorw, iorw", options(nostack, preserves_flags)) };
}

/// A host: what plays the device there is another thread.
#[cfg(not(target_os = "none"))]
#[inline(always)]
pub fn device() {
    core::sync::atomic::fence(core::sync::atomic::Ordering::SeqCst);
}
