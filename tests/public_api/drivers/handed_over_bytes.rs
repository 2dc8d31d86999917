//! error: E0603 module `mem`
//! A driver cannot get bytes that outlive their buffer (`HandedOverBuffer`).
#![forbid(unsafe_code)]
use rt_dma_pool::mem::handover::HandedOverBuffer;

pub fn use_buffer(_: HandedOverBuffer<&'static [u8]>) {}
