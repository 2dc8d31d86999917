//! error: E0603 module `mem`
//! A driver cannot name `HeapMemory`: its `new` and its `drop` call the kernel's heap, and do not check that the caller
//! is a thread.
#![forbid(unsafe_code)]
use rt_dma_pool::mem::heap::HeapMemory;

pub fn use_heap<K>(_: HeapMemory<K>) {}
