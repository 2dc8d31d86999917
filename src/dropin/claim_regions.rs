//! Claiming the regions of a device: the reserved memory to which `memory-region` of its device-tree node refers
//! (Linux `Documentation/devicetree/bindings/reserved-memory/reserved-memory.yaml`).

use crate::dropin::map_ops::MapOps;
use crate::dropin::pool::{Origin, Pool, PoolSpec, Region};
use crate::dropin::refusals::NO_NUMBER;
use crate::dropin::registry::Dma;
use crate::error::Error;
use crate::flags::Flags;
use crate::kernel::{Device, Kernel, NamedRegion, Node};
use crate::log::Name;

impl<K: Kernel> Dma<K> {
    /// Makes the device an owner of each region in its node's `memory-region`. A region that no pool covers becomes a
    /// pool. Returns which map operations the node requires: those of the device tree if the device owns such a region,
    /// or if a bus above it has `dma-ranges`; `None` if the node requires none, and without a node.
    ///
    /// Context: any for a device without a node; otherwise thread.
    ///
    /// # Errors
    /// Those after which [the call can be repeated](Error::can_be_repeated): [`Error::Context`] if the device has a
    /// node and the caller may not sleep; [`Error::NoMemory`] if the heap has no room for the pool or the owner of a
    /// region, or for the ranges of the bus; [`Error::Leaving`] if another thread is uninstalling a region. A region
    /// that can never be installed is counted and logged, and the others are claimed.
    pub(crate) fn claim_regions(&self, device: Device) -> Result<Option<MapOps>, Error> {
        let Some(node) = self.kernel.node(device) else { return Ok(None) };
        if !self.may_sleep_or_count() {
            return Err(Error::Context);
        }
        let mut owns_region = false;
        let mut index = 0;
        while let Some(region) = self.kernel.memory_region(device, index) {
            match self.claim_or_refuse(device, node, index, region) {
                Ok(()) => owns_region = true,
                Err(error) if error.can_be_repeated() => return Err(error),
                // The region can never be installed.
                Err(_) => {}
            }
            index += 1;
        }
        if !owns_region && !self.kernel.has_dma_ranges(device) {
            return Ok(None);
        }
        // At the first translation, RT-Thread reads the ranges of the bus into memory of the heap. This translation
        // makes it do so here, where the heap may be called.
        if let Err(error) = self.kernel.bus_range_from(device, 0) {
            self.refuse(error, self.kernel.device_name(device), [0, 0], NO_NUMBER);
            return Err(error);
        }
        Ok(Some(MapOps::DeviceTree))
    }

    /// Makes the device an owner of region `index` of its node. `region` is that region, or the error with which the
    /// kernel could not read it. Counts and logs an error.
    ///
    /// Context: thread.
    fn claim_or_refuse(
        &self,
        device: Device,
        node: Node,
        index: usize,
        region: Result<NamedRegion, Error>,
    ) -> Result<(), Error> {
        let name = self.kernel.device_name(device);
        let addresses = region.map_or([0, 0], |region| [region.start, region.end]);
        region
            .and_then(|region| self.claim(device, node, name, &region))
            .inspect_err(|error| self.refuse(*error, name, addresses, index))
    }

    /// Makes a pool of `region` with the device as first owner. If the region is a pool already, makes the device
    /// another owner of that pool.
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// [`Error::NoMapAndReusable`] if the region is both `no-map` and `reusable`; [`Error::Context`] if the caller may
    /// not sleep; otherwise those of [`prepare_pool`](Self::prepare_pool).
    fn claim(&self, device: Device, node: Node, name: Name, region: &NamedRegion) -> Result<(), Error> {
        if region.is_no_map && region.is_reusable {
            return Err(Error::NoMapAndReusable);
        }
        // The turn of installs is held for one region only, because an error must be logged without it.
        let turn = self.installing.take(self.kernel).ok_or(Error::Context)?;
        let flags = self.region_flags(device, region);
        if let Some(pool) = self.pool_to_share(region) {
            pool.add_owner(device, node)?;
            pool.add_flags(flags & Flags::NOCACHE);
            // A pool that serves every device is installed as one that is not `reusable`: while it has no owner,
            // nothing has to be taken back. From now on it has one.
            pool.set_reusable(region.is_reusable);
            return Ok(());
        }
        // SAFETY: the device and its name stay during this call, and the pool keeps a copy: see `Pool::new`.
        #[allow(unsafe_code)]
        let name = unsafe { Name::from_ptr(name.as_ptr()) };
        let spec = PoolSpec {
            region: Region { start: region.start, end: region.end, name },
            flags,
            origin: Origin::RegionOf(device, node),
            is_reusable: region.is_reusable,
        };
        self.install_and_end_turn(turn, &spec).map(|_| ())
    }

    /// Returns the pool of exactly this region, of which another device can become an owner; `None` if the region has
    /// to be installed. The caller holds the turn of installs.
    fn pool_to_share(&self, region: &NamedRegion) -> Option<&'static Pool<K>> {
        // Pools never overlap. So if a pool was made of exactly this region, `pool_touching` returns that pool. For a
        // pool that is being uninstalled, the install fails with `Leaving`: the call can be repeated.
        let pool = self.pool_touching(region.start, region.end)?;
        (pool.is_memory_region() && pool.has_region(region) && !pool.has_begun_uninstall()).then_some(pool)
    }

    /// Returns the flags of the pool of a region that `device` claims.
    fn region_flags(&self, device: Device, region: &NamedRegion) -> Flags {
        let mut flags = Flags::empty();
        flags.set(Flags::NOMAP, region.is_no_map);
        flags.set(Flags::DEVICE, !region.serves_every_device);
        // A pool that other devices use or borrow does not have this flag: see `flags_for_owned`.
        flags.set(Flags::NOCACHE, !region.is_reusable && self.needs_uncached_region(device));
        flags
    }

    /// Returns whether the device gets uncached memory from its regions whatever the flags of its requests are: it does
    /// not snoop the cache. Without page tables there is only cached memory, and the syncs of the driver maintain it.
    ///
    /// Context: any.
    pub(in crate::dropin) fn needs_uncached_region(&self, device: Device) -> bool {
        !self.kernel.is_coherent(device) && self.kernel.has_page_tables()
    }
}
