//! Masking the interrupts of this core. Every section that holds the lock begins with `save` and ends with `restore`.
//!
//! `save` masks interrupts and returns what `restore` needs; `restore` undoes one `save`. Calls nest.

#[cfg(all(target_arch = "aarch64", target_os = "none", not(feature = "irq-port")))]
pub use aarch64::{restore, save};
#[cfg(not(all(target_arch = "aarch64", target_os = "none", not(feature = "irq-port"))))]
pub use port::{restore, save};

// The comments are Doxygen's, for the C header: rustdoc takes `@param[in]` for a link.
#[allow(dead_code)] // On aarch64, `save` and `restore` do it inline.
#[allow(rustdoc::broken_intra_doc_links)]
unsafe extern "C" {
    /// @brief Masks interrupts on this core. Calls nest.
    ///
    /// @return The value for `rt_dma_port_irq_restore`.
    ///
    /// @note Context: any.
    pub fn rt_dma_port_irq_save() -> usize;

    /// @brief Undoes one `rt_dma_port_irq_save`.
    ///
    /// @param[in] saved The value that it returned.
    ///
    /// @note Context: any.
    pub fn rt_dma_port_irq_restore(saved: usize);
}

/// Does inline what `rt_hw_local_irq_disable` and its counterpart do (libcpu/aarch64/common). Without the calls, the
/// code around them keeps its values in registers.
#[cfg(all(target_arch = "aarch64", target_os = "none", not(feature = "irq-port")))]
mod aarch64 {
    use core::arch::asm;

    pub fn save() -> usize {
        let daif: usize;
        // SAFETY: a kernel may mask interrupts, and the instructions change nothing else. Without `nomem`, the compiler
        // moves no access of the section to a place before them.
        unsafe { asm!("mrs {}, daif", "msr daifset, #3", out(reg) daif, options(nostack, preserves_flags)) };
        daif
    }

    /// # Safety
    /// `daif` was returned by the last `save` of this core that has not been undone.
    pub unsafe fn restore(daif: usize) {
        // SAFETY: the caller guarantees that this is the earlier state. Without `nomem`, the compiler moves no access
        // of the section to a place after the instruction.
        unsafe { asm!("msr daif, {}", in(reg) daif, options(nostack, preserves_flags)) };
    }
}

/// Calls the port, which calls RT-Thread's functions.
#[cfg(not(all(target_arch = "aarch64", target_os = "none", not(feature = "irq-port"))))]
mod port {
    use super::{rt_dma_port_irq_restore, rt_dma_port_irq_save};

    pub fn save() -> usize {
        // SAFETY: the port's function may be called in any context.
        unsafe { rt_dma_port_irq_save() }
    }

    /// # Safety
    /// `saved` was returned by the last `save` of this core that has not been undone.
    pub unsafe fn restore(saved: usize) {
        // SAFETY: the caller guarantees what the port requires.
        unsafe { rt_dma_port_irq_restore(saved) }
    }
}
