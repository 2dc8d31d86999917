//! Ranges of bits in arrays of words: bit `n` is bit `n % BITS` of word `n / BITS`, as in RT-Thread's `bitmap.h`.
//!
//! The words are atomics read and written with `Relaxed`, which costs what plain words cost: C may read a pool's bitmap
//! while it changes.

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

/// Makes the bits `mask` of `word` what `value` is made of. The caller excludes other writers.
#[inline(always)]
fn merge(word: &AtomicUsize, mask: usize, value: usize) {
    word.store(word.load(Relaxed) & !mask | value & mask, Relaxed);
}

/// Makes word `index` what `value` says, unless that is past the end. The caller excludes other writers.
#[inline(always)]
pub fn set_word(words: &[AtomicUsize], index: usize, value: usize) {
    if let Some(word) = words.get(index) {
        word.store(value, Relaxed);
    }
}

/// Bit `index`; false past the last word.
#[inline(always)]
pub fn test(words: &[AtomicUsize], index: usize) -> bool {
    words.get(index / BITS).is_some_and(|word| word.load(Relaxed) >> (index % BITS) & 1 != 0)
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

/// A range of bits, not empty.
#[derive(Clone, Copy)]
pub struct Span {
    from: usize,
    length: usize,
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

    /// The words that it touches; `None` if they end before it does.
    #[inline(always)]
    fn touched<'a>(&self, words: &'a [AtomicUsize]) -> Option<&'a [AtomicUsize]> {
        words.get(self.from / BITS..self.last() / BITS + 1)
    }

    /// Which bits of the first word that it touches are its own, and which of the last.
    #[inline(always)]
    fn masks(&self) -> (usize, usize) {
        (from_bit(self.from), up_to_bit(self.last()))
    }

    /// Makes its bits what `value` is made of. The caller excludes other writers.
    #[inline(always)]
    pub fn change(&self, words: &[AtomicUsize], value: usize) {
        if self.length == 1 { set_bit(words, self.from, value) } else { self.change_many(words, value) }
    }

    /// The same, for what is more than one bit as a rule.
    #[inline(never)]
    pub fn change_many(&self, words: &[AtomicUsize], value: usize) {
        let (low, high) = self.masks();
        let filled = match self.touched(words) {
            Some([first, filled @ .., last]) => {
                merge(first, low, value);
                merge(last, high, value);
                filled
            }
            Some([word]) => return merge(word, low & high, value),
            _ => return,
        };
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
        for word in rest {
            word.store(value, Relaxed);
        }
    }

    /// Whether any of its bits is not what `value` is made of.
    #[inline(always)]
    pub fn differs(&self, words: &[AtomicUsize], value: usize) -> bool {
        match self.length {
            1 => (word(words, self.from / BITS) ^ value) >> (self.from % BITS) & 1 != 0,
            _ => self.differs_in_many(words, value),
        }
    }

    /// The same, for what is more than one bit as a rule.
    #[inline(never)]
    pub fn differs_in_many(&self, words: &[AtomicUsize], value: usize) -> bool {
        let (low, high) = self.masks();
        let different = match self.touched(words) {
            Some([first, filled @ .., last]) => {
                let ends = (first.load(Relaxed) ^ value) & low | (last.load(Relaxed) ^ value) & high;
                filled.iter().fold(ends, |different, word| different | word.load(Relaxed) ^ value)
            }
            Some([word]) => (word.load(Relaxed) ^ value) & low & high,
            _ => 1,
        };
        different != 0
    }

    /// Whether its first bit is the only one that is set.
    #[inline(always)]
    pub fn is_first_only(&self, words: &[AtomicUsize]) -> bool {
        let (low, high) = self.masks();
        let first_bit = 1 << (self.from % BITS);
        let (mut others, filled) = match self.touched(words) {
            Some([first, filled @ .., last]) => {
                (first.load(Relaxed) & low ^ first_bit | last.load(Relaxed) & high, filled)
            }
            Some([word]) => return word.load(Relaxed) & low & high == first_bit,
            _ => return false,
        };
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
}
