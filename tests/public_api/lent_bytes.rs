//! error: E0603
//! In version 0.1, `Held::lend` returned bytes that outlive their owner.
#![forbid(unsafe_code)]
use rt_dma_pool::mem::lent::Held;

pub fn f(_: Held<&'static [u8]>) {}
