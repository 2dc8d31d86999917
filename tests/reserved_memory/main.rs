//! Tests the shared pools of `/reserved-memory`: the default pool (`linux,cma-default`), and nodes without a `reg`, for
//! which the library chooses memory.

#[path = "../fake_kernel/mod.rs"]
mod fake_kernel;

mod default_pool;
mod failures;
mod places;
mod refusals;

use fake_kernel::*;
use rt_dma_pool::kernel::{Device, NamedRegion, Pa};
use std::ops::Range;

/// Returns a machine whose memblock has the memory [`LOW`]. In it, `reserved` is reserved, and then, in the order of
/// the nodes, the memory of each node with a `reg` that overlaps nothing that is reserved already.
fn machine(nodes: &[SharedPoolNode], reserved: &[Range<Pa>]) -> Machine {
    let machine = Machine::new();
    let mut reserved = reserved.to_vec();
    for (start, end) in nodes.iter().filter_map(|node| node.range) {
        if reserved.iter().all(|known| end <= known.start || known.end <= start) {
            reserved.push(start..end);
        }
    }
    let boot = BootMemory { nodes: Some(nodes.to_vec()), memory: vec![Some(LOW)], reserved, paged: Vec::new() };
    machine.set_boot(boot);
    machine
}

/// Returns the place of a node, as [`Machine::places`] does.
fn place(start: Pa, size: usize) -> Option<(Pa, Pa)> {
    Some((start, start + size))
}

/// Returns a device whose `memory-region` is node `index`, as the tree describes that node now.
fn device_of(machine: &Machine, index: usize) -> Device {
    let region = machine.with_boot(|boot| {
        let pool = &boot.nodes.as_ref().unwrap()[index];
        let (start, end) = pool.range.expect("it has a place");
        let (is_no_map, is_reusable) = (pool.is_no_map, pool.is_reusable);
        NamedRegion { start, end, is_no_map, is_reusable, serves_every_device: is_reusable && pool.is_default }
    });
    machine.device(DeviceInfo::with_regions(&[region]).coherent())
}
