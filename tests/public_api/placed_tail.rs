//! error: E0603
//! `Reserved::place` gave a tail that need not be aligned.
#![forbid(unsafe_code)]
use rt_dma_pool::mem::heap::Reserved;

pub fn f<K>(_: Reserved<K>) {}
