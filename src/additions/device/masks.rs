//! The masks of a device, which state the addresses that it can put on its bus
//! (Linux `Documentation/core-api/dma-api-howto.rst`, "DMA addressing capabilities").
//!
//! The coherent mask limits the buffers that are allocated for the device, the streaming mask those that are mapped for
//! it. Without a mask, all bits are ones: no limit.

use crate::abi::rt_dma_map_ops;
use crate::additions::device::{DeviceRecord, DeviceRecords};
use crate::dropin::translate::NO_MASK;
use crate::error::Error;
use crate::kernel::{Device, Handle, Kernel};

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
    pub const UNLIMITED: Masks = Masks { streaming: NO_MASK, coherent: NO_MASK };
}

/// The form in which masks are stored in the heap. Memory of the heap is aligned for a pointer only, which may be less
/// than a `u64` requires.
#[derive(Clone, Copy)]
#[repr(C, packed(4))]
struct PackedMasks(Masks);

/// Masks, and the table of map operations that they limit. Each [masked table](super::masked_tables) has one.
#[derive(Clone, Copy)]
pub struct MaskedOps {
    /// The masks.
    pub masks: Masks,
    /// The map operations that a device with these masks had before it had a mask.
    pub original: &'static rt_dma_map_ops,
}

/// The part of a device's record that exists while the device has a mask, or a call is setting one.
pub(super) struct Masking {
    packed_masks: PackedMasks,
    /// The map operations that the device had before it had a mask.
    original: &'static rt_dma_map_ops,
    /// The number of calls that have set masks, and are about to give the device the table for them.
    unconfirmed: usize,
}

impl Masking {
    /// Returns the device's masks.
    fn masks(&self) -> Masks {
        self.packed_masks.0
    }
}

/// Returns whether the `size` bytes from `handle` all lie within `mask`.
pub fn is_within(handle: Handle, size: usize, mask: u64) -> bool {
    let last = size.checked_sub(1).and_then(|last| handle.checked_add(last));
    last.is_some_and(|last| last as u64 <= mask)
}

impl<K: Kernel> DeviceRecord<K> {
    /// Counts one call that confirms `masks` if these are the device's masks, and returns the device's masks.
    fn confirm_masks(&mut self, masks: Masks) -> Masks {
        let Some(masking) = &mut self.masking else { return Masks::UNLIMITED };
        let current = masking.masks();
        if current != masks {
            return current;
        }
        masking.unconfirmed = masking.unconfirmed.saturating_sub(1);
        // Another call may be about to give the device a masked table, which it then takes back.
        if masks == Masks::UNLIMITED && masking.unconfirmed == 0 {
            self.masking = None;
        }
        current
    }
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
        if !self.may_have_mask(device) {
            return None;
        }
        let ops = |masking: &Masking| MaskedOps { masks: masking.masks(), original: masking.original };
        self.with_record(device, |record| record.masking.as_ref().map(ops)).flatten()
    }

    /// Changes the device's masks, and records its original table. Returns the new masks. The caller then gives the
    /// device the table for these masks, and [confirms](Self::confirm_masks) them.
    ///
    /// `inherited` returns the masks of a device for which none are recorded, and `change` changes the masks. Both are
    /// called with the lock held, so that `inherited` sees the table of each call that has confirmed its masks.
    ///
    /// Context: any if the device has a record already; otherwise thread.
    ///
    /// # Errors
    /// [`NoMemory`](Error::NoMemory) if the heap has no room for a record; [`Context`](Error::Context) if one is needed
    /// and the caller may not sleep. No mask is changed.
    pub fn set_masks(
        &self,
        device: Device,
        original: &'static rt_dma_map_ops,
        inherited: impl FnOnce() -> Masks,
        change: impl FnOnce(&mut Masks),
    ) -> Result<Masks, Error> {
        // The device is added to the set before the masks are written. A call that reads the masks in the record
        // therefore also finds the device in the set.
        self.masked.add(device);
        self.with_record_or_new(device, |record| {
            let (mut masks, unconfirmed) = match &record.masking {
                Some(masking) => (masking.masks(), masking.unconfirmed),
                None => (inherited(), 0),
            };
            change(&mut masks);
            let unconfirmed = unconfirmed.wrapping_add(1);
            // Masks of all ones stay recorded until the device has its original table again: a call that sets a mask
            // meanwhile finds the masked table, whose masks are no longer the device's.
            record.masking = Some(Masking { packed_masks: PackedMasks(masks), original, unconfirmed });
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
        self.with_record(device, |record| {
            if record.masking.as_ref().is_some_and(|masking| masking.unconfirmed == 0) && is_unmasked() {
                record.masking = None;
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
        let current = self.with_record(device, |record| record.confirm_masks(masks)).unwrap_or(Masks::UNLIMITED);
        if current != masks {
            return Err(current);
        }
        if self.kernel.can_sleep() {
            self.free_unneeded(device);
        }
        Ok(())
    }
}
