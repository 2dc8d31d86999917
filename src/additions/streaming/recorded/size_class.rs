//! The size class of a mapping, by which its record is found.

use crate::kernel::{Handle, PAGE_SHIFT};

/// The number of size classes: mappings of up to 1, 4, 16, 64, 256, 1,024 and 4,096 pages, and all larger ones.
pub const SIZE_CLASSES: usize = 8;

/// Returns the number of the page that a handle lies in.
pub fn page_of(handle: Handle) -> usize {
    handle >> PAGE_SHIFT
}

/// How many pages a mapping touches, rounded up to a power of four: the base-four logarithm of that power.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SizeClass(pub usize);

impl SizeClass {
    const LARGEST: SizeClass = SizeClass(SIZE_CLASSES - 1);

    /// Returns the size class of a mapping of `size` bytes, which is not zero.
    pub fn of(handle: Handle, size: usize) -> Self {
        let last = handle.wrapping_add(size.wrapping_sub(1));
        let further_pages = page_of(last).wrapping_sub(page_of(handle));
        let bits = usize::BITS - further_pages.leading_zeros();
        SizeClass((bits.div_ceil(2) as usize).min(Self::LARGEST.0))
    }

    /// Returns the number of the block that holds the page. Mappings of the largest size class are all in one block.
    pub fn block(self, page: usize) -> usize {
        if self == Self::LARGEST { 0 } else { page >> (2 * self.0) }
    }

    /// Returns the number of the block in which a mapping may begin that ends in `block`, if that is another block.
    pub fn block_before(self, block: usize) -> Option<usize> {
        // A mapping of the smallest size class lies in one page.
        if self.0 == 0 || self == Self::LARGEST { None } else { block.checked_sub(1) }
    }
}
