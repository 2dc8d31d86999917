//! What the blocks of a pool look like: how they lie in memory, and which block an address is.
//!
//! A *span* is what comes from the device's DMA memory: one page, or the pages of one block that is larger. A span is one
//! or more *units*: a unit is a power-of-two piece of a page that crosses no boundary, with up to [`SLOTS`] blocks, one
//! after the other from its first byte on.

use super::word::{SLOTS, UNITS};
use crate::kernel::{PAGE_SHIFT, PAGE_SIZE};

/// Blocks are cleared, and descriptors written, in words.
const WORD: usize = size_of::<usize>();

/// Why there are no such blocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadShape {
    /// Zero, or more than an address can count.
    Size,
    /// The alignment is not a power of two, or more than a page.
    Align,
    /// The boundary is not a power of two, or a block is larger.
    Boundary,
}

/// How the blocks of a pool lie in memory.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Shape {
    /// Bytes from one block to the next.
    pub stride: usize,
    /// Base-two logarithm of the bits that a unit takes of a group's word.
    pub slot_shift: usize,
    /// Base-two logarithm of the bytes for which an address is looked up: a unit's, or less for a block of many pages.
    pub key_shift: usize,
    twist: usize,
    /// Modulo two to the word's bits, the inverse of `stride >> twist`, which is odd.
    inverse: usize,
    /// Blocks in a unit: 1 to [`SLOTS`].
    pub blocks: usize,
    /// Bytes of a unit, if it is not a span by itself.
    pub unit_size: usize,
    /// Units in a group, at most.
    pub group_units: usize,
    /// Units in a span.
    pub span_units: usize,
    /// Bytes of a span: whole pages.
    pub span_size: usize,
    /// What no block crosses, if a span of several pages might; else zero.
    pub boundary: usize,
}

impl Shape {
    /// Blocks of `size` bytes aligned to `align`, none across a multiple of `boundary` (zero: they may lie across any).
    pub fn new(size: usize, align: usize, boundary: usize) -> Result<Shape, BadShape> {
        let align = align.max(1);
        if !align.is_power_of_two() || align > PAGE_SIZE {
            return Err(BadShape::Align);
        }
        if boundary != 0 && !boundary.is_power_of_two() {
            return Err(BadShape::Boundary);
        }
        let stride = size.checked_next_multiple_of(align.max(WORD)).filter(|stride| *stride != 0);
        let stride = stride.ok_or(BadShape::Size)?;
        if boundary != 0 && stride > boundary {
            return Err(BadShape::Boundary);
        }
        // Twice as much must be countable too: see `wide_span`.
        let span_size = stride.checked_next_multiple_of(PAGE_SIZE).filter(|size| *size <= isize::MAX as usize);
        let span_size = span_size.ok_or(BadShape::Size)?;

        let many_pages = stride > PAGE_SIZE;
        // Blocks that tile a boundary never cross it, wherever they begin.
        let may_cross = boundary != 0 && boundary < PAGE_SIZE && !boundary.is_multiple_of(stride);
        let mut unit_size = if may_cross { boundary } else { PAGE_SIZE };
        let fit = |unit_size: usize| unit_size.checked_div(stride).unwrap_or(0);
        while fit(unit_size) > SLOTS {
            unit_size /= 2;
        }
        let blocks = fit(unit_size).max(1);
        let slot_shift = blocks.next_power_of_two().trailing_zeros();
        let unit_shift = unit_size.trailing_zeros();
        let twist = stride.trailing_zeros();
        Ok(Shape {
            stride,
            key_shift: (if many_pages { usize::BITS - 1 - stride.leading_zeros() } else { unit_shift }) as usize,
            blocks,
            slot_shift: slot_shift as usize,
            inverse: inverse(stride >> twist),
            twist: twist as usize,
            unit_size,
            group_units: (SLOTS >> slot_shift).min(UNITS),
            span_units: PAGE_SIZE >> unit_shift,
            span_size,
            boundary: if many_pages { boundary } else { 0 },
        })
    }

    /// The number of the block that begins `offset` bytes behind a unit's first byte: one of the unit's if it is less
    /// than `blocks`, and else no block begins there.
    ///
    /// A product with the inverse divides without a rest those offsets that have none, and makes all others large
    /// (Granlund and Montgomery, Division by Invariant Integers using Multiplication, section 9).
    #[inline(always)]
    pub fn index(&self, offset: usize) -> usize {
        offset.wrapping_mul(self.inverse).rotate_right(self.twist as u32)
    }

    /// The bits of a unit whose first is bit `first`.
    pub fn bits(&self, first: usize) -> usize {
        lowest_bits(self.blocks).wrapping_shl(first as u32)
    }

    /// The bits of those blocks of a unit, from bit `first` on, that lie up to `limit`, their last bytes too. The unit's first
    /// byte is at `start` for the device.
    pub fn bits_within(&self, first: usize, start: usize, limit: usize) -> usize {
        let bytes = limit.checked_sub(start).map_or(0, |last| last.saturating_add(1));
        let blocks = if limit == usize::MAX { self.blocks } else { bytes.checked_div(self.stride).unwrap_or(0) };
        lowest_bits(blocks.min(self.blocks)).wrapping_shl(first as u32)
    }

    /// How many bytes behind the start of a span at `handle` a block may begin.
    pub fn lead(&self, handle: usize) -> usize {
        if self.boundary == 0 {
            return 0;
        }
        let left = self.boundary - (handle & (self.boundary - 1));
        if left < self.stride { left } else { 0 }
    }

    /// Bytes of a span in which a block fits wherever the span begins.
    pub fn wide_span(&self) -> usize {
        self.span_size.saturating_mul(2) - PAGE_SIZE
    }

    /// Pages of `bytes`, which are whole pages.
    pub fn pages(bytes: usize) -> usize {
        bytes >> PAGE_SHIFT
    }
}

/// A word whose lowest `count` bits are set, up to [`SLOTS`].
fn lowest_bits(count: usize) -> usize {
    // Half of a word's bits at most, so the shift never reaches all of them.
    1usize.wrapping_shl(count.min(SLOTS) as u32).wrapping_sub(1)
}

/// `x` such that `x * odd` is one, modulo two to the word's bits: every step of Newton's doubles the bits that are right.
fn inverse(odd: usize) -> usize {
    let mut x = odd; // right in three bits
    for _ in 0..5 {
        x = x.wrapping_mul(2usize.wrapping_sub(odd.wrapping_mul(x)));
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_found_for_the_starts_of_blocks_and_for_nothing_else() {
        for size in (1..=PAGE_SIZE).step_by(3).chain([16, 64, 256, 1024, 4096, 4097, 5000, 20000]) {
            for align in [1, 16, 64, 4096] {
                let shape = Shape::new(size, align, 0).unwrap();
                for offset in 0..2 * shape.unit_size {
                    let is_start = offset.is_multiple_of(shape.stride) && offset / shape.stride < shape.blocks;
                    let index = shape.index(offset);
                    assert_eq!(index < shape.blocks, is_start, "{offset} in {shape:?}");
                    assert!(!is_start || index == offset / shape.stride);
                }
                assert!(shape.index(0usize.wrapping_sub(shape.stride)) >= shape.blocks);
            }
        }
    }

    #[test]
    fn units_tile_pages_and_groups() {
        for size in 1..=PAGE_SIZE {
            for boundary in [0, 8, 32, 256, 1024, 4096, 8192] {
                let Ok(shape) = Shape::new(size, 1, boundary) else { continue };
                assert_eq!(shape.unit_size * shape.span_units, PAGE_SIZE);
                assert!((1..=SLOTS).contains(&shape.blocks) && shape.blocks * shape.stride <= shape.unit_size);
                assert!(
                    shape.group_units <= UNITS
                        && shape.group_units << shape.slot_shift <= SLOTS
                        && shape.blocks <= 1 << shape.slot_shift
                );
                assert!(shape.group_units.is_power_of_two() && shape.span_units.is_power_of_two());
            }
        }
    }

    #[test]
    fn blocks_within_a_limit() {
        let shape = Shape::new(100, 0, 0).unwrap();
        assert_eq!((shape.stride, shape.blocks), (104, 19));
        let within = |limit| shape.bits_within(0, 0x1000, limit);
        assert_eq!((within(0), within(0xfff), within(0x1000 + 102), within(0x1000 + 103)), (0, 0, 0, 1));
        assert_eq!((within(0x1000 + 311), within(usize::MAX)), (7, shape.bits(0)));
        assert_eq!(shape.bits_within(3, 0x1000, 0x1000 + 311), 7 << 3);
        assert_eq!(shape.bits_within(0, usize::MAX - 0xfff, usize::MAX), shape.bits(0));
    }

    #[test]
    fn blocks_of_powers_of_two_fill_their_page() {
        for size in [8, 16, 64, 256, 1024, 4096] {
            let shape = Shape::new(size, size, 0).unwrap();
            assert_eq!(shape.blocks * shape.span_units * size, PAGE_SIZE);
        }
        // 68 bytes aligned to 32 within 4,096.
        let shape = Shape::new(68, 32, 4096).unwrap();
        assert_eq!((shape.stride, shape.blocks * shape.span_units), (96, 42));
    }

    #[test]
    fn bad_shapes() {
        let bad = |size, align, boundary| Shape::new(size, align, boundary).err();
        assert_eq!(bad(0, 1, 0), Some(BadShape::Size));
        assert_eq!(bad(usize::MAX, 1, 0), Some(BadShape::Size));
        assert_eq!(bad(usize::MAX - 4096, 4096, 0), Some(BadShape::Size));
        assert_eq!(bad(isize::MAX as usize, 1, 0), Some(BadShape::Size));
        for align in [3, 24, 8192, usize::MAX, 1 << (usize::BITS - 1)] {
            assert_eq!(bad(16, align, 0), Some(BadShape::Align));
        }
        for boundary in [1, 3, 8, 24, usize::MAX] {
            assert_eq!(bad(9, 1, boundary), Some(BadShape::Boundary));
        }
        // Rounded up to its alignment it is larger than the boundary.
        assert_eq!(bad(33, 32, 32), Some(BadShape::Boundary));
        assert_eq!(bad(16, 32, 16), Some(BadShape::Boundary));
        assert!(Shape::new(1, 0, 8).is_ok() && Shape::new(16, 4096, 4096).is_ok());
    }
}
