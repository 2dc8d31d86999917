//! error: E0603 module `kernel`
//! A wrong implementation of `Kernel` is undefined behaviour.
#![forbid(unsafe_code)]
use rt_dma_pool::kernel::Kernel;

pub fn use_kernel<K: Kernel>() {}
