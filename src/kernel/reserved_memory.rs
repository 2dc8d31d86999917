//! The part of the interface to the operating system that installs the shared pools of `/reserved-memory`: the nodes,
//! and the memory that the boot allocator (memblock) manages. All methods are called at boot.

use super::{Kernel, Pa};
use crate::log::Name;

/// The number by which the kernel identifies a child of `/reserved-memory`; RT-Thread's is the address of the node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SharedPoolId(usize);

impl SharedPoolId {
    /// Makes the identifier of a node that [`shared_pool_node`](ReservedMemory::shared_pool_node) returns.
    ///
    /// # Safety
    /// By this number, the methods of the same kernel find a node, which stays.
    #[allow(unsafe_code)]
    pub const unsafe fn new(number: usize) -> Self {
        SharedPoolId(number)
    }

    /// Returns the number.
    pub const fn number(self) -> usize {
        self.0
    }
}

/// A child of `/reserved-memory` with `compatible = "shared-dma-pool"`
/// (Linux `Documentation/devicetree/bindings/reserved-memory/shared-dma-pool.yaml`).
#[derive(Clone, Copy, Debug)]
pub struct SharedPoolNode {
    /// Which node it is.
    pub id: SharedPoolId,
    /// The node's name.
    pub name: Name<'static>,
    /// `reg`: first byte, and one past the last. `None` if the node has none and memory must be chosen.
    pub range: Option<(Pa, Pa)>,
    /// `size`, in bytes; zero if there is none. With a `range`, it is not used, and need not be read.
    pub size: u64,
    /// `alignment`, in bytes; zero if there is none. As `size`.
    pub alignment: u64,
    /// `no-map`: the memory must never be mapped linearly.
    pub is_no_map: bool,
    /// `reusable`: other devices may use the memory while its own do not.
    pub is_reusable: bool,
    /// `linux,cma-default`: the pool serves every device.
    pub is_default: bool,
}

/// An entry of `alloc-ranges`. It may lie beyond the addresses of this processor.
#[derive(Clone, Copy, Debug)]
pub struct AllocRange {
    /// First byte.
    pub start: u64,
    /// Size in bytes.
    pub size: u64,
}

/// The reason for which a node cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SharedPoolNodeError {
    /// There is no device tree, or it has not been unflattened.
    NoTree,
    /// The node's `reg` cannot be read. The next node may be a good one.
    BadNode,
    /// The heap has no room for what the kernel needs to read the node. The next node may be one that needs nothing.
    NoMemory,
}

/// A kernel that has a device tree and a boot allocator.
///
/// Context of all methods: thread.
///
/// # Safety
///
/// The kernel does not use memory that [`reserve`](ReservedMemory::reserve) reserved, and does not allocate it to other
/// code.
#[allow(unsafe_code)]
pub unsafe trait ReservedMemory: Kernel {
    /// Returns node `index` of those that are not disabled, in the order of the device tree; `None` after the last.
    fn shared_pool_node(&self, index: usize) -> Option<Result<SharedPoolNode, SharedPoolNodeError>>;

    /// Returns entry `index` of the `alloc-ranges` of the node with this [`id`](SharedPoolNode::id); `None` after the
    /// last.
    fn alloc_range(&self, id: SharedPoolId, index: usize) -> Option<AllocRange>;

    /// Returns entry `index` of the boot allocator's memory: first byte, and one past the last; `None` after the last,
    /// and without a boot allocator. For hot-pluggable and unmapped memory the range is empty.
    fn boot_memory(&self, index: usize) -> Option<(Pa, Pa)>;

    /// Returns entry `index` of the boot allocator's reserved memory, in use or not: first byte, and one past the last;
    /// `None` after the last.
    fn boot_reserved(&self, index: usize) -> Option<(Pa, Pa)>;

    /// Returns whether the kernel itself uses the page at `pa`: the page allocator owns it, or it is reserved for the
    /// kernel's image, the heap, the device tree or the initrd.
    fn kernel_uses(&self, pa: Pa) -> bool;

    /// Makes the boot allocator reserve `[start, end)`, which consists of whole pages, for the node, and makes it the
    /// node's `reg`. Returns false, and changes nothing, if this is not possible.
    fn reserve(&self, node: &SharedPoolNode, start: Pa, end: Pa) -> bool;
}
