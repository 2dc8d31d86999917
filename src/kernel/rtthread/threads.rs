//! [`Threads`] over RT-Thread's interrupt mask and scheduler.

use core::ffi::c_int;

use super::{RtThread, core_hint, irq};
use crate::kernel::Threads;

unsafe extern "C" {
    /// @brief Returns whether the caller must not sleep.
    ///
    /// @return Not 0 in an interrupt, in a thread with interrupts masked or the scheduler locked, and in boot code of a
    /// core while threads run on others; otherwise 0.
    ///
    /// @note Context: any.
    pub fn rt_dma_port_is_atomic() -> c_int;

    /// @brief Lets other threads run for a tick (`rt_thread_mdelay(1)`). In boot code, before the scheduler runs, it
    /// does nothing.
    ///
    /// @note Context: thread.
    pub fn rt_dma_port_pause();
}

// SAFETY: the port does what its header states of each function: see the head of `rtthread`.
unsafe impl Threads for RtThread {
    fn irq_save(&self) -> usize {
        irq::save()
    }

    unsafe fn irq_restore(&self, saved: usize) {
        // SAFETY: the caller guarantees that an `irq_save` returned it, which has not been undone.
        unsafe { irq::restore(saved) }
    }

    fn can_sleep(&self) -> bool {
        // SAFETY: the port's function may be called in any context.
        unsafe { rt_dma_port_is_atomic() == 0 }
    }

    fn pause(&self) {
        // SAFETY: the caller is a thread, as `Threads::pause` demands.
        unsafe { rt_dma_port_pause() }
    }

    fn core_hint(&self) -> usize {
        core_hint::core_hint()
    }
}
