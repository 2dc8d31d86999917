//! error: E0603
//! A device could be made of any number.
#![forbid(unsafe_code)]

pub const DEVICE: rt_dma_pool::kernel::Device = rt_dma_pool::kernel::Device(1);
