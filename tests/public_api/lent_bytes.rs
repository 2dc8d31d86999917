//! error: E0603
//! In version 0.1, `Lender::lend` returned bytes that outlive their buffer.
#![forbid(unsafe_code)]
use rt_dma_pool::mem::lent::Lender;

pub fn f(_: Lender<&'static [u8]>) {}
