//! Ranges of bits in arrays of words: bit `n` is bit `n % BITS` of word `n / BITS`, as in RT-Thread's `bitmap.h`.
//!
//! The words are atomics read and written with `Relaxed`, so that C may read a pool's bitmap while it changes:
//! see [`bitmaps`](crate::mem::bitmaps).
//!
//! [`change`] and [`differs`] serve every range. The end of another name shows for which bits it does the same:
//!
//! * `_in`: bits of one word.
//! * `_across`: a range in several words. These are inlined, for fast paths that need no stack frame.
//! * `_long`: such a range too, by `_across` in a function of its own. If each caller had `_across` inlined, the linked
//!   core would have 108 bytes more.

use crate::mem::atomics::Ordering::Relaxed;
use crate::mem::bitmaps::BitmapWord;

pub use super::width::BITS;

/// All bits of a word that stand for pages.
pub const ALL: usize = usize::MAX >> UNUSED;

/// Bits of a word that stand for no page: zero, but in a test build.
const UNUSED: usize = usize::BITS as usize - BITS;

/// Returns word `index`; all ones past the end.
pub fn word(words: &[BitmapWord], index: usize) -> usize {
    words.get(index).map_or(ALL, |word| word.load(Relaxed))
}

/// Returns the complement of word `index`; zero past the end.
pub fn complement(words: &[BitmapWord], index: usize) -> usize {
    !word(words, index) & ALL
}

/// Counts the clear bits above the highest bit of `word` that is set; [`BITS`] if none is.
fn leading_zeros(word: usize) -> usize {
    word.leading_zeros() as usize - UNUSED
}

/// Counts the highest bits of `word` that are set, down to the first that is clear.
pub fn leading_ones(word: usize) -> usize {
    (word << UNUSED).leading_ones() as usize
}

/// Counts the clear bits below the lowest bit of `word` that is set; [`BITS`] if none is.
fn trailing_zeros(word: usize) -> usize {
    (word | !ALL).trailing_zeros() as usize
}

/// Returns the page of the lowest bit that is set in `word`, which is word `index` of a bitmap; the first page of the
/// next word if none is.
pub fn first_set(index: usize, word: usize) -> usize {
    index * BITS + trailing_zeros(word)
}

/// Returns the page after that of the highest bit that is set in `word`, which is word `index` of a bitmap; the first
/// page of the word if none is.
pub fn after_last_set(index: usize, word: usize) -> usize {
    (index + 1) * BITS - leading_zeros(word)
}

/// Returns the length of the longest run of ones in `word`.
#[inline(always)]
pub fn longest_run(word: usize) -> usize {
    let (mut begins, mut length) = (word, 0);
    // Each step takes what is left of each run eight shorter, as long as there is one of eight.
    loop {
        let two = begins & begins >> 1;
        let four = two & two >> 2;
        let eight = four & four >> 4;
        if eight == 0 {
            break;
        }
        begins = eight & eight >> 1;
        length += 8;
    }
    while begins != 0 {
        begins &= begins >> 1;
        length += 1;
    }
    length
}

/// Returns the lowest bit from which on `count` bits of `word` are set; `None` if there is none. `count` is not zero.
///
/// Of `0b1110` with `count` 3, the steps leave `0b0110`, from whose bits on 2 bits are set, and `0b0010`: bit 1.
pub fn lowest_ones(word: usize, count: usize) -> Option<usize> {
    if count > BITS {
        return None;
    }
    // The bits from which on a part of the `count` bits is set. Each step halves what is still to be looked at. To
    // check for the end after a step, and not before it, makes the longest stretches 8 instructions shorter.
    let (mut begins, mut more) = (word, count);
    loop {
        begins &= begins >> (more / 2);
        more -= more / 2;
        if more <= 1 {
            break;
        }
    }
    if begins != 0 { Some(trailing_zeros(begins)) } else { None }
}

/// Sets or clears the bits of `word` that are set in `mask`. The caller excludes other writers.
pub fn change_in(word: &BitmapWord, mask: usize, is_set: bool) {
    let old = word.load(Relaxed);
    word.store(if is_set { old | mask } else { old & !mask }, Relaxed);
}

/// Returns whether any bit of `word` that is set in `mask` differs from `is_set`.
pub fn differs_in(word: &BitmapWord, mask: usize, is_set: bool) -> bool {
    (word.load(Relaxed) ^ filled_with(is_set)) & mask != 0
}

/// Returns a word whose bits are all set, or all clear.
fn filled_with(is_set: bool) -> usize {
    if is_set { ALL } else { 0 }
}

/// Returns the mask of the `count` bits of a word from bit `bit` on. `count` is not zero, and all of them lie in the
/// word.
pub fn mask_of(bit: usize, count: usize) -> usize {
    ALL >> (BITS - count) << bit
}

/// Returns bit `index`; false past the last word.
pub fn test_bit(words: &[BitmapWord], index: usize) -> bool {
    words.get(index / BITS).is_some_and(|word| word.load(Relaxed) >> (index % BITS) & 1 != 0)
}

/// Returns the mask of the bits of a word from bit `from % BITS` on.
pub fn from_bit(from: usize) -> usize {
    ALL.wrapping_shl((from % BITS) as u32) & ALL
}

/// Returns the mask of the bits of a word up to and with bit `last % BITS`.
pub fn up_to_bit(last: usize) -> usize {
    ALL.wrapping_shr((BITS - 1 - last % BITS) as u32)
}

/// Calls `act` with each item. This loop checks for its end after its body. A `for` checks before it: with `for` in
/// its place, an allocation of 1 MiB and its free take 13 instructions more on aarch64, and exceed their bound of 320.
#[inline(always)]
fn for_each<T>(items: &[T], mut act: impl FnMut(&T)) {
    let mut items = items.iter();
    let Some(mut item) = items.next() else { return };
    loop {
        act(item);
        match items.next() {
            Some(next) => item = next,
            None => return,
        }
    }
}

/// A range of bits in an array of words. It is not empty.
#[derive(Clone, Copy)]
pub struct BitRange {
    from: usize,
    length: usize,
}

impl BitRange {
    /// Returns the range `[from, from + length)`.
    pub fn new(from: usize, length: usize) -> Self {
        BitRange { from, length }
    }

    fn last(&self) -> usize {
        self.from.wrapping_add(self.length).wrapping_sub(1)
    }

    /// Returns whether bits of several words belong to the range.
    pub fn is_across(&self) -> bool {
        (self.from % BITS).wrapping_add(self.length.wrapping_sub(1)) >= BITS
    }

    /// Returns the word of a range that is not [across](Self::is_across) several, and which of its bits belong to the
    /// range.
    fn in_one_word<'a>(&self, words: &'a [BitmapWord]) -> Option<(&'a BitmapWord, usize)> {
        let (low, high) = self.masks();
        Some((words.get(self.from / BITS)?, low & high))
    }

    /// Returns the words of a range that is [across](Self::is_across) several: the first, those that it fills, and the
    /// last. Returns `None` if the words end before the range does.
    fn across<'a>(&self, words: &'a [BitmapWord]) -> Option<(&'a BitmapWord, &'a [BitmapWord], &'a BitmapWord)> {
        let last = self.last() / BITS;
        let (first, filled) = words.get(self.from / BITS..last)?.split_first()?;
        Some((first, filled, words.get(last)?))
    }

    /// Returns the bits of the first word that belong to the range, and those of the last word.
    fn masks(&self) -> (usize, usize) {
        (from_bit(self.from), up_to_bit(self.last()))
    }
}

/// Sets or clears the bits of `range`. The caller excludes other writers.
#[inline(always)]
pub fn change(words: &[BitmapWord], range: BitRange, is_set: bool) {
    if range.is_across() {
        change_long(words, range, is_set);
    } else if let Some((word, mask)) = range.in_one_word(words) {
        change_in(word, mask, is_set);
    }
}

/// Does what [`change_across`] does, in a function of its own. The caller excludes other writers.
#[inline(never)]
pub fn change_long(words: &[BitmapWord], range: BitRange, is_set: bool) {
    change_across(words, range, is_set);
}

/// Sets or clears the bits of a range that is [across](BitRange::is_across) several words. The caller excludes other
/// writers.
#[inline(always)]
pub fn change_across(words: &[BitmapWord], range: BitRange, is_set: bool) {
    let value = filled_with(is_set);
    let (low, high) = range.masks();
    let Some((first, filled, last)) = range.across(words) else { return };
    change_in(first, low, is_set);
    change_in(last, high, is_set);
    // Eight at a time: one and a half instructions a word. The lock's bound allows four a word. The compiler does not
    // unroll a loop over the eight, and a plain loop takes six.
    let mut rest = filled;
    if filled.len() >= 8 {
        let (eights, fewer) = filled.as_chunks();
        for_each(eights, |[a, b, c, d, e, f, g, h]: &[BitmapWord; 8]| {
            a.store(value, Relaxed);
            b.store(value, Relaxed);
            c.store(value, Relaxed);
            d.store(value, Relaxed);
            e.store(value, Relaxed);
            f.store(value, Relaxed);
            g.store(value, Relaxed);
            h.store(value, Relaxed);
        });
        rest = fewer;
    }
    for_each(rest, |word| word.store(value, Relaxed));
}

/// Returns whether any bit of `range` differs from `is_set`. Returns true if the words end before the range does.
#[inline(always)]
pub fn differs(words: &[BitmapWord], range: BitRange, is_set: bool) -> bool {
    if range.is_across() {
        differs_long(words, range, is_set)
    } else {
        range.in_one_word(words).is_none_or(|(word, mask)| differs_in(word, mask, is_set))
    }
}

/// Returns what [`differs_across`] returns, in a function of its own.
#[inline(never)]
fn differs_long(words: &[BitmapWord], range: BitRange, is_set: bool) -> bool {
    differs_across(words, range, is_set)
}

/// Returns whether any bit of a range that is [across](BitRange::is_across) several words differs from `is_set`.
/// Returns true if the words end before the range does.
#[inline(always)]
pub fn differs_across(words: &[BitmapWord], range: BitRange, is_set: bool) -> bool {
    let value = filled_with(is_set);
    let (low, high) = range.masks();
    let different = |word: &BitmapWord| word.load(Relaxed) ^ value;
    let Some((first, filled, last)) = range.across(words) else { return true };
    // Bits that differ. (As `bool`, it would take 3 instructions more for 1 MiB on aarch64, and exceed the bound.)
    let mut any = different(first) & low | different(last) & high;
    // Eight at a time: two and a half instructions a word, of the four that the lock's bound allows. With
    // `for_each`, the linked core has 156 bytes more on aarch64, and an allocation of 1 MiB takes 6 instructions
    // more.
    let (eights, rest) = filled.as_chunks();
    for [a, b, c, d, e, f, g, h] in eights {
        let same = |word: &BitmapWord| word.load(Relaxed) == value;
        if !((same(a) & same(b)) & (same(c) & same(d)) & ((same(e) & same(f)) & (same(g) & same(h)))) {
            any = 1;
        }
    }
    for_each(rest, |word| any |= different(word));
    any != 0
}
