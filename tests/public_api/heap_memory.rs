//! error: E0603
//! `HeapMemory::place` returns memory that other functions free.
#![forbid(unsafe_code)]
use rt_dma_pool::mem::heap::HeapMemory;

pub fn f<K>(_: HeapMemory<K>) {}
