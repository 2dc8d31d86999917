//! error: E0603
//! No driver reaches the types of `mem`, whose memory is freed when a value is dropped.
#![forbid(unsafe_code)]
use rt_dma_pool::mem::heap::HeapMemory;

pub fn use_heap<K>(_: HeapMemory<K>) {}
