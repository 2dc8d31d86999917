//! Requests and frees of sizes that are wrong.

use super::*;

#[test]
fn requests_and_frees_of_impossible_sizes_are_refused() {
    let mut map = map_of(64);
    assert_eq!(map.allocate(usize::MAX), None);
    assert_eq!(map.allocate(65), None);
    assert_eq!(map.free(usize::MAX, 1), Err(Error::NotAllocated));
    assert_eq!(map.allocate(3), Some(0));
    assert_eq!(map.free(0, usize::MAX), Err(Error::WrongSize));
    assert_eq!(map.free(0, 0), Err(Error::WrongSize));
    assert_eq!(map.free(1, 2), Err(Error::NotAllocated));
    assert_eq!(map.free(0, 3), Ok(()));
}

#[test]
fn a_size_that_reaches_over_another_allocation_is_wrong() {
    let pages = 21 * BITS;
    for first in (1..pages).filter(|first| first % BITS < 2 || first % BITS == BITS - 1) {
        let mut map = map_of(pages);
        assert_eq!(map.allocate(first), Some(0));
        assert_eq!(map.allocate(pages - first), Some(first));
        assert_eq!(map.check_allocation(0, pages).err(), Some(Error::WrongSize), "{first}");
        assert_eq!(map.free(0, first), Ok(()));
    }
}

#[test]
fn a_size_that_reaches_to_the_end_of_a_closed_run_is_wrong() {
    for hole in [false, true] {
        let mut map = map_of(100);
        assert_eq!(map.allocate(10), Some(0));
        assert_eq!(map.allocate(10), Some(10));
        if hole {
            assert_eq!(map.free(0, 10), Ok(()));
        }
        map.settle_all();
        for count in [11, 20, 80, 90] {
            assert_eq!(map.free(10, count), Err(Error::WrongSize), "{count}");
        }
        assert_eq!(map.free(10, 10), Ok(()));
    }
}
