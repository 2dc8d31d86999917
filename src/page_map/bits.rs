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
pub fn up_to_bit(last: usize) -> usize {
    usize::MAX.wrapping_shr((BITS - 1 - last % BITS) as u32)
}

/// The words that the bits `[from, from + length)` touch: the first, those that they fill, the last (`None` if that is
/// the first), and which bits of the first and the last. `None` past the end; `length` is not zero.
#[inline(always)]
fn split(
    words: &[AtomicUsize],
    from: usize,
    length: usize,
) -> Option<(&AtomicUsize, usize, Option<(&[AtomicUsize], &AtomicUsize, usize)>)> {
    let last = from.wrapping_add(length).wrapping_sub(1);
    let first = words.get(from / BITS)?;
    if from / BITS == last / BITS {
        return Some((first, from_bit(from) & up_to_bit(last), None));
    }
    let (end, filled) = words.get(from / BITS + 1..=last / BITS)?.split_last()?;
    Some((first, from_bit(from), Some((filled, end, up_to_bit(last)))))
}

/// Sets the bits `[from, from + length)`. The caller excludes other writers.
#[inline(always)]
pub fn set(words: &[AtomicUsize], from: usize, length: usize) {
    let Some((first, mask, more)) = split(words, from, length) else { return };
    first.store(first.load(Relaxed) | mask, Relaxed);
    if let Some((filled, end, mask)) = more {
        fill(filled, usize::MAX);
        end.store(end.load(Relaxed) | mask, Relaxed);
    }
}

/// Clears the bits `[from, from + length)`. The caller excludes other writers.
#[inline(always)]
pub fn clear(words: &[AtomicUsize], from: usize, length: usize) {
    let Some((first, mask, more)) = split(words, from, length) else { return };
    first.store(first.load(Relaxed) & !mask, Relaxed);
    if let Some((filled, end, mask)) = more {
        fill(filled, 0);
        end.store(end.load(Relaxed) & !mask, Relaxed);
    }
}

/// Whether any of the bits `[from, from + length)` is set; false for no bits.
#[inline(always)]
pub fn any(words: &[AtomicUsize], from: usize, length: usize) -> bool {
    if length == 0 {
        return false;
    }
    let Some((first, mask, more)) = split(words, from, length) else { return false };
    let outer = first.load(Relaxed) & mask;
    match more {
        Some((filled, end, mask)) => outer | union(filled) | (end.load(Relaxed) & mask) != 0,
        None => outer != 0,
    }
}

/// Sets every word to `value`. Eight at a time: two instructions a word, of the four that a call may hold the lock for.
#[inline(never)]
fn fill(words: &[AtomicUsize], value: usize) {
    let (eights, rest) = words.as_chunks::<8>();
    for eight in eights {
        for word in eight {
            word.store(value, Relaxed);
        }
    }
    for word in rest {
        word.store(value, Relaxed);
    }
}

/// The bits that are set in any word.
#[inline(never)]
fn union(words: &[AtomicUsize]) -> usize {
    let (eights, rest) = words.as_chunks::<8>();
    let mut all = 0;
    for eight in eights {
        for word in eight {
            all |= word.load(Relaxed);
        }
    }
    rest.iter().fold(all, |all, word| all | word.load(Relaxed))
}

/// Sets the bits `[from, from + length)`, which are the caller's, while others change bits beside them.
#[inline(always)]
pub fn set_shared(words: &[AtomicUsize], from: usize, length: usize) {
    let Some((first, mask, more)) = split(words, from, length) else { return };
    set_mask(first, mask);
    if let Some((filled, end, mask)) = more {
        fill(filled, usize::MAX);
        set_mask(end, mask);
    }
}

#[inline(always)]
fn set_mask(word: &AtomicUsize, mask: usize) {
    if word.load(Relaxed) & mask != mask {
        word.fetch_or(mask, Relaxed);
    }
}

/// Clears the bits `[from, from + length)`, which are the caller's, while others change bits beside them. Says which
/// was the first that was set and which the last.
#[inline(always)]
pub fn clear_shared(words: &[AtomicUsize], from: usize, length: usize) -> Option<(usize, usize)> {
    let (first, mask, more) = split(words, from, length)?;
    if more.is_none() && first.load(Relaxed) & mask == 0 {
        return None;
    }
    clear_words(words, from, length)
}

#[inline(never)]
fn clear_words(words: &[AtomicUsize], from: usize, length: usize) -> Option<(usize, usize)> {
    let last = from.wrapping_add(length).wrapping_sub(1);
    let mut found: Option<(usize, usize)> = None;
    for (offset, word) in words.get(from / BITS..=last / BITS)?.iter().enumerate() {
        let index = from / BITS + offset;
        let low = if offset == 0 { from_bit(from) } else { usize::MAX };
        let high = if index == last / BITS { up_to_bit(last) } else { usize::MAX };
        let set = word.load(Relaxed) & low & high;
        if set == 0 {
            continue;
        }
        word.fetch_and(!set, Relaxed);
        let lowest = index * BITS + set.trailing_zeros() as usize;
        let highest = index * BITS + (BITS - 1) - set.leading_zeros() as usize;
        found = Some((found.map_or(lowest, |(first, _)| first), highest));
    }
    found
}
