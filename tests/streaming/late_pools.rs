//! Pools that are installed over memory that is mapped.

use crate::fake_kernel::*;
use crate::rig::*;
use rt_dma_pool::additions::streaming::{BadMapping, Direction::*};
use rt_dma_pool::flags::Flags;

/// Memory that a driver has mapped becomes a pool's: the mapping is ended with its cache work, and is no error.
#[test]
fn fault_14_a_mapping_that_is_older_than_the_pool_is_ended_with_its_cache_work() {
    for direction in DIRECTIONS {
        let rig = Rig::new();
        let master = rig.plain();
        // In the middle of the pool, across its beginning, and across its end.
        let places = [(40 * PAGE, PAGE), (31 * PAGE, 2 * PAGE), (63 * PAGE, 2 * PAGE)];
        let handles = places.map(|(offset, size)| {
            rig.machine.cpu_write(rig.va(HEAP + offset), &bytes(1, size));
            rig.map(&master, rig.va(HEAP + offset), size, direction).unwrap()
        });
        let bounced = rig.map(&master, rig.va(HEAP + 50 * PAGE + 1), 100, FromDevice).unwrap();
        rig.machine.install(c"late", HEAP + 32 * PAGE, 32 * PAGE);
        for ((offset, size), handle) in places.into_iter().zip(handles) {
            let va = rig.va(HEAP + offset);
            if direction == ToDevice {
                rig.sync_for_device(&master, handle, size, direction).unwrap();
                rig.unmap(&master, handle, size, direction).unwrap();
                continue;
            }
            // The processor reads ahead.
            rig.machine.cpu_read(va, size);
            rig.device_write(&master, handle, &bytes(2, size));
            rig.sync_for_cpu(&master, handle + LINE, LINE, direction).unwrap();
            assert_eq!(rig.machine.cpu_read(va + LINE, LINE), bytes(2, size)[LINE..2 * LINE]);
            rig.sync_for_device(&master, handle + LINE, LINE, direction).unwrap();
            rig.machine.cpu_read(va, size);
            rig.device_write(&master, handle, &bytes(3, size));
            rig.unmap(&master, handle, size, direction).unwrap();
            assert!(rig.machine.cpu_read(va, size) == bytes(3, size), "{direction:?} {offset:#x}");
        }
        rig.device_write(&master, bounced, &bytes(4, 100));
        rig.unmap(&master, bounced, 100, FromDevice).unwrap();
        assert_eq!(rig.machine.cpu_read(rig.va(HEAP + 50 * PAGE + 1), 100), bytes(4, 100));
        rig.assert_errors(0);
        assert_eq!(rig.machine.dma.refused_calls(), 0);

        // A pool that was there before any mapping still notices a second unmap.
        let held = rig.buffer(PAGE, Flags::empty());
        let handle = rig.map(&master, held.va, PAGE, direction).unwrap();
        rig.unmap(&master, handle, PAGE, direction).unwrap();
        assert!(rig.unmap(&master, handle, PAGE, direction).is_err(), "it is an early pool's");
        rig.assert_errors(1);
    }
}

/// The second unmap of a mapping, or a sync after its unmap, loses no bytes of the code that owns the memory by then.
#[test]
fn fault_14_a_late_unmap_or_sync_in_a_late_pool_loses_no_bytes() {
    let rig = Rig::new();
    let master = rig.plain();
    let handle = rig.map(&master, rig.va(HEAP), PAGE, FromDevice).unwrap();
    let late = rig.machine.install(c"late", HEAP, 32 * PAGE);
    rig.unmap(&master, handle, PAGE, FromDevice).unwrap();
    // Its first page has been allocated by now.
    assert_eq!(late.allocate_pages(1), Some(0));
    let late_calls: [&dyn Fn() -> Result<(), BadMapping>; 3] = [
        &|| rig.unmap(&master, handle, PAGE, FromDevice),
        &|| rig.sync_for_cpu(&master, handle, PAGE, FromDevice),
        &|| rig.sync_for_cpu(&master, handle + LINE, LINE, Bidirectional),
    ];
    for (number, late_call) in late_calls.into_iter().enumerate() {
        rig.machine.cpu_write(rig.va(HEAP), &bytes(number, PAGE));
        let _ = late_call();
        assert!(rig.machine.cpu_read(rig.va(HEAP), PAGE) == bytes(number, PAGE), "call {number}");
    }
    late.free_pages(0, 1).unwrap();
}

/// The pool is later than the mapping also if it takes the place of an uninstalled pool, or is one that is installed
/// again.
#[test]
fn a_mapping_that_is_older_than_the_pool_is_ended_also_after_an_uninstall() {
    let rig = Rig::new();
    let master = rig.plain();
    let handle = rig.map(&master, rig.va(HEAP), PAGE, FromDevice).unwrap();
    rig.machine.dma.uninstall(&rig.high.public).unwrap();
    rig.machine.install(c"late", HEAP, 32 * PAGE);
    rig.unmap(&master, handle, PAGE, FromDevice).unwrap();

    rig.machine.dma.uninstall(&rig.low.public).unwrap();
    rig.machine.premap_linear(LOW_POOL, POOL_SIZE);
    let handle = rig.map(&master, rig.va(LOW_POOL), PAGE, FromDevice).unwrap();
    assert!(std::ptr::eq(rig.machine.install(c"low", LOW_POOL, POOL_SIZE), rig.low));
    rig.unmap(&master, handle, PAGE, FromDevice).unwrap();
    rig.assert_errors(0);
}
