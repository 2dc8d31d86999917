//! error: E0133 Device<RtThreadPlatform>>::from_ptr`
//! Only an `unsafe` call makes a driver's device of a pointer.
use rt_dma_pool::ffi::driver::Device;

pub fn device_of_any_pointer(dev: *mut rt_dma_pool::abi::rt_device) -> Option<Device> {
    Device::from_ptr(dev)
}
