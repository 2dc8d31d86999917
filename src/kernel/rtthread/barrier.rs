//! The barrier that devices observe ([`Cache::device_barrier`](crate::kernel::Cache::device_barrier)).

#[cfg(target_os = "none")]
use core::arch::asm;

/// Makes all accesses before the call precede all accesses after it, for devices too.
///
/// On Arm, a device belongs to the outer shareable domain. A fence of the language (`dmb ish`) need not order accesses
/// for observers outside of the inner shareable domain, as a device is (Arm ARM DDI 0487 and DDI 0406, "Data Memory
/// Barrier (DMB)"; Linux arch/arm64/include/asm/barrier.h, `dma_mb`).
#[cfg(all(target_os = "none", any(target_arch = "aarch64", target_arch = "arm")))]
pub fn device() {
    // SAFETY: a barrier changes no state. Without `nomem`, the compiler moves no access across it.
    unsafe { asm!("dmb osh", options(nostack, preserves_flags)) };
}

/// Makes all accesses before the call precede all accesses after it, for devices too.
///
/// On RISC-V, accesses to device registers are input and output (`i`, `o`). A fence of the language (`fence rw,rw`)
/// does not order these (The RISC-V Instruction Set Manual, Volume I, "Memory Ordering Instructions").
#[cfg(all(target_os = "none", any(target_arch = "riscv64", target_arch = "riscv32")))]
pub fn device() {
    // SAFETY: a barrier changes no state. Without `nomem`, the compiler moves no access across it.
    unsafe { asm!("fence iorw, iorw", options(nostack, preserves_flags)) };
}

/// Makes all accesses before the call precede all accesses after it. On a host, another thread plays the device.
#[cfg(not(target_os = "none"))]
pub fn device() {
    core::sync::atomic::fence(core::sync::atomic::Ordering::SeqCst);
}
