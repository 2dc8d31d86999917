//! Streaming mappings: memory is handed back and forth between the processor and a device.

use std::ops::Range;

use rt_dma_pool::ffi::*;

use super::areas::{Area, Mapping, take_out};
use super::{Device, c_call, fresh, has_own_memory, pointer, pools, world};
use crate::devices::Bus;
use crate::memory::{self, LOW, PAGE};
use crate::port::{BUSY, EMPTY, INVAL, NOMEM, OK};
use crate::{input, machine};

pub const BIDIRECTIONAL: i32 = 0;
pub const TO_DEVICE: i32 = 1;
pub const FROM_DEVICE: i32 = 2;

/// Chooses a part of an area; its ends often lie on lines.
fn part(length: usize) -> Range<usize> {
    let line = memory::with(|memory| memory.largest_line);
    let ends = input::byte();
    let start = input::below_many(length);
    let start = if ends & 3 == 0 { start } else { start & !(line - 1) };
    let size = 1 + input::below_many(if ends & 16 == 0 { 300 } else { length });
    let end = (start + size).min(length);
    let end = if ends & 12 == 0 { end } else { end.next_multiple_of(line).min(length) };
    start..end
}

/// The calls that map a part of an area.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum MapCall {
    Single,
    OwnLines,
    Managed,
    Page,
}

/// One of these is chosen.
const MAP_CALLS: [MapCall; 8] = [
    MapCall::Single,
    MapCall::Single,
    MapCall::Single,
    MapCall::Single,
    MapCall::Single,
    MapCall::OwnLines,
    MapCall::Managed,
    MapCall::Page,
];

/// Maps a part of an area for a device.
pub fn map() {
    let Some(mut taken) = take_out(|area| area.mappings.is_empty() && !area.bytes.is_empty()) else { return };
    let device = Device::any();
    let range = part(taken.area().bytes.len());
    let direction =
        input::one_of(&[TO_DEVICE, FROM_DEVICE, BIDIRECTIONAL, FROM_DEVICE, 3, TO_DEVICE, BIDIRECTIONAL, 77]);
    let map_call = input::one_of(&MAP_CALLS);
    let (va, size) = (taken.area().va + range.start, range.len());
    let attributes = if map_call == MapCall::OwnLines { RT_DMA_ATTR_OWN_LINES } else { 0 };
    let page = memory::v2p(va).map_or(0, |pa| pa & !(PAGE - 1));
    let is_managed = map_call == MapCall::Managed;
    pools::refresh_free();
    let (handle, _) = c_call(|| unsafe {
        let dev = device.pointer();
        match map_call {
            MapCall::OwnLines => rt_dma_map_single_attrs(dev, pointer(va), size, direction, attributes),
            MapCall::Managed => rt_dmam_map_single(dev, pointer(va), size, direction),
            // A page is one of the linear map, or of a buffer.
            MapCall::Page if memory::linear(page + va % PAGE) == va => {
                rt_dma_map_page(dev, page, va % PAGE, size, direction)
            }
            _ => rt_dma_map_single(dev, pointer(va), size, direction),
        }
    });
    crate::log!("map {size} bytes at {va:#x}, {device:?}, direction {direction}, call {map_call:?}: {handle:#x}");
    let is_mapped = unsafe { rt_dma_mapping_error(device.pointer(), handle) } == 0;
    assert!(is_mapped == (handle != RT_DMA_MAPPING_ERROR));
    assert!(!is_mapped || direction < 3, "memory is mapped in no direction");
    if is_mapped {
        let mapping = Mapping { device, handle, range, direction, synced: 0..0, is_managed, attributes };
        note(taken.area(), mapping);
    }
    taken.area().check();
    taken.put_back();
}

/// Notes a new mapping, of which the device must see every byte.
pub fn note(area: &mut Area, mapping: Mapping) {
    let last = mapping.handle as u64 + mapping.size() as u64 - 1;
    assert!(last <= mapping.device.streaming_mask(), "{:#x} lies beyond the mask", mapping.handle);
    let (pa, size) = (mapping.pa(), mapping.size());
    area.mappings.push(mapping);
    area.check_device();
    memory::with(|memory| memory.refresh(pa, size));
}

/// Takes a mapped area, and does something with it.
pub fn use_mapping() {
    let Some(mut taken) = take_out(|area| !area.mappings.is_empty()) else { return };
    match input::below(8) {
        0..=1 => device_writes(taken.area()),
        2..=3 => processor_writes(taken.area()),
        4..=5 => sync_for_cpu(taken.area()),
        6 => sync_for_device(taken.area()),
        _ => taken.area().check_device(),
    }
    taken.put_back();
}

fn device_writes(area: &mut Area) {
    let mapping = area.mappings[0].clone();
    if mapping.direction == TO_DEVICE {
        return;
    }
    let (range, synced) = (mapping.range.clone(), mapping.synced.clone());
    let from = range.start + input::below_many(range.len());
    let free = if from < synced.start { from..synced.start } else { from.max(synced.end)..range.end };
    if free.is_empty() {
        return;
    }
    let to = free.start + 1 + input::below_many(free.len());
    let written = fresh(to - free.start);
    let pa = mapping.pa() + free.start - range.start;
    memory::with(|memory| memory.device_write(pa, &written, mapping.snoops()));
    area.bytes[free.start..to].copy_from_slice(&written);
}

/// The processor writes before or after the mapping, or to the part that is synced for it.
fn processor_writes(area: &mut Area) {
    let mapping = area.mappings[0].clone();
    let [before, after, synced] = area.parts();
    // What the processor writes to bytes that only the device writes goes nowhere. With own lines, it writes nothing
    // near.
    let part = match input::below(3) {
        0 if mapping.attributes == 0 => before,
        1 if mapping.attributes == 0 => after,
        2 if mapping.direction != FROM_DEVICE => synced,
        _ => return,
    };
    if part.is_empty() {
        return;
    }
    // Near the mapping: in its cache lines.
    let from = if input::one_in(2) { part.end - 1 } else { part.start };
    let to = (from + 1 + input::below(40)).min(part.end);
    let written = fresh(to - from);
    memory::write(area.va + from, &written);
    area.bytes[from..to].copy_from_slice(&written);
}

fn sync(mapping: &Mapping, offset: usize, size: usize, for_cpu: bool) {
    let (dev, handle) = (mapping.device.pointer(), mapping.handle + offset);
    let ((), happened) = c_call(|| unsafe {
        let mut list = [rt_dma_sg { addr: std::ptr::null_mut(), length: size, dma_handle: handle }];
        match (for_cpu, input::one_in(4)) {
            (true, false) => rt_dma_sync_single_for_cpu(dev, handle, size, mapping.direction),
            (false, false) => rt_dma_sync_single_for_device(dev, handle, size, mapping.direction),
            (true, true) => rt_dma_sync_sg_for_cpu(dev, list.as_mut_ptr(), 1, mapping.direction),
            (false, true) => rt_dma_sync_sg_for_device(dev, list.as_mut_ptr(), 1, mapping.direction),
        }
    });
    assert!(happened.errors == 0 || happened.was_interrupted, "a right sync is logged as an error: {mapping:x?}");
}

/// A part of the mapping becomes the processor's, in whole lines.
fn sync_for_cpu(area: &mut Area) {
    let line = memory::with(|memory| memory.largest_line);
    let mapping = &mut area.mappings[0];
    if !mapping.synced.is_empty() {
        return;
    }
    let (handle, size, start) = (mapping.handle, mapping.size(), mapping.range.start);
    let from = (handle + input::below_many(size)) & !(line - 1);
    let from = from.saturating_sub(handle);
    let to = (handle + from + 1 + input::below_many(size - from)).next_multiple_of(line) - handle;
    let to = to.min(size);
    mapping.synced = start + from..start + to;
    sync(mapping, from, to - from, true);
    area.check();
}

/// What was synced for the processor becomes the device's again.
fn sync_for_device(area: &mut Area) {
    let Some(mapping) = area.mappings.first_mut().filter(|mapping| !mapping.synced.is_empty()) else { return };
    let (offset, size) = (mapping.synced.start - mapping.range.start, mapping.synced.len());
    sync(mapping, offset, size, false);
    mapping.synced = 0..0;
    area.check_device();
}

/// How a driver ends a mapping.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum UnmapCall {
    /// Of a managed mapping, the managed call, as for `Page` and `List`.
    Single,
    Page,
    List,
    WithAttributes,
    /// With attributes, and with the wrong size if the memory is a pool's: then the library knows what was mapped.
    WrongSize,
    /// With attributes, and in the wrong direction if the memory is a pool's.
    WrongDirection,
}

/// One of these is chosen.
const UNMAP_CALLS: [UnmapCall; 16] = [
    UnmapCall::Single,
    UnmapCall::Single,
    UnmapCall::Single,
    UnmapCall::Single,
    UnmapCall::Single,
    UnmapCall::Single,
    UnmapCall::Page,
    UnmapCall::List,
    UnmapCall::WithAttributes,
    UnmapCall::WithAttributes,
    UnmapCall::WithAttributes,
    UnmapCall::WithAttributes,
    UnmapCall::WithAttributes,
    UnmapCall::WrongSize,
    UnmapCall::WrongDirection,
    UnmapCall::WrongDirection,
];

/// Ends a mapping.
pub fn unmap() {
    let Some(mut taken) = take_out(|area| !area.mappings.is_empty()) else { return };
    end(taken.area(), input::one_of(&UNMAP_CALLS));
    taken.put_back();
}

fn end(area: &mut Area, unmap_call: UnmapCall) {
    sync_for_device(area);
    let mapping = area.mappings.remove(0);
    let pa = mapping.pa();
    let &Mapping { device, handle, is_managed, attributes, .. } = &mapping;
    let (mut size, mut direction) = (mapping.size(), mapping.direction);
    let may_be_wrong = area.is_of_pool && !is_managed && attributes == 0;
    let is_wrong = may_be_wrong && matches!(unmap_call, UnmapCall::WrongSize | UnmapCall::WrongDirection);
    match unmap_call {
        UnmapCall::WrongSize if is_wrong => size += 64,
        UnmapCall::WrongDirection if is_wrong => direction = (direction + 1) % 3,
        _ => {}
    }
    let by_managed_call = is_managed && matches!(unmap_call, UnmapCall::Single | UnmapCall::Page | UnmapCall::List);
    let dev = device.pointer();
    crate::log!(
        "unmap {size} bytes at {handle:#x}, {device:?}, direction {direction}, managed {is_managed}, {unmap_call:?}"
    );
    if by_managed_call && machine::is_atomic() {
        c_call(|| unsafe { rt_dmam_unmap_single(dev, handle, size, direction) });
        area.mappings.push(mapping);
        return;
    }
    let ((), happened) = c_call(|| unsafe {
        match unmap_call {
            _ if by_managed_call => rt_dmam_unmap_single(dev, handle, size, direction),
            UnmapCall::Single if attributes == 0 => rt_dma_unmap_single(dev, handle, size, direction),
            UnmapCall::Page if attributes == 0 => rt_dma_unmap_page(dev, handle, size, direction),
            UnmapCall::List => {
                let mut list = [rt_dma_sg { addr: pointer(area.va), length: size, dma_handle: handle }];
                match attributes {
                    0 => rt_dma_unmap_sg(dev, list.as_mut_ptr(), 1, direction),
                    _ => rt_dma_unmap_sg_attrs(dev, list.as_mut_ptr(), 1, direction, attributes),
                }
            }
            _ => rt_dma_unmap_single_attrs(dev, handle, size, direction, attributes),
        }
    });
    assert!(
        happened.errors == 0 || is_wrong || happened.was_interrupted,
        "a right unmap is logged as an error: {mapping:x?}"
    );
    area.check();
    memory::with(|memory| memory.refresh(pa, mapping.size()));
}

/// Syncs the managed mappings of a device for the device, where a part is the processor's.
pub fn sync_managed_for_device(device: Device) {
    let is_synced = |area: &Area| area.is_managed_by(device) && !area.mappings[0].synced.is_empty();
    while let Some(mut taken) = take_out(is_synced) {
        sync_for_device(taken.area());
        taken.put_back();
    }
}

/// Makes maps in an interrupt ready.
pub fn fill() {
    let (device, count) = (Device::any(), input::one_of(&[20, 1, 0, 64, 65_537, usize::MAX]));
    let (result, happened) = c_call(|| unsafe { rt_dma_map_fill(device.pointer(), count) });
    let is_allowed = match count {
        65_537.. => result == INVAL,
        _ if machine::is_atomic() => result == BUSY,
        // A device's pools may be full.
        _ if happened.is_plain() => [OK, EMPTY].contains(&result),
        _ => [OK, NOMEM, EMPTY, BUSY].contains(&result),
    };
    assert!(is_allowed, "the number of maps is {count}, and the result {result}: {happened:?}");
}

/// Unmaps what is not mapped.
pub fn unmap_wrongly() {
    let (device, size, direction) = (Device::any(), 1 + input::below_many(9000), input::below(4) as i32);
    let handle = match input::below(4) {
        0 => 0,
        1 => usize::MAX - input::below(256),
        2 => 0x9999_0000_0000 + input::below(256),
        _ => {
            // Of memory that became a pool's later, the library does not know that it was never mapped.
            let early = world(|world| world.early_pools);
            let Some(pool) = pools::all().into_iter().take(early).nth(input::below(4)) else { return };
            let page = input::below(pool.pages);
            let Some(first) = memory::page_of(pool.start) else { return };
            // A page that is free, or a buffer's; the size stays within it.
            let is_mapped = world(|world| world.buffers.iter().any(|buffer| !buffer.area.mappings.is_empty()));
            if is_mapped || pool.is_used(page) != world(|world| world.owned[first + page]) {
                return;
            }
            pool.start + page * PAGE + input::below(64)
        }
    };
    let is_internal = device.reach(handle, 1).is_some_and(|pa| pools::covering(pa, 1).is_none());
    if is_internal || has_own_memory(device) || !matches!(device.kind().bus, Bus::Plain) && handle > LOW {
        return;
    }
    let size = size.min(PAGE - handle % PAGE);
    let which = input::below(4);
    let ((), happened) = c_call(|| unsafe {
        match which {
            0 => rt_dma_sync_single_for_cpu(device.pointer(), handle, size, direction),
            1 => rt_dma_sync_single_for_device(device.pointer(), handle, size, direction),
            2 => rt_dmam_unmap_single(device.pointer(), handle, size, direction),
            _ => rt_dma_unmap_single(device.pointer(), handle, size, direction),
        }
    });
    let is_first_call = device.kind().has_node && machine::is_atomic() || happened.had_failure;
    assert!(
        happened.errors != 0 || happened.was_interrupted || is_first_call,
        "a wrong unmap is not logged: {size} bytes at {handle:#x}"
    );
}

/// Ends all mappings.
pub fn unmap_all() {
    while let Some(mut taken) = take_out(|area| !area.mappings.is_empty()) {
        end(taken.area(), UnmapCall::Single);
        taken.put_back();
    }
}

/// Has a thread free what interrupts left.
pub fn tidy() {
    let device = Device(0);
    let va = memory::linear(LOW + PAGE);
    let (handle, _) = c_call(|| unsafe { rt_dma_map_single(device.pointer(), pointer(va + 1), 100, FROM_DEVICE) });
    if handle != RT_DMA_MAPPING_ERROR {
        c_call(|| unsafe { rt_dma_unmap_single(device.pointer(), handle, 100, FROM_DEVICE) });
    }
}
