//! What the streaming calls know of a device: its operations and mask; and the directions and attributes of C.

use core::ffi::c_int;

use crate::abi::rt_device;
use crate::additions::device::masks::Masks;
use crate::additions::streaming::{
    Attributes, BusMaster, Direction, FastMaster, MAPPING_ERROR, MapError, MappedBuffer, Master, Ops,
};
use crate::ffi::additions::device::masks::masks_of;
use crate::ffi::additions::device::operations::unmasked_table;
use crate::ffi::additions::device::set_new_device_hook;
use crate::ffi::additions::hooks::STREAMS;
use crate::ffi::additions::streaming::bsp_ops::BSP_OPS;
use crate::ffi::additions::streaming::system::STREAM_FUNCTIONS;
use crate::ffi::dropin::ops::{ops_of, stored_table, table_or_choose, untranslated_ops};
use crate::ffi::{DEVICES, DMA, device_at};
use crate::kernel::{Device, Handle};
use crate::log::{Line, Name};
use crate::text::{separate_cstr, text};

/// @brief Direction of a mapping: the device reads and writes.
pub const RT_DMA_BIDIRECTIONAL: c_int = 0;
/// @brief Direction of a mapping: the device reads what the processor wrote.
pub const RT_DMA_TO_DEVICE: c_int = 1;
/// @brief Direction of a mapping: the processor reads what the device wrote.
pub const RT_DMA_FROM_DEVICE: c_int = 2;
/// @brief No direction: no mapping is made with it.
pub const RT_DMA_NONE: c_int = 3;

/// @brief The handle that no mapping has: a map that fails returns it.
pub const RT_DMA_MAPPING_ERROR: usize = MAPPING_ERROR;

/// @brief Attribute of an unmap: the buffer's bytes stay as they are, because the driver has synced what it wants to
/// see.
pub const RT_DMA_ATTR_SKIP_CPU_SYNC: usize = 1 << 0;

/// @brief Attribute of a map and of its unmap: the driver owns the cache lines of the buffer.
///
/// From the map to the unmap, no code writes to a cache line that the buffer touches, the bytes before and after the
/// buffer included. Then a buffer that the device writes needs no bounce buffer for its alignment. A receive buffer is
/// an example that begins 2 bytes after a cache line (Linux `NET_IP_ALIGN`) and has its lines for itself. If the driver
/// is wrong, bytes of the device, or of the code that wrote, are lost.
pub const RT_DMA_ATTR_OWN_LINES: usize = 1 << 8;

/// @brief Attribute of a map and of its unmap: the buffer is an entry of a list that the caller maps entry by entry.
///
/// Only the debug mode uses it: it reports an unmap with the attribute of a buffer that was mapped without it, and the
/// reverse.
pub const RT_DMA_ATTR_LIST_ENTRY: usize = 1 << 9;

// C passes the bits of `Attributes`.
const _: () = assert!(
    Attributes::SKIP_CPU_SYNC.bits() == RT_DMA_ATTR_SKIP_CPU_SYNC
        && Attributes::OWN_LINES.bits() == RT_DMA_ATTR_OWN_LINES
);

impl Master for *mut rt_device {
    #[inline(always)] // Otherwise a direct map and its unmap take 40 instructions more.
    fn for_fast_path(self) -> Option<FastMaster> {
        let device = device_at(self)?;
        let ops = untranslated_ops(stored_table(device)?)?;
        // A device with a masked table has left above: that table is neither of the two.
        (!DEVICES.may_have_mask(device)).then_some(FastMaster { device, ops })
    }

    fn for_general_path(self) -> Result<BusMaster, MapError> {
        bus_master(self)
    }
}

/// Returns the device as its mappings see it.
///
/// # Errors
/// Those of [`Master::for_general_path`].
pub(in crate::ffi) fn bus_master(dev: *mut rt_device) -> Result<BusMaster, MapError> {
    let Some(device) = device_at(dev) else {
        refuse_null_device();
        return Err(MapError::Invalid);
    };
    bus_master_of(device)
}

/// Counts and logs a call that got no device.
///
/// Context: any.
pub(in crate::ffi) fn refuse_null_device() {
    let name = Name::of(separate_cstr!("(null)"));
    DMA.refuse_line(&Line::about(name, text!("a streaming mapping needs a device")));
}

/// Returns the device as its mappings see it; [`MapError::NoOperations`] if its operations cannot be chosen now.
pub(in crate::ffi) fn bus_master_of(device: Device) -> Result<BusMaster, MapError> {
    // A mapping that needs a record gets here before the first one is made.
    STREAMS.set(&STREAM_FUNCTIONS);
    set_new_device_hook();
    let present = table_or_choose(device).map_err(|_| MapError::NoOperations)?;
    let table = unmasked_table(device, present);
    let ops = ops_of(table).map_or(Ops::Bsp(&BSP_OPS), Ops::Library);
    // A device for which no mask was ever set has none, unless it copied a masked table.
    let may_have_mask = !core::ptr::eq(table, present) || DEVICES.may_have_mask(device);
    let masks = if may_have_mask { masks_of(device) } else { Masks::UNLIMITED };
    // No handle is higher than a word, so a mask that is higher limits nothing.
    let mask = usize::try_from(masks.streaming).unwrap_or(BusMaster::NO_MASK);
    Ok(BusMaster { device, ops, mask })
}

/// Returns the direction with this number; `Neither` if there is none.
pub(in crate::ffi) fn direction_of(number: c_int) -> Direction {
    match number {
        RT_DMA_BIDIRECTIONAL => Direction::Bidirectional,
        RT_DMA_TO_DEVICE => Direction::ToDevice,
        RT_DMA_FROM_DEVICE => Direction::FromDevice,
        _ => Direction::Neither,
    }
}

/// Returns the mapped buffer that the arguments of an unmap describe.
pub(super) fn mapped_buffer(handle: Handle, size: usize, direction: c_int, attrs: usize) -> MappedBuffer {
    let attributes = Attributes::from_bits_retain(attrs);
    MappedBuffer { attributes, ..MappedBuffer::new(handle, size, direction_of(direction)) }
}
