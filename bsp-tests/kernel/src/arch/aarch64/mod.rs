//! AArch64 at EL1 on QEMU's `virt` machine with a GICv2.

use page_table_multiarch::PageSize;

mod cores;
mod memory;
mod start;

pub use super::arm_virt::*;
pub use cores::*;
pub use memory::*;
pub use page_table_multiarch::aarch64::A64PageTable as PageTable;

/// One past the last virtual address that the kernel may map.
pub const SPACE_END: usize = 1 << 38;
/// Where `rt_ioremap_*` maps: 256 MiB, from a 2 MiB boundary on, as RT-Thread's window.
pub const WINDOW: core::ops::Range<usize> = 0x20_0000_0000..0x20_1000_0000;
/// The blocks that RT-Thread's `rt_hw_mmu_map` lays where address and length allow it.
pub const BLOCK: Option<PageSize> = Some(PageSize::Size2M);
/// The result of `rt_kmem_v2p` for an address that is not mapped (RT-Thread's aarch64 `ARCH_MAP_FAILED`).
pub const MAP_FAILED: usize = 0x1_ffff_ffff_ffff;
