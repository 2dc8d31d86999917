//! error: E0603 module `mem`
//! `KBox::with_arrays` lends heap memory that is freed when the box is dropped.
#![forbid(unsafe_code)]
use rt_dma_pool::mem::heap::KBox;

pub fn use_box<K, T>(_: KBox<K, T>) {}
