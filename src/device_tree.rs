//! A device's own memory: the regions that its node names in `memory-region`
//! (Linux `Documentation/devicetree/bindings/reserved-memory/reserved-memory.yaml`).

use crate::flags::Flags;
use crate::kernel::{Device, Entry, Kernel, Line, NamedRegion};
use crate::map_ops::NotNow;
use crate::pool::Region;
use crate::registry::{Dma, InstallError};

impl<K: Kernel> Dma<K> {
    /// Makes the regions that the device's node names its pools, and says whether it needs the device-tree operations:
    /// it has such a region, or a bus with `dma-ranges` above it. *Thread.*
    pub(crate) fn claim_regions(&self, device: Device) -> Result<bool, NotNow> {
        if !self.kernel.can_sleep() {
            return Err(NotNow);
        }
        let mut claimed = false;
        let mut index = 0;
        loop {
            let result = match self.kernel.memory_region(device, index) {
                Entry::End => break,
                Entry::Unreadable => {
                    self.refuse_region(c"%s: memory-region %lu cannot be read", device, index, None);
                    Ok(())
                }
                Entry::Found(region) => match self.claim_region(device, &region) {
                    Ok(()) => {
                        claimed = true;
                        Ok(())
                    }
                    Err(InstallError::Empty | InstallError::Overlap) => {
                        let format = c"%s: memory-region %lu, [0x%lx, 0x%lx), is empty or overlaps a pool";
                        self.refuse_region(format, device, index, Some(region));
                        Ok(())
                    }
                    Err(InstallError::NoMemory | InstallError::Context) => {
                        let format = c"%s: memory-region %lu, [0x%lx, 0x%lx): out of memory";
                        self.refuse_region(format, device, index, Some(region));
                        Err(NotNow)
                    }
                },
            };
            result?;
            index += 1;
        }
        let has_ops = claimed || self.kernel.has_dma_ranges(device);
        if has_ops {
            // RT-Thread reads a bus's ranges into the heap at the first translation: now, where that is allowed.
            let _ = self.kernel.cpu_to_dma(device, 0);
        }
        Ok(has_ops)
    }

    /// Makes `region` a pool of the device, or lets it share the one that another device made. *Thread.*
    fn claim_region(&self, device: Device, region: &NamedRegion) -> Result<(), InstallError> {
        let installer = self.installer()?;
        let name = self.kernel.device_name(device);
        let wanted = Region { start: region.start, end: region.end, name };
        let mut flags = Flags::empty();
        flags.set(Flags::NOMAP, region.no_map);
        flags.set(Flags::DEVICE, !region.reusable);
        // What strangers use too stays cached for them: see `own_request`.
        flags.set(Flags::NOCACHE, !region.reusable && !self.kernel.is_coherent(device));

        let shared = self.pools().find(|pool| {
            let known = pool.region();
            pool.is_named() && (known.start, known.end) == (region.start, region.end)
        });
        match shared {
            Some(pool) if !pool.share_with(device) => Err(InstallError::NoMemory),
            Some(pool) => {
                pool.add_flags(flags & Flags::NOCACHE);
                Ok(())
            }
            None => {
                let memory = installer.reserve(&wanted)?;
                let pool = installer.link(memory, &wanted, flags, Some(device), !region.no_map)?;
                self.log_reserved(&pool.region());
                Ok(())
            }
        }
    }

    fn refuse_region(
        &self,
        format: &'static core::ffi::CStr,
        device: Device,
        index: usize,
        region: Option<NamedRegion>,
    ) {
        let (start, end) = region.map_or((0, 0), |region| (region.start, region.end));
        let name = self.kernel.device_name(device).shown();
        self.refuse(&Line { format, name, values: [index, start, end, 0, 0] });
    }
}
