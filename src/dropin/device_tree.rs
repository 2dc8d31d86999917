//! A device's own memory: the regions that its node names in `memory-region`
//! (Linux `Documentation/devicetree/bindings/reserved-memory/reserved-memory.yaml`).

use core::sync::atomic::Ordering::Relaxed;

use crate::dropin::pool::{FirstOwner, Pool, Region};
use crate::dropin::registry::Dma;
use crate::error::Error;
use crate::flags::Flags;
use crate::kernel::{Device, Entry, Kernel, NamedRegion};
use crate::log::Name;

/// What a device's device-tree node asks for, as a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub(crate) enum Asked {
    /// Nothing; or there is no node.
    Nothing,
    /// The device-tree operations.
    Operations,
    /// The regions cannot be installed now: the caller may not sleep, the heap has no room, or another thread uninstalls them.
    NotNow,
}

impl<K: Kernel> Dma<K> {
    /// Makes the regions that the device's node names its pools, and returns whether it needs the device-tree operations:
    /// it has such a region, or a bus with `dma-ranges` above it. Context: any without a node; otherwise thread.
    pub(crate) fn claim_regions(&self, device: Device) -> Asked {
        if !self.kernel.has_node(device) {
            self.end_old_claims(device, false);
            return Asked::Nothing;
        }
        if !self.kernel.can_sleep() {
            self.count_refused();
            return Asked::NotNow;
        }
        let name = self.kernel.device_name(device);
        let mut has_ops = false;
        let mut index = 0;
        loop {
            let (claimed, start, end) = match self.kernel.memory_region(device, index) {
                Entry::Found(region) => (self.claim(device, name, &region), region.start, region.end),
                Entry::Refused(error) => (Err(error), 0, 0),
                Entry::Unreadable => (Err(Error::BadReg), 0, 0),
                Entry::End => break,
            };
            match claimed {
                Ok(()) => has_ops = true,
                Err(error) => {
                    self.refuse(error, name, index, start, end);
                    if matches!(error, Error::NoMemory | Error::Leaving) {
                        return Asked::NotNow;
                    }
                }
            }
            index += 1;
        }
        self.end_old_claims(device, true);
        if !has_ops && !self.kernel.has_dma_ranges(device) {
            return Asked::Nothing;
        }
        // RT-Thread reads a bus's ranges into the heap at the first translation: now, where that is allowed.
        let _ = self.kernel.bus_address(device, 0);
        Asked::Operations
    }

    /// Ends the claims of an earlier device at this address: those on regions that the node of the device, if it has one,
    /// does not name. The claims of the device itself stay as they are, so that a second thread which asks for the
    /// operations of the same device takes nothing away from the first. Context: any without a node; otherwise thread.
    fn end_old_claims(&self, device: Device, has_node: bool) {
        for pool in self.pools().filter(|pool| pool.is_claimed_by(device)) {
            if !has_node || !self.names(device, pool) {
                pool.end_claim(device);
            }
        }
    }

    /// Whether the node of the device names the pool's region in `memory-region`. Context: thread.
    fn names(&self, device: Device, pool: &Pool<K>) -> bool {
        let mut index = 0;
        loop {
            match self.kernel.memory_region(device, index) {
                Entry::Found(region) if is_region_of(pool, &region) => return !(region.no_map && region.reusable),
                Entry::End => return false,
                _ => index += 1,
            }
        }
    }

    /// Makes `region` a pool of the device, or lets it share the one that another device made. Context: thread.
    #[inline(always)]
    fn claim(&self, device: Device, name: Name, region: &NamedRegion) -> Result<(), Error> {
        if region.no_map && region.reusable {
            return Err(Error::Conflict);
        }
        // Not longer than for one region: what goes wrong is logged without it.
        let installer = self.installer().ok_or(Error::Context)?;
        let mut flags = Flags::empty();
        flags.set(Flags::NOMAP, region.no_map);
        flags.set(Flags::DEVICE, !region.reusable || !region.is_shared);
        // What others use or borrow stays cached for them: see `flags_for_named`.
        flags.set(Flags::NOCACHE, !region.reusable && !self.kernel.is_coherent(device));

        // A pool is only made where none covers any of its range: of those that do, it is the first.
        if let Some(pool) = self.covering(region.start, region.end)
            && pool.is_memory_region()
            && is_region_of(pool, region)
            && !pool.is_leaving()
        {
            pool.add_owner(device)?;
            pool.add_flags(flags & Flags::NOCACHE);
            return Ok(());
        }
        let wanted = Region { start: region.start, end: region.end, name };
        self.add_pool(&installer, &wanted, flags, FirstOwner::device(device), None)?;
        if region.reusable
            && let Some(pool) = self.covering(region.start, region.end)
        {
            pool.set_reusable();
        }
        Ok(())
    }
}

/// Whether the pool was made of exactly this region.
fn is_region_of<K: Kernel>(pool: &Pool<K>, region: &NamedRegion) -> bool {
    let public = &pool.public;
    public.region_start.load(Relaxed) == region.start && public.region_end.load(Relaxed) == region.end
}
