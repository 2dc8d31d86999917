//! Which bytes a sync and an unmap carry, and in which direction.

use crate::fake_kernel::*;
use crate::rig::*;
use rt_dma_pool::additions::streaming::{Attributes, BusMaster, Direction::*};
use rt_dma_pool::kernel::{MemoryType, Va};

/// Why a mapping is bounced: for a shared line at its beginning, at its end, for its address, for its pages.
fn bounced_places(rig: &Rig) -> [(BusMaster, Va, usize); 4] {
    let device = rig.machine.plain_device();
    let [plain, narrow] = [NO_MASK, LOW_MASK].map(|mask| rig.master(device, mask));
    let scattered = rig.machine.map_pages(&SCATTERED, MemoryType::Cached);
    [
        (plain, rig.va(HEAP + 5), 3 * LINE),
        (plain, rig.va(HEAP + PAGE), 3 * LINE + 1),
        (narrow, rig.va(HIGH_HEAP), 4 * LINE),
        (plain, scattered + PAGE - 2 * LINE, 4 * LINE),
    ]
}

/// The driver looks, the frame is not there yet, and the device writes it before the driver has given the buffer back.
#[test]
fn fault_11_a_driver_that_polls_keeps_what_the_device_wrote() {
    let rig = Rig::new();
    for keeps_flushed in [false, true] {
        if keeps_flushed {
            rig.machine.keep_flushed_lines();
        }
        for (master, va, size) in bounced_places(&rig) {
            // A bidirectional mapping may be synced in one direction only.
            for direction in [FromDevice, Bidirectional] {
                rig.machine.cpu_write(va, &bytes(1, size));
                let handle = rig.map(&master, va, size, direction).unwrap();
                assert_eq!(rig.device_read(&master, handle, size), bytes(1, size), "nothing of others is shown");
                for poll in 2..6 {
                    let written = bytes(poll, size);
                    rig.sync_for_cpu(&master, handle, size, FromDevice).unwrap();
                    rig.device_write(&master, handle, &written[..size / 2]);
                    // Of a part, of the whole, and of two parts.
                    match poll {
                        2 => rig.sync_for_device(&master, handle, LINE, FromDevice).unwrap(),
                        3 => rig.sync_for_device(&master, handle, size, FromDevice).unwrap(),
                        _ => {
                            rig.sync_for_device(&master, handle, LINE, FromDevice).unwrap();
                            rig.sync_for_device(&master, handle + LINE, size - LINE, FromDevice).unwrap();
                        }
                    }
                    rig.device_write(&master, handle + size / 2, &written[size / 2..]);
                    rig.machine.evict_cache();
                    assert!(rig.device_read(&master, handle, size) == written, "{poll} {direction:?}");
                    rig.sync_for_cpu(&master, handle, size, FromDevice).unwrap();
                    assert!(rig.machine.cpu_read(va, size) == written, "{poll} {direction:?}");
                    rig.sync_for_device(&master, handle, size, FromDevice).unwrap();
                }
                rig.device_write(&master, handle, &bytes(7, size));
                rig.sync_for_device(&master, handle, size, FromDevice).unwrap();
                rig.unmap(&master, handle, size, direction).unwrap();
                assert!(rig.machine.cpu_read(va, size) == bytes(7, size), "{direction:?}");
            }
        }
    }
    assert_eq!(rig.used_bytes(), 0);
    rig.assert_errors(0);
}

/// In the other direction: what the driver wrote meanwhile is not overwritten.
#[test]
fn fault_11_a_sync_for_the_processor_carries_nothing_to_the_device_only() {
    let rig = Rig::new();
    let master = rig.master(rig.machine.plain_device(), LOW_MASK);
    let (va, size) = (rig.va(HIGH_HEAP), 4 * LINE);
    for direction in [ToDevice, Bidirectional] {
        rig.machine.cpu_write(va, &bytes(1, size));
        let handle = rig.map(&master, va, size, direction).unwrap();
        rig.machine.cpu_write(va, &bytes(2, size));
        rig.sync_for_cpu(&master, handle, size, ToDevice).unwrap();
        assert_eq!(rig.machine.cpu_read(va, size), bytes(2, size), "{direction:?}");
        rig.sync_for_device(&master, handle, size, ToDevice).unwrap();
        assert_eq!(rig.device_read(&master, handle, size), bytes(2, size), "{direction:?}");
        rig.unmap(&master, handle, size, direction).unwrap();
    }
    rig.assert_errors(0);
}

/// A bidirectional mapping that is synced both ways: the processor's turn carries the device's bytes in, and all of the
/// processor's bytes out.
#[test]
fn fault_11_a_bidirectional_mapping_changes_hands_with_all_its_bytes() {
    let rig = Rig::new();
    for (master, va, size) in bounced_places(&rig) {
        rig.machine.cpu_write(va, &bytes(1, size));
        let handle = rig.map(&master, va, size, Bidirectional).unwrap();
        rig.device_write(&master, handle, &bytes(2, size));
        rig.sync_for_cpu(&master, handle, size, Bidirectional).unwrap();
        let mut expected = bytes(2, size);
        assert_eq!(rig.machine.cpu_read(va, size), expected);
        expected[..9].copy_from_slice(&bytes(3, 9));
        rig.machine.cpu_write(va, &bytes(3, 9));
        rig.sync_for_device(&master, handle, size, Bidirectional).unwrap();
        assert_eq!(rig.device_read(&master, handle, size), expected);
        rig.unmap(&master, handle, size, Bidirectional).unwrap();
        assert_eq!(rig.machine.cpu_read(va, size), expected);
    }
    rig.assert_errors(0);
}

/// What the driver wrote since it synced stays, and no sync is needed before the unmap for that.
#[test]
fn fault_11_an_unmap_without_a_sync_leaves_the_drivers_bytes() {
    let rig = Rig::new();
    for (master, va, size) in bounced_places(&rig) {
        for direction in [FromDevice, Bidirectional] {
            rig.machine.cpu_write(va, &bytes(1, size));
            let handle = rig.map(&master, va, size, direction).unwrap();
            rig.device_write(&master, handle, &bytes(2, size));
            rig.sync_for_cpu(&master, handle, size, direction).unwrap();
            rig.machine.cpu_write(va, &bytes(3, size / 2));
            rig.device_write(&master, handle, &bytes(4, size));
            rig.unmap_with(&master, handle, size, direction, Attributes::SKIP_CPU_SYNC).unwrap();
            let expected = [&bytes(3, size)[..size / 2], &bytes(2, size)[size / 2..]].concat();
            assert!(rig.machine.cpu_read(va, size) == expected, "{direction:?}");
        }
    }
    assert_eq!(rig.used_bytes(), 0);
    rig.assert_errors(0);
}
