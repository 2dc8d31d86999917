//! The translation of a kernel address to a physical address, as `rt_kmem_v2p`, with a result that interrupts cannot
//! change.

#[cfg(all(target_arch = "aarch64", target_os = "none"))]
pub use aarch64::v2p;
#[cfg(not(all(target_arch = "aarch64", target_os = "none")))]
pub use port::v2p;

/// Does inline what `rt_kmem_v2p` does on aarch64 (`rt_hw_mmu_kernel_v2p` in `libcpu/aarch64/common`), safely.
///
/// An instruction translates the address as for a write, and leaves its result in `PAR_EL1`, which is read afterwards. An
/// interrupt or a thread switch between the two that translates another address would change the result. Therefore
/// interrupts are masked, and `PAR_EL1` is restored for a translation that this one may have interrupted. Without the
/// `isb`, the read may return an earlier result (Arm ARM DDI 0487, "Synchronization requirements for AArch64 System
/// registers").
///
/// The code is inline because a network driver translates an address for every packet: a sync call that maintains no cache
/// then calls no other function and needs no stack frame.
#[cfg(all(target_arch = "aarch64", target_os = "none"))]
mod aarch64 {
    use core::arch::asm;

    use crate::kernel::PAGE_SIZE;

    /// PAR_EL1.PA: bits 12 to 47.
    const PAGE: usize = 0xffff_ffff_f000;

    #[inline(always)]
    pub fn v2p(va: usize) -> Option<usize> {
        let par: usize;
        // SAFETY: the instructions read the page tables, and restore all state that they change. Without `nomem`, earlier
        // writes to the page tables are not moved after them.
        unsafe {
            asm!(
                "mrs {daif}, daif",
                "msr daifset, #3",
                "mrs {earlier}, par_el1",
                "at s1e1w, {va}",
                "isb",
                "mrs {par}, par_el1",
                "msr par_el1, {earlier}",
                "msr daif, {daif}",
                va = in(reg) va,
                daif = out(reg) _,
                earlier = out(reg) _,
                par = out(reg) par,
                options(nostack, preserves_flags)
            )
        };
        // PAR_EL1.F: the translation failed.
        (par & 1 == 0).then_some(par & PAGE | va & (PAGE_SIZE - 1))
    }
}

#[cfg(not(all(target_arch = "aarch64", target_os = "none")))]
mod port {
    use super::super::{RT_DMA_PORT_UNMAPPED, pointer, rt_dma_port_v2p};

    #[inline(always)]
    pub fn v2p(va: usize) -> Option<usize> {
        // SAFETY: the port's function may be called in any context.
        let pa = unsafe { rt_dma_port_v2p(pointer(va)) };
        (pa != RT_DMA_PORT_UNMAPPED).then_some(pa)
    }
}
