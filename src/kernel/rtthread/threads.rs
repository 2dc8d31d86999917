//! [`Threads`] over RT-Thread's interrupt mask and scheduler.

use super::{RtThread, core_hint, irq, rt_dma_port_is_atomic, rt_dma_port_pause};
use crate::kernel::Threads;

// SAFETY: the port does what its header states of each function: see the head of `rtthread`.
unsafe impl Threads for RtThread {
    fn irq_save(&self) -> usize {
        irq::save()
    }

    unsafe fn irq_restore(&self, saved: usize) {
        // SAFETY: the caller guarantees that `irq_save` returned it.
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
