//! Ranges of bits against a loop over single bits, for every range of 12 words that begins and ends near word edges.
//! Most ranges fill some words: up to ten, of which eight are changed and compared together. And the lowest run of set
//! bits in a word, against such a loop.

use crate::dropin::page_map::bits::{ALL, BITS, BitRange, change, differs, lowest_ones};
use crate::mem::bitmaps::BitmapWord;
use core::sync::atomic::Ordering::Relaxed;

const WORDS: usize = 12;

/// Returns words whose bits are those that `is_set` returns.
fn words_of(is_set: impl Fn(usize) -> bool) -> [BitmapWord; WORDS] {
    core::array::from_fn(|word| {
        BitmapWord::new((0..BITS).filter(|bit| is_set(word * BITS + bit)).fold(0, |value, bit| value | 1 << bit))
    })
}

/// Returns the values of the words.
fn values(words: &[BitmapWord; WORDS]) -> [usize; WORDS] {
    core::array::from_fn(|word| words[word].load(Relaxed))
}

/// Calls `check` with the first bit of each range, and with the bit after its last.
fn each_range(mut check: impl FnMut(usize, usize)) {
    let near_edges = (0..=WORDS).flat_map(|word| [(word * BITS).wrapping_sub(1), word * BITS, word * BITS + 1]);
    let places = || near_edges.clone().filter(|&place| place <= WORDS * BITS);
    for from in places() {
        places().filter(|&end| from < end).for_each(|end| check(from, end));
    }
}

#[test]
fn change_sets_or_clears_the_bits_of_the_range_and_no_other() {
    each_range(|from, end| {
        for is_set in [false, true] {
            for before in [|_| false, |_| true, |bit| bit % 3 == 0] {
                let words = words_of(before);
                change(&words, BitRange::new(from, end - from), is_set);
                let expected = words_of(|bit| if (from..end).contains(&bit) { is_set } else { before(bit) });
                assert_eq!(values(&words), values(&expected), "{from}..{end}, {is_set}");
            }
        }
    });
}

#[test]
fn differs_finds_each_bit_of_the_range_and_no_other() {
    each_range(|from, end| {
        for is_set in [false, true] {
            let words = words_of(|bit| (from..end).contains(&bit) == is_set);
            let range = BitRange::new(from, end - from);
            assert!(!differs(&words, range, is_set), "{from}..{end}, {is_set}");
            for bit in 0..WORDS * BITS {
                let word = &words[bit / BITS];
                let flip = || word.store(word.load(Relaxed) ^ 1 << (bit % BITS), Relaxed);
                flip();
                let is_inside = (from..end).contains(&bit);
                assert_eq!(differs(&words, range, is_set), is_inside, "{from}..{end}, {is_set}, bit {bit}");
                flip();
            }
        }
    });
}

#[test]
fn a_range_that_ends_after_the_words_differs_and_is_not_changed() {
    for is_set in [false, true] {
        let words = words_of(|_| is_set);
        let before = values(&words);
        for from in [0, WORDS * BITS - BITS - 1, WORDS * BITS - 1] {
            let range = BitRange::new(from, WORDS * BITS + 1 - from);
            assert!(differs(&words, range, is_set), "{from}");
            change(&words, range, !is_set);
            assert_eq!(values(&words), before, "{from}");
        }
    }
}

#[test]
fn lowest_ones_finds_the_first_bit_of_the_lowest_run_that_is_long_enough() {
    assert_eq!(lowest_ones(0b1110, 3), Some(1), "the example of its comment");
    // Every pattern of eight bits, at the lowest bits, at the highest, and next to a long run above it.
    let words =
        (0..=0xff).flat_map(|low: usize| [low, low << BITS.saturating_sub(8), low | ALL << 9].map(|word| word & ALL));
    for word in words {
        let is_set = |bit: usize| word >> bit & 1 != 0;
        for count in 1..=BITS + 1 {
            let expected = (0..BITS).find(|&from| from + count <= BITS && (from..from + count).all(is_set));
            assert_eq!(lowest_ones(word, count), expected, "{word:#b}, {count}");
        }
    }
}
