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

/// Calls `part` with each word that the bits `[from, from + length)` touch only partly, and `whole` with those that
/// they fill, in order.
#[inline(always)]
fn for_range(
    words: &[AtomicUsize],
    from: usize,
    length: usize,
    mut part: impl FnMut(usize, &AtomicUsize, usize),
    mut whole: impl FnMut(usize, &AtomicUsize),
) {
    let Some(last) = (from + length).checked_sub(1).filter(|_| length != 0) else {
        return;
    };
    let (first_word, last_word) = (from / BITS, last / BITS);
    let (Some(first), Some(end)) = (words.get(first_word), words.get(last_word)) else {
        return;
    };
    if first_word == last_word {
        return part(first_word, first, from_bit(from) & up_to_bit(last));
    }
    part(first_word, first, from_bit(from));
    for (index, word) in words.get(first_word + 1..last_word).unwrap_or(&[]).iter().enumerate() {
        whole(first_word + 1 + index, word);
    }
    part(last_word, end, up_to_bit(last));
}

/// Sets the bits `[from, from + length)`. The caller excludes other writers.
#[inline(always)]
pub fn set(words: &[AtomicUsize], from: usize, length: usize) {
    for_range(
        words,
        from,
        length,
        |_, word, mask| word.store(word.load(Relaxed) | mask, Relaxed),
        |_, word| word.store(usize::MAX, Relaxed),
    );
}

/// Clears the bits `[from, from + length)`. The caller excludes other writers.
#[inline(always)]
pub fn clear(words: &[AtomicUsize], from: usize, length: usize) {
    for_range(
        words,
        from,
        length,
        |_, word, mask| word.store(word.load(Relaxed) & !mask, Relaxed),
        |_, word| word.store(0, Relaxed),
    );
}

/// Whether any of the bits `[from, from + length)` is set.
#[inline(always)]
pub fn any(words: &[AtomicUsize], from: usize, length: usize) -> bool {
    let (mut parts, mut wholes) = (0, 0);
    for_range(
        words,
        from,
        length,
        |_, word, mask| parts |= word.load(Relaxed) & mask,
        |_, word| wholes |= word.load(Relaxed),
    );
    parts | wholes != 0
}

/// Sets the bits `[from, from + length)`, which are the caller's, while others change bits beside them.
#[inline(always)]
pub fn set_shared(words: &[AtomicUsize], from: usize, length: usize) {
    for_range(
        words,
        from,
        length,
        |_, word, mask| {
            if word.load(Relaxed) & mask != mask {
                word.fetch_or(mask, Relaxed);
            }
        },
        |_, word| word.store(usize::MAX, Relaxed),
    );
}

/// Clears the bits `[from, from + length)`, which are the caller's, while others change bits beside them. Says which
/// was the first that was set and which the last.
#[inline(always)]
pub fn clear_shared(words: &[AtomicUsize], from: usize, length: usize) -> Option<(usize, usize)> {
    let last = (from + length).checked_sub(1).filter(|_| length != 0)?;
    let mut found: Option<(usize, usize)> = None;
    for (index, word) in words.iter().enumerate().take(last / BITS + 1).skip(from / BITS) {
        let low = if index == from / BITS { from_bit(from) } else { usize::MAX };
        let high = if index == last / BITS { up_to_bit(last) } else { usize::MAX };
        let set = word.load(Relaxed) & low & high;
        if set == 0 {
            continue;
        }
        word.fetch_and(!(low & high), Relaxed);
        let first = index * BITS + set.trailing_zeros() as usize;
        let last = index * BITS + (BITS - 1 - set.leading_zeros() as usize);
        found = Some((found.map_or(first, |(first, _)| first), last));
    }
    found
}
