//! error: E0603
//! In version 0.1, `HandedOverBuffer::new` returned bytes that outlive their buffer.
#![forbid(unsafe_code)]
use rt_dma_pool::mem::handover::HandedOverBuffer;

pub fn f(_: HandedOverBuffer<&'static [u8]>) {}
