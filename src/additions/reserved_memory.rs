//! The shared pools of `/reserved-memory` (Linux `Documentation/devicetree/bindings/reserved-memory/`,
//! `reserved-memory.yaml` and `shared-dma-pool.yaml`).
//!
//! A node with a fixed place becomes a pool at the first call of a device that refers to it in `memory-region`
//! (`claim_regions`). This file does the rest: it installs the pool that serves every device, and chooses memory for
//! the nodes without a fixed place.

use crate::dropin::pool::{Origin, PoolSpec, Region, log_reserved};
use crate::dropin::registry::Dma;
use crate::error::Error;
use crate::kernel::reserved_memory::{AllocRange, ReservedMemory, SharedPoolId, SharedPoolNode, SharedPoolNodeError};
use crate::kernel::{NamedRegion, PAGE_SIZE, Pa};
use crate::log::{Line, Name};
use crate::text::{Text, separate_cstr, text};

/// Why a node is not served. The other nodes are served all the same. `rt_dma_reserved_memory_install` has the result
/// for C of each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReservedError {
    /// There is no device tree, or it has not been read yet.
    NoTree,
    /// A property is wrong: it cannot be read, `size` is zero or more than the processor can address, or `alignment` is
    /// not a power of two.
    BadNode,
    /// The node has `linux,cma-default`, and not `reusable`, which the former requires.
    DefaultNotReusable,
    /// The boot allocator has no free memory that fits, or has handed its memory over to the page allocator.
    NoRoom,
    /// The reason for which a call that installs a pool is refused.
    Install(Error),
}

impl From<Error> for ReservedError {
    fn from(error: Error) -> Self {
        ReservedError::Install(error)
    }
}

impl<K: ReservedMemory> Dma<K> {
    /// Chooses and reserves memory for those shared pools whose nodes have no fixed place, and installs the one for
    /// every device. If one node cannot be served, a line is written to the log, and the other nodes are served.
    /// Returns the first error. A second call leaves the nodes that are served as they are, and tries the others again.
    ///
    /// Context: thread, at boot.
    pub fn install_reserved(&self) -> Result<(), ReservedError> {
        if !self.may_sleep_or_count() {
            return Err(Error::Context.into());
        }
        let _reserving = self.reserving.lock(self.kernel);
        let mut result = Ok(());
        let nodes = (0..).map_while(|index| self.kernel.shared_pool_node(index));
        for (index, node) in nodes.enumerate() {
            let served = self.serve(index, node);
            if served == Err(ReservedError::NoTree) {
                return served;
            }
            result = result.and(served);
        }
        result
    }

    /// Serves what the kernel read as node `index`. Writes a line to the log if the node cannot be served, but none if
    /// there is no tree.
    fn serve(&self, index: usize, node: Result<SharedPoolNode, SharedPoolNodeError>) -> Result<(), ReservedError> {
        match node {
            Ok(node) => self.install_shared(&node).inspect_err(|error| self.refuse_shared(&node, *error)),
            Err(SharedPoolNodeError::NoTree) => Err(ReservedError::NoTree),
            Err(SharedPoolNodeError::BadNode) => {
                self.refuse_unread(text!("shared-dma-pool %lu cannot be read", index));
                Err(ReservedError::BadNode)
            }
            Err(SharedPoolNodeError::NoMemory) => {
                self.refuse_unread(text!("shared-dma-pool %lu: out of memory", index));
                Err(Error::NoMemory.into())
            }
        }
    }

    /// Counts a node that the kernel could not read, and writes a line to the log.
    fn refuse_unread(&self, text: Text) {
        self.refuse_line(&Line::about(Name::of(separate_cstr!("reserved-memory")), text));
    }

    /// Serves one node: chooses and reserves memory if the node has no fixed place, and installs the pool if it is the
    /// one for every device.
    fn install_shared(&self, node: &SharedPoolNode) -> Result<(), ReservedError> {
        if node.is_no_map && node.is_reusable {
            return Err(Error::NoMapAndReusable.into());
        }
        if node.is_default && !node.is_reusable {
            return Err(ReservedError::DefaultNotReusable);
        }
        let (start, end) = match node.range {
            Some((start, end)) if self.may_use_any(start, end) => return Err(Error::NotReserved.into()),
            Some(range) => range,
            None => self.reserve(node)?,
        };
        let region = Region { start, end, name: node.name };
        if node.is_default {
            return self.install_default(region);
        }
        if node.range.is_none() {
            log_reserved(self.kernel, region.name, start, end);
        }
        Ok(())
    }

    /// Installs the pool for every device, unless a device has installed it. A device whose node refers to the region
    /// is served from this pool first, and shares it with the others. If the install fails, the memory stays reserved
    /// for the node, and the next call installs the pool.
    fn install_default(&self, region: Region) -> Result<(), ReservedError> {
        let turn = self.installing.take(self.kernel).ok_or(Error::Context)?;
        let Region { start, end, .. } = region;
        let node = NamedRegion { start, end, is_no_map: false, is_reusable: true, serves_every_device: true };
        let is_installed = self.pools().any(|pool| pool.has_region(&node) && !pool.has_begun_uninstall());
        // If a pool of the same memory does not serve every device, or is being uninstalled, the install is refused,
        // because pools never overlap.
        if !is_installed {
            self.install_and_end_turn(turn, &PoolSpec { origin: Origin::Region, ..PoolSpec::of(region) })?;
        }
        Ok(())
    }

    /// Reserves the lowest memory for a node without a fixed place: of its size and alignment, within its
    /// `alloc-ranges`, in whole pages, and without an owner. Returns where it begins and ends.
    fn reserve(&self, node: &SharedPoolNode) -> Result<(Pa, Pa), ReservedError> {
        let size = match usize::try_from(node.size).map(|size| size.checked_next_multiple_of(PAGE_SIZE)) {
            Ok(Some(size)) if size != 0 => size,
            _ => return Err(ReservedError::BadNode),
        };
        let alignment = match usize::try_from(node.alignment) {
            Ok(0) => PAGE_SIZE,
            Ok(alignment) if alignment.is_power_of_two() => alignment.max(PAGE_SIZE),
            _ => return Err(ReservedError::BadNode),
        };
        let memory = (0..).map_while(|index| self.kernel.boot_memory(index));
        let lowest = memory.filter_map(|memory| self.lowest_in_ranges(node.id, memory, size, alignment)).min();
        let start = lowest.ok_or(ReservedError::NoRoom)?;
        let end = start.checked_add(size).ok_or(ReservedError::NoRoom)?;
        // No turn is held here: memblock writes to the log when it has no entry left.
        if self.kernel.reserve(node, start, end) { Ok((start, end)) } else { Err(Error::NoMemory.into()) }
    }

    /// Returns the lowest place within `memory` and one of the `alloc-ranges` of the node with this
    /// [`id`](SharedPoolNode::id); within `memory` alone if the node has no such property.
    fn lowest_in_ranges(&self, id: SharedPoolId, memory: (Pa, Pa), size: usize, alignment: usize) -> Option<Pa> {
        let (from, to) = memory;
        if self.kernel.alloc_range(id, 0).is_none() {
            return self.lowest_between(from, to, size, alignment);
        }
        let ranges = (0..).map_while(|index| self.kernel.alloc_range(id, index));
        let place = |range: AllocRange| {
            // A range that begins beyond the processor's highest address holds none of its memory.
            let start = usize::try_from(range.start).ok()?;
            let range_end = start.saturating_add(usize::try_from(range.size).unwrap_or(usize::MAX));
            self.lowest_between(from.max(start), to.min(range_end), size, alignment)
        };
        ranges.filter_map(place).min()
    }

    /// Returns the lowest place in `[from, to)` for `size` bytes at this alignment, of which no part has an owner.
    fn lowest_between(&self, from: Pa, to: Pa, size: usize, alignment: usize) -> Option<Pa> {
        // No pool contains physical page 0.
        let mut start = from.max(1).checked_next_multiple_of(alignment)?;
        loop {
            let end = start.checked_add(size).filter(|end| *end <= to)?;
            match self.owned_until(start, end) {
                Some(owned_end) => start = owned_end.checked_next_multiple_of(alignment)?,
                None => return Some(start),
            }
        }
    }

    /// Returns the end of memory that has an owner and overlaps `[start, end)`; `None` if no such memory does.
    fn owned_until(&self, start: Pa, end: Pa) -> Option<Pa> {
        let mut reserved = (0..).map_while(|index| self.kernel.boot_reserved(index));
        if let Some((_, to)) = reserved.find(|(from, to)| start < *to && *from < end) {
            return Some(to);
        }
        if let Some(pool) = self.pool_touching(start, end) {
            return Some(pool.end());
        }
        // Once the boot allocator has handed over its memory, what it has not reserved may be in use, so the kernel is
        // also asked for each page. The last page that it uses is looked for, so that the search continues after all
        // pages that it uses.
        let last = (start..end).step_by(PAGE_SIZE).rev().find(|page| self.kernel.kernel_uses(*page))?;
        last.checked_add(PAGE_SIZE)
    }

    /// Returns whether the kernel uses a page of `[start, end)`, or may use one later, because the boot allocator knows
    /// the memory and has not reserved it: the page allocator gets such memory. The range may end within a page. No
    /// pool contains that page, so the kernel need not be asked about it.
    fn may_use_any(&self, start: Pa, end: Pa) -> bool {
        let mut memory = (0..).map_while(|index| self.kernel.boot_memory(index));
        memory.any(|(from, to)| {
            let (from, to) = (start.max(from), end.min(to));
            !self.is_reserved(from, to) || (from..to).step_by(PAGE_SIZE).any(|page| self.kernel.kernel_uses(page))
        })
    }

    /// Returns whether entries of the boot allocator's list of reserved memory contain all bytes of `[start, end)`.
    fn is_reserved(&self, mut start: Pa, end: Pa) -> bool {
        while start < end {
            let mut reserved = (0..).map_while(|index| self.kernel.boot_reserved(index));
            let Some((_, to)) = reserved.find(|(from, to)| (*from..*to).contains(&start)) else { return false };
            start = to;
        }
        true
    }

    /// Writes a line to the log that states why a node is not served.
    fn refuse_shared(&self, node: &SharedPoolNode, error: ReservedError) {
        let reason = match error {
            // `NoTree` does not occur: `serve` has returned it before.
            ReservedError::NoTree | ReservedError::BadNode => separate_cstr!("a property is wrong"),
            ReservedError::DefaultNotReusable => separate_cstr!("linux,cma-default without reusable"),
            ReservedError::NoRoom => {
                separate_cstr!("memblock has no such memory left: write a reg (docs/moving-a-bsp.md)")
            }
            ReservedError::Install(Error::BadSize) => separate_cstr!("holds no whole page"),
            ReservedError::Install(Error::Overlap) => separate_cstr!("overlaps a pool"),
            ReservedError::Install(Error::NotReserved) => separate_cstr!("the kernel has not reserved this memory"),
            ReservedError::Install(Error::NoMemory) => separate_cstr!("out of memory"),
            ReservedError::Install(error) => error.reason(),
        };
        let text = match node.range {
            Some((start, end)) => text!("shared-dma-pool [0x%lx, 0x%lx): %s", start, end, reason),
            // Short, so that a console buffer of 128 bytes does not cut the longest reason. A size that has more bits
            // than an address is shown as the largest.
            None => text!("%lu bytes: %s", usize::try_from(node.size).unwrap_or(usize::MAX), reason),
        };
        self.refuse_line(&Line::about(node.name, text));
    }
}
