//! error: E0603
//! In version 0.1, a driver could make a device of any number.
#![forbid(unsafe_code)]

pub const DEVICE: rt_dma_pool::kernel::Device = rt_dma_pool::kernel::Device::at(1);
