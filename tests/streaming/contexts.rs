//! Interrupts, cores, and services that fail.

use crate::fake_kernel::*;
use crate::rig::*;
use rt_dma_pool::additions::streaming::{BadMapping, Direction::*, MapError};
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::MemoryType;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Barrier};
use std::thread;

/// Records that a thread leaves for interrupts.
const STOCK: usize = 16;

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
            rig.for_cpu(&master, handle, 64, Bidirectional).unwrap();
            rig.for_device(&master, handle, 64, Bidirectional).unwrap();
            rig.unmap(&master, handle, 1536, Bidirectional).unwrap();
            assert_eq!(rig.machine.cpu_read(va, 1536), bytes(1, 1536));
        }
    });
    assert_eq!(rig.machine.dma.bad_calls(), 0);
}

#[test]
fn an_interrupt_lives_on_the_stock_that_threads_leave() {
    let rig = Rig::new();
    let master = rig.plain();
    let map = |at: usize| rig.map(&master, rig.va(HEAP + at * PAGE + 1), 100, FromDevice);
    rig.machine.in_interrupt(|| assert_eq!(map(0), Err(MapError::NoMemory), "no thread was here yet"));
    // A mapping that needs no record leaves the stock, too.
    let handle = rig.map(&master, rig.va(HEAP), PAGE, ToDevice).unwrap();
    rig.unmap(&master, handle, PAGE, ToDevice).unwrap();
    let stocked = rig.machine.balance();
    for _ in 0..3 {
        rig.machine.in_interrupt(|| {
            let handles: Vec<_> = (0..STOCK).map(|at| map(at).unwrap()).collect();
            assert_eq!(map(STOCK), Err(MapError::NoMemory));
            assert_eq!(rig.pool_bytes(), STOCK * PAGE, "no bounce buffer is lost");
            for (at, handle) in handles.into_iter().enumerate() {
                rig.device_write(&master, handle, &bytes(at, 100));
                rig.unmap(&master, handle, 100, FromDevice).unwrap();
                assert_eq!(rig.machine.cpu_read(rig.va(HEAP + at * PAGE + 1), 100), bytes(at, 100));
            }
        });
        assert_eq!(rig.machine.balance(), stocked, "all went round");
    }
    // What an interrupt took, a thread replaces.
    let mut handles: Vec<_> = rig.machine.in_interrupt(|| (0..STOCK).map(|at| map(at).unwrap()).collect());
    handles.push(map(STOCK).unwrap());
    rig.machine.in_interrupt(|| handles.extend((STOCK + 1..2 * STOCK).map(|at| map(at).unwrap())));
    handles.into_iter().for_each(|handle| rig.unmap(&master, handle, 100, FromDevice).unwrap());
    rig.streaming.trim(rig.machine.dma);
    assert_eq!(rig.pool_bytes(), 0);
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
    let stocked = rig.machine.balance().heap_bytes - idle;
    let handles: Vec<_> = (0..250).map(map).collect();
    handles.into_iter().for_each(|handle| rig.unmap(&master, handle, 100, FromDevice).unwrap());
    let left = rig.machine.balance().heap_bytes - idle;
    assert!(left <= 5 * stocked, "{left} bytes are left of a stock of {stocked}");
    rig.streaming.trim(rig.machine.dma);
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
    for _ in 0..2 * STOCK {
        rig.machine.in_interrupt(|| assert_eq!(map(), Err(MapError::NoBounce)));
    }
    assert_eq!(rig.machine.balance(), before, "the record went back");
    let handle = map().unwrap();
    rig.unmap(&master, handle, 100, FromDevice).unwrap();
    rig.machine.in_interrupt(|| {
        let handle = map().unwrap();
        rig.unmap(&master, handle, 100, FromDevice).unwrap();
    });
    assert_eq!(rig.machine.dma.bad_calls(), 2 * STOCK, "each was refused because it may not sleep");
}

#[test]
fn what_an_interrupt_cannot_free_the_next_thread_does() {
    let machine = Machine::new();
    machine.fail_always(Service::MapLinear);
    machine.set_view_limit(0);
    let rig = Rig::on(machine);
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
    assert_eq!(rig.pool_bytes(), 5 * PAGE);
    let handle = rig.map(&master, rig.va(HEAP), PAGE, ToDevice).unwrap();
    rig.unmap(&master, handle, PAGE, ToDevice).unwrap();
    assert_eq!(rig.pool_bytes(), 0);
    rig.streaming.trim(rig.machine.dma);
    assert_eq!(rig.machine.balance(), before);
    assert_eq!(rig.machine.dma.bad_calls(), 5);
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

/// Every service fails in turn, at each of its calls: a call that fails loses nothing, and the next try succeeds.
#[test]
fn a_mapping_that_fails_loses_nothing() {
    let services =
        [Service::HeapAlloc, Service::Map, Service::MapWrong(Wrong::Block), Service::MapWrong(Wrong::LastPage)];
    for (service, view_limit) in services.into_iter().flat_map(|service| [(service, 64 * MIB), (service, 0)]) {
        for call in 0.. {
            let machine = Machine::new();
            machine.fail_always(Service::MapLinear);
            machine.set_view_limit(view_limit);
            let rig = Rig::on(machine);
            let device = rig.machine.plain_device();
            let master = rig.master(device, BITS_32);
            let before = rig.machine.balance();
            rig.machine.fail(service, call, 1);
            let mut failed = false;
            for _ in 0..2 {
                let va = rig.va(HIGH_HEAP + 1);
                rig.machine.cpu_write(va, &bytes(1, 5000));
                match rig.map(&master, va, 5000, FromDevice) {
                    Ok(handle) => {
                        rig.device_write(&master, handle, &bytes(2, 5000));
                        rig.unmap(&master, handle, 5000, FromDevice).unwrap();
                        assert_eq!(rig.machine.cpu_read(va, 5000), bytes(2, 5000));
                    }
                    Err(error) => {
                        assert!(!failed, "only one call fails");
                        assert!(matches!(error, MapError::NoBounce | MapError::NoMemory));
                        failed = true;
                    }
                }
                assert_eq!(rig.pool_bytes(), 0, "{service:?} {call}");
            }
            rig.streaming.trim(rig.machine.dma);
            let mut after = rig.machine.balance();
            if view_limit != 0 {
                // A view stays.
                after.mappings.clear();
            }
            assert_eq!(after, before, "{service:?} {call}");
            rig.assert_errors(0);
            if !rig.machine.repair(service) {
                assert!(!failed);
                break;
            }
            assert!(call < 100, "{service:?} is called without end");
        }
    }
}

/// Cores and interrupts at every moment: each finds its own bytes, and in the end nothing is missing.
#[test]
fn mappings_of_different_cores_do_not_meet() {
    const CORES: usize = 4;
    let rig = Arc::new(Rig::new());
    let master = rig.plain();
    let low = rig.master(rig.machine.plain_device(), BITS_32);
    let uncached = rig.buffer(CORES * PAGE, Flags::NOCACHE);
    let scattered: Vec<_> = (0..CORES)
        .map(|core| {
            rig.machine.map_pages(&[HEAP + (64 + 2 * core) * PAGE, HEAP + (80 + 2 * core) * PAGE], MemoryType::Cached)
        })
        .collect();
    // Bounce buffers of interrupts need the stock, whichever thread fills it.
    let handle = rig.map(&master, rig.va(HEAP), PAGE, ToDevice).unwrap();
    rig.unmap(&master, handle, PAGE, ToDevice).unwrap();
    rig.streaming.trim(rig.machine.dma);
    let before = rig.machine.balance();

    static INTERRUPTS: AtomicUsize = AtomicUsize::new(0);
    let weak = Arc::downgrade(&rig);
    rig.machine.set_interrupt(Some(Arc::new(move || {
        let Some(rig) = weak.upgrade() else { return };
        let turn = INTERRUPTS.fetch_add(1, Relaxed);
        if !turn.is_multiple_of(16) {
            return;
        }
        let va = rig.va(HEAP + (128 + turn / 16 % 64) * PAGE + turn % 2);
        if let Ok(handle) = rig.map(&master, va, 99, FromDevice) {
            rig.unmap(&master, handle, 99, FromDevice).unwrap();
        }
    })));
    let start = Barrier::new(CORES);
    thread::scope(|scope| {
        for core in 0..CORES {
            let (rig, start, scattered) = (&rig, &start, &scattered);
            scope.spawn(move || {
                start.wait();
                for step in 0..150 {
                    let (va, size, master) = match step % 5 {
                        0 => (rig.va(HEAP + core * 4 * PAGE), 2 * PAGE, &master),
                        1 => (rig.va(HEAP + core * 4 * PAGE + 7), 300, &master),
                        2 => (rig.va(HIGH_HEAP + core * 4 * PAGE), PAGE, &low),
                        3 => (uncached.va + core * PAGE + 3, 70, &master),
                        _ => (scattered[core] + 99, PAGE, &master),
                    };
                    let seed = core * 1000 + step;
                    rig.machine.cpu_write(va, &bytes(seed, size));
                    let handle = rig.map(master, va, size, Bidirectional).unwrap();
                    assert_eq!(rig.device_read(master, handle, size), bytes(seed, size));
                    rig.device_write(master, handle, &bytes(seed + 1, size));
                    rig.for_cpu(master, handle, size, Bidirectional).unwrap();
                    assert_eq!(rig.machine.cpu_read(va, size), bytes(seed + 1, size));
                    rig.for_device(master, handle, size, Bidirectional).unwrap();
                    rig.device_write(master, handle, &bytes(seed + 2, size));
                    rig.unmap(master, handle, size, Bidirectional).unwrap();
                    assert_eq!(rig.machine.cpu_read(va, size), bytes(seed + 2, size));
                }
            });
        }
    });
    rig.machine.set_interrupt(None);
    assert!(INTERRUPTS.load(Relaxed) > 1_000, "interrupts came");
    rig.streaming.trim(rig.machine.dma);
    assert_eq!(rig.machine.balance(), before);
    rig.assert_errors(0);
}

/// Locks taken by a direct mapping and its unmap, of one page and of many, while other mappings have records.
#[test]
fn a_direct_mapping_takes_no_lock() {
    let rig = Rig::new();
    let plain = rig.plain();
    let tree = rig.master(rig.machine.device(behind_ranges()), ALL);
    // The stock of records is filled, and mappings with records are live: bounced, of a pool, and of another address.
    let pooled = rig.buffer(64 * PAGE, Flags::empty());
    let alias = rig.machine.map_pages(&[HEAP + 240 * PAGE, HEAP + 241 * PAGE], MemoryType::Cached);
    let mut live: Vec<_> = (0..64).map(|page| (pooled.va + page * PAGE, PAGE)).collect();
    live.extend((0..64).map(|at| (rig.va(HEAP + 200 * PAGE + at * 128 + 1), 100)));
    live.push((alias, 2 * PAGE));
    let handles: Vec<_> =
        live.iter().map(|(va, size)| (rig.map(&plain, *va, *size, FromDevice).unwrap(), *size)).collect();
    for (size, way) in
        [64, PAGE, 3 * PAGE, 16 * PAGE].into_iter().flat_map(|size| [ToDevice, FromDevice].map(|way| (size, way)))
    {
        for master in [&plain, &tree, &rig.coherent()] {
            let va = rig.va(HEAP + 4 * PAGE);
            let before = rig.machine.irq_saves();
            let handle = rig.map(master, va, size, way).unwrap();
            rig.for_cpu(master, handle, size, way).unwrap();
            rig.for_device(master, handle, size, way).unwrap();
            rig.unmap(master, handle, size, way).unwrap();
            assert_eq!(rig.machine.irq_saves(), before, "{size} {way:?} {:?}", master.ops);
        }
    }
    for (handle, size) in handles {
        rig.unmap(&plain, handle, size, FromDevice).unwrap();
    }
    // Nor where mappings with records were before, once the known part of the linear map has grown to there.
    for _ in 0..8 {
        let handle = rig.map(&plain, rig.va(HEAP + 241 * PAGE), PAGE, FromDevice).unwrap();
        rig.unmap(&plain, handle, PAGE, FromDevice).unwrap();
    }
    for offset in [200 * PAGE, 240 * PAGE, 241 * PAGE] {
        let handle = rig.map(&plain, rig.va(HEAP + offset), PAGE, FromDevice).unwrap();
        let before = rig.machine.irq_saves();
        rig.unmap(&plain, handle, PAGE, FromDevice).unwrap();
        assert_eq!(rig.machine.irq_saves(), before, "{offset:#x}");
    }
    rig.machine.free(pooled).unwrap();
    rig.assert_errors(0);
}

/// Page-table look-ups of a map and its unmap do not grow with the buffer where the memory is linear, or in a pool's view.
#[test]
fn pages_of_linear_memory_are_not_looked_up_one_by_one() {
    let rig = Rig::new();
    let master = rig.plain();
    let pooled = rig.buffer(64 * PAGE, Flags::NOCACHE);
    for va in [rig.va(HEAP + 16 * PAGE), pooled.va] {
        let mut look_ups = Vec::new();
        for size in [PAGE, 2 * PAGE, 16 * PAGE, 16 * PAGE, 64 * PAGE, 64 * PAGE] {
            let before = rig.machine.look_ups();
            let handle = rig.map(&master, va, size, FromDevice).unwrap();
            rig.unmap(&master, handle, size, FromDevice).unwrap();
            look_ups.push(rig.machine.look_ups() - before);
        }
        // A longer buffer than any before is looked up once; after that, no page is.
        assert!(look_ups[0] <= 2 && look_ups[3] <= look_ups[0] && look_ups[5] <= look_ups[0], "{look_ups:?}");
    }
    // Memory that lies elsewhere is reached after a few calls, and no longer buffer is needed for that.
    let far = rig.va(HEAP + 240 * PAGE);
    let costs: Vec<_> = (0..8)
        .map(|_| {
            let before = rig.machine.look_ups();
            let handle = rig.map(&master, far, 2 * PAGE, ToDevice).unwrap();
            rig.unmap(&master, handle, 2 * PAGE, ToDevice).unwrap();
            rig.machine.look_ups() - before
        })
        .collect();
    assert!(costs[7] <= 2 && costs.iter().all(|cost| *cost <= 2 * 70), "{costs:?}");
    rig.machine.free(pooled).unwrap();
}

/// A buffer whose ends are linear memory, with nothing in the middle, is no buffer; whatever was mapped before.
#[test]
fn a_hole_between_two_linear_pages_is_found() {
    let rig = Rig::new();
    let master = rig.plain();
    let (start, size) = (rig.va(HEAP), LOW_POOL - HEAP + PAGE);
    for pages in [2, 16, 200, 256] {
        assert_eq!(rig.map(&master, start, size, ToDevice), Err(MapError::NotMapped));
        let handle = rig.map(&master, start, pages * PAGE, ToDevice).unwrap();
        rig.unmap(&master, handle, pages * PAGE, ToDevice).unwrap();
        let last = rig.va(HEAP + HEAP_SIZE) - PAGE;
        assert_eq!(rig.map(&master, last, 2 * PAGE, ToDevice), Err(MapError::NotMapped));
        assert_eq!(rig.map(&master, start, size, ToDevice), Err(MapError::NotMapped), "after {pages}");
    }
}
