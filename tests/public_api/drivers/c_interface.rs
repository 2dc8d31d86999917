//! error: E0133 function `rt_dma_sync_in_data`
//! The C functions take pointers, and are `unsafe` to call.
pub fn sync_any_pointer(dev: *mut rt_dma_pool::abi::rt_device) -> isize {
    rt_dma_pool::ffi::rt_dma_sync_in_data(dev, core::ptr::dangling_mut(), 64, 0, 0)
}
