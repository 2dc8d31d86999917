//! Whether an address is mapped ([`Kernel::is_mapped`](crate::kernel::Kernel::is_mapped)).

#[cfg(all(target_arch = "aarch64", target_os = "none"))]
pub use aarch64::is_mapped;
#[cfg(not(all(target_arch = "aarch64", target_os = "none")))]
pub use port::is_mapped;

/// Asks the processor, inline: a sync call that maintains the cache then saves no registers. The answer is whether cache
/// maintenance at the address would fault. It takes 10 instructions; the port's translation takes about 40.
#[cfg(all(target_arch = "aarch64", target_os = "none"))]
mod aarch64 {
    use core::arch::asm;

    use crate::kernel::Va;

    /// Translates as for a write, as `rt_kmem_v2p` does and as the maintenance will. An interrupt or a thread switch between
    /// the instructions could replace the result, so interrupts are masked; the result of a translation that this one
    /// interrupted is restored. (See `translate` in the port.)
    #[inline(always)]
    pub fn is_mapped(va: Va) -> bool {
        let result: usize;
        // SAFETY: the instructions read the page tables, and restore all state that they change. Without `nomem`, earlier
        // writes to the page tables are not moved after them.
        unsafe {
            asm!(
                "mrs {daif}, daif",
                "msr daifset, #3",
                "mrs {earlier}, par_el1",
                "at s1e1w, {va}",
                "isb",
                "mrs {result}, par_el1",
                "msr par_el1, {earlier}",
                "msr daif, {daif}",
                va = in(reg) va,
                daif = out(reg) _,
                earlier = out(reg) _,
                result = out(reg) result,
                options(nostack, preserves_flags)
            )
        };
        // PAR_EL1.F: the translation failed.
        result & 1 == 0
    }
}

#[cfg(not(all(target_arch = "aarch64", target_os = "none")))]
mod port {
    use super::super::{RT_DMA_PORT_UNMAPPED, pointer, rt_dma_port_v2p};
    use crate::kernel::Va;

    #[inline(always)]
    pub fn is_mapped(va: Va) -> bool {
        // SAFETY: the port's function may be called in any context.
        unsafe { rt_dma_port_v2p(pointer(va)) != RT_DMA_PORT_UNMAPPED }
    }
}
