//! The critical section of the crate critical-section. C's list of pools is changed in it: C code that walks the list
//! between `rt_hw_interrupt_disable` and `rt_hw_interrupt_enable` sees it before or after a change, never in between.

unsafe extern "C" {
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

/// Excludes all other code on every core.
struct AllCoresExcluded;
critical_section::set_impl!(AllCoresExcluded);

// SAFETY: `rt_hw_interrupt_disable` masks interrupts and, with SMP, takes the global lock of the kernel, which nests.
unsafe impl critical_section::Impl for AllCoresExcluded {
    unsafe fn acquire() -> critical_section::RawRestoreState {
        // SAFETY: the port's function may be called in any context.
        unsafe { rt_dma_port_critical_enter() }
    }

    unsafe fn release(saved: critical_section::RawRestoreState) {
        // SAFETY: the caller passes what `acquire` returned.
        unsafe { rt_dma_port_critical_exit(saved) }
    }
}
