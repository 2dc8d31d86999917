//! error: E0603
//! In version 0.1, `Reserved::place` returned a tail that was not always aligned.
#![forbid(unsafe_code)]
use rt_dma_pool::mem::heap::Reserved;

pub fn f<K>(_: Reserved<K>) {}
