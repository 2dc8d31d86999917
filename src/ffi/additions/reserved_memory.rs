//! `rt_dma_reserved_memory_install`.

use crate::additions::reserved_memory::ReservedError;
use crate::ffi::DMA;
use crate::ffi::status::errors;

/// Serves those children of the device tree's `/reserved-memory` with `compatible = "shared-dma-pool"` that no device
/// asks for.
///
/// A node with `linux,cma-default` and `reusable` becomes a pool for everyone, behind those that are installed already.
/// A node without `reg` is given the lowest memory that memblock holds free, of its `size`, `alignment` and
/// `alloc-ranges`; memblock reserves it under the node's name, and it becomes the node's `reg`, so that `memory-region`
/// finds it. All other nodes are served by `memory-region` alone.
///
/// To be called after `rt_fdt_unflatten` and `rt_dma_pool_extract`, and before a device that names such a node asks for
/// memory. Memblock holds memory only until `rt_memblock_setup_memory_environment`, which an unedited RT-Thread calls
/// before `rt_fdt_unflatten`: there a node without `reg` is refused. A board writes a `reg`, or calls this before that
/// function in boot code of its own. What is done already is not done again.
///
/// Returns `RT_EOK`, also if there is nothing to do; else what was wrong with the first node that cannot be served, while
/// the others are, with a line in the log for each: `-RT_EINVAL` if its properties do not fit together, it overlaps a
/// pool, or the page allocator owns a part of its `reg`, `-RT_EEMPTY` if memblock has no such memory (any more), `-RT_ENOMEM` without memory for the bookkeeping. And
/// `-RT_ENOSYS` without a device tree, `-RT_EBUSY` in an interrupt. Thread.
#[unsafe(no_mangle)]
pub extern "C" fn rt_dma_reserved_memory_install() -> isize {
    let errors = errors();
    match DMA.install_reserved() {
        Ok(()) => errors.ok,
        Err(ReservedError::NoTree) => errors.nosys,
        Err(ReservedError::Context) => errors.busy,
        Err(ReservedError::BadNode | ReservedError::Overlap | ReservedError::NotReserved) => errors.inval,
        Err(ReservedError::NoRoom) => errors.empty,
        Err(ReservedError::NoMemory) => errors.nomem,
    }
}
