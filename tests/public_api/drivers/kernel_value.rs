//! error: E0603 module `kernel`
//! The methods of `RtThread` unmap and copy any memory.
#![forbid(unsafe_code)]
use rt_dma_pool::kernel::rtthread::RtThread;

pub fn use_kernel(_: RtThread) {}
