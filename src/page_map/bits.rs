//! Ranges of bits in arrays of words: bit `n` is bit `n % BITS` of word `n / BITS`, as in RT-Thread's `bitmap.h`.
//!
//! The words are atomics read and written with `Relaxed`, which costs what plain words cost: C may read a pool's bitmap
//! while it changes. Only [`change_shared`] changes words that others change at the same time. Ranges are not empty.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Bits in a word.
pub const BITS: usize = usize::BITS as usize;

/// Word `index`; all ones past the end.
#[inline(always)]
pub fn word(words: &[AtomicUsize], index: usize) -> usize {
    words.get(index).map_or(usize::MAX, |word| word.load(Relaxed))
}

/// Makes word `index` what `value` says, unless that is past the end. The caller excludes other writers.
#[inline(always)]
pub fn set_word(words: &[AtomicUsize], index: usize, value: usize) {
    if let Some(word) = words.get(index) {
        word.store(value, Relaxed);
    }
}

/// Bit `index`; true past the last word.
#[inline(always)]
pub fn test(words: &[AtomicUsize], index: usize) -> bool {
    word(words, index / BITS) >> (index % BITS) & 1 != 0
}

/// The bits of a word from bit `from % BITS` on.
#[inline(always)]
pub fn from_bit(from: usize) -> usize {
    usize::MAX.wrapping_shl((from % BITS) as u32)
}

/// The bits of a word up to and with bit `last % BITS`.
#[inline(always)]
fn up_to_bit(last: usize) -> usize {
    usize::MAX.wrapping_shr((BITS - 1 - last % BITS) as u32)
}

/// The bits `[from, from + length)` of their word, if they lie in one.
#[inline(always)]
fn in_one_word(from: usize, length: usize) -> Option<usize> {
    let last = from.wrapping_add(length).wrapping_sub(1);
    (from / BITS == last / BITS).then(|| from_bit(from) & up_to_bit(last))
}

/// The words that the bits `[from, from + length)` touch: the first, those that they fill, and the last; and which bits
/// of the first and the last. `None` if they lie in one word, or past the end.
#[inline(always)]
fn split(
    words: &[AtomicUsize],
    from: usize,
    length: usize,
) -> Option<(&AtomicUsize, usize, &[AtomicUsize], &AtomicUsize, usize)> {
    let last = from.wrapping_add(length).wrapping_sub(1);
    let (first, more) = words.get(from / BITS..=last / BITS)?.split_first()?;
    let (end, filled) = more.split_last()?;
    Some((first, from_bit(from), filled, end, up_to_bit(last)))
}

/// Makes the bits `[from, from + length)` what `value` is made of. The caller excludes other writers.
#[inline(always)]
pub fn change(words: &[AtomicUsize], from: usize, length: usize, value: usize) {
    match in_one_word(from, length) {
        Some(mask) => merge(words, from / BITS, mask, value),
        None => change_many(words, from, length, value),
    }
}

/// Makes the bits `mask` of word `index` those of `value`. The caller excludes other writers.
#[inline(always)]
pub fn merge(words: &[AtomicUsize], index: usize, mask: usize, value: usize) {
    if let Some(word) = words.get(index) {
        word.store(word.load(Relaxed) & !mask | value & mask, Relaxed);
    }
}

#[inline(never)]
fn change_many(words: &[AtomicUsize], from: usize, length: usize, value: usize) {
    let Some((first, first_mask, filled, end, end_mask)) = split(words, from, length) else { return };
    first.store(first.load(Relaxed) & !first_mask | value & first_mask, Relaxed);
    // Eight at a time: two instructions a word, of the four that a call may hold the lock for.
    let (eights, rest) = filled.as_chunks::<8>();
    for eight in eights {
        for word in eight {
            word.store(value, Relaxed);
        }
    }
    for word in rest {
        word.store(value, Relaxed);
    }
    end.store(end.load(Relaxed) & !end_mask | value & end_mask, Relaxed);
}

/// Whether any of the bits `[from, from + length)` is not what `value` is made of.
#[inline(always)]
pub fn differs(words: &[AtomicUsize], from: usize, length: usize, value: usize) -> bool {
    match in_one_word(from, length) {
        Some(mask) => (word(words, from / BITS) ^ value) & mask != 0,
        None => differs_in_many(words, from, length, value),
    }
}

#[inline(never)]
fn differs_in_many(words: &[AtomicUsize], from: usize, length: usize, value: usize) -> bool {
    let Some((first, first_mask, filled, end, end_mask)) = split(words, from, length) else { return true };
    let mut different = ((first.load(Relaxed) ^ value) & first_mask) | ((end.load(Relaxed) ^ value) & end_mask);
    let (eights, rest) = filled.as_chunks::<8>();
    for eight in eights {
        for word in eight {
            different |= word.load(Relaxed) ^ value;
        }
    }
    for word in rest {
        different |= word.load(Relaxed) ^ value;
    }
    different != 0
}

/// Makes the bits `[from, from + length)`, which are the caller's, what `value` is made of, while others change bits
/// beside them. Says which was the first that changed and which the last.
#[inline(always)]
pub fn change_shared(words: &[AtomicUsize], from: usize, length: usize, value: usize) -> Option<(usize, usize)> {
    if differs(words, from, length, value) { change_many_shared(words, from, length, value) } else { None }
}

#[cold]
#[inline(never)]
fn change_many_shared(words: &[AtomicUsize], from: usize, length: usize, value: usize) -> Option<(usize, usize)> {
    let last = from.wrapping_add(length).wrapping_sub(1);
    let mut changed: Option<(usize, usize)> = None;
    for (index, word) in (from / BITS..).zip(words.get(from / BITS..=last / BITS)?) {
        let low = if index == from / BITS { from_bit(from) } else { usize::MAX };
        let high = if index == last / BITS { up_to_bit(last) } else { usize::MAX };
        let different = (word.load(Relaxed) ^ value) & low & high;
        if different != 0 {
            word.fetch_xor(different, Relaxed);
            let lowest = index * BITS + different.trailing_zeros() as usize;
            let highest = index * BITS + (BITS - 1) - different.leading_zeros() as usize;
            changed = Some((changed.map_or(lowest, |(first, _)| first), highest));
        }
    }
    changed
}
