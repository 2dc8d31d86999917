//! The largest line of any cache of the system ([`Kernel::cache_line_max`](crate::kernel::Kernel::cache_line_max)).

#[cfg(all(target_arch = "aarch64", target_os = "none"))]
pub use aarch64::largest;
#[cfg(not(all(target_arch = "aarch64", target_os = "none")))]
pub use port::largest;

/// Does inline what `rt_dma_port_cache_line_max` does: a sync call that drops whole lines then saves no registers.
#[cfg(all(target_arch = "aarch64", target_os = "none"))]
mod aarch64 {
    use core::arch::asm;

    use super::super::configuration;

    /// The size that is assumed if the processor reports none: that of Linux (`ARCH_DMA_MINALIGN` in
    /// `arch/arm64/include/asm/cache.h`).
    const ASSUMED: usize = 128;

    #[inline(always)]
    pub fn largest() -> usize {
        let ctr: usize;
        // SAFETY: the instruction only reads CTR_EL0, which describes the caches.
        unsafe { asm!("mrs {}, ctr_el0", out(reg) ctr, options(nomem, nostack, preserves_flags)) };
        // CWG: base-two logarithm of the words in the largest line, at most 9; 0 if the processor reports none.
        let line = match ctr >> 24 & 0xf {
            cwg @ 1..=9 => 4 << cwg,
            _ => ASSUMED,
        };
        // A BSP may state a larger line: that of a cache outside the processor.
        line.max(configuration().stated_cache_line.into())
    }
}

#[cfg(not(all(target_arch = "aarch64", target_os = "none")))]
mod port {
    use super::super::rt_dma_port_cache_line_max;

    pub fn largest() -> usize {
        // SAFETY: the port's function may be called in any context.
        unsafe { rt_dma_port_cache_line_max() }
    }
}
