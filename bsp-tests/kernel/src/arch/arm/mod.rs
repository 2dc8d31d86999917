//! ARMv7-A in SVC mode on QEMU's `virt` machine with a GICv2. Floating-point registers are used where the target's ABI
//! passes arguments in them.
//!
//! Register names and encodings are those of the Arm Architecture Reference Manual, ARMv7-A and ARMv7-R edition.

use page_table_multiarch::arm::A32PagingMetaData;
use page_table_multiarch::{PageSize, PageTable32};

mod cores;
mod entry;
mod memory;
mod start;

pub use super::arm_virt::*;
pub use cores::*;
use entry::Entry;
pub use memory::*;

/// Short-descriptor page tables: 1 MiB sections and 4 KiB pages.
pub type PageTable<H> = PageTable32<A32PagingMetaData, Entry, H>;

/// The result of `rt_kmem_v2p` for an address that is not mapped (RT-Thread's `ARCH_MAP_FAILED` for Cortex-A).
pub const MAP_FAILED: usize = usize::MAX;
/// One past the last virtual address that the kernel may map.
pub const SPACE_END: usize = 0xffff_f000;
/// Where `rt_ioremap_*` maps: 256 MiB above RAM.
pub const WINDOW: core::ops::Range<usize> = 0xc000_0000..0xd000_0000;
/// RT-Thread's `rt_hw_mmu_map` lays no blocks here, only pages.
pub const BLOCK: Option<PageSize> = None;
