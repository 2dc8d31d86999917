//! Tests a device's masks: no handle exceeds its mask, and memory within the mask is found.

#[path = "../fake_kernel/mod.rs"]
mod fake_kernel;

mod allocation;
mod random;
mod records;

use fake_kernel::*;
use rt_dma_pool::dropin::buffer_request::BufferRequest;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::Device;

/// Allocates a buffer whose handles lie within `mask`, by the device's own operations.
fn alloc_within(machine: &Machine, device: Device, size: usize, flags: Flags, mask: u64) -> Option<Held> {
    let ops = machine.ops_of(device)?;
    let request = BufferRequest { mask, ..BufferRequest::new(ops, device, size, flags) };
    let (va, handle) = machine.dma.allocate_in_order(&request).ok()?;
    Some(Held { device, size, flags, va, handle })
}
