//! Maps in an interrupt: what threads leave for it, and what it leaves to threads.

use crate::fake_kernel::*;
use crate::rig::*;
use rt_dma_pool::additions::streaming::{BadMapping, Direction::*, MapError};
use rt_dma_pool::log::Level;

/// The number of records that a thread leaves for interrupts.
const SPARES: usize = 16;

#[test]
fn an_interrupt_needs_no_memory_for_a_network_packet() {
    let rig = Rig::new();
    let master = rig.plain();
    rig.machine.fail_always(Service::HeapAlloc);
    rig.machine.in_interrupt(|| {
        for packet in 0..100 {
            let va = rig.va(HEAP + packet * 2048);
            rig.machine.cpu_write(va, &bytes(packet, 1536));
            let handle = rig.map(&master, va, 1536, Bidirectional).unwrap();
            assert_eq!(rig.device_read(&master, handle, 1536), bytes(packet, 1536));
            rig.device_write(&master, handle, &bytes(1, 1536));
            rig.sync_for_cpu(&master, handle, 64, Bidirectional).unwrap();
            rig.sync_for_device(&master, handle, 64, Bidirectional).unwrap();
            rig.unmap(&master, handle, 1536, Bidirectional).unwrap();
            assert_eq!(rig.machine.cpu_read(va, 1536), bytes(1, 1536));
        }
    });
    assert_eq!(rig.machine.dma.refused_calls(), 0);
}

#[test]
fn an_interrupt_lives_on_the_spare_records_that_threads_leave() {
    let rig = Rig::new();
    let master = rig.plain();
    let map = |at: usize| rig.map(&master, rig.va(HEAP + at * PAGE + 1), 100, FromDevice);
    rig.machine.in_interrupt(|| assert_eq!(map(0), Err(MapError::NoMemory), "no thread was here yet"));
    // A mapping that needs no record leaves spare ones, too.
    let handle = rig.map(&master, rig.va(HEAP), PAGE, ToDevice).unwrap();
    rig.unmap(&master, handle, PAGE, ToDevice).unwrap();
    let with_spares = rig.machine.balance();
    for _ in 0..3 {
        rig.machine.in_interrupt(|| {
            let handles: Vec<_> = (0..SPARES).map(|at| map(at).unwrap()).collect();
            assert_eq!(map(SPARES), Err(MapError::NoMemory));
            assert_eq!(rig.used_bytes(), SPARES * PAGE, "no bounce buffer is lost");
            for (at, handle) in handles.into_iter().enumerate() {
                rig.device_write(&master, handle, &bytes(at, 100));
                rig.unmap(&master, handle, 100, FromDevice).unwrap();
                assert_eq!(rig.machine.cpu_read(rig.va(HEAP + at * PAGE + 1), 100), bytes(at, 100));
            }
        });
        assert_eq!(rig.machine.balance(), with_spares, "all went round");
    }
    // What an interrupt took, a thread replaces.
    let mut handles: Vec<_> = rig.machine.in_interrupt(|| (0..SPARES).map(|at| map(at).unwrap()).collect());
    handles.push(map(SPARES).unwrap());
    rig.machine.in_interrupt(|| handles.extend((SPARES + 1..2 * SPARES).map(|at| map(at).unwrap())));
    handles.into_iter().for_each(|handle| rig.unmap(&master, handle, 100, FromDevice).unwrap());
    rig.streaming().trim();
    assert_eq!(rig.used_bytes(), 0);
    rig.assert_errors(0);
}

/// Records do not pile up without end.
#[test]
fn a_peak_of_mappings_is_given_back_to_the_heap() {
    let rig = Rig::new();
    let master = rig.plain();
    let idle = rig.machine.balance().heap_bytes;
    let map = |at: usize| rig.map(&master, rig.va(HEAP + at * 128 + 1), 100, FromDevice).unwrap();
    let first = map(0);
    rig.unmap(&master, first, 100, FromDevice).unwrap();
    let spare_bytes = rig.machine.balance().heap_bytes - idle;
    let handles: Vec<_> = (0..250).map(map).collect();
    handles.into_iter().for_each(|handle| rig.unmap(&master, handle, 100, FromDevice).unwrap());
    let left = rig.machine.balance().heap_bytes - idle;
    assert!(left <= 5 * spare_bytes, "{left} bytes are left; a thread keeps {spare_bytes}");
    rig.streaming().trim();
    assert_eq!(rig.machine.balance().heap_bytes, idle);
}

#[test]
fn an_interrupt_finds_no_bounce_buffer_in_a_pool_that_is_not_mapped_yet() {
    let machine = Machine::new();
    machine.fail_always(Service::MapLinear);
    let rig = Rig::on(machine);
    let master = rig.plain();
    let handle = rig.map(&master, rig.va(HEAP), PAGE, ToDevice).unwrap();
    rig.unmap(&master, handle, PAGE, ToDevice).unwrap();
    let before = rig.machine.balance();
    let map = || rig.map(&master, rig.va(HEAP + 1), 100, FromDevice);
    for _ in 0..2 * SPARES {
        rig.machine.in_interrupt(|| assert_eq!(map(), Err(MapError::NoBounce)));
    }
    assert_eq!(rig.machine.balance(), before, "the record went back");
    let handle = map().unwrap();
    rig.unmap(&master, handle, 100, FromDevice).unwrap();
    rig.machine.in_interrupt(|| {
        let handle = map().unwrap();
        rig.unmap(&master, handle, 100, FromDevice).unwrap();
    });
    assert_eq!(rig.machine.dma.refused_calls(), 2 * SPARES, "each was refused because it may not sleep");
}

/// A thread would have allocated the record.
#[test]
fn fault_05_a_map_that_finds_no_record_in_an_interrupt_is_counted() {
    let rig = Rig::new();
    let master = rig.plain();
    let map = || rig.map(&master, rig.va(HEAP + 1), 100, FromDevice);
    for calls in 1..3 {
        assert_eq!(rig.machine.in_interrupt(map), Err(MapError::NoMemory));
        assert_eq!(rig.machine.dma.refused_calls(), calls);
    }
    rig.machine.fail_always(Service::HeapAlloc);
    assert_eq!(map(), Err(MapError::NoMemory));
    assert_eq!(rig.machine.dma.refused_calls(), 2, "a thread that finds no memory made no mistake");
    assert_eq!(rig.machine.take_log(Level::Warning).len(), 1);
}

#[test]
fn what_an_interrupt_cannot_free_the_next_thread_does() {
    let rig = Rig::without_views();
    let master = rig.plain();
    let before = rig.machine.balance();
    let va = rig.va(HEAP + 1);
    let handles: Vec<_> = (0..5).map(|at| rig.map(&master, va + at * 128, 100, FromDevice).unwrap()).collect();
    rig.machine.in_interrupt(|| {
        for (at, handle) in handles.into_iter().enumerate() {
            rig.device_write(&master, handle, &bytes(at, 100));
            rig.unmap(&master, handle, 100, FromDevice).unwrap();
            assert_eq!(rig.unmap(&master, handle, 100, FromDevice), Err(BadMapping::Unknown), "it is unmapped");
            assert_eq!(rig.machine.cpu_read(va + at * 128, 100), bytes(at, 100));
        }
    });
    assert_eq!(rig.used_bytes(), 5 * PAGE);
    let handle = rig.map(&master, rig.va(HEAP), PAGE, ToDevice).unwrap();
    rig.unmap(&master, handle, PAGE, ToDevice).unwrap();
    assert_eq!(rig.used_bytes(), 0);
    rig.streaming().trim();
    assert_eq!(rig.machine.balance(), before);
    assert_eq!(rig.machine.dma.refused_calls(), 5);
}

/// The kernel's functions may not be called with the device any more.
#[test]
fn what_an_interrupt_cannot_free_is_freed_after_its_device_is_gone() {
    let rig = Rig::without_views();
    let device = rig.machine.device(below_ranges());
    let master = rig.master(device, NO_MASK);
    let handle = rig.map(&master, rig.va(HEAP + 1), 100, FromDevice).unwrap();
    rig.machine.in_interrupt(|| rig.unmap(&master, handle, 100, FromDevice).unwrap());
    assert_eq!(rig.used_bytes(), PAGE);
    rig.machine.remove_device(device);
    rig.streaming().trim();
    assert_eq!(rig.used_bytes(), 0);
}

/// With interrupts off, as in an interrupt, nothing sleeps.
#[test]
fn a_thread_with_interrupts_off_may_map() {
    let rig = Rig::new();
    let master = rig.plain();
    rig.machine.with_interrupts_off(|| {
        let handle = rig.map(&master, rig.va(HEAP), PAGE, FromDevice).unwrap();
        rig.unmap(&master, handle, PAGE, FromDevice).unwrap();
        assert!(rig.map(&master, rig.va(HEAP + 1), PAGE, FromDevice).is_err());
    });
}

/// Maps and unmaps buffers that need a bounce buffer, in an interrupt; returns how many of `count` maps succeeded.
fn maps_in_an_interrupt(rig: &Rig, count: usize) -> usize {
    let master = rig.plain();
    rig.machine.in_interrupt(|| {
        let map = |at: usize| rig.map(&master, rig.va(HEAP + at * 128 + 1), 100, FromDevice);
        let handles: Vec<_> = (0..count).map_while(|at| map(at).ok()).collect();
        let mapped = handles.len();
        handles.into_iter().for_each(|handle| rig.unmap(&master, handle, 100, FromDevice).unwrap());
        mapped
    })
}

#[test]
fn an_interrupt_maps_as_often_as_a_thread_made_ready() {
    let rig = Rig::new();
    let before = rig.machine.balance().heap_bytes;
    assert_eq!(maps_in_an_interrupt(&rig, 100), 0, "no thread was here yet");
    for count in [40, 200, 5] {
        rig.fill(&rig.plain(), count).unwrap();
        let ready = maps_in_an_interrupt(&rig, 250);
        assert!((count..=200 + 48).contains(&ready), "{ready} of {count}");
    }
    // Threads keep as many ready: they free none of these, and replace those that an interrupt holds.
    let master = rig.plain();
    let held: Vec<_> = rig.machine.in_interrupt(|| {
        (0..150).map(|at| rig.map(&master, rig.va(HEAP + (at + 300) * 128 + 1), 100, FromDevice).unwrap()).collect()
    });
    let handle = rig.map(&master, rig.va(HEAP), PAGE, ToDevice).unwrap();
    rig.unmap(&master, handle, PAGE, ToDevice).unwrap();
    assert_eq!(maps_in_an_interrupt(&rig, 200), 200);
    held.into_iter().for_each(|handle| rig.unmap(&master, handle, 100, FromDevice).unwrap());
    assert_eq!(rig.used_bytes(), 0);
    rig.streaming().trim();
    assert_eq!(rig.machine.balance().heap_bytes, before);
}

#[test]
fn a_fill_maps_the_pool_from_which_interrupts_get_bounce_buffers() {
    let machine = Machine::new();
    machine.fail_always(Service::MapLinear);
    let rig = Rig::on(machine);
    let handle = rig.map(&rig.plain(), rig.va(HEAP), PAGE, ToDevice).unwrap();
    rig.unmap(&rig.plain(), handle, PAGE, ToDevice).unwrap();
    assert_eq!(maps_in_an_interrupt(&rig, 10), 0, "the pool is not mapped yet");
    rig.fill(&rig.plain(), 10).unwrap();
    assert_eq!(maps_in_an_interrupt(&rig, 10), 10);
}

#[test]
fn a_fill_without_memory_keeps_none() {
    let rig = Rig::new();
    let fill = |count| rig.fill(&rig.plain(), count);
    let records = || maps_in_an_interrupt(&rig, 200);
    for call in [0, 1, 30, 99] {
        rig.streaming().trim();
        fill(0).unwrap();
        assert_eq!(records(), SPARES);
        rig.machine.fail(Service::HeapAlloc, call, 1);
        assert_eq!(fill(SPARES + 100), Err(MapError::NoMemory));
        assert!(rig.machine.repair(Service::HeapAlloc));
        assert_eq!(records(), SPARES);
    }
    let far = rig.master(rig.machine.plain_device(), 0xfff);
    assert_eq!(rig.fill(&far, 100), Err(MapError::NoBounce), "no pool is within the mask");
    assert!(records() >= 100, "the records are ready all the same");
}
