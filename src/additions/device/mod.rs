//! The records of devices. A record contains the data for which `struct rt_device` has no room: masks, limits, and
//! managed resources.
//!
//! A record is made when a device first has such data, and is freed when it has none any more. It is found by the
//! address of the device. Context: any for the search; thread for making and freeing a record.
//!
//! A record must not exist longer than its device, because another device may get the same address. It ends when the
//! driver releases the device ([`DeviceRecords::release`], [`DeviceRecords::forget_masks_and_limits`]). At the latest,
//! it ends when operations are chosen for a device at that address ([`DeviceRecords::forget_earlier_device`]), because
//! a device without operations is a new one.
//!
//! | file | what it has |
//! | --- | --- |
//! | `mod.rs` | The records of devices. |
//! | `masks.rs` | The masks in the record of a device. |
//! | `masked_tables.rs` | The masks and the original table of each masked table. |
//! | `masked_devices.rs` | The devices that had a mask at any time. No record is searched for the others. |
//! | `reach.rs` | Whether a mask leaves the device any memory of the pools. |
//! | `limits.rs` | The limits in the record of a device. |
//! | `managed.rs`, `resource.rs` | The managed resources in the record of a device. |
//! | `key_counts.rs` | The counters by which a plain call finds out that it is for no managed resource. |

pub(crate) mod key_counts;
pub mod limits;
pub mod managed;
mod masked_devices;
pub mod masked_tables;
pub mod masks;
mod reach;
pub mod resource;

use crate::additions::device::key_counts::KeyCounts;
use crate::additions::device::limits::Limits;
use crate::additions::device::masked_devices::MaskedDevices;
use crate::additions::device::masks::Masking;
use crate::additions::device::resource::{Resource, ResourceState};
use crate::error::Error;
use crate::kernel::{Device, Kernel};
use crate::mem::index::at_or_first;
use crate::mem::list::{Element, List};
use crate::mem::lock::{IrqGuard, IrqLock};

/// Number of lists of records. The address of the device selects the list.
const BUCKETS: usize = 16;

/// The record of one device.
struct DeviceRecord<K: Kernel> {
    /// The device; [`Device::NONE`] if it is gone.
    device: Device,
    /// `None` if the device has no mask, and no call is setting one.
    masking: Option<Masking>,
    /// The limits of a segment of the device's transfers.
    limits: Limits,
    /// The resources that the device manages, the newest first.
    resources: List<K, Resource>,
    /// The number of [reservations](managed::Reservation) for the list.
    reservations: usize,
}

impl<K: Kernel> DeviceRecord<K> {
    /// Removes the masks, the original table, and the limits.
    fn forget_masks_and_limits(&mut self) {
        (self.masking, self.limits) = (None, Limits::DEFAULT);
    }

    /// Returns whether the record has no data.
    fn is_empty(&self) -> bool {
        let has_resources = !self.resources.is_empty() || self.reservations != 0;
        self.masking.is_none() && self.limits == Limits::DEFAULT && !has_resources
    }
}

/// The records of all devices.
pub struct DeviceRecords<K: Kernel> {
    kernel: K,
    /// The counters of managed resources of all devices.
    keys: KeyCounts,
    buckets: [IrqLock<List<K, DeviceRecord<K>>>; BUCKETS],
    /// The devices for which a mask was ever set.
    masked: MaskedDevices,
}

impl<K: Kernel> DeviceRecords<K> {
    /// Makes an empty set of records.
    pub const fn new(kernel: K) -> Self {
        DeviceRecords {
            kernel,
            keys: KeyCounts::new(),
            buckets: [const { IrqLock::new(List::new()) }; BUCKETS],
            masked: MaskedDevices::new(),
        }
    }

    /// Locks the list that has the device's record, if there is one.
    fn bucket(&self, device: Device) -> IrqGuard<'_, K, List<K, DeviceRecord<K>>> {
        // Devices are structures of some hundred bytes: the low bits distinguish few of them.
        let index = (device.address() >> 6 ^ device.address() >> 12) % BUCKETS;
        at_or_first(&self.buckets, index).lock(self.kernel)
    }

    /// Calls `work` with the device's record, under the lock of its list, and returns the result; `None` if there is no
    /// record.
    ///
    /// Context: any.
    fn with_record<T>(&self, device: Device, work: impl FnOnce(&mut DeviceRecord<K>) -> T) -> Option<T> {
        self.bucket(device).find_mut(|record| record.device == device).map(work)
    }

    /// Calls `work` with the record of each device, under the lock of its list, until `work` returns a value. Returns
    /// that value.
    ///
    /// Context: any.
    fn with_each_record<T>(&self, mut work: impl FnMut(&mut DeviceRecord<K>) -> Option<T>) -> Option<T> {
        self.buckets.iter().find_map(|bucket| {
            let mut list = bucket.lock(self.kernel);
            let mut records = list.iter_mut().filter(|record| record.device != Device::NONE);
            records.find_map(&mut work)
        })
    }

    /// Calls `work` as [`with_record`](Self::with_record) does. If there is no record, makes one first.
    ///
    /// Context: any if there is a record; otherwise thread.
    ///
    /// # Errors
    /// [`NoMemory`](Error::NoMemory) if the heap has no room for the record; [`Context`](Error::Context) if the caller
    /// may not sleep.
    fn with_record_or_new<T>(&self, device: Device, work: impl FnOnce(&mut DeviceRecord<K>) -> T) -> Result<T, Error> {
        let is_of_device = |record: &DeviceRecord<K>| record.device == device;
        let mut list = self.bucket(device);
        if let Some(record) = list.find_mut(is_of_device) {
            return Ok(work(record));
        }
        drop(list);
        if !self.kernel.can_sleep() {
            return Err(Error::Context);
        }
        let resources = List::new();
        let record = DeviceRecord { device, masking: None, limits: Limits::DEFAULT, resources, reservations: 0 };
        let mut made = Element::new(self.kernel, record).ok_or(Error::NoMemory)?;
        let mut list = self.bucket(device);
        // Another call may have added a record meanwhile. Then `made` is freed, after the lock is released.
        if let Some(record) = list.find_mut(is_of_device) {
            return Ok(work(record));
        }
        let result = work(&mut made);
        list.push(made);
        Ok(result)
    }

    /// Frees the device's record if it has no data, and all records in the same list whose devices are gone. An earlier
    /// device at this address may be one of these.
    ///
    /// Context: thread.
    fn free_unneeded(&self, device: Device) {
        while let Some(record) = self.take_unneeded(device) {
            drop(record);
        }
    }

    /// Takes out a record that can be freed: that of the device, or one in the same list whose device is gone. The
    /// caller frees it without the lock, because the heap takes a mutex.
    fn take_unneeded(&self, device: Device) -> Option<Element<K, DeviceRecord<K>>> {
        self.bucket(device)
            .take_first(|record| record.device == Device::NONE || record.device == device && record.is_empty())
    }

    /// Removes the masks, the original table and the limits from the device's record.
    ///
    /// Context: thread.
    pub fn forget_masks_and_limits(&self, device: Device) {
        self.with_record(device, DeviceRecord::forget_masks_and_limits);
        self.free_unneeded(device);
    }

    /// Removes the record of an earlier device at this address, if `is_new` returns true because the present device has
    /// no operations yet. Returns the number of the earlier device's resources that were never released. They are not
    /// released now, because the driver that made them may be gone, too. While there is a reservation, the present
    /// device has the record: then only masks and limits are removed, and the result is 0.
    ///
    /// `is_new` is called with the lock held, because two threads may choose operations for the device at the same
    /// time. The first one sets the operations before it makes a record. The second one, if it finds this record,
    /// therefore also finds the operations, and does not remove the record.
    ///
    /// Context: any.
    pub fn forget_earlier_device(&self, device: Device, is_new: impl FnOnce() -> bool) -> usize {
        let lost = self.with_record(device, |record| {
            if !is_new() {
                return 0;
            }
            record.forget_masks_and_limits();
            // A thread is about to add a resource, so the device exists.
            if record.reservations != 0 {
                return 0;
            }
            record.device = Device::NONE;
            for resource in record.resources.iter() {
                self.keys.remove_resource(resource);
            }
            record.resources.iter().filter(|resource| resource.state == ResourceState::Managed).count()
        });
        if self.kernel.can_sleep() {
            self.free_unneeded(device);
        }
        lost.unwrap_or(0)
    }
}
