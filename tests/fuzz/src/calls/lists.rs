//! Scatter lists.

use rt_dma_pool::ffi::*;

use super::areas::{Area, Mapping};
use super::streaming::{BIDIRECTIONAL, FROM_DEVICE, TO_DEVICE, note};
use super::{Device, c_call, pointer, world};
use crate::input;

/// Maps some of the kernel's memory by one list. Each entry may be unmapped by itself later.
pub fn map_list() {
    let wanted = 1 + input::below(4);
    let mut areas = world(|world| {
        let is_free = |area: &mut Area| area.mappings.is_empty();
        let mut areas: Vec<_> = world.areas.extract_if(.., is_free).collect();
        while areas.len() > wanted {
            world.areas.push(areas.remove(0));
        }
        areas
    });
    let device = Device::any();
    let direction = input::one_of(&[TO_DEVICE, FROM_DEVICE, BIDIRECTIONAL]);
    let mut ranges = Vec::new();
    let mut list: Vec<_> = areas
        .iter()
        .map(|area| {
            let (start, size) = (input::below_many(area.bytes.len() - 1), 1 + input::below_many(3000));
            let range = start..(start + size).min(area.bytes.len());
            ranges.push(range.clone());
            rt_dma_sg { addr: pointer(area.va + range.start), length: range.len(), dma_handle: 0 }
        })
        .collect();
    let is_wrong = input::one_in(6);
    if let Some(last) = list.last_mut().filter(|_| is_wrong) {
        (last.addr, last.length) = (pointer(0x1234), input::below(3000));
    }
    super::pools::refresh_free();
    let count = list.len() as i32;
    let (mapped, _) = c_call(|| unsafe { rt_dma_map_sg(device.pointer(), list.as_mut_ptr(), count, direction) });
    assert!(mapped == 0 || mapped == count, "a part of a list is mapped");
    assert!(mapped == 0 || !is_wrong || list.is_empty(), "memory that is not mapped for the processor is mapped");
    for (index, area) in areas.iter_mut().enumerate() {
        let handle = list[index].dma_handle;
        if mapped == 0 {
            assert!(
                handle == RT_DMA_MAPPING_ERROR || handle == 0,
                "an entry of a list that is not mapped has a handle"
            );
        } else {
            let range = ranges[index].clone();
            let mapping = Mapping { device, handle, range, direction, synced: 0..0, is_managed: false, attributes: 0 };
            note(area, mapping);
        }
        area.check();
    }
    world(|world| world.areas.append(&mut areas));
}
