//! error: E0603 module `kernel`
//! A driver cannot make a device of a number.
#![forbid(unsafe_code)]

pub const DEVICE: rt_dma_pool::kernel::Device = rt_dma_pool::kernel::Device::at(1);
