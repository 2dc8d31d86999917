//! Requests for a part of the pool, or for an aligned address, against a plain search from page to page.

use super::super::*;
use super::model::*;
use core::ops::Range;
use proptest::prelude::*;
use std::vec::Vec;

/// A request for `count` pages in `part` that begin as `alignment` demands.
struct Request {
    part: Range<usize>,
    count: usize,
    alignment: Alignment,
}

impl Request {
    /// Makes a request for pages that may begin on any page of `part`.
    fn on_any_page(part: Range<usize>, count: usize) -> Self {
        Request { part, count, alignment: Alignment { base: 0, align: 1 } }
    }

    /// Allocates the pages, in as many steps as the search takes, and returns the first.
    fn allocate_from(&self, map: &mut PageMap) -> Option<usize> {
        let Range { start: mut from, end } = self.part;
        loop {
            map.settle_all();
            match map.allocate_in_part(from..end, self.count, self.alignment) {
                SearchStep::Allocated(page) => return Some(page),
                SearchStep::ContinueAt(page) if page < end => {
                    assert!(page > from, "no step stands still");
                    from = page;
                }
                _ => return None,
            }
        }
    }

    /// Returns whether the pages from `page` on fit.
    fn fits(&self, model: &Model, page: usize) -> bool {
        let (end, Alignment { base, align }) = (page + self.count, self.alignment);
        (base + page).is_multiple_of(align)
            && end <= self.part.end
            && model.begun_at[page..end].iter().all(Option::is_none)
    }
}

/// A map and its model, and what is allocated.
struct Walk {
    both: Compared,
    held: Vec<(usize, usize)>,
}

impl Walk {
    fn new(pages: usize) -> Self {
        Walk { both: Compared::new(pages), held: Vec::new() }
    }

    /// Frees an allocation if `choice` is 0, allocates from the whole map if it is 1, and else makes the request.
    fn step(&mut self, choice: usize, which: usize, request: &Request) {
        let both = &mut self.both;
        match choice {
            0 if !self.held.is_empty() => {
                let (page, count) = self.held.swap_remove(which % self.held.len());
                both.free(page, count).unwrap();
            }
            1 => self.held.extend(both.allocate(request.count).map(|page| (page, request.count))),
            _ => {
                let lowest = request.part.clone().find(|page| request.fits(&both.model, *page));
                assert_eq!(request.allocate_from(&mut both.map), lowest);
                if let Some(page) = lowest {
                    both.model.place(page, request.count);
                    self.held.push((page, request.count));
                }
            }
        }
        assert_tree_is_exact(&mut both.map);
    }
}

proptest! {
    #[test]
    fn aligned_requests_get_the_lowest_place(
        pages in 1usize..700,
        base in 0usize..1_000,
        requests in proptest::collection::vec((1usize..90, 0u32..9, 0usize..4), 1..120),
    ) {
        let mut walk = Walk::new(pages);
        for (count, align, choice) in requests {
            let alignment = Alignment { base, align: 1 << align };
            walk.step(choice, count, &Request { part: 0..pages, count, alignment });
        }
        walk.both.assert_consistent();
    }

    /// Where the part begins and ends, a run may go on; and it may have begun many words before.
    #[test]
    fn fault_09_requests_within_a_part_of_the_pool_get_its_lowest_place(
        pages in 1usize..3_000,
        requests in proptest::collection::vec(
            (1usize..260, 0u32..4, 0usize..4, any::<proptest::sample::Index>(), any::<proptest::sample::Index>()),
            1..80,
        ),
    ) {
        let mut walk = Walk::new(pages);
        for (count, align, choice, from, end) in requests {
            let part = from.index(pages)..end.index(pages + 1);
            let alignment = Alignment { base: 0, align: 1 << align };
            walk.step(choice, part.start, &Request { part, count, alignment });
        }
        walk.both.assert_consistent();
    }
}

/// The middle of a run that begins far away, past every boundary of the tree.
#[test]
fn fault_09_the_middle_of_a_long_run_is_taken_from() {
    let pages = 262_144;
    let mut map = map_of(pages);
    for at in [1, 63, 64, 65, 255, 256, 4_096, 65_536, 131_071, 200_000, pages - 3] {
        for begin in [0, 1, at / 2, at - 1] {
            assert_eq!(map.allocate(begin.max(1)), Some(0));
            let taken = Request::on_any_page(at..pages, 2).allocate_from(&mut map);
            assert_eq!(taken, Some(at.max(begin.max(1))), "{at} {begin}");
            let taken = taken.unwrap();
            assert_tree_is_exact(&mut map);
            let next = Request::on_any_page(at..taken + 3, 1).allocate_from(&mut map);
            assert_eq!(next, Some(taken + 2).filter(|page| *page < pages));
            if taken + 2 < pages {
                map.free(taken + 2, 1).unwrap();
            }
            map.free(taken, 2).unwrap();
            map.free(0, begin.max(1)).unwrap();
            assert_eq!(map.allocate(pages), Some(0), "nothing is lost");
            map.free(0, pages).unwrap();
        }
    }
}

/// Between two steps of a search others take and give back pages: what the next step begins in may be one run with what
/// lies before it by now.
#[test]
fn an_aligned_search_goes_on_where_a_run_has_grown_over_its_place() {
    if BITS < usize::BITS as usize {
        return; // The first step below depends on the number of bits in a word.
    }
    let mut map = map_of(1000);
    assert_eq!(map.allocate(10), Some(0));
    assert_eq!(map.allocate(130), Some(10));
    assert_eq!(map.allocate(150), Some(140));
    assert_eq!(map.allocate(10), Some(290));
    assert_eq!(map.allocate(700), Some(300));
    map.free(10, 130).unwrap();
    map.free(290, 10).unwrap();
    map.settle_all();
    assert!(matches!(
        map.allocate_in_part(0..1000, 10, Alignment { base: 0, align: 256 }),
        SearchStep::ContinueAt(140)
    ));
    map.free(140, 150).unwrap();
    map.settle_all();
    let taken = map.allocate_in_part(140..1000, 10, Alignment { base: 0, align: 256 });
    map.settle_all();
    assert_tree_is_exact(&mut map);
    if let SearchStep::Allocated(page) = taken {
        map.free(page, 10).unwrap();
    }
    map.settle_all();
    assert_eq!(map.allocate(290), Some(10));
}
