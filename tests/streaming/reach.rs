//! What a device reaches: masks, translations, pages that are not contiguous.

use crate::fake_kernel::*;
use crate::rig::*;
use rt_dma_pool::additions::streaming::{Direction::*, MapError};
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{MemoryType, Pa};
use rt_dma_pool::log::Level;

#[test]
fn a_mask_is_never_exceeded() {
    let rig = Rig::new();
    let device = rig.machine.plain_device();
    let va = rig.va(HIGH_HEAP);
    for direction in DIRECTIONS {
        rig.machine.cpu_write(va, &bytes(1, 3 * PAGE));
        for mask in [LOW_MASK, LOW_POOL + 3 * PAGE - 1] {
            let master = rig.master(device, mask);
            let handle = rig.map(&master, va, 3 * PAGE, direction).unwrap();
            assert!(handle + 3 * PAGE - 1 <= mask, "{handle:#x} {mask:#x}");
            assert_eq!(rig.device_read(&master, handle, 3 * PAGE), bytes(1, 3 * PAGE), "also where it only writes");
            rig.unmap(&master, handle, 3 * PAGE, direction).unwrap();
        }
        // One byte less than any pool reaches.
        let master = rig.master(device, LOW_POOL + 3 * PAGE - 2);
        assert_eq!(rig.map(&master, va, 3 * PAGE, direction), Err(MapError::NoBounce));
        assert_eq!(rig.machine.take_log(Level::Warning).len(), 1);
    }
    assert_eq!(rig.used_bytes(), 0);
    assert_eq!(rig.machine.dma.refused_calls(), 0, "a lack of memory is no fault of the caller's");
    rig.assert_errors(0);
}

/// A buffer that begins within the mask and ends beyond it.
#[test]
fn a_buffer_that_straddles_the_mask_is_out_of_reach() {
    let rig = Rig::new();
    let device = rig.machine.plain_device();
    let va = rig.va(HEAP + PAGE);
    for (mask, reaches) in [(HEAP + PAGE + 99, true), (HEAP + PAGE + 98, false)] {
        let master = rig.master(device, mask);
        let result = rig.map(&master, va, 100, ToDevice);
        assert_eq!(result, if reaches { Ok(HEAP + PAGE) } else { Err(MapError::NoBounce) });
    }
}

#[test]
fn pages_that_are_not_contiguous_look_so_to_the_device() {
    let rig = Rig::new();
    let master = rig.plain();
    let va = rig.machine.map_pages(&SCATTERED, MemoryType::Cached);
    for direction in DIRECTIONS {
        rig.machine.cpu_write(va, &bytes(1, 3 * PAGE));
        let (at, size) = (va + 10, 3 * PAGE - 20);
        let handle = rig.map(&master, at, size, direction).unwrap();
        assert_eq!(rig.device_read(&master, handle, size), bytes(1, 3 * PAGE)[10..][..size]);
        rig.device_write(&master, handle, &bytes(2, size));
        rig.unmap(&master, handle, size, direction).unwrap();
        let expected = if direction == ToDevice { bytes(1, 3 * PAGE)[10..][..size].to_vec() } else { bytes(2, size) };
        assert_eq!(rig.machine.cpu_read(at, size), expected);
        // A part that lies in one page needs none.
        let handle = rig.map(&master, va + PAGE, PAGE, direction).unwrap();
        assert_eq!(handle, SCATTERED[1]);
        rig.unmap(&master, handle, PAGE, direction).unwrap();
    }
    assert_eq!(rig.used_bytes(), 0);
    rig.assert_errors(0);
}

#[test]
fn handles_are_translated() {
    let rig = Rig::new();
    let tree = rig.master(rig.machine.device(below_ranges()), NO_MASK);
    let pci = rig.master(rig.machine.device(DeviceInfo::with_pci_windows(&[PCI_WINDOW])), LOW_MASK);
    for master in [tree, pci] {
        for (pa, is_direct) in [(HEAP + 2 * PAGE, true), (HIGH_HEAP + 2 * PAGE, false)] {
            let va = rig.va(pa);
            rig.machine.cpu_write(va, &bytes(1, PAGE));
            let handle = rig.map(&master, va, PAGE, Bidirectional).unwrap();
            assert_eq!(rig.pa_of_handle(&master, handle) == pa, is_direct, "the device reaches it or not");
            assert_eq!(rig.device_read(&master, handle, PAGE), bytes(1, PAGE));
            rig.device_write(&master, handle, &bytes(2, PAGE));
            rig.sync_for_cpu(&master, handle + LINE, LINE, Bidirectional).unwrap();
            rig.unmap(&master, handle, PAGE, Bidirectional).unwrap();
            assert_eq!(rig.machine.cpu_read(va, PAGE), bytes(2, PAGE));
        }
    }
    assert_eq!(rig.used_bytes(), 0);
    rig.assert_errors(0);
}

/// What the bus calls an address leads back elsewhere: a record finds the buffer all the same.
#[test]
fn a_translation_that_does_not_invert_is_no_hindrance() {
    let rig = Rig::new();
    let info = DeviceInfo {
        dma_to_cpu: Some(|handle| Some(handle + 0x10_0000)),
        ..DeviceInfo::with_dma_ranges(&[bus_range(HEAP, HEAP ^ 0x800_0000, HEAP_SIZE)])
    };
    let master = rig.master(rig.machine.device(info), NO_MASK);
    let va = rig.va(HEAP);
    rig.machine.cpu_write(va, &bytes(1, PAGE));
    let handle = rig.map(&master, va, PAGE, FromDevice).unwrap();
    assert_eq!(handle, HEAP ^ 0x800_0000);
    rig.machine.device_write(HEAP, &bytes(2, PAGE));
    rig.unmap(&master, handle, PAGE, FromDevice).unwrap();
    assert_eq!(rig.machine.cpu_read(va, PAGE), bytes(2, PAGE));
    rig.assert_errors(0);
}

/// A pool's buffer may have the handle that is its physical address, and the bus lead that handle elsewhere: to memory
/// outside the pools, to another pool, or nowhere.
#[test]
fn a_pools_buffer_is_found_whatever_its_handle_leads_to() {
    let leads_to: [fn(usize) -> Option<Pa>; 3] = [|handle| Some(handle + 0x200_0000), |_| Some(HIGH_POOL), |_| None];
    for dma_to_cpu in leads_to {
        let rig = Rig::new();
        let held = rig.buffer(PAGE, Flags::ADDRESS_32BITS);
        let (va, pa) = (held.va, held.handle);
        let info =
            DeviceInfo { dma_to_cpu: Some(dma_to_cpu), ..DeviceInfo::with_dma_ranges(&[bus_range(pa, pa, PAGE)]) };
        let master = rig.master(rig.machine.device(info), NO_MASK);
        assert_eq!(rig.map(&master, va, PAGE, FromDevice), Ok(pa));
        rig.machine.device_write(pa, &bytes(2, PAGE));
        rig.sync_for_cpu(&master, pa, PAGE, FromDevice).unwrap();
        rig.unmap(&master, pa, PAGE, FromDevice).unwrap();
        assert_eq!(rig.machine.cpu_read(va, PAGE), bytes(2, PAGE));
        rig.assert_errors(0);
    }
}

/// The first handle of a buffer may lead back to it, and a later one to other memory or nowhere. A sync of a later part
/// is of the same mapping all the same, and leaves the other memory alone.
#[test]
fn a_later_part_is_found_whatever_its_handle_leads_to() {
    const SIZE: usize = 2 * PAGE;
    const OTHER: Pa = HEAP + 16 * PAGE;
    let leads_to: [fn(usize) -> Option<Pa>; 2] = [
        |handle| if handle % SIZE < PAGE { Some(handle - BUS_OFFSET) } else { Some(OTHER) },
        |handle| if handle % SIZE < PAGE { Some(handle - BUS_OFFSET) } else { None },
    ];
    for dma_to_cpu in leads_to {
        let rig = Rig::new();
        let info = DeviceInfo { dma_to_cpu: Some(dma_to_cpu), ..below_ranges() };
        let device = rig.machine.device(info);
        let master = rig.master(device, NO_MASK);
        let held = rig.machine.alloc(device, SIZE, Flags::empty()).expect("there is room");
        for (va, pa) in [(held.va, held.handle - BUS_OFFSET), (rig.va(HEAP), HEAP)] {
            assert_eq!(rig.map(&master, va, SIZE, FromDevice), Ok(pa + BUS_OFFSET));
            rig.machine.device_write(pa, &bytes(2, SIZE));
            rig.machine.cpu_write(rig.va(OTHER), &bytes(3, PAGE));
            rig.sync_for_cpu(&master, pa + BUS_OFFSET + PAGE, PAGE, FromDevice).unwrap();
            assert!(rig.machine.cpu_read(rig.va(OTHER), PAGE) == bytes(3, PAGE));
            assert!(rig.machine.cpu_read(va + PAGE, PAGE) == bytes(2, SIZE)[PAGE..]);
            rig.unmap(&master, pa + BUS_OFFSET, SIZE, FromDevice).unwrap();
            assert!(rig.machine.cpu_read(va, SIZE) == bytes(2, SIZE));
        }
        rig.assert_errors(0);
    }
}

/// A translation that does not invert may give a bounce buffer the handle that is the physical address of the driver's
/// buffer, which lies in a pool.
#[test]
fn a_bounce_buffer_is_found_whatever_its_handle_is() {
    let rig = Rig::new();
    let held = rig.buffer(PAGE, Flags::ADDRESS_32BITS);
    let pa = held.handle;
    let info = DeviceInfo {
        dma_to_cpu: Some(|handle| Some(handle + 0x200_0000)),
        ..DeviceInfo::with_dma_ranges(&[bus_range(pa + PAGE, pa, PAGE)])
    };
    let master = rig.master(rig.machine.device(info), NO_MASK);
    let used = rig.used_bytes();
    let handle = rig.map(&master, held.va, 100, FromDevice).unwrap();
    assert_eq!(handle, pa);
    rig.machine.device_write(pa + PAGE, &bytes(2, 100));
    rig.sync_for_cpu(&master, handle, 100, FromDevice).unwrap();
    rig.unmap(&master, handle, 100, FromDevice).unwrap();
    assert_eq!(rig.machine.cpu_read(held.va, 100), bytes(2, 100));
    assert_eq!(rig.used_bytes(), used);
    rig.assert_errors(0);
}

/// A bus on which two ranges meet shows a buffer across them in two pieces.
#[test]
fn a_buffer_across_two_ranges_is_out_of_reach() {
    let rig = Rig::new();
    let two = [bus_range(0, PAGE, HEAP + PAGE), bus_range(HEAP + PAGE, HEAP, HIGH_HEAP - HEAP - PAGE)];
    let master = rig.master(rig.machine.device(DeviceInfo::with_dma_ranges(&two)), NO_MASK);
    assert_eq!(rig.map(&master, rig.va(HEAP), PAGE, ToDevice), Ok(HEAP + PAGE));
    rig.machine.cpu_write(rig.va(HEAP), &bytes(1, 2 * PAGE));
    let handle = rig.map(&master, rig.va(HEAP), PAGE + 1, ToDevice).unwrap();
    assert_eq!(handle, LOW_POOL - PAGE);
    assert_eq!(rig.machine.device_read(LOW_POOL, PAGE + 1), bytes(1, 2 * PAGE)[..PAGE + 1]);
    rig.unmap(&master, handle, PAGE + 1, ToDevice).unwrap();
}

/// What the bus calls an address is not always a handle.
#[test]
fn no_handle_looks_like_an_error() {
    let rig = Rig::new();
    let info = DeviceInfo::with_dma_ranges(&[bus_range(HEAP, usize::MAX, 1), bus_range(LOW_POOL, usize::MAX, 1)]);
    let master = rig.master(rig.machine.device(info), NO_MASK);
    assert_eq!(rig.map(&master, rig.va(HEAP), 1, ToDevice), Err(MapError::NoBounce));
    assert_eq!(rig.used_bytes(), 0);
}
