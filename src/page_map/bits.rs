//! Ranges of bits in arrays of words: bit `n` is bit `n % BITS` of word `n / BITS`, as in RT-Thread's `bitmap.h`.
//!
//! The words are atomics read and written with `Relaxed`, which costs what plain words cost: C may read a pool's bitmap
//! while it changes. Only [`set_shared`] and [`clear_shared`] change words that others change at the same time.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Bits in a word.
pub const BITS: usize = usize::BITS as usize;

/// Word `index`; zero past the end.
#[inline(always)]
pub fn word(words: &[AtomicUsize], index: usize) -> usize {
    words.get(index).map_or(0, |word| word.load(Relaxed))
}

/// Bit `index`; false past the end.
#[inline(always)]
pub fn test(words: &[AtomicUsize], index: usize) -> bool {
    word(words, index / BITS) >> (index % BITS) & 1 != 0
}

/// Sets `bits` of word `index`. The caller excludes other writers.
#[inline(always)]
pub fn add_bits(words: &[AtomicUsize], index: usize, bits: usize) {
    if let Some(word) = words.get(index) {
        word.store(word.load(Relaxed) | bits, Relaxed);
    }
}

/// Clears `bits` of word `index`. The caller excludes other writers.
#[inline(always)]
pub fn remove_bits(words: &[AtomicUsize], index: usize, bits: usize) {
    if let Some(word) = words.get(index) {
        word.store(word.load(Relaxed) & !bits, Relaxed);
    }
}

/// The bits of a word from bit `from % BITS` on.
#[inline(always)]
pub fn from_bit(from: usize) -> usize {
    usize::MAX.wrapping_shl((from % BITS) as u32)
}

/// The bits of a word up to and with bit `last % BITS`.
#[inline(always)]
pub fn up_to_bit(last: usize) -> usize {
    usize::MAX.wrapping_shr((BITS - 1 - last % BITS) as u32)
}

/// The bits `[from, from + length)` of their word, if they lie in one. `length` is not zero.
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

/// Sets the bits `[from, from + length)`. The caller excludes other writers. `length` is not zero.
#[inline(always)]
pub fn set(words: &[AtomicUsize], from: usize, length: usize) {
    match (in_one_word(from, length), words.get(from / BITS)) {
        (Some(mask), Some(word)) => word.store(word.load(Relaxed) | mask, Relaxed),
        _ => change_many(words, from, length, usize::MAX),
    }
}

/// Clears the bits `[from, from + length)`. The caller excludes other writers. `length` is not zero.
#[inline(always)]
pub fn clear(words: &[AtomicUsize], from: usize, length: usize) {
    match (in_one_word(from, length), words.get(from / BITS)) {
        (Some(mask), Some(word)) => word.store(word.load(Relaxed) & !mask, Relaxed),
        _ => change_many(words, from, length, 0),
    }
}

/// Sets the bits `[from, from + length)`, which are the caller's, while others change bits beside them. `length` is not
/// zero.
#[inline(always)]
pub fn set_shared(words: &[AtomicUsize], from: usize, length: usize) {
    match (in_one_word(from, length), words.get(from / BITS)) {
        (Some(mask), Some(word)) if word.load(Relaxed) & mask == mask => {}
        (Some(mask), Some(word)) => {
            word.fetch_or(mask, Relaxed);
        }
        _ => change_many(words, from, length, usize::MAX),
    }
}

/// Makes the bits `[from, from + length)`, which lie in several words, what `value` is made of. Others may change bits
/// beside them.
#[inline(never)]
fn change_many(words: &[AtomicUsize], from: usize, length: usize, value: usize) {
    let Some((first, first_mask, filled, end, end_mask)) = split(words, from, length) else { return };
    for (word, mask) in [(first, first_mask), (end, end_mask)] {
        word.fetch_and(!mask | value, Relaxed);
        word.fetch_or(mask & value, Relaxed);
    }
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
}

/// Whether any of the bits `[from, from + length)` is set; false for no bits.
#[inline(always)]
pub fn any(words: &[AtomicUsize], from: usize, length: usize) -> bool {
    if length == 0 {
        return false;
    }
    match in_one_word(from, length) {
        Some(mask) => word(words, from / BITS) & mask != 0,
        None => any_of_many(words, from, length),
    }
}

#[inline(never)]
fn any_of_many(words: &[AtomicUsize], from: usize, length: usize) -> bool {
    let Some((first, first_mask, filled, end, end_mask)) = split(words, from, length) else { return false };
    let mut all = (first.load(Relaxed) & first_mask) | (end.load(Relaxed) & end_mask);
    let (eights, rest) = filled.as_chunks::<8>();
    for eight in eights {
        for word in eight {
            all |= word.load(Relaxed);
        }
    }
    for word in rest {
        all |= word.load(Relaxed);
    }
    all != 0
}

/// Clears the bits `[from, from + length)`, which are the caller's, while others change bits beside them. Says which
/// was the first that was set and which the last. `length` is not zero.
#[inline(always)]
pub fn clear_shared(words: &[AtomicUsize], from: usize, length: usize) -> Option<(usize, usize)> {
    if in_one_word(from, length).is_some_and(|mask| word(words, from / BITS) & mask == 0) {
        return None;
    }
    clear_many(words, from, length)
}

#[inline(never)]
fn clear_many(words: &[AtomicUsize], from: usize, length: usize) -> Option<(usize, usize)> {
    let last = from.wrapping_add(length).wrapping_sub(1);
    let mut found: Option<(usize, usize)> = None;
    for (index, word) in (from / BITS..).zip(words.get(from / BITS..=last / BITS)?) {
        let low = if index == from / BITS { from_bit(from) } else { usize::MAX };
        let high = if index == last / BITS { up_to_bit(last) } else { usize::MAX };
        let set = word.load(Relaxed) & low & high;
        if set != 0 {
            word.fetch_and(!set, Relaxed);
            let lowest = index * BITS + set.trailing_zeros() as usize;
            let highest = index * BITS + (BITS - 1) - set.leading_zeros() as usize;
            found = Some((found.map_or(lowest, |(first, _)| first), highest));
        }
    }
    found
}
