//! The limits for the segments of a device's transfers (Linux `Documentation/core-api/dma-api.rst`, part Ia).
//!
//! A driver sets the limits, and the code that builds its scatter lists reads them. Only the alignment mask has an
//! effect in this library: a bounce buffer keeps these bits of the address that it replaces.

use crate::additions::device::DeviceRecords;
use crate::error::Error;
use crate::kernel::{Device, Kernel};

/// The limits of a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The maximum number of bytes in a segment.
    pub max_segment: usize,
    /// No segment crosses a multiple of this number plus one: 0xffff for 64 KiB.
    pub boundary_mask: usize,
    /// The low bits of an address that a bounce buffer keeps.
    pub align_mask: usize,
}

impl Limits {
    /// The limits of a device for which none were set. They are the defaults of Linux.
    pub const DEFAULT: Limits = Limits { max_segment: 65536, boundary_mask: usize::MAX, align_mask: 0 };
}

impl<K: Kernel> DeviceRecords<K> {
    /// Returns the device's limits.
    ///
    /// Context: any.
    pub fn limits(&self, device: Device) -> Limits {
        self.with_record(device, |record| record.limits).unwrap_or(Limits::DEFAULT)
    }

    /// Changes the device's limits.
    ///
    /// Context: any if the device has a record already; otherwise thread.
    ///
    /// # Errors
    /// [`NoMemory`](Error::NoMemory) if the heap has no room for a record; [`Context`](Error::Context) if one is needed
    /// and the caller may not sleep. Nothing is changed.
    pub fn set_limits(&self, device: Device, change: impl FnOnce(&mut Limits)) -> Result<(), Error> {
        self.with_record_or_new(device, |record| change(&mut record.limits))?;
        if self.kernel.can_sleep() {
            self.free_unneeded(device);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::testing::HeapOnly;

    #[test]
    fn limits_are_kept_until_the_device_is_released() {
        let records = DeviceRecords::new(HeapOnly);
        let (device, other) = (Device::at(0x1000), Device::at(0x2000));
        assert_eq!(records.limits(device), Limits::DEFAULT);
        records.set_limits(device, |limits| limits.max_segment = 4096).unwrap();
        records.set_limits(device, |limits| limits.align_mask = 0xfff).unwrap();
        let set = Limits { max_segment: 4096, align_mask: 0xfff, ..Limits::DEFAULT };
        assert_eq!((records.limits(device), records.limits(other)), (set, Limits::DEFAULT));
        records.forget_masks_and_limits(device);
        assert_eq!(records.limits(device), Limits::DEFAULT);
        // Another device at the address has none of them.
        records.set_limits(device, |limits| limits.boundary_mask = 0xffff).unwrap();
        records.forget_earlier_device(device, || true);
        assert_eq!(records.limits(device), Limits::DEFAULT);
    }
}
