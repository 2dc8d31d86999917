//! The shape of a pool: how its blocks lie in memory, and which block begins at an address.
//!
//! * A *block* is what a driver allocates.
//! * A *span* is memory that comes from the device's pools at once: one page, or the pages of one larger block.
//! * A *piece* is a part of a span in which blocks lie one after the other from the first byte on: a page; or, if the
//!   boundary is smaller and a block could cross it, the bytes between two boundaries.
//! * A *unit* is the blocks that begin in one part of a piece: the piece is halved until at most [`MAX_GROUP_BLOCKS`]
//!   blocks begin in a part. Its blocks have consecutive bits in the word of one group.
//! * A *slot* is the number of a block's bit in the word of its group.
//!
//! A piece has as many blocks as fit: as many as with Linux's `dma_pool`. The size of a part is a power of two, so that
//! the unit of an address is found by a shift, also if the last block of a part ends in the next part.

pub mod division;

use core::num::NonZeroUsize;

use super::states::MAX_GROUP_BLOCKS;
use crate::kernel::{Handle, PAGE_SIZE};
use division::ExactDivision;

/// Bytes of a word. Blocks of [`Shape::new`] are whole words, because `rt_dma_block_pool_zalloc` clears words, and
/// drivers write descriptors in words.
const WORD: usize = size_of::<usize>();
/// Blocks of Linux's pools have at least this many bytes.
const LINUX_MIN_SIZE: usize = 16;

/// The reason why no blocks can have the size, alignment and boundary that were asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ShapeError {
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
    /// Base-two logarithm of [`part_size`](Self::part_size), or, for blocks of several pages, of a block's bytes,
    /// rounded down.
    pub key_shift: usize,
    /// Divides the distance from a unit's first block to an address by `stride`. If a block of the unit begins at the
    /// address, the quotient is the number of this block; if not, it is not less than the number of the unit's blocks.
    pub division: ExactDivision,
    /// Blocks in a piece.
    piece_blocks: usize,
    /// Base-two logarithm of the units in a piece.
    piece_unit_shift: u32,
    /// Bytes of the part of a piece in which the blocks of one unit begin, a power of two.
    part_size: usize,
    /// The maximum number of units in a group.
    pub group_units: NonZeroUsize,
    /// Units in a span.
    pub span_units: NonZeroUsize,
    /// Bytes of a span: whole pages.
    pub span_size: usize,
    /// The alignment of a span: a page, or more if the blocks need more.
    pub span_align: usize,
    /// The boundary that no block crosses, if a span of several pages might cross it; else zero.
    pub boundary: usize,
}

impl Shape {
    /// Returns the shape of blocks of `size` bytes. Each begins at a multiple of a word and of `align`, which is at
    /// most a page. No block crosses a multiple of `boundary`; 0 means no boundary.
    pub fn new(size: usize, align: usize, boundary: usize) -> Result<Shape, ShapeError> {
        if align > PAGE_SIZE {
            return Err(ShapeError::Align);
        }
        Shape::aligned(size, checked_align(align)?.max(WORD), boundary)
    }

    /// Returns the shape of blocks as Linux's `dma_pool` has them: of 16 bytes at least, whose distance is a multiple
    /// of `align`, but not always of a word. `align` may be more than a page.
    pub fn linux(size: usize, align: usize, boundary: usize) -> Result<Shape, ShapeError> {
        if size > i32::MAX as usize {
            return Err(ShapeError::Size);
        }
        let least = if size == 0 { 0 } else { LINUX_MIN_SIZE };
        Shape::aligned(size.max(least), checked_align(align)?, boundary)
    }

    /// Returns the shape of blocks whose distance is the least multiple of `align`, a power of two, that holds `size`
    /// bytes.
    fn aligned(size: usize, align: usize, boundary: usize) -> Result<Shape, ShapeError> {
        let (stride, span_size) = sizes(size, align, boundary)?;
        let is_over_a_page = stride > PAGE_SIZE;
        // Blocks that fill the space between two boundaries exactly never cross one.
        let may_cross = boundary != 0 && boundary < PAGE_SIZE && !boundary.is_multiple_of(stride);
        let piece_size = if may_cross { boundary } else { PAGE_SIZE };
        let piece_blocks = piece_size.checked_div(stride).unwrap_or(0).max(1);
        let begin_in = |part: usize| blocks_that_begin_before(part, stride).min(piece_blocks);
        let mut part_size = piece_size;
        while begin_in(part_size) > MAX_GROUP_BLOCKS {
            part_size /= 2;
        }
        let slot_shift = begin_in(part_size).next_power_of_two().trailing_zeros();
        let part_shift = part_size.trailing_zeros();
        Ok(Shape {
            stride,
            key_shift: (if is_over_a_page { stride.checked_ilog2().unwrap_or(0) } else { part_shift }) as usize,
            slot_shift: slot_shift as usize,
            division: ExactDivision::by(stride),
            piece_blocks,
            piece_unit_shift: piece_size.trailing_zeros().wrapping_sub(part_shift),
            part_size,
            group_units: previous_power_of_two(MAX_GROUP_BLOCKS >> slot_shift),
            span_units: at_least_one(PAGE_SIZE >> part_shift),
            span_size,
            span_align: align.max(PAGE_SIZE),
            boundary: if is_over_a_page { boundary } else { 0 },
        })
    }

    /// Returns the key of the unit whose block begins at `va`. All blocks of a unit have one key, which no other unit
    /// of the pool has. (An address inside of a block of several pages may have another key. No block begins there.)
    pub fn key(&self, va: usize) -> usize {
        va.wrapping_shr(self.key_shift as u32)
    }

    /// Returns the offset of a slot's block from slot 0 of its unit's group.
    pub fn slot_offset(&self, slot: usize) -> usize {
        slot.wrapping_mul(self.stride)
    }

    /// Returns the offset of a span's unit from the span's first unit.
    pub fn unit_offset(&self, unit: usize) -> usize {
        let piece = unit >> self.piece_unit_shift;
        let piece_size = self.part_size << self.piece_unit_shift;
        let first_block = self.blocks_before_part(self.part_of(unit));
        piece.wrapping_mul(piece_size).wrapping_add(first_block.wrapping_mul(self.stride))
    }

    /// Returns the number of blocks in a span's unit.
    pub fn unit_blocks(&self, unit: usize) -> usize {
        let part = self.part_of(unit);
        self.blocks_before_part(part.wrapping_add(1)).saturating_sub(self.blocks_before_part(part))
    }

    /// Returns the part of its piece in which the blocks of a span's unit begin.
    fn part_of(&self, unit: usize) -> usize {
        unit & (1usize << self.piece_unit_shift).wrapping_sub(1)
    }

    /// Returns the number of a piece's blocks that begin before one of its parts.
    fn blocks_before_part(&self, part: usize) -> usize {
        blocks_that_begin_before(part.wrapping_mul(self.part_size), self.stride).min(self.piece_blocks)
    }

    /// Returns the number of blocks in a span.
    pub fn span_blocks(&self) -> usize {
        (self.span_units.get() >> self.piece_unit_shift).wrapping_mul(self.piece_blocks)
    }

    /// Returns how many consecutive blocks, the first of which begins at `start` for the device, end at or before the
    /// address `limit`.
    pub fn blocks_within(&self, start: Handle, limit: Handle) -> usize {
        let bytes = limit.checked_sub(start).map_or(0, |distance| distance.saturating_add(1));
        bytes.checked_div(self.stride).unwrap_or(0)
    }

    /// Returns the offset of the first block in a span at `handle`.
    pub fn first_block_offset(&self, handle: Handle) -> usize {
        if self.boundary == 0 {
            return 0;
        }
        let left = self.boundary - (handle & (self.boundary - 1));
        if left < self.stride { left } else { 0 }
    }

    /// Returns the bytes of a span in which a block fits wherever the span begins.
    pub fn wide_span_size(&self) -> usize {
        self.span_size.saturating_mul(2) - PAGE_SIZE
    }
}

/// Returns an alignment that is a power of two; zero means 1.
fn checked_align(align: usize) -> Result<usize, ShapeError> {
    let align = align.max(1);
    if align.is_power_of_two() { Ok(align) } else { Err(ShapeError::Align) }
}

/// Returns the distance of two blocks, and the size of a span of one block, both in bytes.
fn sizes(size: usize, align: usize, boundary: usize) -> Result<(usize, usize), ShapeError> {
    if boundary != 0 && !boundary.is_power_of_two() {
        return Err(ShapeError::Boundary);
    }
    let stride = size.checked_next_multiple_of(align).ok_or(ShapeError::Size)?;
    if stride == 0 {
        return Err(ShapeError::Size);
    }
    if boundary != 0 && stride > boundary {
        return Err(ShapeError::Boundary);
    }
    let span_size = stride.checked_next_multiple_of(PAGE_SIZE).ok_or(ShapeError::Size)?;
    // Twice as much must be countable too: see `wide_span_size`.
    if span_size > isize::MAX as usize {
        return Err(ShapeError::Size);
    }
    Ok((stride, span_size))
}

/// Returns a word whose lowest `count` bits are set, up to [`MAX_GROUP_BLOCKS`].
pub fn lowest_bits(count: usize) -> usize {
    // `MAX_GROUP_BLOCKS` is less than the number of bits of a word, so the shift does not wrap.
    1usize.wrapping_shl(count.min(MAX_GROUP_BLOCKS) as u32).wrapping_sub(1)
}

/// Returns the largest power of two that is not greater than `number`; 1 for zero.
pub fn previous_power_of_two(number: usize) -> NonZeroUsize {
    at_least_one(1 << at_least_one(number).ilog2())
}

/// Returns `number`; 1 for zero.
fn at_least_one(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN)
}

/// Returns how many blocks of a piece begin before its byte `offset`, if the piece is long enough.
fn blocks_that_begin_before(offset: usize, stride: usize) -> usize {
    offset.wrapping_add(stride.wrapping_sub(1)).checked_div(stride).unwrap_or(0)
}

#[cfg(test)]
mod tests;
