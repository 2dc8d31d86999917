//! error: E0603
//! In version 0.1, `Slot::new` lent heap memory that a drop of the slot frees.
#![forbid(unsafe_code)]
use rt_dma_pool::mem::heap::Slot;

pub fn f<K, T>(_: Slot<K, T>) {}
