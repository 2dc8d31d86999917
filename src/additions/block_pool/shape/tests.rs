use super::*;
use std::vec::Vec;

/// Returns the distance of each block of a span from the span's first block.
fn starts(shape: &Shape) -> Vec<usize> {
    let unit = |unit| (0..shape.unit_blocks(unit)).map(move |at| shape.unit_offset(unit) + at * shape.stride);
    (0..shape.span_units.get()).flat_map(unit).collect()
}

/// All shapes of blocks up to a page.
fn shapes(boundaries: &[usize]) -> Vec<Shape> {
    let mut shapes = Vec::new();
    for size in (1..=PAGE_SIZE).step_by(3).chain([16, 20, 24, 48, 56, 64, 100, 256, 1024, 4096]) {
        for (align, boundary) in
            [1, 16, 64, 4096].into_iter().flat_map(|align| boundaries.iter().map(move |boundary| (align, *boundary)))
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
            let starts = starts(&shape);
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
fn a_power_of_two_that_divides_the_size_of_a_block_aligns_it() {
    for size in (16..=PAGE_SIZE).step_by(8) {
        for boundary in [0, 32, 256, 512, 4096, 8192] {
            let Ok(shape) = Shape::linux(size, 1, boundary) else { continue };
            let power = 1 << size.trailing_zeros();
            assert!(starts(&shape).iter().all(|start| start.is_multiple_of(power)), "{size} {shape:?}");
        }
    }
}

#[test]
fn an_index_is_found_for_the_starts_of_blocks_and_for_nothing_else() {
    for shape in shapes(&[0]) {
        let start = 0x1234_5000;
        for offset in 0..2 * PAGE_SIZE {
            let is_start = offset.is_multiple_of(shape.stride) && offset / shape.stride < shape.unit_blocks(0);
            let index = shape.division.quotient(shape.division.scaled(start), start + offset);
            assert_eq!(index < shape.unit_blocks(0), is_start, "{offset} in {shape:?}");
            assert!(!is_start || index == offset / shape.stride);
        }
        assert!(shape.division.quotient(shape.division.scaled(start), start - shape.stride) >= shape.unit_blocks(0));
    }
}

#[test]
fn each_unit_has_a_key_of_its_own() {
    for shape in shapes(&[0, 512, 4096]) {
        let base = 0x7000_0000;
        let mut keys = Vec::new();
        for unit in 0..2 * shape.span_units.get() {
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
        assert!(
            (1..=MAX_GROUP_BLOCKS).contains(&shape.unit_blocks(0)) && shape.unit_blocks(0) <= 1 << shape.slot_shift
        );
        let (group_units, span_units) = (shape.group_units.get(), shape.span_units.get());
        assert!(group_units == 1 || group_units << shape.slot_shift <= MAX_GROUP_BLOCKS);
        assert!(group_units.is_power_of_two());
        assert!(span_units.is_multiple_of(group_units) || span_units.is_power_of_two());
    }
}

#[test]
fn blocks_within_counts_the_blocks_that_end_at_or_before_the_limit() {
    let shape = Shape::new(104, 8, 0).unwrap();
    let within = |limit| shape.blocks_within(0x1000, limit);
    assert_eq!((within(0), within(0xfff), within(0x1000 + 102), within(0x1000 + 103)), (0, 0, 0, 1));
    assert_eq!((within(0x1000 + 311), within(0x1000 + 312)), (3, 3));
    assert_eq!(shape.blocks_within(usize::MAX - 0xfff, usize::MAX), 4096 / 104);
}

#[test]
fn an_impossible_shape_is_refused() {
    let bad = |size, align, boundary| Shape::new(size, align, boundary).err();
    assert_eq!(bad(0, 1, 0), Some(ShapeError::Size));
    assert_eq!(bad(usize::MAX, 1, 0), Some(ShapeError::Size));
    assert_eq!(bad(usize::MAX - 4096, 4096, 0), Some(ShapeError::Size));
    assert_eq!(bad(isize::MAX as usize, 1, 0), Some(ShapeError::Size));
    for align in [3, 24, 8192, usize::MAX, 1 << (usize::BITS - 1)] {
        assert_eq!(bad(16, align, 0), Some(ShapeError::Align));
    }
    for boundary in [1, 3, 8, 24, usize::MAX] {
        assert_eq!(bad(9, 1, boundary), Some(ShapeError::Boundary));
    }
    // Rounded up to its alignment it is larger than the boundary.
    assert_eq!(bad(33, 32, 32), Some(ShapeError::Boundary));
    assert_eq!(bad(16, 32, 16), Some(ShapeError::Boundary));
    assert!(Shape::new(1, 0, 8).is_ok() && Shape::new(16, 4096, 4096).is_ok());
}

#[test]
fn linux_allows_more_alignment_than_a_page() {
    let shape = Shape::linux(100, 1 << 16, 0).unwrap();
    assert_eq!((shape.stride, shape.span_size, shape.span_align), (1 << 16, 1 << 16, 1 << 16));
    assert_eq!(Shape::linux(100, 1 << 16, 4096).err(), Some(ShapeError::Boundary));
    assert_eq!(Shape::linux(0, 1, 0).err(), Some(ShapeError::Size));
    assert_eq!(Shape::linux(16, 48, 0).err(), Some(ShapeError::Align));
    assert_eq!(Shape::linux(16, 1 << (usize::BITS - 1), 0).err(), Some(ShapeError::Size));
}
