//! Masks and limits of devices.

use rt_dma_pool::ffi::*;

use super::{Device, c_call, world};
use crate::memory::{HIGH, LOW, LOW_PAGES, PAGE};
use crate::port::{IO, OK};
use crate::{input, machine};

const MASKS: [u64; 8] = [
    !0,
    0xffff_ffff,
    (LOW + LOW_PAGES * PAGE - 1) as u64,
    (LOW + 30 * PAGE) as u64,
    (HIGH + 40 * PAGE - 1) as u64,
    0xff_ffff,
    0x9fff_ffff,
    0,
];

/// The mask that a call sets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum MaskKind {
    Streaming,
    Coherent,
    Both,
}

const KINDS: [MaskKind; 3] = [MaskKind::Streaming, MaskKind::Coherent, MaskKind::Both];

/// Sets a mask, and reads both. Sometimes more masks follow each other than the library has tables for.
pub fn set() {
    // A call in flight may be about the device.
    if machine::in_interrupt() {
        return;
    }
    let (device, mask, kind) = (Device::any(), input::one_of(&MASKS), input::one_of(&KINDS));
    // A mapping that is beyond the new mask could not be synced.
    if world(|world| world.is_mapped_for(device)) {
        return;
    }
    if input::one_in(8) {
        (1..40).for_each(|less| set_to(device, !0 - less, kind));
    }
    set_to(device, mask, kind);
}

fn set_to(device: Device, mask: u64, kind: MaskKind) {
    let dev = device.pointer();
    let (result, happened) = c_call(|| unsafe {
        match kind {
            MaskKind::Streaming => rt_dma_set_mask(dev, mask),
            MaskKind::Coherent => rt_dma_set_coherent_mask(dev, mask),
            MaskKind::Both => rt_dma_set_mask_and_coherent(dev, mask),
        }
    });
    assert!(result == OK || mask != !0 || !happened.is_plain() || result == IO, "the mask of all addresses is refused");
    assert!(result != OK || mask != 0, "a mask of nothing is accepted");
    world(|world| {
        let [streaming, coherent] = &mut world.masks[device.0];
        if result == OK && kind != MaskKind::Coherent {
            *streaming = mask;
        }
        if result == OK && kind != MaskKind::Streaming {
            *coherent = mask;
        }
    });
    let masks = unsafe { [rt_dma_get_mask(dev), rt_dma_get_coherent_mask(dev)] };
    let known = world(|world| world.masks[device.0]);
    assert!(masks == known, "the masks are {masks:x?}, not {known:x?}");
}

/// Sets a limit of a device's segments, and reads all.
pub fn limits() {
    let dev = Device::any().pointer();
    let number = input::one_of(&[0, 1, 0xfff, 0xffff, 0x1fff, usize::MAX, 0x1234, 63]);
    let limit = input::below(3);
    let set = [rt_dma_set_max_segment, rt_dma_set_segment_boundary, rt_dma_set_min_align_mask][limit];
    let (set, happened) = c_call(|| unsafe { set(dev, number) });
    let get = [rt_dma_get_max_segment, rt_dma_get_segment_boundary, rt_dma_get_min_align_mask][limit];
    let (read, then) = c_call(|| unsafe { get(dev) });
    let was_changed = happened.was_interrupted || then.was_interrupted;
    assert!(set != OK || read == number || was_changed, "a limit is {read:#x} after it was set to {number:#x}");
    let null = std::ptr::null_mut();
    assert!(unsafe { rt_dma_set_max_segment(null, 1) != OK && rt_dma_set_mask(null, 1) != OK });
    assert!(unsafe { rt_dma_get_mask(null) | rt_dma_get_coherent_mask(null) } == 0);
}
