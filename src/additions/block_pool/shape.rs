//! The shape of a pool: how its blocks lie in memory, and which block begins at an address.
//!
//! | word | meaning |
//! |---|---|
//! | block | What a driver allocates. |
//! | span | Memory that comes from the device's pools at once: one page, or the pages of one larger block. |
//! | piece | A part of a span in which blocks lie one after the other from the first byte on: a page; or, if the boundary is smaller and a block could cross it, the bytes between two boundaries. |
//! | unit | Consecutive blocks of a piece, up to [`SLOTS`]. Its blocks have consecutive bits in the word of one group. |
//! | slot | The number of a block's bit in the word of its group. |
//!
//! A piece has as many blocks as fit: as many as with Linux's `dma_pool`.

use super::word::{SLOTS, UNITS};
use crate::kernel::{PAGE_SHIFT, PAGE_SIZE};

/// `rt_dma_block_pool_zalloc` clears words, and drivers write descriptors in words.
const WORD: usize = size_of::<usize>();
/// The fewest bytes of a block of Linux's pools.
const LINUX_LEAST: usize = 16;
/// [`Shape::unit_inverse`] is a fraction with this number of bits: enough for every offset in a page.
const FRACTION: u32 = 2 * PAGE_SHIFT;

/// The reason why there are no such blocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadShape {
    /// The size is zero, or too large to be counted.
    Size,
    /// The alignment is not a power of two, or is more than a page where that is not allowed.
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
    /// Base-two logarithm of the slots that a unit takes in its group.
    pub slot_shift: usize,
    /// Base-two logarithm of the bytes of a piece, or less for a block of several pages.
    pub key_shift: usize,
    twist: usize,
    /// The inverse of `stride >> twist`, which is odd, modulo two to the power of the word's bits.
    inverse: usize,
    /// The reciprocal of the bytes of a unit, as a fraction, if a piece has more than one unit; else zero.
    unit_inverse: usize,
    /// The maximum number of blocks in a unit: 1 to [`SLOTS`]. Only the last unit of a piece may have fewer.
    pub blocks: usize,
    /// Blocks in a piece.
    piece_blocks: usize,
    /// Bytes of a piece, a power of two, if it is not a span by itself.
    piece_size: usize,
    /// Units in a piece.
    piece_units: usize,
    /// The maximum number of units in a group.
    pub group_units: usize,
    /// Units in a span.
    pub span_units: usize,
    /// Bytes of a span: whole pages.
    pub span_size: usize,
    /// The alignment of a span: a page, or more if the blocks need more.
    pub span_align: usize,
    /// The boundary that no block crosses, if a span of several pages might cross it; else zero.
    pub boundary: usize,
}

impl Shape {
    /// Blocks of `size` bytes, each of which begins at a multiple of `align`, up to a page, and of a word. None crosses a
    /// multiple of `boundary`; zero means no boundary.
    pub fn new(size: usize, align: usize, boundary: usize) -> Result<Shape, BadShape> {
        if align > PAGE_SIZE {
            return Err(BadShape::Align);
        }
        Shape::with_stride(size, align, align.max(WORD), boundary)
    }

    /// Blocks as in a `dma_pool` of Linux: the distance of two blocks is a multiple of `align`, but need not be one of a word,
    /// and `align` may be more than a page.
    pub fn linux(size: usize, align: usize, boundary: usize) -> Result<Shape, BadShape> {
        if size > i32::MAX as usize {
            return Err(BadShape::Size);
        }
        let least = if size == 0 { 0 } else { LINUX_LEAST };
        Shape::with_stride(size.max(least), align, align.max(1), boundary)
    }

    fn with_stride(size: usize, align: usize, step: usize, boundary: usize) -> Result<Shape, BadShape> {
        let align = align.max(1);
        if !align.is_power_of_two() {
            return Err(BadShape::Align);
        }
        if boundary != 0 && !boundary.is_power_of_two() {
            return Err(BadShape::Boundary);
        }
        let stride = size.checked_next_multiple_of(step).filter(|stride| *stride != 0);
        let stride = stride.ok_or(BadShape::Size)?;
        if boundary != 0 && stride > boundary {
            return Err(BadShape::Boundary);
        }
        // Twice as much must be countable too: see `wide_span`.
        let span_size = stride.checked_next_multiple_of(PAGE_SIZE).filter(|size| *size <= isize::MAX as usize);
        let span_size = span_size.ok_or(BadShape::Size)?;

        let many_pages = stride > PAGE_SIZE;
        // Blocks that fill the space between two boundaries without a rest never cross one.
        let may_cross = boundary != 0 && boundary < PAGE_SIZE && !boundary.is_multiple_of(stride);
        let whole = if may_cross { boundary } else { PAGE_SIZE };
        let fit = |bytes: usize| bytes.checked_div(stride).unwrap_or(0);
        // Smaller pieces of one unit each are found faster. They are used if no block is lost.
        let mut part = whole;
        while fit(part) > SLOTS {
            part /= 2;
        }
        let loses_blocks = fit(part).wrapping_mul(whole / part.max(1)) != fit(whole);
        let piece_size = if loses_blocks { whole } else { part };
        let piece_blocks = fit(piece_size).max(1);
        let blocks = piece_blocks.min(SLOTS);
        let piece_units = piece_blocks.div_ceil(blocks);
        let slot_shift = blocks.next_power_of_two().trailing_zeros();
        let piece_shift = piece_size.trailing_zeros();
        let twist = stride.trailing_zeros();
        let unit_size = blocks.wrapping_mul(stride);
        Ok(Shape {
            stride,
            key_shift: (if many_pages { usize::BITS - 1 - stride.leading_zeros() } else { piece_shift }) as usize,
            blocks,
            slot_shift: slot_shift as usize,
            inverse: inverse(stride >> twist),
            twist: twist as usize,
            unit_inverse: if piece_units > 1 { (1usize << FRACTION).div_ceil(unit_size.max(1)) } else { 0 },
            piece_blocks,
            piece_size,
            piece_units,
            group_units: (SLOTS >> slot_shift).min(UNITS),
            span_units: piece_units.wrapping_mul(PAGE_SIZE >> piece_shift),
            span_size,
            span_align: align.max(PAGE_SIZE),
            boundary: if many_pages { boundary } else { 0 },
        })
    }

    /// Returns the key of the unit that a block at `va` belongs to. Each unit of a pool has a key of its own, except that a
    /// block of several pages has several.
    #[inline(always)]
    pub fn key(&self, va: usize) -> usize {
        let piece = va.wrapping_shr(self.key_shift as u32);
        if self.piece_units == 1 {
            return piece;
        }
        let offset = va & self.piece_size.wrapping_sub(1);
        piece.wrapping_mul(self.piece_units).wrapping_add(offset.wrapping_mul(self.unit_inverse) >> FRACTION)
    }

    /// Returns the number of the block that begins `offset` bytes after a unit's first byte. It is one of the unit's blocks if
    /// the result is less than their number; otherwise no block begins there.
    ///
    /// A product with the inverse divides without a rest those offsets that have none, and makes all others large
    /// (Granlund and Montgomery, Division by Invariant Integers using Multiplication, section 9).
    #[inline(always)]
    pub fn index(&self, offset: usize) -> usize {
        offset.wrapping_mul(self.inverse).rotate_right(self.twist as u32)
    }

    /// Returns the distance of the first byte of a span's unit from the first byte of the span's first unit.
    pub fn unit_offset(&self, unit: usize) -> usize {
        let units = self.piece_units.max(1);
        let (piece, unit) = (unit / units, unit % units);
        piece.wrapping_mul(self.piece_size).wrapping_add(unit.wrapping_mul(self.blocks).wrapping_mul(self.stride))
    }

    /// Returns the number of blocks in a span's unit.
    pub fn unit_blocks(&self, unit: usize) -> usize {
        let before = (unit % self.piece_units.max(1)).wrapping_mul(self.blocks);
        self.piece_blocks.saturating_sub(before).min(self.blocks)
    }

    /// Returns the number of blocks in a span.
    #[cfg(test)]
    pub fn span_blocks(&self) -> usize {
        self.span_units.checked_div(self.piece_units).unwrap_or(0).wrapping_mul(self.piece_blocks)
    }

    /// Returns how many of `blocks` consecutive blocks, the first of which begins at `start` for the device, end at or before
    /// the address `limit`.
    pub fn blocks_within(&self, blocks: usize, start: usize, limit: usize) -> usize {
        let bytes = limit.checked_sub(start).map_or(0, |last| last.saturating_add(1));
        if limit == usize::MAX { blocks } else { bytes.checked_div(self.stride).unwrap_or(0).min(blocks) }
    }

    /// Returns the distance from the start of a span at `handle` to its first block.
    pub fn lead(&self, handle: usize) -> usize {
        if self.boundary == 0 {
            return 0;
        }
        let left = self.boundary - (handle & (self.boundary - 1));
        if left < self.stride { left } else { 0 }
    }

    /// Returns the bytes of a span in which a block fits wherever the span begins.
    pub fn wide_span(&self) -> usize {
        self.span_size.saturating_mul(2) - PAGE_SIZE
    }

    /// Returns the number of pages in `bytes`, which are whole pages.
    pub fn pages(bytes: usize) -> usize {
        bytes >> PAGE_SHIFT
    }
}

/// Returns a word whose lowest `count` bits are set, up to [`SLOTS`].
pub fn lowest_bits(count: usize) -> usize {
    // Half of a word's bits at most, so the shift never reaches all of them.
    1usize.wrapping_shl(count.min(SLOTS) as u32).wrapping_sub(1)
}

/// Returns `x` such that `x * odd` is one, modulo two to the power of the word's bits. Each step of Newton's method doubles the
/// number of right bits.
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
    use std::vec::Vec;

    /// All shapes of blocks up to a page.
    fn shapes(boundaries: &[usize]) -> Vec<Shape> {
        let mut shapes = Vec::new();
        for size in (1..=PAGE_SIZE).step_by(3).chain([16, 20, 24, 48, 56, 64, 100, 256, 1024, 4096]) {
            for (align, boundary) in [1, 16, 64, 4096]
                .into_iter()
                .flat_map(|align| boundaries.iter().map(move |boundary| (align, *boundary)))
            {
                shapes.extend(Shape::new(size, align, boundary));
                shapes.extend(Shape::linux(size, align, boundary));
            }
        }
        shapes
    }

    /// Returns how many blocks a page has with Linux's `dma_pool`: one after the other, but not across a boundary.
    fn blocks_on_linux(stride: usize, boundary: usize) -> usize {
        let boundary = if boundary == 0 { PAGE_SIZE } else { boundary.min(PAGE_SIZE) };
        let (mut count, mut start) = (0, 0usize);
        while start + stride <= PAGE_SIZE {
            if start / boundary == (start + stride - 1) / boundary {
                (count, start) = (count + 1, start + stride);
            } else {
                start = start.next_multiple_of(boundary);
            }
        }
        count
    }

    #[test]
    fn as_many_blocks_fit_in_a_page_as_on_linux_and_none_crosses_a_boundary() {
        for boundary in [0, 32, 256, 512, 1024, 2048, 4096, 8192] {
            for shape in shapes(&[boundary]) {
                let unit =
                    |unit| (0..shape.unit_blocks(unit)).map(move |at| shape.unit_offset(unit) + at * shape.stride);
                let starts: Vec<usize> = (0..shape.span_units).flat_map(unit).collect();
                assert_eq!(starts.len(), shape.span_blocks());
                assert_eq!(starts.len(), blocks_on_linux(shape.stride, boundary), "{shape:?}");
                assert!(starts.windows(2).all(|pair| pair[1] >= pair[0] + shape.stride));
                let within = boundary.wrapping_sub(1).min(PAGE_SIZE - 1) + 1;
                assert!(starts.iter().all(|start| start / within == (start + shape.stride - 1) / within), "{shape:?}");
            }
        }
        for (size, count) in [(20, 204), (24, 170), (48, 85), (56, 73), (100, 40), (5, 256)] {
            assert_eq!(Shape::linux(size, 1, 0).unwrap().span_blocks(), count);
        }
    }

    #[test]
    fn an_index_is_found_for_the_starts_of_blocks_and_for_nothing_else() {
        for shape in shapes(&[0]) {
            for offset in 0..2 * PAGE_SIZE {
                let is_start = offset.is_multiple_of(shape.stride) && offset / shape.stride < shape.blocks;
                let index = shape.index(offset);
                assert_eq!(index < shape.blocks, is_start, "{offset} in {shape:?}");
                assert!(!is_start || index == offset / shape.stride);
            }
            assert!(shape.index(0usize.wrapping_sub(shape.stride)) >= shape.blocks);
        }
    }

    #[test]
    fn each_unit_has_a_key_of_its_own() {
        for shape in shapes(&[0, 512, 4096]) {
            let base = 0x7000_0000;
            let mut keys = Vec::new();
            for unit in 0..2 * shape.span_units {
                let page = base + unit / shape.span_units * PAGE_SIZE;
                let start = page + shape.unit_offset(unit % shape.span_units);
                let key = shape.key(start);
                for block in 0..shape.unit_blocks(unit % shape.span_units) {
                    assert_eq!(shape.key(start + block * shape.stride), key, "{shape:?}");
                }
                assert!(!keys.contains(&key), "{shape:?}");
                keys.push(key);
            }
        }
    }

    #[test]
    fn units_fit_in_groups() {
        for shape in shapes(&[0, 8, 32, 256, 1024, 4096, 8192]) {
            assert!((1..=SLOTS).contains(&shape.blocks) && shape.blocks <= 1 << shape.slot_shift);
            assert!(shape.group_units <= UNITS && shape.group_units << shape.slot_shift <= SLOTS);
            assert!(shape.group_units.is_power_of_two());
            assert!(shape.span_units.is_multiple_of(shape.group_units) || shape.span_units.is_power_of_two());
        }
    }

    #[test]
    fn blocks_within_a_limit() {
        let shape = Shape::new(100, 4, 0).unwrap();
        let shape = Shape { stride: 104, ..shape };
        let within = |limit| shape.blocks_within(7, 0x1000, limit);
        assert_eq!((within(0), within(0xfff), within(0x1000 + 102), within(0x1000 + 103)), (0, 0, 0, 1));
        assert_eq!((within(0x1000 + 311), within(0x9000), within(usize::MAX)), (3, 7, 7));
        assert_eq!(shape.blocks_within(7, usize::MAX - 0xfff, usize::MAX), 7);
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

    #[test]
    fn linux_allows_more_alignment_than_a_page() {
        let shape = Shape::linux(100, 1 << 16, 0).unwrap();
        assert_eq!((shape.stride, shape.span_size, shape.span_align), (1 << 16, 1 << 16, 1 << 16));
        assert_eq!(Shape::linux(100, 1 << 16, 4096).err(), Some(BadShape::Boundary));
        assert_eq!(Shape::linux(0, 1, 0).err(), Some(BadShape::Size));
        assert_eq!(Shape::linux(16, 48, 0).err(), Some(BadShape::Align));
        assert_eq!(Shape::linux(16, 1 << (usize::BITS - 1), 0).err(), Some(BadShape::Size));
    }
}
