//! `/reserved-memory`, and the memory of the boot allocator.

use super::{FakeKernel, Machine, PAGE, Service};
use rt_dma_pool::kernel::Pa;
use rt_dma_pool::kernel::reserved_memory::{self, AllocRange, ReservedMemory, SharedPoolId, SharedPoolNodeError};
use rt_dma_pool::log::Name;
use std::ops::Range;

/// A child of `/reserved-memory`.
#[derive(Clone, Debug)]
pub struct SharedPoolNode {
    pub range: Option<(Pa, Pa)>,
    pub size: u64,
    pub alignment: u64,
    pub is_no_map: bool,
    pub is_reusable: bool,
    pub is_default: bool,
    pub alloc_ranges: Vec<(u64, u64)>,
    pub is_readable: bool,
}

impl SharedPoolNode {
    /// Makes a node with `reg`.
    pub fn fixed(start: Pa, size: usize) -> Self {
        let mut node = Self::without_reg(size);
        node.range = Some((start, start + size));
        node
    }

    /// Makes a node with `size` and without `reg`.
    pub fn without_reg(size: usize) -> Self {
        SharedPoolNode {
            range: None,
            size: size as u64,
            alignment: 0,
            is_no_map: false,
            is_reusable: false,
            is_default: false,
            alloc_ranges: Vec::new(),
            is_readable: true,
        }
    }

    /// Returns what the library reads of the node. As in the port, a node with a place has no size and no alignment.
    fn properties(&self, index: usize) -> reserved_memory::SharedPoolNode {
        let SharedPoolNode { range, is_no_map, is_reusable, is_default, .. } = *self;
        let (size, alignment) = if range.is_some() { (0, 0) } else { (self.size, self.alignment) };
        let name = Name::of(c"shared");
        // SAFETY: the fake kernel finds a node by its index.
        let id = unsafe { SharedPoolId::new(index) };
        reserved_memory::SharedPoolNode { id, name, range, size, alignment, is_no_map, is_reusable, is_default }
    }

    pub fn within(mut self, ranges: &[(u64, u64)]) -> Self {
        self.alloc_ranges = ranges.to_vec();
        self
    }

    pub fn aligned(mut self, alignment: u64) -> Self {
        self.alignment = alignment;
        self
    }

    pub fn no_map(mut self) -> Self {
        self.is_no_map = true;
        self
    }

    pub fn reusable(mut self) -> Self {
        self.is_reusable = true;
        self
    }

    /// Adds `linux,cma-default`: every device is served from the node's memory.
    pub fn default_pool(mut self) -> Self {
        self.is_default = true;
        self
    }
}

/// The state that boot code left.
#[derive(Debug, Default)]
pub struct BootMemory {
    /// `None` represents a kernel that has not unflattened its tree.
    pub nodes: Option<Vec<SharedPoolNode>>,
    /// Memblock's memory; `None` represents memory with a flag.
    pub memory: Vec<Option<Range<Pa>>>,
    pub reserved: Vec<Range<Pa>>,
    /// The memory of the page allocator.
    pub paged: Vec<Range<Pa>>,
}

impl Machine {
    pub fn set_boot(&self, boot: BootMemory) {
        self.kernel.records().boot = boot;
    }

    pub fn with_boot<T>(&self, look: impl FnOnce(&mut BootMemory) -> T) -> T {
        look(&mut self.kernel.records().boot)
    }

    /// Returns the ranges of all nodes.
    pub fn places(&self) -> Vec<Option<(Pa, Pa)>> {
        self.with_boot(|boot| boot.nodes.iter().flatten().map(|node| node.range).collect())
    }
}

// SAFETY: reserved memory is recorded, and not allocated to other code.
unsafe impl ReservedMemory for FakeKernel {
    fn shared_pool_node(&self, index: usize) -> Option<Result<reserved_memory::SharedPoolNode, SharedPoolNodeError>> {
        self.begin_sleeping("shared_pool_node");
        let records = self.records();
        let Some(nodes) = &records.boot.nodes else { return Some(Err(SharedPoolNodeError::NoTree)) };
        let node = nodes.get(index)?;
        Some(if node.is_readable { Ok(node.properties(index)) } else { Err(SharedPoolNodeError::BadNode) })
    }

    fn alloc_range(&self, id: SharedPoolId, index: usize) -> Option<AllocRange> {
        self.begin_sleeping("alloc_range");
        let records = self.records();
        let ranges = records.boot.nodes.as_ref().map(|nodes| &nodes[id.number()].alloc_ranges);
        ranges.and_then(|ranges| ranges.get(index)).map(|&(start, size)| AllocRange { start, size })
    }

    fn boot_memory(&self, index: usize) -> Option<(Pa, Pa)> {
        self.begin_sleeping("boot_memory");
        let records = self.records();
        records.boot.memory.get(index).map(|range| range.as_ref().map_or((0, 0), |range| (range.start, range.end)))
    }

    fn boot_reserved(&self, index: usize) -> Option<(Pa, Pa)> {
        self.begin_sleeping("boot_reserved");
        let records = self.records();
        records.boot.reserved.get(index).map(|range| (range.start, range.end))
    }

    fn kernel_uses(&self, pa: Pa) -> bool {
        self.begin_sleeping("kernel_uses");
        self.records().boot.paged.iter().any(|range| range.contains(&pa))
    }

    fn reserve(&self, node: &reserved_memory::SharedPoolNode, start: Pa, end: Pa) -> bool {
        self.begin_sleeping("reserve");
        // memblock writes to the log when it has no entry left.
        self.assert_nothing_held();
        if self.count_and_check_failure(Service::Reserve) {
            return false;
        }
        assert!(start < end && start.is_multiple_of(PAGE) && end.is_multiple_of(PAGE));
        let boot = &mut self.records().boot;
        for range in boot.reserved.iter().chain(&boot.paged) {
            assert!(end <= range.start || range.end <= start, "[{start:#x}, {end:#x}) is not free");
        }
        assert!(boot.memory.iter().flatten().any(|range| range.start <= start && end <= range.end), "there is no RAM");
        boot.reserved.push(start..end);
        let node = &mut boot.nodes.as_mut().unwrap()[node.id.number()];
        assert_eq!(node.range.replace((start, end)), None, "it has a place");
        true
    }
}
