//! What the library remembers of a device beyond what `struct rt_device` has room for: its masks, and what it manages.
//!
//! A record is made when there is something to remember, and goes when it says nothing any more. It is found by the
//! device's address, in any context; making one, or letting it go, is a *thread*'s.

use crate::additions::device::managed::Resource;
use crate::additions::device::masks::{Masks, PackedMasks};
use crate::kernel::{Device, Kernel};
use crate::mem::heap::KBox;
use crate::mem::lock::{IrqGuard, IrqLock};

/// Lists that the records are spread over.
const BUCKETS: usize = 16;

/// Why nothing can be remembered of a device now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoRecord {
    /// The heap has no room.
    NoMemory,
    /// The caller may not sleep.
    Context,
}

/// What is remembered of one device.
pub(crate) struct Record<K: Kernel> {
    device: Device,
    pub(crate) masks: PackedMasks,
    /// The table of operations that its masked one stands before, as an address; zero if it has no masked one.
    pub(crate) operations: usize,
    /// What it manages, the newest first.
    pub(crate) resources: Option<KBox<K, Resource<K>>>,
    /// Resources that have been reserved and are not in the list yet.
    pub(crate) reserved: usize,
    next: List<K>,
}

type List<K> = Option<KBox<K, Record<K>>>;

impl<K: Kernel> Record<K> {
    fn says_nothing(&self) -> bool {
        self.masks.unpack() == Masks::NONE && self.operations == 0 && self.resources.is_none() && self.reserved == 0
    }
}

/// The records of all devices.
pub struct DeviceRecords<K: Kernel> {
    pub(crate) kernel: K,
    buckets: [IrqLock<List<K>>; BUCKETS],
}

impl<K: Kernel> DeviceRecords<K> {
    /// No records.
    pub const fn new(kernel: K) -> Self {
        DeviceRecords { kernel, buckets: [const { IrqLock::new(None) }; BUCKETS] }
    }

    fn bucket(&self, device: Device) -> IrqGuard<'_, K, List<K>> {
        // Devices are structures of some hundred bytes: the low bits say little.
        let index = (device.0 >> 6 ^ device.0 >> 12) % BUCKETS;
        let [first, ..] = &self.buckets;
        self.buckets.get(index).unwrap_or(first).lock(self.kernel)
    }

    /// What `look` sees in the device's record, if there is one. Any context; `look` runs under the lock.
    pub(crate) fn find<T>(&self, device: Device, look: impl FnOnce(&mut Record<K>) -> T) -> Option<T> {
        let mut list = self.bucket(device);
        record_in(&mut list, device).map(look)
    }

    /// The same, and makes the record if there is none: any context if there is one, else *thread*.
    pub(crate) fn find_or_make<T>(
        &self,
        device: Device,
        look: impl FnOnce(&mut Record<K>) -> T,
    ) -> Result<T, NoRecord> {
        let mut list = self.bucket(device);
        if let Some(record) = record_in(&mut list, device) {
            return Ok(look(record));
        }
        drop(list);
        if !self.kernel.can_sleep() {
            return Err(NoRecord::Context);
        }
        let record =
            Record { device, masks: Masks::NONE.pack(), operations: 0, resources: None, reserved: 0, next: None };
        let Ok(mut record) = KBox::new(self.kernel, record) else { return Err(NoRecord::NoMemory) };
        let mut list = self.bucket(device);
        // Somebody may have been faster; then the new record goes back, after the lock.
        if let Some(record) = record_in(&mut list, device) {
            return Ok(look(record));
        }
        let seen = look(&mut record);
        record.next = list.take();
        *list = Some(record);
        Ok(seen)
    }

    /// Lets the device's record go if it says nothing. *Thread.*
    pub(crate) fn tidy(&self, device: Device) {
        let mut list = self.bucket(device);
        let mut at: &mut List<K> = &mut list;
        while at.as_ref().is_some_and(|record| record.device != device) {
            match at {
                Some(record) => at = &mut record.next,
                None => return,
            }
        }
        let gone = match at.take_if(|record| record.says_nothing()) {
            Some(mut record) => {
                *at = record.next.take();
                Some(record)
            }
            None => None,
        };
        drop(list);
        drop(gone);
    }
}

fn record_in<K: Kernel>(list: &mut List<K>, device: Device) -> Option<&mut Record<K>> {
    let mut at = list.as_deref_mut();
    while let Some(record) = at {
        if record.device == device {
            return Some(record);
        }
        at = record.next.as_deref_mut();
    }
    None
}
