//! Requests for a part of the pool, or for an aligned address, against a plain search from page to page.

use super::super::*;
use super::model::*;
use proptest::prelude::*;
use std::sync::MutexGuard;
use std::vec::Vec;

/// Allocates the lowest free run in `[from, end)`.
fn allocate_in_part_of(
    map: &mut PageMap,
    (mut from, end): (usize, usize),
    count: usize,
    base: usize,
    align: usize,
) -> Option<usize> {
    loop {
        map.settle_all();
        match map.allocate_in_part(from..end, count, Alignment { base, align }) {
            SearchStep::Allocated(page) => return Some(page),
            SearchStep::ContinueAt(page) if page < end => {
                assert!(page > from, "no step stands still");
                from = page;
            }
            _ => return None,
        }
    }
}

/// A request for pages in `[part.0, part.1)`, of which `base` and the first one add up to a multiple of `align`.
struct Request {
    part: (usize, usize),
    count: usize,
    base: usize,
    align: usize,
}

/// A map, and what it must be equal to.
struct Walk {
    map: MutexGuard<'static, PageMap>,
    model: Model,
    held: Vec<(usize, usize)>,
}

impl Walk {
    fn new(pages: usize) -> Self {
        Walk { map: map_of(pages), model: Model::new(pages), held: Vec::new() }
    }

    /// Frees an allocation if `choice` is 0, allocates from the whole map if it is 1, and else makes the request.
    fn step(&mut self, choice: usize, which: usize, request: &Request) {
        let &Request { part: (from, end), count, base, align } = request;
        match choice {
            0 if !self.held.is_empty() => {
                let (page, count) = self.held.swap_remove(which % self.held.len());
                self.model.free(page, count).unwrap();
                self.map.free(page, count).unwrap();
            }
            1 => {
                let page = self.model.allocate(count);
                assert_eq!(self.map.allocate(count), page);
                self.held.extend(page.map(|page| (page, count)));
            }
            _ => {
                let is_free = |page: usize| self.model.begun_at[page..page + count].iter().all(Option::is_none);
                let fits = |page: &usize| (base + page).is_multiple_of(align) && page + count <= end && is_free(*page);
                let page = (from..end).find(fits);
                assert_eq!(allocate_in_part_of(&mut self.map, (from, end), count, base, align), page);
                if let Some(page) = page {
                    self.model.place(page, count);
                    self.held.push((page, count));
                }
            }
        }
        assert_tree_is_exact(&mut self.map);
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
            walk.step(choice, count, &Request { part: (0, pages), count, base, align: 1 << align });
        }
        assert_consistent(&mut walk.map, &walk.model);
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
            let part = (from.index(pages), end.index(pages + 1));
            walk.step(choice, part.0, &Request { part, count, base: 0, align: 1 << align });
        }
        assert_consistent(&mut walk.map, &walk.model);
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
            let taken = allocate_in_part_of(&mut map, (at, pages), 2, 0, 1);
            assert_eq!(taken, Some(at.max(begin.max(1))), "{at} {begin}");
            let taken = taken.unwrap();
            assert_tree_is_exact(&mut map);
            assert_eq!(
                allocate_in_part_of(&mut map, (at, taken + 3), 1, 0, 1),
                Some(taken + 2).filter(|page| *page < pages)
            );
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
