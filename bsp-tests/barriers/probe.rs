//! Functions whose assembly `ci/barriers` reads. Each makes one call of the safe Rust API that promises an order.

#![no_std]

use rt_dma_pool::ffi::driver::{BlockBox, CoherentBuffer, Ring};

#[unsafe(no_mangle)]
pub fn probe_write_word(buffer: &mut CoherentBuffer<u32>, value: u32) {
    let _ = buffer.write_word(0, 0, value);
}

#[unsafe(no_mangle)]
pub fn probe_read_word(buffer: &CoherentBuffer<u32>) -> Option<u32> {
    buffer.read_word(0, 0)
}

#[unsafe(no_mangle)]
pub fn probe_write_bytes(buffer: &mut CoherentBuffer<u8>, bytes: &[u8; 16]) {
    let _ = buffer.write_bytes(0, bytes);
}

#[unsafe(no_mangle)]
pub fn probe_read_bytes(buffer: &CoherentBuffer<u8>, bytes: &mut [u8; 16]) {
    let _ = buffer.read_bytes(0, bytes);
}

#[unsafe(no_mangle)]
pub fn probe_write_zero(buffer: &mut CoherentBuffer<u32>) {
    buffer.zero();
}

#[unsafe(no_mangle)]
pub fn probe_write_ring(ring: &mut Ring<u32>, value: u32) {
    let _ = ring.push(value);
}

#[unsafe(no_mangle)]
pub fn probe_read_ring(ring: &mut Ring<u32>) -> Option<(usize, u32)> {
    ring.pop()
}

#[unsafe(no_mangle)]
pub fn probe_write_block(block: &mut BlockBox<'_, u32>, value: u32) {
    block.write(value);
}

#[unsafe(no_mangle)]
pub fn probe_read_block(block: &BlockBox<'_, u32>) -> u32 {
    block.read()
}
