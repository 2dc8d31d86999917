use super::*;
use crate::kernel::testing::{HeapOnly, heap_blocks};
use core::sync::atomic::Ordering::Relaxed;
use std::rc::Rc;

const WORD: usize = size_of::<usize>();

#[test]
fn a_value_stays_in_the_heap_until_it_is_freed() {
    let before = heap_blocks();
    assert!(alloc_static(HeapOnly, usize::MAX, |_| [1usize; 2]).is_none());
    assert_eq!(heap_blocks(), before);
    let value = alloc_static(HeapOnly, 0, |_| [1usize; 2]).unwrap();
    assert_eq!((*value, heap_blocks()), ([1; 2], before + 1));
    // SAFETY: `alloc_static` returned the value, which is not used any more.
    unsafe { free(HeapOnly, value) };
    assert_eq!(heap_blocks(), before);
}

#[test]
fn the_slices_of_a_value_lie_after_it() {
    let value = alloc_static(HeapOnly, 2 * WORD, |after| after.slice_of([!0usize; 9].into_iter())).unwrap();
    // The value, a slice, is two words.
    assert_eq!(value.as_ptr().addr(), core::ptr::from_ref(value).addr() + 2 * WORD);
    assert_eq!(*value, [!0; 2]);
}

#[test]
fn a_box_drops_its_value_and_frees_its_memory_once() {
    let before = heap_blocks();
    let dropped = Rc::new(());
    let mut boxed = KBox::new(HeapOnly, (dropped.clone(), 1)).unwrap();
    boxed.1 += 1;
    assert_eq!((boxed.1, Rc::strong_count(&dropped), heap_blocks()), (2, 2, before + 1));
    drop(boxed);
    assert_eq!((Rc::strong_count(&dropped), heap_blocks()), (1, before));
}

#[test]
fn arrays_of_a_box_are_zero_and_apart() {
    struct Arrays(Bitmaps, &'static mut [[i32; 4]], Name<'static>);
    let before = heap_blocks();
    // SAFETY: the arrays are used until the end of the test only, and the box is leaked.
    let made = unsafe { KBox::with_arrays(HeapOnly, 2, 3, Name::of(c"decoder"), Arrays) }.unwrap().leak();
    let Arrays(bitmaps, nodes, name) = made;
    let bitmaps = [bitmaps.bitmap::<0>(), bitmaps.bitmap::<1>(), bitmaps.bitmap::<2>()];
    assert_eq!(bitmaps.map(<[_]>::len), [2; 3]);
    assert!(bitmaps.iter().copied().flatten().all(|word| word.load(Relaxed) == 0));
    assert_eq!(**nodes, [[0; 4]; 3]);
    bitmaps.iter().copied().flatten().for_each(|word| word.store(!0, Relaxed));
    assert_eq!(**nodes, [[0; 4]; 3], "a bitmap reaches into the nodes");
    // SAFETY: the name is a copy of a C string.
    assert_eq!(unsafe { core::ffi::CStr::from_ptr(name.as_ptr()) }, c"decoder");
    assert_eq!(heap_blocks(), before + 1, "the memory of a value that is leaked is not freed");
    // SAFETY: the closure keeps none of the arrays.
    let unnamed = unsafe { KBox::with_arrays::<4>(HeapOnly, 1, 0, Name::NONE, |_, _, name| name.as_ptr() as usize) };
    drop(unnamed.unwrap());
    // SAFETY: the closure keeps none of the arrays.
    let too_large = unsafe { KBox::with_arrays::<4>(HeapOnly, usize::MAX / 2, 0, Name::NONE, |_, _, _| 0usize) };
    assert!(too_large.is_none(), "the sum of the sizes wraps");
    assert_eq!(heap_blocks(), before + 1);
}
