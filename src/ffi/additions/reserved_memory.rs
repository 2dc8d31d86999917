//! `rt_dma_reserved_memory_install`.

use crate::abi::rt_err_t;
use crate::additions::reserved_memory::ReservedError;
use crate::error::Error;
use crate::ffi::DMA;
use crate::ffi::status::{errors, status};

/// @brief Installs the default pool of `/reserved-memory`, and reserves memory for its `shared-dma-pool` nodes that
/// have no `reg`.
///
/// - A node with `linux,cma-default` and `reusable` becomes a pool for every device, after the pools that are installed
///   already.
/// - A node without `reg` gets the lowest free memory of memblock that fits its `size`, `alignment` and `alloc-ranges`.
///   Memblock reserves the memory under the node's name, and its place becomes the node's `reg`, so that a device's
///   `memory-region` finds it.
/// - A node with `reg` and without `linux,cma-default` becomes a pool at the first call of a device whose
///   `memory-region` refers to it. This function only checks it: its error is returned as that of any other node.
///
/// A board calls this function after `rt_fdt_unflatten` and `rt_dma_pool_extract`, and before a device that names such
/// a node allocates memory. A second call leaves the nodes that are served as they are, and tries the others again.
///
/// Memblock holds memory only until `rt_memblock_setup_memory_environment`. An unedited RT-Thread calls that function
/// before `rt_fdt_unflatten`, so that a node without `reg` is refused. Give such a node a `reg` in the device tree, or
/// change the boot code so that it calls `rt_dma_pool_extract`, then `rt_fdt_unflatten`, then this function, all before
/// `rt_memblock_setup_memory_environment`.
///
/// If more than one node cannot be served, the error is that of the first. The other nodes are served. Each refused
/// node has a line in the log.
///
/// @code{.c}
/// if (rt_dma_reserved_memory_install() != RT_EOK)
/// {
///     rt_kprintf("a shared-dma-pool is not served\n");
/// }
/// @endcode
///
/// @retval RT_EOK Every node is served, or there is none.
/// @retval -RT_EINVAL A property of a node is wrong, or does not fit another one. Or the node's memory holds no whole
/// page, overlaps a pool, is used by the kernel, or is memory of memblock that memblock has not reserved.
/// @retval -RT_EEMPTY Memblock has no free memory that fits, or has handed its memory over to the page allocator.
/// @retval -RT_ENOMEM There is no memory for the bookkeeping; or for a node without `reg`, memblock refuses to reserve
/// the memory, or its address or size does not fit in the cells of a `reg`.
/// @retval -RT_ENOSYS There is no device tree, or `rt_fdt_unflatten` has not read it yet.
/// @retval -RT_EBUSY The caller may not sleep, or another thread is uninstalling the pool of a node.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub extern "C" fn rt_dma_reserved_memory_install() -> rt_err_t {
    let errors = errors();
    match DMA.install_reserved() {
        Ok(()) => errors.ok,
        Err(ReservedError::NoTree) => errors.nosys,
        Err(ReservedError::NoRoom) => errors.empty,
        // Unlike in `status`, a pool that covers a part of the memory is a mistake of the node.
        Err(ReservedError::BadNode | ReservedError::DefaultNotReusable | ReservedError::Install(Error::Overlap)) => {
            errors.inval
        }
        Err(ReservedError::Install(error)) => status(Err(error)),
    }
}
