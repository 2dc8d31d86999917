//! Direct mappings: the device sees the driver's own buffer, and no record is kept, because the handle alone leads back to
//! the buffer. It lies outside the pools, at its linear address.

use core::sync::atomic::{
    AtomicUsize,
    Ordering::{AcqRel, Acquire},
};

use super::records::Claim;
use super::{AtUnmap, BadMapping, Direction, Mapping, Master, Streaming, fills_lines, physical};
use crate::dropin::registry::Dma;
use crate::kernel::{Kernel, Pa};
use crate::mem::cache;

/// Which pools were installed before the first direct mapping was made.
///
/// A mapping of an early pool's memory always has a record. A later pool may have been installed over memory that was
/// mapped directly, and has no record of that.
pub(super) struct EarlyPools {
    /// How many pools there were then; [`NOT_YET`] before. The list of pools only grows.
    count: AtomicUsize,
}

/// No direct mapping was made yet: every pool is early.
const NOT_YET: usize = usize::MAX;

impl EarlyPools {
    pub const fn new() -> Self {
        EarlyPools { count: AtomicUsize::new(NOT_YET) }
    }

    fn count(&self) -> usize {
        self.count.load(Acquire)
    }

    /// Notes that the first direct mapping is made.
    #[cold]
    fn end<K: Kernel>(&self, dma: &Dma<K>) {
        self.count.fetch_min(dma.pools().count(), AcqRel);
    }
}

impl<K: Kernel> Streaming<K> {
    /// Whether a mapping of the memory at `pa` can be a direct one: [`direct`](Streaming::direct) finds it again.
    pub(super) fn is_found_again(&self, dma: &Dma<K>, mapping: &Mapping, pa: Pa) -> bool {
        let leads_back = mapping.master.pa_of(dma, mapping.handle) == Some(pa) && dma.kernel.linear(pa) == mapping.va;
        let is_outside = || dma.covering(pa, pa.saturating_add(mapping.size)).is_none();
        if !leads_back {
            return false;
        }
        // Before the look at the pools, so that whatever pool is not seen there counts as a later one.
        let is_first = self.early_pools.count() == NOT_YET;
        if !is_outside() {
            return false;
        }
        if is_first {
            self.early_pools.end(dma);
            return is_outside();
        }
        true
    }

    /// The mapping that a claim tells of, or a part of it, if it can be a direct one. Its size and direction are the claim's.
    pub(super) fn direct(&self, dma: &Dma<K>, master: &Master, claim: &Claim) -> Option<Mapping> {
        let &Claim { handle, size, direction, .. } = claim;
        let kernel = dma.kernel;
        let pa = master.pa_of(dma, handle)?;
        let va = kernel.linear(pa);
        va.checked_add(size.checked_sub(1)?)?;
        let end = pa.saturating_add(size);
        let mut early = dma.pools().take(self.early_pools.count());
        if early.any(|pool| pa < pool.end() && pool.start() < end) || physical(kernel, va, size) != Some((pa, true)) {
            return None;
        }
        let maintain = !master.is_coherent(kernel);
        Some(Mapping { master: *master, handle, size, direction, va, maintain, bounce: None, taken_in: None })
    }

    /// Ends a direct mapping, whose size and direction only the caller knows.
    ///
    /// Where they are wrong for certain, or the memory is a pool's by now, the lines are written back before they are
    /// dropped: the bytes arrive, and what others may have in these lines is not lost.
    pub(super) fn unmap_direct(
        &self,
        dma: &Dma<K>,
        master: &Master,
        claim: &Claim,
        how: AtUnmap,
    ) -> Result<(), BadMapping> {
        let kernel = dma.kernel;
        let mapping = self.direct(dma, master, claim).ok_or(BadMapping::Unknown)?;
        let result = if claim.direction == Direction::Neither {
            Err(BadMapping::WrongDirection)
        } else if mapping.maintain && claim.direction.device_writes() && !fills_lines(kernel, mapping.va, mapping.size)
        {
            // A buffer that the device writes is mapped directly only if it fills its lines.
            Err(BadMapping::WrongSize)
        } else {
            Ok(())
        };
        let is_pools = || !super::is_outside(dma, master, claim.handle, claim.size);
        if result.is_ok() && !is_pools() {
            mapping.take_back(kernel, how);
        } else if mapping.maintain && how == AtUnmap::Sync && claim.direction != Direction::ToDevice {
            kernel.device_barrier();
            cache::flush_and_drop(kernel, mapping.va, mapping.size);
        }
        result
    }
}
