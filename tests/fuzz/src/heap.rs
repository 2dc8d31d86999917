//! The kernel's heap, with a list of the allocations that are in use.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::machine::Service;
use crate::{machine, statics};

/// More than the library needs for the small pools of this machine. A larger size is a number that went wrong.
const SIZE_LIMIT: usize = 1 << 20;

thread_local! {
    /// The allocations in use: address and size.
    static ALLOCATIONS: RefCell<BTreeMap<usize, usize>> = const { RefCell::new(BTreeMap::new()) };
}

/// Returns the layout of an allocation: aligned to a word, as those of RT-Thread's heap.
fn layout(size: usize) -> Layout {
    Layout::from_size_align(size, align_of::<usize>()).expect("the library asks for a size below the limit")
}

/// Allocates zeroed memory; null if the run makes the heap fail.
pub fn allocate(size: usize) -> usize {
    assert!(size != 0, "an allocation of no bytes is asked for");
    assert!(size < SIZE_LIMIT, "{size} bytes of heap are asked for");
    if machine::count_and_check_failure(Service::Heap) {
        return 0;
    }
    // SAFETY: the size is not zero.
    let start = unsafe { alloc_zeroed(layout(size)) } as usize;
    if start == 0 {
        handle_alloc_error(layout(size));
    }
    ALLOCATIONS.with_borrow_mut(|allocations| allocations.insert(start, size));
    start
}

/// Frees an allocation.
pub fn free(start: usize) {
    let size = ALLOCATIONS.with_borrow_mut(|allocations| allocations.remove(&start));
    let size = size.unwrap_or_else(|| panic!("{start:#x} is freed, which is no allocation in use"));
    // SAFETY: `allocate` returned it, and it was in the list.
    unsafe { dealloc(start as *mut u8, layout(size)) }
}

/// Frees all allocations that are in use: those that the library never frees. [`statics::reset`] is called before, so
/// that no static has their addresses.
pub fn free_all() {
    for (start, size) in ALLOCATIONS.take() {
        // SAFETY: `allocate` returned it, and it was in the list.
        unsafe { dealloc(start as *mut u8, layout(size)) }
    }
}

/// Returns the words of an allocation.
///
/// # Safety
/// [`allocate`] returned `start` for this size. Until the iterator is dropped, the allocation is in use, and no call of
/// the library runs.
unsafe fn words_of(start: usize, size: usize) -> impl Iterator<Item = usize> {
    // SAFETY: the caller's promise; an allocation is aligned to a word.
    (0..size / size_of::<usize>()).map(move |index| unsafe { (start as *const usize).add(index).read() })
}

/// Checks that every allocation can be reached from the library's statics through addresses in other allocations: one
/// that cannot is lost.
pub fn assert_nothing_is_lost() {
    let lost = unreached_from(statics::words());
    assert!(lost.is_empty(), "{} allocations of the heap are lost: {lost:x?}", lost.len());
}

/// Returns the allocations, with their sizes, to which no address in these words leads, nor one in an allocation that
/// was reached.
fn unreached_from(mut words: Vec<usize>) -> BTreeMap<usize, usize> {
    ALLOCATIONS.with_borrow(|allocations| {
        let mut unseen = allocations.clone();
        while let Some(word) = words.pop() {
            if let Some((&start, &size)) = unseen.range(..=word).next_back()
                && word - start < size
            {
                unseen.remove(&start);
                // SAFETY: `unseen` has only allocations in use, with their sizes. None is freed here, because
                // `ALLOCATIONS` is borrowed, and no call of the library runs.
                words.extend(unsafe { words_of(start, size) });
            }
        }
        unseen
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic = "1 allocations of the heap are lost"]
    fn an_allocation_to_which_nothing_refers_is_lost() {
        statics::note();
        // A run without calls. What the library then has is not lost. The other tests run nothing, because the statics
        // are those of all threads.
        crate::run(&[]);
        allocate(16);
        assert_nothing_is_lost();
    }

    #[test]
    fn an_allocation_is_reached_by_an_address_in_another_one() {
        let [first, second] = [allocate(64), allocate(64)];
        let last_word = (first + 64 - size_of::<usize>()) as *mut usize;
        // SAFETY: the allocation has 64 bytes, and is aligned to a word.
        unsafe { last_word.write(second + 63) };
        let is_reached = |words: &[usize]| {
            let unreached = unreached_from(words.to_vec());
            [first, second].map(|start| !unreached.contains_key(&start))
        };
        assert_eq!(is_reached(&[]), [false, false]);
        assert_eq!(is_reached(&[second]), [false, true]);
        assert_eq!(is_reached(&[first + 1]), [true, true]);
        assert_eq!(is_reached(&[first - 1, second + 64]), [false, false]);
        free_all();
    }

    #[test]
    #[should_panic = "which is no allocation in use"]
    fn an_allocation_is_freed_only_once() {
        let start = allocate(16);
        free(start);
        free(start);
    }
}
