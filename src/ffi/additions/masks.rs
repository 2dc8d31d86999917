//! `rt_dma_set_mask` and its like, and the tables of operations of devices that have a mask.
//!
//! Such a table stands before the one that the device had. Its `alloc` keeps to the coherent mask, its `sync_out_data` to
//! the streaming mask, and the rest passes on. So a device without a mask pays nothing.
//!
//! There is one table for each kind: for each pair of masks, and table behind. A child device that copies its parent's
//! `dma_ops` therefore has the parent's masks and translation, also when the parent is gone.

use core::ffi::c_void;
use core::hint::black_box;

use crate::abi::{rt_device, rt_dma_map_ops};
use crate::additions::device::masks::is_within;
use crate::additions::device::record::NoRecord;
use crate::additions::device::record::{Masks, PackedMasks};
use crate::dropin::translate::MapOps;
use crate::error::Error;
use crate::ffi::additions::remembered::{COHERENT_MASK, UNMASK, remember, tell_block_pools};
use crate::ffi::dropin::ops::{default_table, free_by, kept, ops_of, table_of};
use crate::ffi::status::errors;
use crate::ffi::{DEVICES, DMA, device, pointer, write_if};
use crate::flags::Flags;
use crate::kernel::rtthread::rt_dma_port_device_set_ops;
use crate::kernel::{Device, Kernel};
use crate::mem::lock::IrqLock;

/// Kinds that have a table. Systems have two or three. A device of a further kind has the last table, which all of those
/// share: it keeps its masks, but a child that copies its table is refused memory.
const KINDS: usize = 32;

/// What a device with a mask has.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Kind {
    masks: PackedMasks,
    /// The address of the table that the masked one stands before; zero if the kind is vacant.
    behind: usize,
}

static KINDS_IN_USE: IrqLock<[Kind; KINDS]> =
    IrqLock::new([const { Kind { masks: Masks::NONE.pack(), behind: 0 } }; KINDS]);

static MASKED: [rt_dma_map_ops; KINDS + 1] = [const {
    rt_dma_map_ops { alloc: Some(alloc), free: Some(free), sync_out_data: Some(sync_out), sync_in_data: Some(sync_in) }
}; KINDS + 1];

/// Which of the masked tables it is, if it is one.
fn masked_index(table: &rt_dma_map_ops) -> Option<usize> {
    let offset = core::ptr::from_ref(table).addr().wrapping_sub(MASKED.as_ptr().addr());
    (offset < size_of_val(&MASKED)).then_some(offset / size_of::<rt_dma_map_ops>())
}

/// The table of a kind.
fn table_for(kind: Kind) -> &'static rt_dma_map_ops {
    let mut kinds = KINDS_IN_USE.lock(DMA.kernel);
    let known = kinds.iter().position(|known| *known == kind);
    let index = known.or_else(|| kinds.iter().position(|known| known.behind == 0)).unwrap_or(KINDS);
    if let Some(place) = kinds.get_mut(index) {
        *place = kind;
    }
    drop(kinds);
    let [.., last] = &MASKED;
    MASKED.get(index).unwrap_or(last)
}

/// What a device with a masked table has behind it.
struct Behind {
    masks: Masks,
    table: &'static rt_dma_map_ops,
}

/// What stands behind the device's masked table; `None` if that cannot be found out, and so the device gets nothing.
///
/// A BSP may have copied the functions of a masked table into one of its own. Then the device's record says it.
fn behind(device: Device) -> Option<Behind> {
    let now = kept(device);
    let index = now.and_then(masked_index);
    if let Some(index) = index
        && let Some(kind) = KINDS_IN_USE.lock(DMA.kernel).get(index).copied()
        && kind.behind != 0
    {
        return Some(Behind { masks: kind.masks.unpack(), table: table_at(kind.behind)? });
    }
    let (masks, operations) = DEVICES.masks_and_operations(device);
    if let Some(table) = table_at(operations) {
        return Some(Behind { masks, table });
    }
    if index.is_some() {
        return None;
    }
    // The last mask was taken away while this call was on its way.
    let table = now.filter(|now| ops_of(now).is_some()).unwrap_or_else(|| default_table(device));
    Some(Behind { masks: Masks::NONE, table })
}

fn table_at(address: usize) -> Option<&'static rt_dma_map_ops> {
    // SAFETY: null, or the address of what was once a device's table: a static of ours, or one that the BSP keeps.
    unsafe { core::ptr::with_exposed_provenance::<rt_dma_map_ops>(address).as_ref() }
}

/// The masks of the device. One without operations is a new one, whatever an earlier one at its address had. Any context.
pub(in crate::ffi) fn masks_of(device: Device) -> Masks {
    let Some(now) = kept(device) else { return Masks::NONE };
    match masked_index(now).and_then(|_| behind(device)) {
        Some(behind) => behind.masks,
        None => DEVICES.masks(device),
    }
}

/// @brief Sets the streaming mask: the addresses that the device can use for buffers that are mapped for it.
///
/// A map of a buffer outside the mask uses a bounce buffer. `rt_dma_sync_out_data` returns `-RT_ERROR` for such a buffer. A
/// failed call changes nothing. `rt_dmam_release` ends the masks of the device.
///
/// @code{.c}
/// if (rt_dma_set_mask_and_coherent(dev, 0xffffffff) != RT_EOK)
/// {
///     return -RT_EIO;
/// }
/// @endcode
///
/// @param[in] dev The device.
/// @param[in] mask Bit n is 1 if the device drives address line n: `0xffffffff` for 32 lines. Until a mask is set, all bits
/// are 1.
/// @retval RT_EOK The mask is set.
/// @retval -RT_EINVAL `dev` is NULL, or `mask` is 0.
/// @retval -RT_EIO No page of any installed pool that serves the device lies wholly within the mask.
/// @retval -RT_ENOMEM There is no memory for the bookkeeping.
/// @retval -RT_EBUSY The call needs a thread.
/// @note Context: thread first, then any. A device's first mask needs a thread too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_set_mask(dev: *mut rt_device, mask: u64) -> isize {
    set_masks(dev, mask, true, false)
}

/// @brief Sets the coherent mask: the addresses that the device can use for buffers that are allocated for it.
///
/// After the call, `rt_dma_alloc` and all calls that use it return only buffers whose handles lie within `mask`, from the first
/// byte to the last. A pool of which only a part is within the mask serves that part. Buffers that the driver has already stay
/// valid, and are freed as before.
///
/// If the BSP gave the device its own allocation operation, that operation allocates, and a buffer outside the mask is given
/// back to it. A BSP must set a device's own operations before the mask: a later change of `dma_ops` takes the mask away.
///
/// @param[in] dev The device.
/// @param[in] mask As for `rt_dma_set_mask`.
/// @return As `rt_dma_set_mask`.
/// @note Context: thread first, then any. A device's first mask needs a thread too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_set_coherent_mask(dev: *mut rt_device, mask: u64) -> isize {
    set_masks(dev, mask, false, true)
}

/// @brief Sets the streaming and the coherent mask, or on failure neither.
///
/// @param[in] dev The device.
/// @param[in] mask As for `rt_dma_set_mask`.
/// @return As `rt_dma_set_mask`.
/// @note Context: thread first, then any. A device's first mask needs a thread too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_set_mask_and_coherent(dev: *mut rt_device, mask: u64) -> isize {
    set_masks(dev, mask, true, true)
}

/// @brief Returns the streaming mask.
///
/// @param[in] dev The device.
/// @return The mask; all ones if none was set; 0 if `dev` is NULL.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_get_mask(dev: *mut rt_device) -> u64 {
    device(dev).map_or(0, |device| masks_of(device).streaming)
}

/// @brief Returns the coherent mask.
///
/// @param[in] dev The device.
/// @return The mask; all ones if none was set; 0 if `dev` is NULL.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_get_coherent_mask(dev: *mut rt_device) -> u64 {
    device(dev).map_or(0, |device| masks_of(device).coherent)
}

fn set_masks(dev: *mut rt_device, mask: u64, streaming: bool, coherent: bool) -> isize {
    let errors = errors();
    let Some(device) = device(dev).filter(|_| mask != 0) else { return errors.inval };
    let Some(now) = table_of(device) else {
        return if DMA.kernel.can_sleep() { errors.nomem } else { errors.busy };
    };
    let is_masked = masked_index(now).is_some();
    let before = if is_masked { behind(device) } else { None };
    let (inherited, operations) = match before {
        Some(Behind { masks, table }) => (masks, table),
        None if is_masked => return errors.nomem,
        None => (DEVICES.masks(device), now),
    };
    // A BSP's own allocation takes from where it likes: whether the mask serves shows when it is called.
    let ops = ops_of(operations).or(operations.alloc.is_none().then_some(MapOps::NonCoherent));
    if ops.is_some_and(|ops| !DMA.can_reach(ops, device, mask)) {
        return errors.io;
    }
    let address = core::ptr::from_ref(operations).expose_provenance();
    let [streaming, coherent] = [streaming, coherent].map(|wanted| wanted.then_some(mask));
    remember();
    UNMASK.set(black_box(&UNMASKED));
    COHERENT_MASK.set(black_box(&COHERENT));
    match DEVICES.set_masks(device, inherited, streaming, coherent, address) {
        Ok(masks) => publish(device, masks, operations),
        Err(NoRecord::NoMemory) => return errors.nomem,
        Err(NoRecord::Context) => {
            DMA.count_refused();
            return errors.busy;
        }
    }
    if coherent.is_some() {
        tell_block_pools(device);
    }
    errors.ok
}

/// Gives the device the table for its masks, which stands before `operations`; without a mask, these.
fn publish(device: Device, mut masks: Masks, operations: &'static rt_dma_map_ops) {
    loop {
        let behind = core::ptr::from_ref(operations).expose_provenance();
        let table = match masks == Masks::NONE {
            true => operations,
            false => table_for(Kind { masks: masks.pack(), behind }),
        };
        // SAFETY: the caller's device; the table is a static, or one that the BSP keeps.
        unsafe { rt_dma_port_device_set_ops(pointer(device.0), core::ptr::from_ref(table).cast()) };
        // Another call may have set the other mask, and its table may just have been replaced by this one.
        let now = DEVICES.masks(device);
        if now == masks {
            return;
        }
        masks = now;
    }
}

static COHERENT: fn(Device) -> u64 = |device| masks_of(device).coherent;

static UNMASKED: fn(Device) = unmask;

/// Gives the device the operations back that it had before its masks were set.
fn unmask(device: Device) {
    if let Some(now) = kept(device)
        && masked_index(now).is_some()
    {
        let table = core::ptr::from_ref(unmasked(device, now));
        // SAFETY: the caller's device; the table is a static, or one that the BSP keeps.
        unsafe { rt_dma_port_device_set_ops(pointer(device.0), table.cast()) };
    }
}

/// The table that `now`, the device's, stands before, if it is a masked one.
pub(in crate::ffi) fn unmasked(device: Device, now: &'static rt_dma_map_ops) -> &'static rt_dma_map_ops {
    match masked_index(now).and_then(|_| behind(device)) {
        Some(behind) => behind.table,
        None => now,
    }
}

unsafe extern "C" fn alloc(dev: *mut rt_device, size: usize, dma_handle: *mut usize, flags: usize) -> *mut c_void {
    let none = core::ptr::null_mut();
    let Some(device) = device(dev) else { return none };
    let Some(Behind { masks: Masks { coherent: mask, .. }, table }) = behind(device) else { return none };
    let wanted = Flags::from_bits_retain(flags);
    let buffer = match (table.alloc, ops_of(table)) {
        (Some(own), ops) if ops.is_none() || mask == !0 => {
            let mut handle = 0;
            // SAFETY: an operation of the device's table takes what this function takes; the handle is ours.
            let va = unsafe { own(dev, size, &mut handle, flags) };
            if va.is_null() {
                None
            } else if is_within(handle, size, mask) {
                Some((va, handle))
            } else {
                // SAFETY: as above; it was allocated just now.
                unsafe { free(dev, size, va, handle, flags) };
                None
            }
        }
        (_, ops) => {
            let ops = ops.unwrap_or(MapOps::NonCoherent);
            DMA.allocate_within(ops, device, size, wanted, mask).map(|(va, handle)| (pointer(va), handle))
        }
    };
    let Some((va, handle)) = buffer else { return none };
    // SAFETY: the caller's, or null.
    unsafe { write_if(dma_handle, handle) };
    va
}

unsafe extern "C" fn free(dev: *mut rt_device, size: usize, cpu_addr: *mut c_void, dma_handle: usize, flags: usize) {
    let Some(device) = device(dev) else { return };
    let Some(Behind { table, .. }) = behind(device) else { return };
    match table.free {
        // SAFETY: the caller's promise.
        None => unsafe { free_by(MapOps::NonCoherent, dev, size, cpu_addr, dma_handle, flags) },
        // SAFETY: an operation of the device's table takes what this function takes.
        Some(free) => unsafe { free(dev, size, cpu_addr, dma_handle, flags) },
    }
}

unsafe extern "C" fn sync_out(
    dev: *mut rt_device,
    data: *mut c_void,
    size: usize,
    dma_handle: *mut usize,
    flags: usize,
) -> isize {
    let errors = errors();
    let Some(device) = device(dev) else { return errors.inval };
    let Some(Behind { masks, table }) = behind(device) else { return errors.error };
    let Some(sync) = table.sync_out_data.or(default_table(device).sync_out_data) else { return errors.nosys };
    let mut handle = 0;
    // SAFETY: an operation of the device's table takes what this function takes; the handle is ours.
    let result = unsafe { sync(dev, data, size, &mut handle, flags) };
    if result != errors.ok {
        return result;
    }
    if !is_within(handle, size, masks.streaming) {
        DMA.refuse_device(Error::NotReachable, device, handle, size);
        return errors.error;
    }
    // SAFETY: the caller's, or null.
    unsafe { write_if(dma_handle, handle) };
    result
}

unsafe extern "C" fn sync_in(
    dev: *mut rt_device,
    out_data: *mut c_void,
    size: usize,
    dma_handle: usize,
    flags: usize,
) -> isize {
    let Some(device) = device(dev) else { return errors().inval };
    let Some(Behind { table, .. }) = behind(device) else { return errors().error };
    match table.sync_in_data.or(default_table(device).sync_in_data) {
        // SAFETY: an operation of the device's table takes what this function takes.
        Some(sync) => unsafe { sync(dev, out_data, size, dma_handle, flags) },
        None => errors().nosys,
    }
}
