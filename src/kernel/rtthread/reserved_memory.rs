//! [`ReservedMemory`] over RT-Thread: memblock, and the children of `/reserved-memory`.

use core::ffi::c_int;

use super::port::*;
use super::{RtThread, pointer};
use crate::kernel::reserved_memory::{ReservedMemory, SharedPool};
use crate::kernel::{Entry, Pa};
use crate::log::Name;

/// Converts the result of a query of one of memblock's lists.
fn entry(query: unsafe extern "C" fn(usize, *mut rt_dma_port_region) -> c_int, index: usize) -> Entry<(Pa, Pa)> {
    let mut region = rt_dma_port_region::default();
    // SAFETY: the query writes to the region only.
    match unsafe { query(index, &mut region) } {
        RT_DMA_PORT_FOUND => Entry::Found((region.start, region.end)),
        RT_DMA_PORT_UNUSABLE => Entry::Unusable,
        _ => Entry::End,
    }
}

// SAFETY: the port does what its header states of each function, which includes what the trait requires. This holds for
// every block below; the nodes are those that the port returned.
unsafe impl ReservedMemory for RtThread {
    fn shared_pool(&self, index: usize) -> Option<Entry<SharedPool>> {
        let mut pool = rt_dma_port_shared_pool {
            node: core::ptr::null_mut(),
            name: core::ptr::null(),
            size: 0,
            alignment: 0,
            start: 0,
            end: 0,
            has_reg: 0,
            no_map: 0,
            reusable: 0,
            is_default: 0,
        };
        // SAFETY: the port accepts any values of these types, and writes to the pool only.
        match unsafe { rt_dma_port_shared_pool(index, &mut pool) } {
            RT_DMA_PORT_FOUND => Some(Entry::Found(SharedPool {
                node: pool.node.expose_provenance(),
                // SAFETY: the port returns the name of a node, which stays.
                name: unsafe { Name::from_ptr(pool.name) },
                range: (pool.has_reg != 0).then_some((pool.start, pool.end)),
                size: pool.size,
                alignment: pool.alignment,
                is_no_map: pool.no_map != 0,
                is_reusable: pool.reusable != 0,
                is_default: pool.is_default != 0,
            })),
            RT_DMA_PORT_UNUSABLE => Some(Entry::Unusable),
            RT_DMA_PORT_ABSENT => None,
            _ => Some(Entry::End),
        }
    }

    fn alloc_range(&self, node: usize, index: usize) -> Entry<(u64, u64)> {
        let (mut start, mut size) = (0, 0);
        // SAFETY: the port returned the node, and writes to the two numbers only.
        match unsafe { rt_dma_port_alloc_range(pointer(node), index, &mut start, &mut size) } {
            RT_DMA_PORT_FOUND => Entry::Found((start, size)),
            _ => Entry::End,
        }
    }

    fn boot_memory(&self, index: usize) -> Entry<(Pa, Pa)> {
        entry(rt_dma_port_boot_memory, index)
    }

    fn boot_reserved(&self, index: usize) -> Entry<(Pa, Pa)> {
        entry(rt_dma_port_boot_reserved, index)
    }

    fn page_allocator_owns(&self, pa: Pa) -> bool {
        // SAFETY: the port accepts any values of these types.
        unsafe { rt_dma_port_page_allocator_owns(pa) != 0 }
    }

    fn reserve(&self, pool: &SharedPool, start: Pa, end: Pa) -> bool {
        // SAFETY: the port returned the node.
        unsafe { rt_dma_port_reserve(pointer(pool.node), start, end, pool.is_no_map.into()) == 0 }
    }
}
