//! The kernel's heap, with a list of the blocks that are in use.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::machine::Service;
use crate::{machine, statics};

thread_local! {
    /// The blocks in use: address and size.
    static BLOCKS: RefCell<BTreeMap<usize, usize>> = const { RefCell::new(BTreeMap::new()) };
}

fn layout(size: usize) -> std::alloc::Layout {
    std::alloc::Layout::from_size_align(size, align_of::<usize>()).expect("the library asks for a size below the limit")
}

/// Allocates zeroed memory; null if the run makes the heap fail.
pub fn allocate(size: usize) -> usize {
    assert!(size != 0, "a block of no bytes is asked for");
    // No block of the library is large: a number went wrong.
    assert!(size < 1 << 20, "{size} bytes of heap are asked for");
    if machine::fails(Service::Heap) {
        return 0;
    }
    // SAFETY: the size is not zero.
    let block = unsafe { std::alloc::alloc_zeroed(layout(size)) } as usize;
    BLOCKS.with_borrow_mut(|blocks| blocks.insert(block, size));
    block
}

/// Frees a block.
pub fn free(block: usize) {
    let size = BLOCKS.with_borrow_mut(|blocks| blocks.remove(&block));
    let size = size.unwrap_or_else(|| panic!("{block:#x} is freed, which is no block in use"));
    // SAFETY: `allocate` returned it, and it was in the list.
    unsafe { std::alloc::dealloc(block as *mut u8, layout(size)) }
}

/// Returns the number of blocks in use.
pub fn blocks() -> usize {
    BLOCKS.with_borrow(BTreeMap::len)
}

/// Frees all blocks: those that the library keeps for ever.
pub fn reset() {
    let all = BLOCKS.with_borrow(|blocks| blocks.keys().copied().collect::<Vec<_>>());
    all.into_iter().for_each(free);
}

/// Returns the whole words in a range of memory.
pub fn words_of(place: Range<usize>) -> impl Iterator<Item = usize> {
    let first = place.start.next_multiple_of(size_of::<usize>());
    // SAFETY: the callers pass statics and blocks in use, while no call of the library runs.
    (first..place.end.saturating_sub(size_of::<usize>() - 1))
        .step_by(size_of::<usize>())
        .map(|at| unsafe { (at as *const usize).read() })
}

/// Checks that every block can be reached from the library's statics through addresses in other blocks: a block that
/// cannot is lost.
pub fn assert_nothing_is_lost() {
    BLOCKS.with_borrow(|blocks| {
        let mut unseen = blocks.clone();
        let mut words = statics::words();
        while let Some(word) = words.pop() {
            if let Some((&block, &size)) = unseen.range(..=word).next_back()
                && word - block < size
            {
                unseen.remove(&block);
                words.extend(words_of(block..block + size));
            }
        }
        assert!(unseen.is_empty(), "{} blocks of the heap are lost: {unseen:x?}", unseen.len());
    });
}
