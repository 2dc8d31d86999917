//! The largest line of any cache of the system ([`Kernel::cache_line_max`](crate::kernel::Kernel::cache_line_max)).

#[cfg(all(target_arch = "aarch64", target_os = "none"))]
pub use own::largest;
#[cfg(not(all(target_arch = "aarch64", target_os = "none")))]
pub use port::largest;

/// As `rt_dma_port_cache_line_max`, but inline: a sync call that drops whole lines then saves no registers.
#[cfg(all(target_arch = "aarch64", target_os = "none"))]
mod own {
    use core::arch::asm;

    use super::super::configuration;

    /// What is assumed where the processor does not tell: what Linux assumes (`ARCH_DMA_MINALIGN` in
    /// `arch/arm64/include/asm/cache.h`).
    const ASSUMED: usize = 128;

    #[inline(always)]
    pub fn largest() -> usize {
        let ctr: usize;
        // SAFETY: CTR_EL0 describes the caches.
        unsafe { asm!("mrs {}, ctr_el0", out(reg) ctr, options(nomem, nostack, preserves_flags)) };
        // CWG: base-two logarithm of the words in the largest line, at most 9; 0 where the processor does not tell.
        let line = match ctr >> 24 & 0xf {
            cwg @ 1..=9 => 4 << cwg,
            _ => ASSUMED,
        };
        // A BSP may state a longer one: that of a cache outside of the processor.
        line.max(configuration().stated_cache_line.into())
    }
}

#[cfg(not(all(target_arch = "aarch64", target_os = "none")))]
mod port {
    use super::super::rt_dma_port_cache_line_max;

    #[inline(always)]
    pub fn largest() -> usize {
        // SAFETY: see `Kernel for RtThread`.
        unsafe { rt_dma_port_cache_line_max() }
    }
}
