//! error: E0200 trait `StableBytes<A>`
//! A buffer whose bytes do not stay at one address is undefined behaviour: `StableBytes` is an `unsafe` trait.
#![forbid(unsafe_code)]
use rt_dma_pool::driver::StableBytes;

pub struct Here([u8; 64]);

impl<A> StableBytes<A> for Here {
    fn bytes(&mut self) -> &mut [u8] {
        &mut self.0
    }
}
