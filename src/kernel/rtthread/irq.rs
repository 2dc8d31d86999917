//! Masking interrupts on this core: what every stretch with the lock held begins and ends with. `save` masks them and says
//! what to give to `restore`, which undoes one `save`.

#[cfg(all(target_arch = "aarch64", target_os = "none", not(feature = "irq-port")))]
pub use own::{restore, save};
#[cfg(not(all(target_arch = "aarch64", target_os = "none", not(feature = "irq-port"))))]
pub use port::{restore, save};

/// As `rt_hw_local_irq_disable` (libcpu/aarch64/common): without its call, what surrounds it keeps its registers.
#[cfg(all(target_arch = "aarch64", target_os = "none", not(feature = "irq-port")))]
mod own {
    use core::arch::asm;

    #[inline(always)]
    pub fn save() -> usize {
        let daif: usize;
        // SAFETY: a kernel may mask interrupts, and changes nothing else by it. No `nomem`: what the lock covers stays
        // behind.
        unsafe { asm!("mrs {}, daif", "msr daifset, #3", out(reg) daif, options(nostack, preserves_flags)) };
        daif
    }

    #[inline(always)]
    pub fn restore(daif: usize) {
        // SAFETY: as it was. No `nomem`: what the lock covers stays before.
        unsafe { asm!("msr daif, {}", in(reg) daif, options(nostack, preserves_flags)) };
    }
}

#[cfg(not(all(target_arch = "aarch64", target_os = "none", not(feature = "irq-port"))))]
mod port {
    use super::super::{rt_dma_port_irq_restore, rt_dma_port_irq_save};

    #[inline(always)]
    pub fn save() -> usize {
        // SAFETY: see `Kernel for RtThread`.
        unsafe { rt_dma_port_irq_save() }
    }

    #[inline(always)]
    pub fn restore(saved: usize) {
        // SAFETY: see `Kernel for RtThread`.
        unsafe { rt_dma_port_irq_restore(saved) }
    }
}
