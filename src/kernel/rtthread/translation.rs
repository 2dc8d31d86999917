//! Address translation by an instruction of aarch64: whether an address is mapped
//! ([`Addresses::is_mapped`](crate::kernel::Addresses::is_mapped)), and where the pages of a buffer lie
//! ([`Addresses::v2p_of_range`](crate::kernel::Addresses::v2p_of_range)).
//!
//! The instructions are inline, so that a sync call that maintains the cache saves no registers. [`is_mapped`] takes 10
//! instructions; the port's translation takes about 40.

use core::arch::asm;

use crate::kernel::{PAGE_SIZE, PaOfRange, Va};

/// PAR_EL1.F: the translation failed.
const FAILED: usize = 1;
/// PAR_EL1.PA: bits 12 to 47.
const PAGE_ADDRESS: usize = 0xffff_ffff_f000;
/// The number of further pages that are translated while interrupts are masked: less than 200 instructions.
const CHUNK: usize = 16;

/// Masks interrupts. When it is dropped, the interrupt mask and PAR_EL1 are as before.
///
/// An interrupt or a thread switch between the instructions of a translation could replace the result in PAR_EL1. The
/// translation may itself interrupt another one, so PAR_EL1 is restored. `translate` in
/// `rtthread-port/rt_dma_port_addresses.c` does the same for one address.
struct Masked {
    /// The interrupt mask from before.
    daif: usize,
    /// PAR_EL1 from before.
    par: usize,
}

impl Masked {
    /// Masks interrupts, and reads the state from before.
    fn new() -> Self {
        let (daif, par): (usize, usize);
        // SAFETY: a kernel may mask interrupts, and the instructions change nothing else.
        unsafe {
            asm!(
                "mrs {daif}, daif",
                "msr daifset, #3",
                "mrs {par}, par_el1",
                daif = out(reg) daif,
                par = out(reg) par,
                options(nostack, preserves_flags)
            )
        };
        Masked { daif, par }
    }
}

impl Drop for Masked {
    fn drop(&mut self) {
        // SAFETY: this is the state from before `new`.
        unsafe {
            asm!(
                "msr par_el1, {par}",
                "msr daif, {daif}",
                par = in(reg) self.par,
                daif = in(reg) self.daif,
                options(nostack, preserves_flags)
            )
        };
    }
}

/// Translates `va` for a write, as `rt_kmem_v2p` does: a page that is read-only does not count as mapped. Returns
/// PAR_EL1. The caller holds a [`Masked`].
fn translate(va: Va) -> usize {
    let result: usize;
    // SAFETY: the instructions read the page tables, and change PAR_EL1 only. Without `nomem`, earlier writes to the
    // page tables are not moved after them.
    unsafe {
        asm!(
            "at s1e1w, {va}",
            "isb",
            "mrs {result}, par_el1",
            va = in(reg) va,
            result = out(reg) result,
            options(nostack, preserves_flags)
        )
    };
    result
}

/// Returns whether `va` is mapped.
pub fn is_mapped(va: Va) -> bool {
    let _masked = Masked::new();
    translate(va) & FAILED == 0
}

/// Returns where the memory of `[va, last]` lies; `None` if a page of it is not mapped. `last` is not less than `va`.
///
/// Each further page takes 9 instructions. The port's translation takes about 40, for each page of a streaming map
/// (`benches/maps.c`, "elsewhere").
pub fn v2p_of_range(va: Va, last: Va) -> Option<PaOfRange> {
    let mut further_pages = last / PAGE_SIZE - va / PAGE_SIZE;
    let mut masked = Masked::new();
    let first = translate(va);
    let (mut next_va, mut expected) = (va, first & PAGE_ADDRESS);
    // One bit for each bit in which some result differs from the expected one. A bit of `PAGE_ADDRESS` is set if a page
    // lies elsewhere, and `FAILED` if a page is not mapped.
    let mut differences = first & FAILED;
    loop {
        let chunk = further_pages.min(CHUNK);
        for _ in 0..chunk {
            (next_va, expected) = (next_va.wrapping_add(PAGE_SIZE), expected.wrapping_add(PAGE_SIZE));
            differences |= translate(next_va) ^ expected;
        }
        drop(masked);
        further_pages -= chunk;
        // Ends early at a page that is not mapped: a driver may pass a size as large as the address space.
        if further_pages == 0 || differences & FAILED != 0 {
            break;
        }
        masked = Masked::new();
    }
    let first = first & PAGE_ADDRESS | (va % PAGE_SIZE);
    (differences & FAILED == 0).then_some(PaOfRange { first, is_contiguous: differences & PAGE_ADDRESS == 0 })
}
