//! What the debug mode knows of each device: its name, its mistakes, and the call that is to fail.

use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

use super::finding::Finding;
use crate::kernel::Device;
use crate::log::Name;
use crate::text::separate_cstr;

/// How many devices have a record.
const MAX_DEVICES: usize = 64;
/// Bytes of a name, with the NUL at its end.
const NAME_SIZE: usize = 24;

/// The names of the devices. A name that was written stays, also when its device is gone.
pub struct Names([[AtomicU8; NAME_SIZE]; MAX_DEVICES]);

impl Names {
    /// No names.
    pub const fn new() -> Self {
        Names([const { [const { AtomicU8::new(0) }; NAME_SIZE] }; MAX_DEVICES])
    }

    /// Copies a name to an index at which no name was written. The rest of a longer one is left out.
    fn set(&self, index: usize, name: Name) {
        let Some([bytes @ .., _nul]) = self.0.get(index) else { return };
        for (byte, letter) in bytes.iter().zip(letters(name)) {
            byte.store(letter, Relaxed);
        }
    }

    /// Returns whether the name at an index is `name`, as far as it fits.
    fn has_text(&self, index: usize, name: Name) -> bool {
        let Some(bytes) = self.0.get(index) else { return false };
        let kept = bytes.iter().map(|byte| byte.load(Relaxed)).take_while(|letter| *letter != 0);
        kept.eq(letters(name).take(NAME_SIZE - 1))
    }

    /// Returns the name at an index; [`Name::NONE`] if the device has none, or if there is no such index.
    pub fn get(&'static self, index: usize) -> Name<'static> {
        match self.0.get(index) {
            // SAFETY: the bytes are static, they were written before the index was known, and the last one stays NUL.
            #[allow(unsafe_code)]
            Some(bytes @ [first, ..]) if first.load(Relaxed) != 0 => unsafe { Name::from_ptr(bytes.as_ptr().cast()) },
            _ => Name::NONE,
        }
    }

    /// Returns the name at an index for `%s` in a line: never a null pointer.
    pub fn shown(&'static self, index: usize) -> Name<'static> {
        let name = self.get(index);
        if name.as_ptr().is_null() { Name::of(separate_cstr!("an unnamed device")) } else { name }
    }
}

/// Returns the letters of a name.
fn letters(name: Name) -> impl Iterator<Item = u8> {
    let start = name.as_ptr().cast::<u8>();
    let length = if start.is_null() { 0 } else { NAME_SIZE };
    // SAFETY: a name that is not null is a C string. `take_while` stops at its NUL, so that no byte after it is read.
    #[allow(unsafe_code)]
    let bytes = (0..length).map(move |index| unsafe { start.add(index).read() });
    bytes.take_while(|letter| *letter != 0)
}

/// The record of a device.
#[derive(Clone, Copy)]
struct WatchedDevice {
    /// The device; [`Device::NONE`] if it is gone, or if the record was never used.
    device: Device,
    /// Whether the record has, or had, a device, whose name was written.
    is_used: bool,
    /// How often each mistake was made.
    mistakes: [u32; Finding::MISTAKES],
    /// How many allocations and mappings there are until one fails, that one included; 0 if none fails.
    fail_in: usize,
    /// Whether the allocation or mapping that was to fail has failed.
    has_failed: bool,
}

/// The records. A record is never given to a device of another name: lines may still refer to the name.
pub struct Devices {
    records: [WatchedDevice; MAX_DEVICES],
    /// The mistakes of devices without a record.
    mistakes_without_record: [u32; Finding::MISTAKES],
}

impl Devices {
    /// No devices.
    pub const fn new() -> Self {
        let none = [0; Finding::MISTAKES];
        let record =
            WatchedDevice { device: Device::NONE, is_used: false, mistakes: none, fail_in: 0, has_failed: false };
        Devices { records: [record; MAX_DEVICES], mistakes_without_record: none }
    }

    /// Returns the index of the device's record, which is also that of its name. Makes a record if the device has none;
    /// [`MAX_DEVICES`] if there is no room for one.
    pub fn index_or_new(&mut self, device: Device, name: Name, names: &Names) -> usize {
        if let Some(index) = self.index_of(device) {
            return index;
        }
        // The record of a device that is gone serves a later device of the same name: most often it is the same one.
        let fits = |(index, record): &(usize, &mut WatchedDevice)| {
            !record.is_used || record.device == Device::NONE && names.has_text(*index, name)
        };
        let Some((index, record)) = self.records.iter_mut().enumerate().find(fits) else { return MAX_DEVICES };
        record.device = device;
        if !record.is_used {
            record.is_used = true;
            names.set(index, name);
        }
        index
    }

    /// Returns the index of the device's record; `None` if the device has none.
    fn index_of(&self, device: Device) -> Option<usize> {
        self.records.iter().position(|record| record.device == device)
    }

    /// Returns the device with a name, of several the one whose record is the newest: the others may be gone. Returns
    /// `None` if no such device has a record.
    pub fn find(&self, name: Name, names: &Names) -> Option<Device> {
        let is_it =
            |(index, record): &(usize, &WatchedDevice)| record.device != Device::NONE && names.has_text(*index, name);
        self.records.iter().enumerate().rfind(is_it).map(|(_, record)| record.device)
    }

    /// Ends the record of the device at an address if a device with another name lies there now.
    pub fn forget_earlier_device(&mut self, device: Device, name: Name, names: &Names) {
        if let Some(index) = self.index_of(device)
            && !names.has_text(index, name)
            && let Some(record) = self.records.get_mut(index)
        {
            record.device = Device::NONE;
        }
    }

    /// Counts a mistake of the device with a record at `index`.
    pub fn count(&mut self, index: usize, finding: Finding) {
        let mistakes = match self.records.get_mut(index) {
            Some(record) => &mut record.mistakes,
            None => &mut self.mistakes_without_record,
        };
        if let Some(count) = mistakes.get_mut(finding as usize) {
            *count = count.saturating_add(1);
        }
    }

    /// Returns how often devices made a mistake: one device, or all if `device` is `None`.
    pub fn times(&self, device: Option<Device>, finding: Finding) -> usize {
        let times_in = |counts: &[u32; Finding::MISTAKES]| counts.get(finding as usize).copied().unwrap_or(0) as usize;
        let is_wanted = |record: &&WatchedDevice| device.is_none_or(|device| record.device == device);
        let recorded: usize = self.records.iter().filter(is_wanted).map(|record| times_in(&record.mistakes)).sum();
        recorded + if device.is_none() { times_in(&self.mistakes_without_record) } else { 0 }
    }

    /// Makes the `number`-th allocation or mapping of the device at `index` from now on fail; none if `number` is 0.
    /// Returns false if the device has no record.
    pub fn fail_nth(&mut self, index: usize, number: usize) -> bool {
        let Some(record) = self.records.get_mut(index) else { return false };
        record.fail_in = number;
        record.has_failed = false;
        true
    }

    /// Counts an allocation or a mapping of the device at `index`, and returns whether it must fail.
    pub fn count_and_check_failure(&mut self, index: usize) -> bool {
        let Some(record) = self.records.get_mut(index) else { return false };
        let is_the_one = record.fail_in == 1;
        record.fail_in = record.fail_in.saturating_sub(1);
        record.has_failed |= is_the_one;
        is_the_one
    }

    /// Returns whether the call that [`fail_nth`](Self::fail_nth) asked for has failed.
    pub fn has_failed(&self, device: Device) -> bool {
        self.records.iter().any(|record| record.device == device && record.has_failed)
    }
}
