//! Devices that leave, and others that take their places.

use rt_dma_pool::ffi::rt_dmam_release;

use super::buffers::Buffer;
use super::{Device, blocks, c_call, pools, streaming, world};
use crate::devices::{self, KINDS, Table};
use crate::{input, machine};

/// Releases what the device manages.
pub fn release(device: Device) {
    if machine::is_atomic() {
        c_call(|| unsafe { rt_dmam_release(device.pointer()) });
        return;
    }
    streaming::sync_managed_for_device(device);
    // A driver ends all mappings of a buffer before it frees the buffer.
    let is_early = |buffer: &Buffer| buffer.is_managed_by(device) && !buffer.area.mappings.is_empty();
    if world(|world| world.buffers.iter().any(is_early)) {
        return;
    }
    let (buffers, areas, mapped, pools) = world(|world| {
        let buffers: Vec<_> = world.buffers.extract_if(.., |buffer| buffer.is_managed_by(device)).collect();
        let areas: Vec<_> = world.areas.extract_if(.., |area| area.is_managed_by(device)).collect();
        let mapped: Vec<_> = world.buffers.extract_if(.., |buffer| buffer.area.is_managed_by(device)).collect();
        let pools: Vec<_> = world.block_pools.extract_if(.., |pool| pool.is_managed_by(device)).collect();
        world.masks[device.0] = [!0; 2];
        buffers.iter().for_each(|buffer| world.disown(buffer));
        (buffers, areas, mapped, pools)
    });
    let maps = pools::maps();
    crate::log!(
        "release {device:?}: {} buffers, {} mappings, {} pools",
        buffers.len(),
        areas.len() + mapped.len(),
        pools.len()
    );
    let ((), happened) = c_call(|| unsafe { rt_dmam_release(device.pointer()) });
    for buffer in &buffers {
        assert!(happened.was_interrupted || !pools::is_used(buffer.pa), "a managed buffer is not released");
    }
    let is_nothing = buffers.is_empty() && areas.is_empty() && mapped.is_empty() && pools.is_empty();
    if !happened.was_interrupted && is_nothing {
        pools::assert_nothing_new(&maps);
    }
    for mut area in areas {
        area.released();
        world(|world| world.areas.push(area));
    }
    for mut buffer in mapped {
        buffer.area.released();
        world(|world| world.buffers.push(buffer));
    }
    pools.into_iter().for_each(blocks::released);
}

/// Replaces a device that has nothing by another one at the same address.
pub fn replace() {
    let device = Device::any();
    if machine::is_atomic() || world(|world| world.has_anything(device)) {
        return;
    }
    let kind = input::below(KINDS.len());
    // The library forgets an earlier device when it chooses operations for the next one at its address.
    if input::one_in(2) || KINDS[kind].table != Table::Chosen {
        release(device);
    }
    // Only the device's own table can give back a bounce buffer that an interrupt left.
    if devices::kind(devices::address(device.0)).is_some_and(|kind| kind.table != Table::Chosen) {
        streaming::tidy();
    }
    if world(|world| world.has_anything(device)) {
        return;
    }
    world(|world| world.masks[device.0] = [!0; 2]);
    crate::log!("replace {device:?}: kind {kind}");
    devices::attach(device.0, kind);
}
