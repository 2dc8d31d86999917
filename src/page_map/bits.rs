//! Ranges of bits in arrays of words: bit `n` is bit `n % BITS` of word `n / BITS`, as in RT-Thread's `bitmap.h`.
//!
//! The words are atomics read and written with `Relaxed`, which costs what plain words cost: C may read a pool's bitmap
//! while it changes. Only [`Span::change_shared`] changes words that others change at the same time.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Bits in a word.
pub const BITS: usize = usize::BITS as usize;

/// Word `index`; all ones past the end.
#[inline(always)]
pub fn word(words: &[AtomicUsize], index: usize) -> usize {
    words.get(index).map_or(usize::MAX, |word| word.load(Relaxed))
}

/// Makes bit `index` what `value` is made of, unless that is past the end. The caller excludes other writers.
#[inline(always)]
pub fn set_bit(words: &[AtomicUsize], index: usize, value: usize) {
    if let Some(word) = words.get(index / BITS) {
        let bit = 1 << (index % BITS);
        word.store(if value != 0 { word.load(Relaxed) | bit } else { word.load(Relaxed) & !bit }, Relaxed);
    }
}

/// Makes the bits `mask` of word `index` what `value` is made of. The caller excludes other writers.
#[inline(always)]
fn merge(words: &[AtomicUsize], index: usize, mask: usize, value: usize) {
    if let Some(word) = words.get(index) {
        word.store(word.load(Relaxed) & !mask | value & mask, Relaxed);
    }
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

/// A range of bits, not empty.
#[derive(Clone, Copy)]
pub struct Span {
    from: usize,
    length: usize,
}

/// The words that a [`Span`] touches, if there are several: the first, those that it fills, and the last; and which bits
/// of the two.
struct Split<'a> {
    first: &'a AtomicUsize,
    first_mask: usize,
    filled: &'a [AtomicUsize],
    end: &'a AtomicUsize,
    end_mask: usize,
}

impl Span {
    /// The bits `[from, from + length)`.
    #[inline(always)]
    pub fn new(from: usize, length: usize) -> Self {
        Span { from, length }
    }

    /// The first bit.
    #[inline(always)]
    pub fn from(&self) -> usize {
        self.from
    }

    #[inline(always)]
    fn last(&self) -> usize {
        self.from.wrapping_add(self.length).wrapping_sub(1)
    }

    /// Its bits in its word, if it lies in one.
    #[inline(always)]
    fn in_one_word(&self) -> Option<usize> {
        (self.from / BITS == self.last() / BITS).then(|| from_bit(self.from) & up_to_bit(self.last()))
    }

    #[inline(always)]
    fn split<'a>(&self, words: &'a [AtomicUsize]) -> Option<Split<'a>> {
        let [first, filled @ .., end] = words.get(self.from / BITS..self.last() / BITS + 1)? else { return None };
        Some(Split { first, first_mask: from_bit(self.from), filled, end, end_mask: up_to_bit(self.last()) })
    }

    /// Makes its bits what `value` is made of. The caller excludes other writers.
    #[inline(always)]
    pub fn change(&self, words: &[AtomicUsize], value: usize) {
        if self.length == 1 { set_bit(words, self.from, value) } else { self.change_many(words, value) }
    }

    #[inline(never)]
    fn change_many(&self, words: &[AtomicUsize], value: usize) {
        if let Some(mask) = self.in_one_word() {
            return merge(words, self.from / BITS, mask, value);
        }
        let Some(Split { first, first_mask, filled, end, end_mask }) = self.split(words) else { return };
        first.store(first.load(Relaxed) & !first_mask | value & first_mask, Relaxed);
        end.store(end.load(Relaxed) & !end_mask | value & end_mask, Relaxed);
        // Eight at a time: less than one and a half instructions a word, of the four that a call may hold the lock for.
        let (eights, rest) = filled.as_chunks::<8>();
        for [a, b, c, d, e, f, g, h] in eights {
            a.store(value, Relaxed);
            b.store(value, Relaxed);
            c.store(value, Relaxed);
            d.store(value, Relaxed);
            e.store(value, Relaxed);
            f.store(value, Relaxed);
            g.store(value, Relaxed);
            h.store(value, Relaxed);
        }
        let (pairs, odd) = rest.as_chunks::<2>();
        for [a, b] in pairs {
            a.store(value, Relaxed);
            b.store(value, Relaxed);
        }
        if let [word] = odd {
            word.store(value, Relaxed);
        }
    }

    /// Whether any of its bits is not what `value` is made of.
    #[inline(always)]
    pub fn differs(&self, words: &[AtomicUsize], value: usize) -> bool {
        match self.length {
            1 => test(words, self.from) != (value != 0),
            _ => self.differs_in_many(words, value),
        }
    }

    #[inline(never)]
    fn differs_in_many(&self, words: &[AtomicUsize], value: usize) -> bool {
        if let Some(mask) = self.in_one_word() {
            return (word(words, self.from / BITS) ^ value) & mask != 0;
        }
        let Some(Split { first, first_mask, filled, end, end_mask }) = self.split(words) else { return true };
        let mut different = ((first.load(Relaxed) ^ value) & first_mask) | ((end.load(Relaxed) ^ value) & end_mask);
        for word in filled {
            different |= word.load(Relaxed) ^ value;
        }
        different != 0
    }

    /// Whether its first bit is the only one that is set.
    pub fn is_first_only(&self, words: &[AtomicUsize]) -> bool {
        let first_bit = 1 << (self.from % BITS);
        if let Some(mask) = self.in_one_word() {
            return word(words, self.from / BITS) & mask == first_bit;
        }
        let Some(Split { first, first_mask, filled, end, end_mask }) = self.split(words) else { return false };
        let mut others = ((first.load(Relaxed) & first_mask) ^ first_bit) | (end.load(Relaxed) & end_mask);
        // Eight at a time: less than two and a half instructions a word, of the four.
        let (eights, rest) = filled.as_chunks::<8>();
        for [a, b, c, d, e, f, g, h] in eights {
            let low = a.load(Relaxed) | b.load(Relaxed) | c.load(Relaxed) | d.load(Relaxed);
            let high = e.load(Relaxed) | f.load(Relaxed) | g.load(Relaxed) | h.load(Relaxed);
            others |= low | high;
        }
        for word in rest {
            others |= word.load(Relaxed);
        }
        others == 0
    }

    /// Makes its bits, which are the caller's, what `value` is made of, while others change bits beside them. Says which
    /// was the first that changed and which the last.
    #[cold]
    #[inline(never)]
    pub fn change_shared(&self, words: &[AtomicUsize], value: usize) -> Option<(usize, usize)> {
        let (from, last) = (self.from, self.last());
        let mut changed: Option<(usize, usize)> = None;
        for (index, word) in (from / BITS..).zip(words.get(from / BITS..last / BITS + 1)?) {
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
}
