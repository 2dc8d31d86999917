//! How far a mapping reaches, by which its record is found.

use crate::kernel::{Handle, PAGE_SHIFT};

/// The number of different reaches: 1, 4, 16, 64, 256, 1,024 and 4,096 pages, and any number.
pub const REACHES: usize = 8;

/// Returns the number of the page that a handle lies in.
pub fn page_of(handle: Handle) -> usize {
    handle >> PAGE_SHIFT
}

/// How many pages a mapping touches, rounded up: the base-four logarithm.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Reach(pub usize);

impl Reach {
    const LONGEST: Reach = Reach(REACHES - 1);

    /// The reach of a mapping of `size` bytes, which is not zero.
    pub fn of(handle: Handle, size: usize) -> Self {
        let last = handle.wrapping_add(size.wrapping_sub(1));
        let further_pages = page_of(last).wrapping_sub(page_of(handle));
        let bits = usize::BITS - further_pages.leading_zeros();
        Reach((bits.div_ceil(2) as usize).min(Self::LONGEST.0))
    }

    /// The number of the block that holds the page. Mappings of the longest reach are all in one block.
    pub fn block(self, page: usize) -> usize {
        if self == Self::LONGEST { 0 } else { page >> (2 * self.0) }
    }

    /// The number of the block in which a mapping may begin that ends in `block`, if that is another block.
    pub fn block_before(self, block: usize) -> Option<usize> {
        // A mapping of the shortest reach lies in one page.
        if self.0 == 0 || self == Self::LONGEST { None } else { block.checked_sub(1) }
    }
}
