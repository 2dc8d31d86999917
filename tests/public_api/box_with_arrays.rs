//! error: E0603
//! `BoxWithArrays::new` lends heap memory that is freed when the box is dropped.
#![forbid(unsafe_code)]
use rt_dma_pool::mem::heap::BoxWithArrays;

pub fn f<K, T>(_: BoxWithArrays<K, T>) {}
