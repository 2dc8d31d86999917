//! [`ReservedMemory`] over RT-Thread: memblock, and the children of `/reserved-memory`.

use core::ffi::{c_char, c_int, c_void};

use super::{RT_DMA_PORT_ABSENT, RT_DMA_PORT_FOUND, RT_DMA_PORT_UNREADABLE, RtThread, pointer, rt_dma_port_region};
use crate::kernel::reserved_memory::{ReservedMemory, SharedPool};
use crate::kernel::{Entry, Pa};
use crate::log::Name;

/// A child of `/reserved-memory` with `compatible = "shared-dma-pool"`, as the port reports it.
#[repr(C)]
pub struct rt_dma_port_shared_pool {
    /// The node, which stays.
    pub node: *mut c_void,
    /// Its name, which stays.
    pub name: *const c_char,
    /// `size`, in bytes; 0 if there is none.
    pub size: u64,
    /// `alignment`, in bytes; 0 if there is none.
    pub alignment: u64,
    /// `reg`: first byte.
    pub start: usize,
    /// `reg`: one past the last byte.
    pub end: usize,
    /// 1 if there is a `reg`.
    pub has_reg: c_int,
    /// 1 if the node says `no-map`.
    pub no_map: c_int,
    /// 1 if the node says `reusable`.
    pub reusable: c_int,
    /// 1 if the node says `linux,cma-default`.
    pub is_default: c_int,
}

unsafe extern "C" {
    /// Fills in shared pool `index` of `/reserved-memory`; RT_DMA_PORT_FOUND, RT_DMA_PORT_END, RT_DMA_PORT_UNREADABLE, or
    /// RT_DMA_PORT_ABSENT without an unflattened device tree. Thread.
    fn rt_dma_port_shared_pool(index: usize, pool: *mut rt_dma_port_shared_pool) -> c_int;
    /// Fills in entry `index` of the node's `alloc-ranges`, in bytes; RT_DMA_PORT_FOUND or RT_DMA_PORT_END. Thread.
    fn rt_dma_port_alloc_range(node: *mut c_void, index: usize, start: *mut u64, size: *mut u64) -> c_int;
    /// Fills in entry `index` of `rt_memblock_get_memory()`; RT_DMA_PORT_FOUND, RT_DMA_PORT_UNREADABLE for memory with a
    /// flag, RT_DMA_PORT_END. Thread.
    fn rt_dma_port_boot_memory(index: usize, region: *mut rt_dma_port_region) -> c_int;
    /// Fills in entry `index` of `rt_memblock_get_reserved()`, whatever it is; RT_DMA_PORT_FOUND or RT_DMA_PORT_END.
    /// Thread.
    fn rt_dma_port_boot_reserved(index: usize, region: *mut rt_dma_port_region) -> c_int;
    /// `rt_page_is_member`. Thread.
    fn rt_dma_port_is_paged(pa: usize) -> c_int;
    /// `rt_memblock_reserve_memory` under the node's name, and `[start, end)` as the node's `reg`; 0 on success, -1 on
    /// failure, which changes nothing. Thread.
    fn rt_dma_port_reserve(node: *mut c_void, start: usize, end: usize, no_map: c_int) -> c_int;
}

/// What a query of one of memblock's lists answered.
fn entry(query: unsafe extern "C" fn(usize, *mut rt_dma_port_region) -> c_int, index: usize) -> Entry<(Pa, Pa)> {
    let mut region = rt_dma_port_region::default();
    // SAFETY: the region is ours.
    match unsafe { query(index, &mut region) } {
        RT_DMA_PORT_FOUND => Entry::Found((region.start, region.end)),
        RT_DMA_PORT_UNREADABLE => Entry::Unreadable,
        _ => Entry::End,
    }
}

// SAFETY for every block below: the port keeps what its header says of each function; nodes come from it.
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
        // SAFETY: see above; the pool is ours.
        match unsafe { rt_dma_port_shared_pool(index, &mut pool) } {
            RT_DMA_PORT_FOUND => Some(Entry::Found(SharedPool {
                node: pool.node.expose_provenance(),
                name: Name(pool.name),
                range: (pool.has_reg != 0).then_some((pool.start, pool.end)),
                size: pool.size,
                alignment: pool.alignment,
                no_map: pool.no_map != 0,
                reusable: pool.reusable != 0,
                is_default: pool.is_default != 0,
            })),
            RT_DMA_PORT_UNREADABLE => Some(Entry::Unreadable),
            RT_DMA_PORT_ABSENT => None,
            _ => Some(Entry::End),
        }
    }

    fn alloc_range(&self, node: usize, index: usize) -> Entry<(u64, u64)> {
        let (mut start, mut size) = (0, 0);
        // SAFETY: see above; both numbers are ours.
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

    fn is_paged(&self, pa: Pa) -> bool {
        // SAFETY: see above.
        unsafe { rt_dma_port_is_paged(pa) != 0 }
    }

    fn reserve(&self, pool: &SharedPool, start: Pa, end: Pa) -> bool {
        // SAFETY: see above.
        unsafe { rt_dma_port_reserve(pointer(pool.node), start, end, pool.no_map.into()) == 0 }
    }
}
