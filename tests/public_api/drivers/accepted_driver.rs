//! A driver can be written without `unsafe`, with public items only.
#![forbid(unsafe_code)]
use rt_dma_pool::driver::{AsWords, CoherentBuffer, Device, FromDevice, MapError, Platform};

pub fn receive<P: Platform>(device: &Device<P>, frame: &mut [u8]) -> Result<usize, MapError> {
    device.with_mapped(FromDevice, frame, |mapping| mapping.handle())
}

pub fn ring<T: AsWords, P: Platform>(device: &Device<P>) -> Option<CoherentBuffer<T, P>> {
    device.coherent(4)
}
