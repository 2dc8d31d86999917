//! Addresses: the page tables, and the linear map.

#![allow(unsafe_code)]

use super::{PAGE_SIZE, Pa, Va};

/// Where the memory of a range of virtual addresses lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PaOfRange {
    /// The physical address of the first byte.
    pub first: Pa,
    /// Whether the physical addresses of the other bytes follow in the same order.
    pub is_contiguous: bool,
}

/// Translation of addresses.
///
/// # Safety
///
/// * [`v2p`](Addresses::v2p) returns what the page tables contain, in every context, even if an interrupt comes
///   meanwhile.
/// * [`is_mapped`](Addresses::is_mapped) and [`v2p_of_range`](Addresses::v2p_of_range) agree with
///   [`v2p`](Addresses::v2p).
pub unsafe trait Addresses {
    /// Returns the physical address to which `va` is mapped; `None` if it is not mapped.
    ///
    /// Context: any.
    fn v2p(&self, va: Va) -> Option<Pa>;

    /// Returns whether [`v2p`](Addresses::v2p) would return an address: whether the cache can be maintained there. A
    /// kernel may have a faster way to find out.
    ///
    /// Context: any.
    fn is_mapped(&self, va: Va) -> bool {
        self.v2p(va).is_some()
    }

    /// Returns where the memory of `[va, last]` lies; `None` if a page of it is not mapped. `last` is not less than
    /// `va`. A kernel may have a faster way than to call [`v2p`](Addresses::v2p) for each page.
    ///
    /// Context: any.
    fn v2p_of_range(&self, va: Va, last: Va) -> Option<PaOfRange> {
        let first = self.v2p(va)?;
        let mut is_contiguous = true;
        for page in 1..=last / PAGE_SIZE - va / PAGE_SIZE {
            let offset = page * PAGE_SIZE;
            is_contiguous &= self.v2p(va + offset)? == first.wrapping_add(offset);
        }
        Some(PaOfRange { first, is_contiguous })
    }

    /// Returns the address of `pa` in the linear map: `pa - PV_OFFSET`. The caller calls [`v2p`](Addresses::v2p) to
    /// learn whether memory is mapped there.
    ///
    /// Context: any.
    fn linear(&self, pa: Pa) -> Va;

    /// Returns whether the kernel has page tables. A kernel without them leaves the MMU off: all memory is mapped at
    /// [`linear`](Addresses::linear), and [`map`](super::Mappings::map) returns such an address for cached memory and
    /// `None` for other memory.
    ///
    /// Context: any.
    fn has_page_tables(&self) -> bool;
}
