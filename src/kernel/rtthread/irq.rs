//! Masking the interrupts of this core. Every section that holds the lock begins with `save` and ends with `restore`.
//!
//! `save` masks interrupts and returns what `restore` needs; `restore` undoes one `save`. Calls nest.

pub use mask::{restore, save};

#[allow(dead_code)] // On aarch64, `save` and `restore` do it inline.
unsafe extern "C" {
    /// @brief Masks interrupts on this core. Calls nest.
    ///
    /// @return The value for `rt_dma_port_irq_restore`.
    ///
    /// @note Context: any.
    pub fn rt_dma_port_irq_save() -> usize;

    /// @brief Undoes one `rt_dma_port_irq_save`.
    ///
    /// @param[in] saved The value that it returned. A caller that undoes its calls in another order may have moved to
    ///        another core since then. The call must accept that, although it masks or enables interrupts at the wrong
    ///        time.
    ///
    /// @note Context: any.
    pub fn rt_dma_port_irq_restore(saved: usize);
}

/// Masks with three instructions of the processor, inline, so that the code around them keeps its values in registers.
///
/// `rt_hw_local_irq_disable` and `rt_hw_local_irq_enable` of RT-Thread 5.2.2 (libcpu/aarch64/common/cpu_gcc.S) mask the
/// same interrupts, IRQ and FIQ. Two things differ:
///
/// * They execute `dsb nsh` and `isb` too. A write of the mask takes effect without a barrier, in the order of the
///   program. What other cores and devices see is ordered by the lock's atomics and by `device_barrier`.
/// * They write the bits of IRQ and FIQ only, and nothing if both were set before. Here `restore` also writes the bits
///   of debug exceptions and SError, which nothing between `save` and `restore` changes.
#[cfg(all(target_arch = "aarch64", target_os = "none", not(feature = "irq-port")))]
mod mask {
    use core::arch::asm;

    pub fn save() -> usize {
        let daif: usize;
        // SAFETY: a kernel may mask interrupts, and the instructions change nothing else. Without `nomem`, the compiler
        // moves no access of the section to a place before them.
        unsafe { asm!("mrs {}, daif", "msr daifset, #3", out(reg) daif, options(nostack, preserves_flags)) };
        daif
    }

    /// # Safety
    /// `daif` was returned by a `save` that has not been undone. If it was the `save` of another core, or not the last
    /// one, interrupts are masked or enabled at the wrong time, and nothing else goes wrong.
    pub unsafe fn restore(daif: usize) {
        // SAFETY: the caller guarantees that this is an earlier state of a core. Without `nomem`, the compiler moves no
        // access of the section to a place after the instruction.
        unsafe { asm!("msr daif, {}", in(reg) daif, options(nostack, preserves_flags)) };
    }
}

/// Calls the port, which calls RT-Thread's functions. The feature `irq-port` selects this on aarch64 too: `ci/bench`
/// links a kernel whose functions count the instructions between the two calls.
#[cfg(not(all(target_arch = "aarch64", target_os = "none", not(feature = "irq-port"))))]
mod mask {
    use super::{rt_dma_port_irq_restore, rt_dma_port_irq_save};

    pub fn save() -> usize {
        // SAFETY: the port's function may be called in any context.
        unsafe { rt_dma_port_irq_save() }
    }

    /// # Safety
    /// `saved` was returned by a `save` that has not been undone. If it was the `save` of another core, or not the last
    /// one, interrupts are masked or enabled at the wrong time, and nothing else goes wrong.
    pub unsafe fn restore(saved: usize) {
        // SAFETY: the caller guarantees what the port requires.
        unsafe { rt_dma_port_irq_restore(saved) }
    }
}
