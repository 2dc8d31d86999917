//! What is done between mappings: records and pools are made ready for interrupts, and what mappings left is freed.

use super::recorded::bounce::Bounce;
use super::recorded::mapping::LiveMapping;
use super::{BusMaster, MapError, Ops, Streaming};
use crate::kernel::{Device, Kernel};

impl<K: Kernel> Streaming<'_, K> {
    /// Returns whether [`tidy`](Self::tidy) has nothing to do: there are enough spare records, not too many, and no
    /// bounce buffer is left from an interrupt. Takes no lock.
    ///
    /// Context: any.
    pub(super) fn is_tidy(self) -> bool {
        !self.mappings.spares.needs_thread()
    }

    /// Frees the bounce buffers that interrupts could not free, and allocates spare records, where that is needed and
    /// the caller may sleep.
    ///
    /// Context: any.
    #[inline(always)] // As a function of its own it takes 9 instructions more ("pool").
    pub fn tidy(self) {
        if !self.is_tidy() && self.dma.kernel.can_sleep() {
            self.tidy_in_thread();
        }
    }

    /// Does the work of [`tidy`](Self::tidy).
    ///
    /// Context: thread.
    #[cold]
    fn tidy_in_thread(self) {
        while let Some(record) = self.mappings.spares.take_unfreed(self.dma.kernel) {
            self.free_record(record);
        }
        self.mappings.spares.adjust(self.dma.kernel);
    }

    /// Frees everything that live mappings do not need, so that a test can compare the heap. The next call in a thread
    /// allocates spare records again.
    ///
    /// Context: thread.
    #[cfg(feature = "internals")]
    pub fn trim(self) {
        self.tidy();
        self.mappings.spares.clear(self.dma.kernel);
    }

    /// Makes sure that `count` mappings in an interrupt find a record, and that the pool that serves the device's
    /// bounce buffers is mapped. From then on, each call of a thread allocates spare records up to `count`.
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// * [`NoMemory`](MapError::NoMemory): the heap has no room for the records. As many as before are
    ///   kept ready.
    /// * [`NoBounce`](MapError::NoBounce): no pool within the device's reach has a free page. The records are ready.
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    #[allow(unsafe_code)]
    pub unsafe fn fill(self, master: &BusMaster, count: usize) -> Result<(), MapError> {
        self.tidy();
        if !self.mappings.spares.fill(self.dma.kernel, count) {
            return Err(MapError::NoMemory);
        }
        // SAFETY: the caller guarantees that the device exists.
        if unsafe { Bounce::prepare(self.dma, master) } { Ok(()) } else { Err(MapError::NoBounce) }
    }

    /// Ends the recorded mappings of an earlier device at this address, and returns their number. Direct mappings need
    /// no end, because nothing is kept about them.
    ///
    /// The buffers are left alone: their memory may have another owner by now. The bounce buffers are freed, except
    /// those that operations of the BSP's own allocated: only these operations can free them, and `dev->dma_ops` does
    /// not lead to them any more.
    ///
    /// `is_new` returns whether the present device is new: whether it has no operations yet. A mapping is ended only
    /// if `is_new` returns true; it is called with a lock held. A device's operations are stored before its first
    /// mapping is recorded. So if another call records a mapping of the present device at the same time, `is_new`
    /// returns false once that mapping can be found.
    ///
    /// Context: any.
    pub fn forget_earlier_device(self, device: Device, is_new: impl Fn() -> bool) -> usize {
        let mut ended = 0;
        let is_stale = |mapping: &LiveMapping| mapping.master.device == device && is_new();
        for mut record in self.mappings.records.take_all(self.dma.kernel, &is_stale) {
            ended += 1;
            if let Ops::Bsp(_) = record.master.ops {
                record.bounce = None;
            }
            self.free_record(record);
        }
        ended
    }
}
