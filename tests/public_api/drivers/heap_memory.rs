//! error: E0603
//! The memory of a `HeapMemory` is freed when the value is dropped.
#![forbid(unsafe_code)]
use rt_dma_pool::mem::heap::HeapMemory;

pub fn f<K>(_: HeapMemory<K>) {}
