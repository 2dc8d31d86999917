//! The debug mode itself: right drivers, interrupts, limits, failures on request, the list.

use crate::fake_kernel::*;
use crate::rig::*;
use rt_dma_pool::additions::debug::{Call, DebugEntry, Finding, FreedMemory, UnmappedBy, Watch};
use rt_dma_pool::additions::streaming::{Direction, MAPPING_ERROR};
use rt_dma_pool::flags::Flags;
use rt_dma_pool::log::Level;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

/// The first calls of all come from two cores. One of them prepares the memory of the table.
#[test]
fn a_call_that_comes_while_the_table_gets_its_memory_is_recorded() {
    let rig = Rig::new();
    let debug: &'static Watch<FakeKernel> = Box::leak(Box::new(Watch::new(rig.machine.kernel)));
    let (call, prepares) = (rig.call(ALLOC_SITE), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let _end = SetAtEnd(&prepares);
        scope.spawn(|| {
            while !prepares.load(Relaxed) {
                std::thread::yield_now();
            }
            debug.record_allocation(&call, DebugEntry { va: 0x9000, size: 64, ..DebugEntry::NONE });
        });
        debug.start(|| {
            prepares.store(true, Relaxed);
            std::thread::sleep(Duration::from_millis(50));
            Box::leak(vec![DebugEntry::NONE; 4].into_boxed_slice())
        });
    });
    assert_eq!(rig.lines(), NO_LINES);
    debug.note_driver_removal(&call);
    assert_eq!(rig.lines(), ["eth0: still held after removal: 0x9000, 64 bytes, a buffer; caller 0x1111"]);
}

#[test]
fn a_driver_without_mistakes_causes_no_line() {
    let rig = Rig::new();
    let memory = own_memory(&rig);
    for flags in [Flags::empty(), Flags::NOCACHE] {
        let held = rig.alloc(5000, flags);
        rig.sync_data(held.va, 5000, flags);
        rig.sync_data(held.va + 64, 100, flags);
        assert!(rig.free(freed(&held)));
    }
    let held = rig.alloc(100, Flags::empty());
    assert!(rig.free(FreedMemory { handle: 0, ..freed(&held) }), "a caller need not know the handle");
    for direction in [Direction::ToDevice, Direction::FromDevice, Direction::Bidirectional] {
        let handle = rig.map(memory, 1500, direction);
        rig.debug.check_sync(&rig.call(OTHER_SITE), part(handle + 100, 1400, direction));
        rig.debug.check_sync(&rig.call(OTHER_SITE), part(handle, 0, Direction::Neither));
        rig.unmap(part(handle, 1500, direction));
    }
    // A bidirectional mapping is synced in any direction, and several devices may read the same bytes.
    let handle = rig.map(memory, 64, Direction::Bidirectional);
    rig.debug.check_sync(&rig.call(OTHER_SITE), part(handle, 64, Direction::ToDevice));
    rig.unmap(part(handle, 64, Direction::Bidirectional));
    let twice = [(); 2].map(|()| rig.map(memory, 64, Direction::ToDevice));
    for handle in twice {
        rig.unmap(part(handle, 64, Direction::ToDevice));
    }
    // Bounce buffers keep neighbours in one cache line apart.
    let neighbours = [memory, memory + 32].map(|va| rig.map(va, 32, Direction::FromDevice));
    for handle in neighbours {
        rig.unmap(part(handle, 32, Direction::FromDevice));
    }
    // The sync calls of drivers/dma.h need no mapping.
    rig.sync_data(memory, 64, Flags::empty());
    rig.debug.note_managed_release(&rig.call(OTHER_SITE));
    rig.assert_silent();
}

#[test]
fn lines_of_an_interrupt_are_written_by_the_next_call_of_a_thread() {
    let rig = Rig::new();
    let handle = rig.map(own_memory(&rig), 64, Direction::ToDevice);
    let line = format!("eth0: unmap with another size: {handle:#x}, 32 bytes, mapped with 64; caller 0x2222");
    rig.machine.in_interrupt(|| rig.unmap(part(handle, 32, Direction::ToDevice)));
    assert_eq!(rig.lines(), NO_LINES);
    assert_eq!(rig.debug.times(Some(rig.device), Finding::UnmapSize), 1, "it is counted at once");
    rig.machine.with_interrupts_off(|| rig.debug.count_and_check_failure(&rig.call(OTHER_SITE), 1));
    assert_eq!(rig.lines(), NO_LINES);
    rig.debug.count_and_check_failure(&rig.call(OTHER_SITE), 1);
    assert_eq!(rig.lines(), [line]);
}

#[test]
fn a_caller_that_repeats_a_mistake_gets_few_lines() {
    let rig = Rig::new();
    (0..1000).for_each(|_| rig.unmap(part(MAPPING_ERROR, 64, Direction::ToDevice)));
    let lines = rig.lines();
    let line = format!("eth0: unmap of a map that failed: {MAPPING_ERROR:#x}, 64 bytes; caller 0x2222");
    let times = |times| format!("eth0: {times} times: unmap of a map that failed; caller 0x2222");
    let mut expected = vec![line.clone(); 3];
    for count in [10, 100, 1000] {
        expected.extend([line.clone(), times(count)]);
    }
    assert_eq!(lines, expected);
    assert_eq!(rig.debug.mistakes(Some(rig.device)), 1000);
}

#[test]
fn a_full_table_is_reported_once_and_what_is_not_in_it_is_no_mistake() {
    let rig = Rig::with_entries(2);
    let held: Vec<_> = (0..5).map(|_| rig.alloc(64, Flags::empty())).collect();
    let warnings = rig.machine.take_log(Level::Warning);
    assert_eq!(warnings, ["eth0: debug table full: 2 entries in use, more are not checked"]);
    rig.unmap(part(0x8000, 64, Direction::ToDevice));
    for held in &held[2..4] {
        assert!(!rig.free(freed(held)), "not recorded");
    }
    held[..2].iter().for_each(|held| assert!(rig.free(freed(held))));
    rig.assert_silent();
    // All that was not recorded was given back.
    rig.unmap(part(0x8000, 64, Direction::ToDevice));
    rig.assert_found(Finding::UnmapUnknown, "0x8000, 64 bytes");
}

#[test]
fn the_nth_call_fails_and_no_other() {
    let rig = Rig::new();
    let other = rig.other_device(c"dma1");
    assert!(rig.debug.fail_nth(&rig.call(OTHER_SITE), 3));
    let failed: Vec<_> = (0..5).map(|_| rig.debug.count_and_check_failure(&rig.call(OTHER_SITE), 64)).collect();
    assert_eq!(failed, [false, false, true, false, false]);
    assert!(rig.debug.has_failed(rig.device));
    let note = "eth0: failure on request: allocation or mapping of 64 bytes; caller 0x2222";
    assert_eq!(rig.machine.take_log(Level::Warning), [note]);
    rig.debug.fail_nth(&rig.call(OTHER_SITE), 2);
    assert!(!rig.debug.has_failed(rig.device), "a new request begins anew");
    assert!(!rig.debug.count_and_check_failure(&rig.call_for(other, OTHER_SITE), 64));
    assert!(!rig.debug.count_and_check_failure(&rig.call(OTHER_SITE), 64));
    rig.debug.fail_nth(&rig.call(OTHER_SITE), 0);
    assert!(!rig.debug.count_and_check_failure(&rig.call(OTHER_SITE), 64));
    assert!(!rig.debug.has_failed(rig.device));
    rig.assert_silent();
}

#[test]
fn the_list_has_mistakes_and_what_devices_hold() {
    let rig = Rig::new();
    let other = rig.other_device(c"dma1");
    let held = rig.alloc(100, Flags::empty());
    let handle = rig.map_as(other, buffer(own_memory(&rig), 64, Direction::FromDevice));
    rig.unmap(part(MAPPING_ERROR, 64, Direction::ToDevice));
    assert_eq!(rig.machine.take_printed(), NO_LINES);
    rig.debug.list(None, 105);
    let text = rig.machine.take_printed().join("\n");
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "unmap of a map that failed 1 1 mistakes found".to_owned(),
        format!("eth0 buffer {:#x} 100 0x1111 100", held.va),
        format!("dma1 single mapping {handle:#x} 64 0x1111 100 from the device"),
        "2 held by devices 2 of 64 entries in use, 2 at most, 0 not recorded".to_owned(),
    ] {
        assert!(squeezed(&text).contains(&part), "{part}: {text}");
    }
    rig.debug.list(Some(other), 105);
    let text = rig.machine.take_printed().join("\n");
    assert!(squeezed(&text).contains("0 mistakes found") && !text.contains("eth0"), "{text}");
    assert!(squeezed(&text).contains("1 held by the device 2 of 64 entries in use"), "{text}");
}

#[test]
fn cores_and_interrupts_at_once_lose_no_entry() {
    let rig = Rig::with_entries(1024);
    let memory = own_memory(&rig);
    let (debug, machine) = (rig.debug, &rig.machine);
    std::thread::scope(|scope| {
        for core in 0..4usize {
            let caller = Call { device: rig.other_device(c"core"), ..rig.call(core) };
            scope.spawn(move || {
                for round in 0..2000usize {
                    let handle = 0x10_0000 * (core + 1) + 64 * (round % 16);
                    let run = || {
                        debug.check_map(&caller, DebugEntry { handle, ..buffer(memory, 64, Direction::ToDevice) });
                        debug.mark_mapping_checked(&caller, handle);
                        debug.check_unmap(&caller, UnmappedBy::Single, part(handle, 64, Direction::ToDevice), |_| true);
                    };
                    if round % 3 == 0 { machine.in_interrupt(run) } else { run() }
                }
            });
        }
    });
    rig.assert_silent();
    assert_eq!(rig.machine.take_printed(), NO_LINES);
    rig.debug.list(None, 0);
    assert!(rig.machine.take_printed().join("\n").contains("0 held by devices"));
}

#[test]
fn a_free_of_what_is_not_in_a_full_table_is_no_second_free() {
    let rig = Rig::with_entries(1);
    let [again, other] = [64, 64].map(|size| rig.machine.alloc(rig.device, size, Flags::empty()).unwrap());
    rig.record(rig.device, &again);
    assert!(rig.free(freed(&again)));
    rig.record(rig.device, &other);
    rig.record(rig.device, &again);
    assert!(!rig.free(freed(&again)), "there was no room for it");
    rig.assert_silent();
}

#[test]
fn what_is_not_in_a_full_table_is_not_taken_for_another_thing() {
    use Direction::ToDevice;
    // The buffer is recorded, and its mapping is not.
    let rig = Rig::with_entries(1);
    let held = rig.alloc(64, Flags::empty());
    let handle = rig.map(held.va, 64, ToDevice);
    rig.unmap(part(handle, 64, ToDevice));
    rig.assert_silent();

    // Another device's mapping is recorded.
    let rig = Rig::with_entries(1);
    let memory = own_memory(&rig);
    rig.map_as(rig.other_device(c"dma1"), buffer(memory, 64, ToDevice));
    let handle = rig.map(memory, 64, ToDevice);
    rig.debug.check_sync(&rig.call(OTHER_SITE), part(handle, 64, ToDevice));
    rig.unmap(part(handle, 64, ToDevice));
    rig.assert_silent();

    // An operation of a BSP allocates for another device: there is room for one of the two.
    for is_last in [false, true] {
        let rig = Rig::with_entries(1);
        let bus = rig.other_device(c"bus");
        let [first, held] = [64, 64].map(|size| rig.machine.alloc(rig.device, size, Flags::empty()).unwrap());
        if is_last {
            rig.record(rig.device, &first);
        }
        rig.record(bus, &held);
        if is_last {
            rig.free(freed(&first));
        }
        rig.record(rig.device, &held);
        for device in [rig.device, bus] {
            rig.debug.check_free(rig.machine.dma, &rig.call_for(device, OTHER_SITE), &freed(&held));
        }
        rig.assert_silent();
    }
}
