//! The sync calls of `drivers/dma.h`.

use rt_dma_pool::ffi::*;

use super::{Device, NOCACHE, c_call, fresh, pointer, world};
use crate::devices::{Bus, Table};
use crate::input;
use crate::memory::{self, PAGE};
use crate::port::OK;

/// Hands the known bytes of a buffer to the device and back.
pub fn sync() {
    let choice = input::below(256);
    let buffer = world(|world| {
        let buffers = &mut world.buffers;
        let index = if buffers.is_empty() { return None } else { choice % buffers.len() };
        let area = &buffers[index].area;
        (area.mappings.is_empty() && !area.bytes.is_empty()).then(|| buffers.swap_remove(index))
    });
    let Some(mut buffer) = buffer else { return wrong_sync() };
    let (device, va, size) = (buffer.device, buffer.va, buffer.area.bytes.len());
    let flags = buffer.flags & NOCACHE;
    let dev = device.pointer();
    let written = fresh(size);
    memory::write(va, &written);
    buffer.area.bytes = written;
    let mut handle = 0;
    let is_asked = !input::one_in(3);
    let place = super::place_for(&mut handle, is_asked);
    let (result, _) = c_call(|| unsafe { rt_dma_sync_out_data(dev, pointer(va), size, place, flags) });
    let snoops = device.kind().is_coherent && device.kind().table != Table::Chosen;
    if result == OK && maintains(device) {
        assert!(!is_asked || device.reach(handle, size) == Some(buffer.pa), "the handle does not lead to the buffer");
        let seen = memory::with(|memory| memory.device_read(buffer.pa, size, snoops));
        assert!(seen == buffer.area.bytes, "the device does not see what the processor wrote");
        // Whole lines, so that no line of a neighbour is dropped.
        if size.is_multiple_of(256) && input::one_in(2) {
            let written = fresh(size);
            memory::with(|memory| memory.device_write(buffer.pa, &written, snoops));
            let (result, _) = c_call(|| unsafe { rt_dma_sync_in_data(dev, pointer(va), size, handle, flags) });
            assert!(result == OK, "a sync that worked for the device does not for the processor");
            buffer.area.bytes = written;
        }
    } else if result == OK {
        // The bytes are those that the processor wrote, whether or not a line is maintained.
        let (result, _) = c_call(|| unsafe { rt_dma_sync_in_data(dev, pointer(va), size, handle, flags) });
        assert!(result == OK, "a sync that worked for the device does not for the processor");
    }
    buffer.area.check();
    memory::with(|memory| memory.refresh(buffer.pa, size));
    world(|world| world.buffers.push(buffer));
}

/// Whether the library maintains the cache for the device, or the board's own operations do.
fn maintains(device: Device) -> bool {
    let kind = device.kind();
    match kind.table {
        Table::Own => true,
        Table::Partial => false,
        Table::Chosen => kind.is_coherent || !matches!(kind.bus, Bus::Plain),
    }
}

/// Calls with arguments that must be refused, or that do nothing.
fn wrong_sync() {
    let device = Device::any();
    let va = input::one_of(&[0, 1, usize::MAX, memory::linear(0x1000_0000), memory::linear(0x4000_0000) + 4 * PAGE]);
    let size = input::one_of(&[0, 1, usize::MAX, 1 << 40]);
    // The library cannot know how long a buffer is that begins where memory is mapped.
    let is_mapped = memory::v2p(va).is_some();
    if is_mapped && matches!(size, 1 | 0x100_0000_0000) || device.kind().table != Table::Chosen {
        return;
    }
    let mut handle = 1;
    let is_null = input::one_in(4);
    let dev = if is_null { std::ptr::null_mut() } else { device.pointer() };
    let (out, _) = c_call(|| unsafe { rt_dma_sync_out_data(dev, pointer(va), size, &mut handle, 0) });
    let is_refused = is_null || va == 0 || size == 0;
    assert!(!is_refused || out != OK, "a sync of nothing succeeds");
    assert!(out != OK || is_mapped, "a sync of memory that is not mapped succeeds");
    if !is_mapped {
        c_call(|| unsafe { rt_dma_sync_in_data(dev, pointer(va), size, 0, 0) });
    }
}
