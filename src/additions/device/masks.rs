//! The masks of a device, which state the addresses that it can put on its bus
//! (Linux `Documentation/core-api/dma-api-howto.rst`, "DMA addressing capabilities").
//!
//! The coherent mask limits the buffers that are allocated for the device, the streaming mask those that are mapped for
//! it. Without a mask, all bits are ones: no limit.

use crate::abi::rt_dma_map_ops;
use crate::additions::device::{DeviceRecord, DeviceRecords, NoRecord};
use crate::dropin::pool::Pool;
use crate::dropin::registry::Dma;
use crate::dropin::translate::MapOps;
use crate::flags::Flags;
use crate::kernel::{Device, Handle, Kernel};
use crate::mem::atomics::{
    AtomicUsize,
    Ordering::{Acquire, Release},
};
use crate::mem::index::at_or_first;

/// The highest handles that a device can put on its bus. A mask of all ones means that there is no limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Masks {
    /// For streaming maps.
    pub streaming: u64,
    /// For buffers that are allocated for the device.
    pub coherent: u64,
}

impl Masks {
    /// The masks of a device for which none was set.
    pub const NONE: Masks = Masks { streaming: !0, coherent: !0 };

    /// Converts the masks to the form in which they are stored in the heap. Memory of the heap is aligned for a pointer
    /// only, which may be less than a `u64` requires.
    const fn pack(self) -> PackedMasks {
        let Masks { streaming, coherent } = self;
        PackedMasks([streaming as u32, (streaming >> 32) as u32, coherent as u32, (coherent >> 32) as u32])
    }
}

/// [`Masks`] with the alignment of 32 bits.
#[derive(Clone, Copy)]
struct PackedMasks([u32; 4]);

impl PackedMasks {
    /// Converts the masks back.
    fn unpack(self) -> Masks {
        let [streaming, streaming_high, coherent, coherent_high] = self.0.map(u64::from);
        Masks { streaming: streaming_high << 32 | streaming, coherent: coherent_high << 32 | coherent }
    }
}

/// Masks, and the table of map operations that they limit: what a masked table stands for.
#[derive(Clone, Copy)]
pub struct MaskedOps {
    /// The masks.
    pub masks: Masks,
    /// The map operations that a device with these masks had before it had a mask.
    pub original: &'static rt_dma_map_ops,
}

/// The part of a device's record that exists while the device has a mask, or a call is setting one.
pub(super) struct MaskRecord {
    masks: PackedMasks,
    /// See [`MaskedOps::original`].
    original: &'static rt_dma_map_ops,
    /// The number of calls that have set masks, and are about to give the device the table for them.
    unconfirmed: usize,
}

/// A set that contains every device that has a mask, or had one. It may also seem to contain other devices. For most
/// devices without a mask, it makes the search for a record unnecessary.
pub(super) struct MaskedDevices {
    /// 0 if the set is empty. It is read before the bits: in a system without masks, a direct streaming map and its
    /// unmap take 7 instructions less each, on aarch64.
    any: AtomicUsize,
    bits: [AtomicUsize; WORDS],
}

/// Words of the set: 512 bits on 64-bit processors. Few systems have as many as ten devices with a mask.
const WORDS: usize = 8;

impl MaskedDevices {
    /// Makes an empty set.
    pub(super) const fn new() -> Self {
        MaskedDevices { any: AtomicUsize::new(0), bits: [const { AtomicUsize::new(0) }; WORDS] }
    }

    /// Returns the word and the bit that represent a device.
    fn word_and_bit(&self, device: Device) -> (&AtomicUsize, usize) {
        // Devices are structures of some hundred bytes, aligned for a pointer.
        let hash = device.address() >> 4 ^ device.address() >> 10 ^ device.address() >> 16;
        let word = at_or_first(&self.bits, hash / usize::BITS as usize % WORDS);
        (word, 1 << (hash % usize::BITS as usize))
    }

    /// Adds a device.
    ///
    /// Context: any.
    fn add(&self, device: Device) {
        let (word, bit) = self.word_and_bit(device);
        word.fetch_or(bit, Release);
        self.any.store(1, Release);
    }

    /// Returns false only if no mask was ever set for the device. Takes no lock.
    ///
    /// Context: any.
    fn may_have(&self, device: Device) -> bool {
        if self.any.load(Acquire) == 0 {
            return false;
        }
        let (word, bit) = self.word_and_bit(device);
        word.load(Acquire) & bit != 0
    }
}

/// Returns whether the `size` bytes from `handle` all lie within `mask`.
pub fn is_within(handle: Handle, size: usize, mask: u64) -> bool {
    let last = size.checked_sub(1).and_then(|last| handle.checked_add(last));
    last.is_some_and(|last| last as u64 <= mask)
}

impl<K: Kernel> DeviceRecords<K> {
    /// Returns false only if no mask was ever set for the device. Takes no lock.
    ///
    /// Context: any.
    pub fn may_have_mask(&self, device: Device) -> bool {
        self.masked.may_have(device)
    }

    /// Returns the device's masks and its original table; `None` if the device has no mask and no call is setting one.
    /// Takes no lock for most devices without a mask.
    ///
    /// Context: any.
    pub fn masked_ops(&self, device: Device) -> Option<MaskedOps> {
        if !self.masked.may_have(device) {
            return None;
        }
        let ops = |mask: &MaskRecord| MaskedOps { masks: mask.masks.unpack(), original: mask.original };
        self.find(device, |record| record.mask.as_ref().map(ops)).flatten()
    }

    /// Sets the masks that are given, both at the same time, and records the device's original table. Returns the
    /// device's new masks. A device of which no masks are recorded has the masks that `inherited` returns before this
    /// call. On failure, nothing is changed. The caller gives the device the table for the masks, and then
    /// [confirms](Self::confirm_masks) them.
    ///
    /// `inherited` is called with the lock held, so that it sees the table of each call that has confirmed its masks.
    ///
    /// Context: any if the device has a record already; otherwise thread.
    pub fn set_masks(
        &self,
        device: Device,
        inherited: impl FnOnce() -> Masks,
        streaming: Option<u64>,
        coherent: Option<u64>,
        original: &'static rt_dma_map_ops,
    ) -> Result<Masks, NoRecord> {
        // The device is added to the set before the masks are written. A call that reads the masks in the record
        // therefore also finds the device in the set.
        self.masked.add(device);
        self.find_or_make(device, |record| {
            let (now, unconfirmed) = match &record.mask {
                Some(mask) => (mask.masks.unpack(), mask.unconfirmed),
                None => (inherited(), 0),
            };
            let (streaming, coherent) = (streaming.unwrap_or(now.streaming), coherent.unwrap_or(now.coherent));
            let masks = Masks { streaming, coherent };
            // Masks of all ones stay recorded until the device has its original table again: a call that sets a mask
            // meanwhile finds the masked table, whose masks are no longer the device's.
            let unconfirmed = unconfirmed.wrapping_add(1);
            record.mask = Some(MaskRecord { masks: masks.pack(), original, unconfirmed });
            masks
        })
    }

    /// Removes masks that do not count any more: each call that set them has confirmed them, and `is_unmasked` returns
    /// true because the present device has no such table. The masks are then those of an earlier device at its address,
    /// or the BSP has replaced the device's operations.
    ///
    /// `is_unmasked` is called with the lock held, so that it sees the table of each call that has confirmed its masks.
    ///
    /// Context: any.
    pub fn forget_old_masks(&self, device: Device, is_unmasked: impl FnOnce() -> bool) {
        self.find(device, |record| {
            if record.mask.as_ref().is_some_and(|mask| mask.unconfirmed == 0) && is_unmasked() {
                record.mask = None;
            }
        });
    }

    /// Records that the device has the table for `masks`. If these are all ones, nothing of them stays recorded when
    /// each call that set masks has confirmed them.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// The masks of the device, if another call has changed them meanwhile: the device then needs the table for those.
    pub fn confirm_masks(&self, device: Device, masks: Masks) -> Result<(), Masks> {
        let confirm = |record: &mut DeviceRecord<K>| {
            let Some(mask) = &mut record.mask else { return Masks::NONE };
            let now = mask.masks.unpack();
            if now == masks {
                mask.unconfirmed = mask.unconfirmed.saturating_sub(1);
                // Another call may be about to give the device a masked table, which it then takes back.
                if masks == Masks::NONE && mask.unconfirmed == 0 {
                    record.mask = None;
                }
            }
            now
        };
        let now = self.find(device, confirm).unwrap_or(Masks::NONE);
        if now != masks {
            return Err(now);
        }
        if self.kernel.can_sleep() {
            self.tidy(device);
        }
        Ok(())
    }
}

impl<K: Kernel> Dma<K> {
    /// Returns whether any pool that serves the device has a page that the device reaches with handles up to `mask`. If
    /// so, an allocation of one page succeeds while such a page is free.
    ///
    /// Context: any.
    pub fn can_reach(&self, ops: MapOps, device: Device, mask: u64) -> bool {
        let wanted = if ops.are_translated() { Flags::ADDRESS_32BITS } else { Flags::empty() };
        let serves = |pool: &Pool<K>| {
            let own = ops == MapOps::DeviceTree && pool.is_owned_by(device);
            own || pool.serves(device, wanted) || pool.serves(device, wanted | Flags::DEVICE)
        };
        let bus = self.bus(ops, device);
        self.pools().filter(|pool| serves(pool)).any(|pool| {
            let last = pool.start().wrapping_add(pool.size() - 1);
            bus.reachable(pool.start(), last, mask).any(|found| found.has_page())
        })
    }
}
