//! Ending the mappings of a device that is gone.

use super::{Mapping, Ops, Streaming};
use crate::dropin::registry::Dma;
use crate::kernel::{Device, Kernel};

impl<K: Kernel> Streaming<K> {
    /// Ends the mappings that an earlier device at this address left, as far as they have a record, if `is_new` returns true
    /// because the present device has no operations yet. Returns their number.
    ///
    /// Their buffers are left alone: the memory may have another owner by now. Their bounce buffers are freed, except those that
    /// operations of the BSP's own allocated. Only these operations can free them, and `dev->dma_ops` has them no more.
    ///
    /// `is_new` is called with a lock held. A device's operations are stored before its first mapping is recorded. Where a caller
    /// at the same time has recorded a mapping of the present device, `is_new` therefore returns false.
    ///
    /// Context: any.
    pub fn forget(&self, dma: &Dma<K>, device: Device, is_new: impl Fn() -> bool) -> usize {
        let mut ended = 0;
        self.records.take_all(dma.kernel, device, is_new, |mut record| {
            ended += 1;
            if let Some(Mapping { master, bounce, .. }) = &mut record.mapping
                && let Ops::Own(_) = master.ops
            {
                *bounce = None;
            }
            self.free_record(dma, record);
        });
        ended
    }
}
