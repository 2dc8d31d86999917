//! [`Addresses`] over `rt_kmem_v2p`, and on aarch64 over the processor's own instruction for translations.

#[cfg(all(target_arch = "aarch64", target_os = "none"))]
use super::probe;
use super::{RtThread, pointer, rt_dma_port_has_page_tables, rt_dma_port_pv_offset, rt_dma_port_v2p, unless_unmapped};
use crate::kernel::{Addresses, Pa, Va};

// SAFETY: the port does what its header states of each function: see the head of `rtthread`.
unsafe impl Addresses for RtThread {
    fn v2p(&self, va: Va) -> Option<Pa> {
        // SAFETY: the port's function may be called in any context.
        unless_unmapped(unsafe { rt_dma_port_v2p(pointer(va)) })
    }

    #[cfg(all(target_arch = "aarch64", target_os = "none"))]
    fn is_mapped(&self, va: Va) -> bool {
        probe::is_mapped(va)
    }

    #[cfg(all(target_arch = "aarch64", target_os = "none"))]
    fn leads_to(&self, va: Va, pa: Pa, pages: usize) -> bool {
        probe::leads_to(va, pa, pages)
    }

    fn has_page_tables(&self) -> bool {
        // SAFETY: the port's function may be called in any context.
        unsafe { rt_dma_port_has_page_tables() != 0 }
    }

    fn linear(&self, pa: Pa) -> Va {
        // SAFETY: the port's function may be called in any context.
        pa.wrapping_sub(unsafe { rt_dma_port_pv_offset() })
    }
}
