//! error: E0200
//! That an owner's bytes stay where they are is an `unsafe` promise.
#![forbid(unsafe_code)]
use rt_dma_pool::driver::Owner;

pub struct Here([u8; 64]);

impl<A> Owner<A> for Here {
    fn bytes(&mut self) -> &mut [u8] {
        &mut self.0
    }
}
