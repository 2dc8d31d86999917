//! Threads and interrupts: what the caller may do, masks, a critical section, and a pause.

// The comments are Doxygen's, for the C header: rustdoc takes `@param[in]` for a link.
#![allow(rustdoc::broken_intra_doc_links)]

use core::ffi::c_int;

unsafe extern "C" {
    /// @brief Returns whether the caller must not sleep.
    ///
    /// @return Not 0 in an interrupt, and in a thread with interrupts masked or the scheduler locked; otherwise 0.
    ///
    /// @note Context: any.
    pub fn rt_dma_port_is_atomic() -> c_int;

    /// @brief Lets other threads run for a tick (`rt_thread_mdelay(1)`). In boot code, before the scheduler runs, it
    /// does nothing.
    ///
    /// @note Context: thread.
    pub fn rt_dma_port_pause();

    /// @brief Masks interrupts on this core. Calls nest.
    ///
    /// @return The value for `rt_dma_port_irq_restore`.
    ///
    /// @note Context: any.
    #[allow(dead_code)] // On aarch64, `irq` does it inline.
    pub fn rt_dma_port_irq_save() -> usize;

    /// @brief Undoes one `rt_dma_port_irq_save`.
    ///
    /// @param[in] saved The value that it returned.
    ///
    /// @note Context: any.
    #[allow(dead_code)] // On aarch64, `irq` does it inline.
    pub fn rt_dma_port_irq_restore(saved: usize);

    /// @brief Excludes all other code on every core, for the crate critical-section (`rt_hw_interrupt_disable`).
    ///
    /// @return The value for `rt_dma_port_critical_exit`.
    ///
    /// @note Context: any.
    pub fn rt_dma_port_critical_enter() -> usize;

    /// @brief Undoes one `rt_dma_port_critical_enter` (`rt_hw_interrupt_enable`).
    ///
    /// @param[in] saved The value that it returned.
    ///
    /// @note Context: any.
    pub fn rt_dma_port_critical_exit(saved: usize);
}
