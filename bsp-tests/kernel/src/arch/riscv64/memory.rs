//! The page tables, and the caches.

use core::arch::asm;
use core::sync::atomic::Ordering::Relaxed;

use dtoolkit::{Node, Property};
use sbi_rt::HartMask;

use super::cores::{BOOT_HART, second_hart};
use crate::boot;

/// Turns the MMU on, on this core.
pub fn mmu_on(root: usize) {
    const SV39: usize = 8 << 60;
    // Without Svpbmt, the console's own page would fault, and the kernel could print no reason.
    let isa = boot::node("riscv").and_then(|cpu| cpu.property("riscv,isa")?.value_as::<&str>().ok());
    let isa = isa.unwrap_or_default();
    assert!(isa.split('_').any(|name| name == "svpbmt"), "no Svpbmt in {isa}: QEMU wants -cpu rv64,svpbmt=true");
    // SAFETY: the tables map the running code, its data and its stack at the addresses they have now.
    unsafe { asm!("csrw satp, {}", "sfence.vma", in(reg) SV39 | root >> 12) }
}

/// Makes earlier writes to the page tables visible to both cores' walks, and drops old entries from the TLB of this
/// core.
pub fn tables_written() {
    // SAFETY: a barrier.
    unsafe { asm!("fence", "sfence.vma") }
}

/// Drops old entries from the TLBs of both cores. RT-Thread may write to the log then.
#[unsafe(no_mangle)]
pub extern "C" fn stand_in_invalidate_tlbs() {
    crate::context::must_be_thread("rt_hw_tlb_invalidate_all");
    tables_written();
    // `sfence.vma` affects this core only. The firmware reaches the other core even while that core masks interrupts.
    if crate::thread::second_is_up() {
        let both = HartMask::from_mask_base(1 << BOOT_HART.load(Relaxed) | 1 << second_hart(), 0);
        assert!(sbi_rt::remote_sfence_vma(both, 0, usize::MAX).is_ok(), "the firmware's remote fence");
    }
}

// Caches: QEMU's virt machine is coherent, and its default core has no cache-block operations.

/// Writes dirty lines to memory and drops them.
pub fn cache_clean_invalidate(_va: usize, _size: usize) {
    // SAFETY: a barrier.
    unsafe { asm!("fence iorw, iorw") }
}

/// Drops lines, dirty or not.
pub fn cache_invalidate(va: usize, size: usize) {
    cache_clean_invalidate(va, size);
}
