//! Ranges of bits in arrays of words: bit `n` is bit `n % BITS` of word `n / BITS`, as in RT-Thread's `bitmap.h`.
//!
//! The words are atomics read and written with `Relaxed`, which costs what plain words cost: C may read a pool's bitmap
//! while it changes.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Bits of a word that stand for pages.
///
/// A test build can choose fewer than a word has, with `--cfg rt_dma_word_bits="4"`: then a pool of a few pages has several
/// words, and every state of it can be searched. The other bits of a word are clear.
pub const BITS: usize = if cfg!(rt_dma_word_bits = "2") {
    2
} else if cfg!(rt_dma_word_bits = "3") {
    3
} else if cfg!(rt_dma_word_bits = "4") {
    4
} else if cfg!(rt_dma_word_bits = "8") {
    8
} else {
    usize::BITS as usize
};

/// A word whose pages are all in use.
pub const ALL: usize = usize::MAX >> UNUSED;

/// Bits of a word that stand for no page: zero, but in a test build.
const UNUSED: usize = usize::BITS as usize - BITS;

/// Word `index`; all ones past the end.
#[inline(always)]
pub fn word(words: &[AtomicUsize], index: usize) -> usize {
    words.get(index).map_or(ALL, |word| word.load(Relaxed))
}

/// The complement of word `index`; zero past the end.
#[inline(always)]
pub fn complement(words: &[AtomicUsize], index: usize) -> usize {
    !word(words, index) & ALL
}

/// Counts the clear bits above the highest bit of `word` that is set; [`BITS`] if none is.
#[inline(always)]
pub fn leading_zeros(word: usize) -> usize {
    word.leading_zeros() as usize - UNUSED
}

/// Counts the highest bits of `word` that are set, down to the first that is clear.
#[inline(always)]
pub fn leading_ones(word: usize) -> usize {
    (word << UNUSED).leading_ones() as usize
}

/// Counts the clear bits below the lowest bit of `word` that is set; [`BITS`] if none is.
#[inline(always)]
pub fn trailing_zeros(word: usize) -> usize {
    (word | !ALL).trailing_zeros() as usize
}

/// Makes the bits `mask` of `word` what `value` is made of. The caller excludes other writers.
#[inline(always)]
pub fn merge(word: &AtomicUsize, mask: usize, value: usize) {
    word.store(word.load(Relaxed) & !mask | value & mask, Relaxed);
}

/// Bit `index`; false past the last word.
#[inline(always)]
pub fn test(words: &[AtomicUsize], index: usize) -> bool {
    words.get(index / BITS).is_some_and(|word| word.load(Relaxed) >> (index % BITS) & 1 != 0)
}

/// The bits of a word from bit `from % BITS` on.
#[inline(always)]
pub fn from_bit(from: usize) -> usize {
    ALL.wrapping_shl((from % BITS) as u32) & ALL
}

/// The bits of a word up to and with bit `last % BITS`.
#[inline(always)]
pub fn up_to_bit(last: usize) -> usize {
    ALL.wrapping_shr((BITS - 1 - last % BITS) as u32)
}

/// A loop that looks for its end behind its body: where size counts, a `for` looks before it, and jumps back.
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

/// The same, of eight items at a time; what is left is returned.
#[inline(always)]
fn for_each_eight<T>(items: &[T], act: impl FnMut(&[T; 8])) -> &[T] {
    if items.len() < 8 {
        return items;
    }
    let (eights, rest) = items.as_chunks();
    for_each(eights, act);
    rest
}

/// A range of bits, not empty.
#[derive(Clone, Copy)]
pub struct Span {
    from: usize,
    length: usize,
}

/// The words that a [`Span`] touches.
enum Touched<'a> {
    /// The first, those that it fills, and the last.
    Many(&'a AtomicUsize, &'a [AtomicUsize], &'a AtomicUsize),
    One(&'a AtomicUsize),
    /// They end before it does.
    None,
}

impl Span {
    /// The bits `[from, from + length)`.
    #[inline(always)]
    pub fn new(from: usize, length: usize) -> Self {
        Span { from, length }
    }

    #[inline(always)]
    fn last(&self) -> usize {
        self.from.wrapping_add(self.length).wrapping_sub(1)
    }

    #[inline(always)]
    fn touched<'a>(&self, words: &'a [AtomicUsize]) -> Touched<'a> {
        let Some([before @ .., last]) = words.get(..self.last() / BITS + 1) else { return Touched::None };
        match before.get(self.from / BITS..) {
            Some([first, filled @ ..]) => Touched::Many(first, filled, last),
            _ => Touched::One(last),
        }
    }

    /// Which bits of the first word that it touches are its own, and which of the last.
    #[inline(always)]
    fn masks(&self) -> (usize, usize) {
        (from_bit(self.from), up_to_bit(self.last()))
    }

    /// Whether any of its bits is not what `value` is made of.
    #[inline(always)]
    pub fn differs(&self, words: &[AtomicUsize], value: usize) -> bool {
        match self.length {
            1 => (word(words, self.from / BITS) ^ value) >> (self.from % BITS) & 1 != 0,
            _ => differs_in_many(words, *self, value),
        }
    }
}

/// Makes the bits `span` what `value` is made of. The caller excludes other writers.
#[inline(never)]
pub fn change(words: &[AtomicUsize], span: Span, value: usize) {
    let value = value & ALL;
    let (low, high) = span.masks();
    let (mask, word, filled) = match span.touched(words) {
        Touched::Many(first, filled, last) => {
            merge(first, low, value);
            (high, last, filled)
        }
        Touched::One(word) => (low & high, word, &[] as &[AtomicUsize]),
        Touched::None => return,
    };
    merge(word, mask, value);
    // Eight at a time: one and a half instructions a word, of the four that a call may hold the lock for.
    let rest = for_each_eight(filled, |[a, b, c, d, e, f, g, h]| {
        a.store(value, Relaxed);
        b.store(value, Relaxed);
        c.store(value, Relaxed);
        d.store(value, Relaxed);
        e.store(value, Relaxed);
        f.store(value, Relaxed);
        g.store(value, Relaxed);
        h.store(value, Relaxed);
    });
    for_each(rest, |word| word.store(value, Relaxed));
}

/// Whether any of the bits `span` is not what `value` is made of; for what is more than one as a rule.
#[inline(never)]
pub fn differs_in_many(words: &[AtomicUsize], span: Span, value: usize) -> bool {
    let value = value & ALL;
    let (low, high) = span.masks();
    let different = |word: &AtomicUsize, mask: usize| (word.load(Relaxed) ^ value) & mask;
    let (mut any, mask, word, filled) = match span.touched(words) {
        Touched::Many(first, filled, last) => (different(first, low), high, last, filled),
        Touched::One(word) => (0, low & high, word, &[] as &[AtomicUsize]),
        Touched::None => return true,
    };
    any |= different(word, mask);
    // Eight at a time: two and a half instructions a word, of the four.
    let is = |word: &AtomicUsize| word.load(Relaxed) == value;
    let rest = for_each_eight(filled, |[a, b, c, d, e, f, g, h]| {
        if !((is(a) & is(b)) & (is(c) & is(d)) & ((is(e) & is(f)) & (is(g) & is(h)))) {
            any = 1;
        }
    });
    for_each(rest, |word| any |= different(word, ALL));
    any != 0
}
