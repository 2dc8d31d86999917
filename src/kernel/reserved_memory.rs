//! What installing the shared pools of `/reserved-memory` needs from a kernel beyond [`Kernel`]: the nodes, and what the
//! boot allocator (memblock) still holds. All of it is a *thread*'s, at boot.

use super::{Entry, Kernel, Name, Pa};

/// A child of `/reserved-memory` with `compatible = "shared-dma-pool"`, as its node describes it
/// (Linux `Documentation/devicetree/bindings/reserved-memory/shared-dma-pool.yaml`).
#[derive(Clone, Copy, Debug)]
pub struct SharedPool {
    /// The node, as the kernel knows it.
    pub node: usize,
    /// The node's name, which stays.
    pub name: Name,
    /// `reg`: first byte, and one past the last. `None` if the memory is to be chosen.
    pub range: Option<(Pa, Pa)>,
    /// `size`, in bytes; zero if there is none.
    pub size: u64,
    /// `alignment`, in bytes; zero if there is none.
    pub alignment: u64,
    /// `no-map`: never mapped linearly.
    pub no_map: bool,
    /// `reusable`: others may use it while its devices do not.
    pub reusable: bool,
    /// `linux,cma-default`: everyone's.
    pub is_default: bool,
}

/// A kernel that has a device tree, and a boot allocator behind it.
///
/// # Safety
///
/// Memory that [`reserve`](ReservedMemory::reserve) reserved is given to no one else by the kernel.
#[allow(unsafe_code)]
pub unsafe trait ReservedMemory: Kernel {
    /// Shared pool `index`, of those that are not disabled, in the tree's order. `None` where there is no device tree,
    /// or it has not been read yet.
    fn shared_pool(&self, index: usize) -> Option<Entry<SharedPool>>;
    /// Entry `index` of the node's `alloc-ranges`: first byte and size.
    fn alloc_range(&self, node: usize, index: usize) -> Entry<(u64, u64)>;
    /// Entry `index` of the memory that the boot allocator knows, first byte and one past the last; hot-pluggable and
    /// unmapped memory is [`Unreadable`](Entry::Unreadable). [`End`](Entry::End) also where there is no boot allocator.
    fn boot_memory(&self, index: usize) -> Entry<(Pa, Pa)>;
    /// Entry `index` of what of that is reserved, in use or not.
    fn boot_reserved(&self, index: usize) -> Entry<(Pa, Pa)>;
    /// Whether the page allocator has this page already.
    fn is_paged(&self, pa: Pa) -> bool;
    /// Has the boot allocator reserve `[start, end)`, whole pages, for the node, which from then on has it as its `reg`.
    /// False, and nothing is changed, if that cannot be.
    fn reserve(&self, pool: &SharedPool, start: Pa, end: Pa) -> bool;
}
