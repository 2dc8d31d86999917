//! The whole contents of a page map as one number.

use super::*;
use crate::dropin::page_map::bits::ALL;
use crate::dropin::page_map::run_tree::Lowering;
use crate::dropin::page_map::settle::GoneRun;

/// A state of a map of at most 12 pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packed(pub u128);

/// The highest pool that fits: a page number, and one past the last page, take four bits.
const MOST_PAGES: usize = 12;

/// Four bits for a page number that no pool has.
const NO_PAGE: usize = 15;

/// The widths of the fields, in the order in which they are packed.
const PAGE: u32 = 4;
const VALUE: u32 = 5;
const PENDING: u32 = 2;

/// Packs numbers, the first one lowest.
struct Packer {
    bits: u128,
    width: u32,
}

impl Packer {
    fn put(&mut self, value: usize, width: u32) {
        assert!(value >> width == 0 && self.width + width <= u128::BITS);
        self.bits |= (value as u128) << self.width;
        self.width += width;
    }

    /// A page, or a number of pages. What no pool has is the same to every call.
    fn put_page(&mut self, page: usize) {
        self.put(if page > MOST_PAGES + 1 { NO_PAGE } else { page }, PAGE);
    }

    /// A value of the tree, which may be a tag.
    fn put_value(&mut self, value: i32) {
        self.put((value + MOST_PAGES as i32 + 2) as usize, VALUE);
    }
}

/// Unpacks numbers in the order in which they were packed.
struct Unpacker(u128);

impl Unpacker {
    fn get(&mut self, width: u32) -> usize {
        let value = self.0 as usize & ((1 << width) - 1);
        self.0 >>= width;
        value
    }

    fn get_page(&mut self) -> usize {
        match self.get(PAGE) {
            NO_PAGE => usize::MAX,
            page => page,
        }
    }

    fn get_value(&mut self) -> i32 {
        self.get(VALUE) as i32 - MOST_PAGES as i32 - 2
    }
}

/// The bits of all words of a bitmap, one page after the other.
fn joined(words: &[BitmapWord]) -> usize {
    words.iter().rev().fold(0, |pages, word| pages << BITS.min(MOST_PAGES) | word.load(Relaxed))
}

fn split(words: &[BitmapWord], mut pages: usize) {
    for word in words {
        word.store(pages & ALL, Relaxed);
        pages = if BITS > MOST_PAGES { 0 } else { pages >> BITS };
    }
}

const ALL_PAGES: u32 = MOST_PAGES as u32;

impl Packed {
    /// Packs everything that the map keeps, except the peak of use, which no placement depends on. A field that this
    /// leaves out does not compile.
    pub fn of(map: &mut PageMap) -> Self {
        let PageMap { page_count: pages, bits: _, runs: _, open, pending, in_use: _ } = &*map;
        assert!(*pages <= MOST_PAGES);
        let mut packer = Packer { bits: 0, width: 0 };
        let (used, starts) = Self::bits(map);
        packer.put(used, ALL_PAGES);
        packer.put(starts, ALL_PAGES);
        match pending {
            Pending::Nothing => packer.put(0, PENDING),
            Pending::Add(pages) => {
                packer.put(1, PENDING);
                packer.put_page(pages.start);
                packer.put_page(pages.end);
            }
            Pending::Remove(GoneRun { word_index, length, known_length, to_tag }) => {
                packer.put(2, PENDING);
                for number in [*word_index, *length, *known_length, to_tag.start, to_tag.end] {
                    packer.put_page(number);
                }
            }
            Pending::Lower(lowering) => {
                let (place, length, remaining) = lowering.fields();
                packer.put(3, PENDING);
                packer.put_page(place);
                packer.put_page(length as usize);
                packer.put_value(remaining);
            }
        }
        open.fields().into_iter().for_each(|page| packer.put_page(page));
        let (values, longest) = map.runs.values();
        packer.put_page(*longest);
        values.iter().for_each(|value| packer.put_value(*value));
        Packed(packer.bits)
    }

    /// Puts the state into a map of the same number of pages.
    pub fn restore(self, map: &mut PageMap) {
        let mut unpacker = Unpacker(self.0);
        split(map.used(), unpacker.get(ALL_PAGES));
        split(map.starts(), unpacker.get(ALL_PAGES));
        map.in_use = PagesInUse::new();
        map.in_use.add(self.used_and_starts().0.count_ones() as usize);
        map.pending = match unpacker.get(PENDING) {
            0 => Pending::Nothing,
            1 => Pending::Add(unpacker.get_page()..unpacker.get_page()),
            2 => Pending::Remove(GoneRun {
                word_index: unpacker.get_page(),
                length: unpacker.get_page(),
                known_length: unpacker.get_page(),
                to_tag: unpacker.get_page()..unpacker.get_page(),
            }),
            _ => Pending::Lower(Lowering::from_fields((
                unpacker.get_page(),
                unpacker.get_page() as i32,
                unpacker.get_value(),
            ))),
        };
        map.open = OpenRun::from_fields([(); 7].map(|()| unpacker.get_page()));
        let (values, longest) = map.runs.values();
        *longest = unpacker.get_page();
        for value in values {
            *value = unpacker.get_value();
        }
    }

    /// The bitmaps of a map: the pages in use, and those at which an allocation begins.
    pub fn bits(map: &PageMap) -> (usize, usize) {
        (joined(map.used()), joined(map.starts()))
    }

    /// The bitmaps of this state.
    pub fn used_and_starts(self) -> (usize, usize) {
        let mut unpacker = Unpacker(self.0);
        (unpacker.get(ALL_PAGES), unpacker.get(ALL_PAGES))
    }

    fn pending(self) -> usize {
        Unpacker(self.0 >> (2 * ALL_PAGES)).get(PENDING)
    }

    pub fn has_pending(self) -> bool {
        self.pending() != 0
    }

    /// The first page and the next page of the open run. Nothing else may be left to do.
    fn open(self) -> (usize, usize) {
        let mut unpacker = Unpacker(self.0 >> (2 * ALL_PAGES + PENDING));
        let [start, _, next] = [(); 3].map(|()| unpacker.get_page());
        (start, next)
    }

    /// The tree has exactly the free runs.
    pub fn is_tree_exact(self) -> bool {
        !self.has_pending() && self.open().0 == self.open().1
    }

    /// The tree has exactly the free runs, and no run is open.
    pub fn is_closed(self) -> bool {
        !self.has_pending() && self.open().0 == usize::MAX
    }

    /// The length of the allocation that begins at `page`, if one does.
    pub fn allocation_at(self, pages: usize, page: usize) -> Option<usize> {
        let (used, starts) = self.used_and_starts();
        let begins = |page: usize| starts >> page & 1 != 0;
        let others = (page + 1..pages).take_while(|page| used >> page & 1 != 0 && !begins(*page));
        begins(page).then(|| 1 + others.count())
    }
}

/// Whether no page of `[page, page + count)` is in use.
pub fn is_free(used: usize, page: usize, count: usize) -> bool {
    used >> page & ((1 << count) - 1) == 0
}

/// The free runs, from the lowest.
pub fn free_runs(used: usize, pages: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut page = 0;
    std::iter::from_fn(move || {
        page += (used >> page).trailing_ones() as usize;
        let start = page;
        page = (page + (used >> page).trailing_zeros() as usize).min(pages);
        (start < pages).then_some((start, page))
    })
}

/// Checks the tree while no work is left: every run with its value, its end and its tag, and every search.
pub fn assert_tree_is_exact(map: &mut PageMap, used: usize, starts: usize) {
    let pages = map.page_count;
    let [start, end, next, hole, hole_end, least_request, _] = map.open.fields();
    let mut of_tree = used;
    if start != usize::MAX {
        assert!(start <= next && next <= end && end <= pages);
        assert!(hole == hole_end || start <= hole && hole < hole_end && hole_end < next);
        let mask = |from: usize, to: usize| (1usize << to) - (1 << from);
        let free = mask(next, end) | if hole < hole_end { mask(hole, hole_end) } else { 0 };
        assert_eq!(mask(start, end) & !used, free, "the free pages of the open run");
        let last = map.open.last_allocation();
        assert!(start <= last.start && last.start <= last.end);
        let (pages, first) = (mask(last.start, last.end), mask(last.start, last.start + last.len().min(1)));
        assert_eq!((used & pages, starts & pages), (pages, first), "the last allocation");
        of_tree &= !mask(start, end);
    }
    let mut longest_of = [0; MOST_PAGES];
    for (from, to) in free_runs(of_tree, pages) {
        longest_of[from / BITS] = longest_of[from / BITS].max(to - from);
        if from == start {
            assert_eq!(to, end, "no other run touches the open one");
        } else {
            assert!(!(from..to).contains(&start), "the open run begins a run");
            assert_eq!((map.run_start(to), map.run_end(from)), (from, to), "the ends of a run");
            assert!(from > start || to - from < least_request || start == usize::MAX, "a run before the open one");
        }
    }
    let words = map.used().len();
    let longest_of = &longest_of[..words];
    for (word, longest) in longest_of.iter().enumerate() {
        assert_eq!(map.runs.longest_in(word), *longest, "the value of word {word}");
        let before = (0..word).rev().find(|word| longest_of[*word] > 0);
        assert_eq!(map.runs.last_word_before(word), before, "the run before word {word}");
    }
    assert_eq!(map.runs.longest(), longest_of.iter().copied().max().unwrap_or(0));
    for count in 1..=pages + 1 {
        let first = longest_of.iter().position(|longest| *longest >= count);
        assert_eq!(map.runs.first_word_with(count), first, "the first run of {count} pages");
        for word in 0..words {
            let after = (word + 1..words).find(|word| longest_of[*word] >= count);
            match map.runs.next_candidate(word, count) {
                Some(found) => assert!(found > word && after.is_some_and(|after| after >= found), "after word {word}"),
                None => assert_eq!(after, None, "after word {word}"),
            }
        }
    }
}
