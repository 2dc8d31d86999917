//! A driver in Rust over the C interface. `tests/c_drivers.rs` compiles this file and links it with `rust_driver.c`.

use core::ffi::{CStr, c_char, c_void};
use core::ptr::null;
use rt_dma_pool::ffi::driver::Device;

unsafe extern "C" {
    fn rt_dma_set_coherent_mask(dev: *mut c_void, mask: u64) -> isize;
}

/// A block of one page.
type Page = [u64; 512];

/// # Safety
/// `dev` is a device.
unsafe fn blocks_follow_a_mask_that_is_set_later(dev: *mut c_void) -> Result<(), &'static CStr> {
    // SAFETY: the caller passes a device.
    let device = unsafe { Device::from_ptr(dev.cast()) }.ok_or(c"no device")?;
    let pool = device.block_pool::<Page>("pages", 0, 0).map_err(|_| c"no pool of blocks")?;
    let boxes = [(); 2].map(|()| pool.allocate());
    let highest = boxes.iter().flatten().map(|block| block.handle()).max().ok_or(c"no block")?;
    drop(boxes);
    // SAFETY: the caller passes a device.
    if unsafe { rt_dma_set_coherent_mask(dev, highest as u64 - 1) } != 0 {
        return Err(c"no mask");
    }
    let boxes = [(); 2].map(|()| pool.allocate());
    match boxes.iter().flatten().any(|block| block.handle() + size_of::<Page>() > highest) {
        true => Err(c"a block beyond the mask"),
        false => Ok(()),
    }
}

/// # Safety
/// `dev` is a device.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rust_driver(dev: *mut c_void) -> *const c_char {
    // SAFETY: the caller passes a device.
    unsafe { blocks_follow_a_mask_that_is_set_later(dev) }.err().map_or(null(), CStr::as_ptr)
}
