//! The physical address of a kernel address: `rt_kmem_v2p`, which an interrupt cannot make return a wrong one.

#[cfg(all(target_arch = "aarch64", target_os = "none"))]
pub use own::v2p;
#[cfg(not(all(target_arch = "aarch64", target_os = "none")))]
pub use port::v2p;

/// What `rt_kmem_v2p` does on aarch64 (`rt_hw_mmu_kernel_v2p` in `libcpu/aarch64/common`): an instruction translates the
/// address as for a write, and leaves its result in `PAR_EL1`, which is read after it. An interrupt or a thread switch
/// between the two that translates another address would change the result. So interrupts are masked here, and `PAR_EL1` is
/// restored for the translation that this one may itself have interrupted. Without the `isb` the read may return an earlier
/// result (Arm ARM DDI 0487, "Synchronization requirements for AArch64 System registers").
///
/// It is inline because a network driver translates for every packet: so a sync call that maintains nothing calls no other
/// function and needs no stack frame.
#[cfg(all(target_arch = "aarch64", target_os = "none"))]
mod own {
    use core::arch::asm;

    use crate::kernel::PAGE_SIZE;

    /// PAR_EL1.PA: bits 12 to 47.
    const PAGE: usize = 0xffff_ffff_f000;

    #[inline(always)]
    pub fn v2p(va: usize) -> Option<usize> {
        let par: usize;
        // SAFETY: it reads the page tables and changes nothing that outlives it. No `nomem`: page tables that were written
        // before are seen.
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
        // SAFETY: see `Kernel for RtThread`.
        let pa = unsafe { rt_dma_port_v2p(pointer(va)) };
        (pa != RT_DMA_PORT_UNMAPPED).then_some(pa)
    }
}
