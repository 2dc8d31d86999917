//! [`ReservedMemory`] over RT-Thread: memblock, and the children of `/reserved-memory`.

use core::ffi::{c_char, c_int, c_void};

use super::types::{RT_DMA_PORT_END, RT_DMA_PORT_FOUND, RT_DMA_PORT_NO_HEAP, RT_DMA_PORT_NO_TREE, rt_dma_port_region};
use super::{RtThread, pointer};
use crate::kernel::Pa;
use crate::kernel::reserved_memory::{AllocRange, ReservedMemory, SharedPoolId, SharedPoolNode, SharedPoolNodeError};
use crate::log::Name;

/// A child of `/reserved-memory` with `compatible = "shared-dma-pool"`.
#[repr(C)]
pub struct rt_dma_port_shared_pool {
    /// The node, which stays.
    pub node: *mut c_void,
    /// Its name, which stays.
    pub name: *const c_char,
    /// `size`, in bytes; 0 if there is none, and if there is a `reg`.
    pub size: u64,
    /// `alignment`, in bytes; 0 if there is none, and if there is a `reg`.
    pub alignment: u64,
    /// `reg`: first byte.
    pub start: usize,
    /// `reg`: one past the last byte.
    pub end: usize,
    /// 1 if there is a `reg`.
    pub has_reg: c_int,
    /// 1 if the node has `no-map`.
    pub no_map: c_int,
    /// 1 if the node has `reusable`.
    pub reusable: c_int,
    /// 1 if the node has `linux,cma-default`.
    pub is_default: c_int,
}

unsafe extern "C" {
    /// @brief Reads one of the shared pools of `/reserved-memory`.
    ///
    /// @param[in] index The index of the pool.
    /// @param[out] pool The pool, if it was found.
    /// @retval RT_DMA_PORT_FOUND The pool was filled in.
    /// @retval RT_DMA_PORT_END There is no such pool.
    /// @retval RT_DMA_PORT_BAD_NODE A property of its node is malformed, or its memory is beyond what the processor can
    /// address.
    /// @retval RT_DMA_PORT_NO_HEAP The heap has no room for the ranges of the bus above the node.
    /// @retval RT_DMA_PORT_NO_TREE There is no unflattened device tree.
    ///
    /// @note Context: thread.
    pub fn rt_dma_port_shared_pool(index: usize, pool: *mut rt_dma_port_shared_pool) -> c_int;

    /// @brief Reads one entry of a node's `alloc-ranges`.
    ///
    /// @param[in] node The node.
    /// @param[in] index The index of the entry.
    /// @param[out] start The first byte.
    /// @param[out] size Bytes.
    /// @retval RT_DMA_PORT_FOUND The entry was filled in.
    /// @retval RT_DMA_PORT_END There is no such entry.
    ///
    /// @note Context: thread.
    pub fn rt_dma_port_alloc_range(node: *mut c_void, index: usize, start: *mut u64, size: *mut u64) -> c_int;

    /// @brief Reads one entry of `rt_memblock_get_memory()`.
    ///
    /// @param[in] index The index of the entry.
    /// @param[out] region The entry, if it was found. It is empty if the memory has a flag, so that it must not be
    /// used.
    /// @retval RT_DMA_PORT_FOUND The entry was filled in.
    /// @retval RT_DMA_PORT_END There is no such entry.
    ///
    /// @note Context: thread.
    pub fn rt_dma_port_boot_memory(index: usize, region: *mut rt_dma_port_region) -> c_int;

    /// @brief Reads one entry of `rt_memblock_get_reserved()`, in use or not.
    ///
    /// @param[in] index The index of the entry.
    /// @param[out] region The entry, if it was found.
    /// @retval RT_DMA_PORT_FOUND The entry was filled in.
    /// @retval RT_DMA_PORT_END There is no such entry.
    ///
    /// @note Context: thread.
    pub fn rt_dma_port_boot_reserved(index: usize, region: *mut rt_dma_port_region) -> c_int;

    /// @brief Returns whether the kernel itself uses a page: the page allocator owns it (`rt_page_is_member`), or boot
    /// code reserved a part of it for the kernel's image, the heap, the device tree or the initrd.
    ///
    /// @param[in] pa A physical address in the page.
    /// @return Not 0 if it does, and without memblock.
    ///
    /// @note Context: thread.
    pub fn rt_dma_port_kernel_uses(pa: usize) -> c_int;

    /// @brief Reserves memory for a node (`rt_memblock_reserve_memory`, under the node's name), and makes it the
    /// `reg` of the node.
    ///
    /// @param[in] node The node.
    /// @param[in] start The first byte, on a page boundary.
    /// @param[in] end One past the last byte, on a page boundary.
    /// @param[in] no_map 1 if the node has `no-map`, otherwise 0.
    /// @retval 0 The memory is reserved.
    /// @retval -1 Nothing was changed.
    ///
    /// @note Context: thread. If memblock cannot take the memory, it writes a line to the log. A console that uses DMA
    /// memory then calls the library, so the caller holds no turn.
    pub fn rt_dma_port_reserve(node: *mut c_void, start: usize, end: usize, no_map: c_int) -> c_int;
}

/// Returns entry `index` of one of memblock's lists, which `query` reads.
fn entry(query: unsafe extern "C" fn(usize, *mut rt_dma_port_region) -> c_int, index: usize) -> Option<(Pa, Pa)> {
    let mut region = rt_dma_port_region::default();
    // SAFETY: the query writes to the region only.
    match unsafe { query(index, &mut region) } {
        RT_DMA_PORT_FOUND => Some((region.start, region.end)),
        _ => None,
    }
}

// SAFETY: the port does what its header states of each function, which includes what the trait requires. This holds for
// every block below; the nodes are those that the port returned.
unsafe impl ReservedMemory for RtThread {
    fn shared_pool_node(&self, index: usize) -> Option<Result<SharedPoolNode, SharedPoolNodeError>> {
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
        // SAFETY: the port accepts every index, and writes to the pool only.
        match unsafe { rt_dma_port_shared_pool(index, &mut pool) } {
            RT_DMA_PORT_FOUND => Some(Ok(SharedPoolNode {
                // SAFETY: it is the address of a node, which stays.
                id: unsafe { SharedPoolId::new(pool.node.expose_provenance()) },
                // SAFETY: the port returns the name of a node, which stays.
                name: unsafe { Name::from_ptr(pool.name) },
                range: (pool.has_reg != 0).then_some((pool.start, pool.end)),
                size: pool.size,
                alignment: pool.alignment,
                is_no_map: pool.no_map != 0,
                is_reusable: pool.reusable != 0,
                is_default: pool.is_default != 0,
            })),
            RT_DMA_PORT_END => None,
            RT_DMA_PORT_NO_HEAP => Some(Err(SharedPoolNodeError::NoMemory)),
            RT_DMA_PORT_NO_TREE => Some(Err(SharedPoolNodeError::NoTree)),
            // `RT_DMA_PORT_BAD_NODE`. The nodes after this one are read in any case.
            _ => Some(Err(SharedPoolNodeError::BadNode)),
        }
    }

    fn alloc_range(&self, id: SharedPoolId, index: usize) -> Option<AllocRange> {
        let (mut start, mut size) = (0, 0);
        // SAFETY: the port returned the node, and writes to the two numbers only.
        match unsafe { rt_dma_port_alloc_range(pointer(id.number()), index, &mut start, &mut size) } {
            RT_DMA_PORT_FOUND => Some(AllocRange { start, size }),
            _ => None,
        }
    }

    fn boot_memory(&self, index: usize) -> Option<(Pa, Pa)> {
        entry(rt_dma_port_boot_memory, index)
    }

    fn boot_reserved(&self, index: usize) -> Option<(Pa, Pa)> {
        entry(rt_dma_port_boot_reserved, index)
    }

    fn kernel_uses(&self, pa: Pa) -> bool {
        // SAFETY: the port accepts every address.
        unsafe { rt_dma_port_kernel_uses(pa) != 0 }
    }

    fn reserve(&self, node: &SharedPoolNode, start: Pa, end: Pa) -> bool {
        // SAFETY: the port returned the node.
        unsafe { rt_dma_port_reserve(pointer(node.id.number()), start, end, node.is_no_map.into()) == 0 }
    }
}
