//! error: E0133
//! A driver's device is made of a pointer only by an `unsafe` call.
use rt_dma_pool::ffi::driver::Device;

pub fn f(dev: *mut rt_dma_pool::abi::rt_device) -> Option<Device> {
    Device::from_ptr(dev)
}
