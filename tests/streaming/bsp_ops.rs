//! Devices whose operations are the BSP's: what they are asked, and how often.

use crate::fake_kernel::*;
use crate::rig::*;
use rt_dma_pool::additions::streaming::{Attributes, BadMapping, BspOps, BusMaster, Direction::*, MapError, Ops};
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::Va;
use rt_dma_pool::log::Level;
use std::sync::Mutex;

/// What the BSP's operations were asked.
static ASKED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Memory that the BSP's IOMMU shows the device.
struct Shown {
    va: Va,
    size: usize,
    handle: usize,
}

/// What the IOMMU shows. The BSP allocates the last of them.
static SHOWN: Mutex<Vec<Shown>> = Mutex::new(Vec::new());

fn asked() -> String {
    std::mem::take(&mut *ASKED.lock().unwrap()).join(", ")
}

static BSP: BspOps = BspOps {
    alloc: |_, size| {
        ASKED.lock().unwrap().push(format!("alloc {size}"));
        SHOWN.lock().unwrap().last().map(|last| (last.va, last.handle))
    },
    free: |_, size, _, handle| ASKED.lock().unwrap().push(format!("free {size} {handle:#x}")),
    sync_out: |_, va, size, flags| {
        ASKED.lock().unwrap().push(format!("out {size} {:#x}", flags.bits()));
        let shown = SHOWN.lock().unwrap();
        let part = shown.iter().find(|part| (part.va..part.va + part.size).contains(&va))?;
        Some(va - part.va + part.handle)
    },
    sync_in: |_, _, size, handle, flags| {
        ASKED.lock().unwrap().push(format!("in {size} {handle:#x} {:#x}", flags.bits()));
        true
    },
};

#[test]
fn the_handle_is_the_one_that_a_bsps_own_operations_return() {
    let rig = Rig::new();
    let device = rig.machine.plain_device();
    let master = BusMaster { device, ops: Ops::Bsp(&BSP), mask: 0x1_ffff };
    let held = rig.buffer(PAGE, Flags::empty());
    let (near, far, unshown) = (rig.va(HEAP), rig.va(HEAP + 4 * PAGE), rig.va(HEAP + 8 * PAGE));
    *SHOWN.lock().unwrap() = [(near, 0x1_0000), (far, 0x2_0000), (held.va, 0x1_8000)]
        .map(|(va, handle)| Shown { va, size: PAGE, handle })
        .into();

    // Within the mask: as it is, and its own maintenance.
    let handle = rig.map(&master, near, PAGE, Bidirectional).unwrap();
    assert_eq!(handle, 0x1_0000);
    assert_eq!(asked(), "out 4096 0x0");
    rig.sync_for_cpu(&master, handle + 64, 128, Bidirectional).unwrap();
    rig.sync_for_device(&master, handle + 64, 128, Bidirectional).unwrap();
    rig.unmap(&master, handle, PAGE, Bidirectional).unwrap();
    assert_eq!(asked(), "in 128 0x10040 0x0, out 128 0x0, in 4096 0x10000 0x0");
    assert_eq!(rig.unmap(&master, handle, PAGE, Bidirectional), Err(BadMapping::Unknown), "each has a record");
    rig.assert_errors(1);

    // Beyond the mask, or not shown at all: what it allocates takes its place.
    for va in [far, unshown] {
        rig.machine.cpu_write(va, &bytes(1, PAGE));
        let handle = rig.map(&master, va, PAGE, Bidirectional).unwrap();
        assert_eq!(handle, 0x1_8000);
        assert!(asked().contains("alloc 4096, "));
        assert_eq!(rig.machine.cpu_read(held.va, PAGE), bytes(1, PAGE));
        rig.machine.cpu_write(held.va, &bytes(2, PAGE));
        rig.unmap(&master, handle, PAGE, Bidirectional).unwrap();
        assert_eq!(asked(), "in 4096 0x18000 0x0, free 4096 0x18000");
        assert_eq!(rig.machine.cpu_read(va, PAGE), bytes(2, PAGE));
    }

    // In an interrupt it is not known whether it may be freed.
    let handle = rig.map(&master, far, PAGE, ToDevice).unwrap();
    assert_eq!(asked(), "out 4096 0x0, in 4096 0x20000 0x4, alloc 4096, out 4096 0x0");
    rig.machine.in_interrupt(|| rig.unmap(&master, handle, PAGE, ToDevice).unwrap());
    assert_eq!(asked(), "in 4096 0x18000 0x4");
    rig.streaming().trim();
    assert_eq!(asked(), "free 4096 0x18000");

    // Neither the buffer nor what it allocates is within.
    let tight = BusMaster { mask: 0xffff, ..master };
    assert_eq!(rig.map(&tight, near, PAGE, ToDevice), Err(MapError::NoBounce));
    assert_eq!(
        asked(),
        "out 4096 0x0, in 4096 0x10000 0x4, alloc 4096, out 4096 0x0, in 4096 0x18000 0x4, free 4096 0x18000"
    );

    // A dma-coherent device, and memory that is not cached, ask for no maintenance.
    let coherent = BusMaster { device: rig.coherent().device, ..master };
    rig.map(&coherent, near, PAGE, ToDevice).unwrap();
    assert_eq!(asked(), "out 4096 0x4");
    rig.streaming().trim();
    rig.machine.free(held).unwrap();
}

/// By how much a handle is less than the address.
const SHIFT: usize = 0x1000;
/// The address that the next operations allocate.
static BOUNCE: Mutex<Option<Va>> = Mutex::new(None);

/// The calls of `sync_out` that no `sync_in` has followed yet.
struct Outstanding {
    now: isize,
    most: isize,
}

/// Those of [`HOLDING`].
static OUTSTANDING: Mutex<Outstanding> = Mutex::new(Outstanding { now: 0, most: 0 });

/// Operations that hold something from `sync_out` to `sync_in`: an entry of an IOMMU, which shows what is at `va` as
/// `va - SHIFT`.
static HOLDING: BspOps = BspOps {
    alloc: |_, _| BOUNCE.lock().unwrap().map(|va| (va, va - SHIFT)),
    free: |_, _, _, _| (),
    sync_out: |_, va, _, _| {
        let mut outstanding = OUTSTANDING.lock().unwrap();
        outstanding.now += 1;
        outstanding.most = outstanding.most.max(outstanding.now);
        Some(va - SHIFT)
    },
    sync_in: |_, va, _, handle, _| {
        assert_eq!(handle, va - SHIFT, "the handle that sync_out returned for this address");
        let mut outstanding = OUTSTANDING.lock().unwrap();
        outstanding.now -= 1;
        assert!(outstanding.now >= 0, "a sync_in that no sync_out asked for");
        true
    },
};

/// Whatever a driver does with its mapping, and whether or not it is bounced.
#[test]
fn fault_26_sync_in_is_called_as_often_as_sync_out() {
    let rig = Rig::new();
    let held = rig.buffer(PAGE, Flags::empty());
    *BOUNCE.lock().unwrap() = Some(held.va);
    let device = rig.machine.plain_device();
    // (begins at, mask): direct, bounced for its lines, bounced for the mask, refused.
    let highest = (held.va + PAGE).max(rig.va(HEAP + PAGE)) - SHIFT;
    let low = held.va.min(rig.va(HEAP)) - SHIFT - 1;
    for (at, mask, is_mapped) in [(0, highest, true), (1, highest, true), (0, low, false), (1, low, false)] {
        let master = BusMaster { device, ops: Ops::Bsp(&HOLDING), mask };
        let size = 512;
        for direction in DIRECTIONS {
            let (mut wrong_unmaps, mut failed_maps) = (0, 0);
            // Every order of three syncs: for the processor or the device, of the whole or either half; or none.
            for steps in 0..7usize.pow(3) {
                let result = rig.map(&master, rig.va(HEAP) + at, size, direction);
                let Ok(handle) = result else {
                    assert!(!is_mapped && result == Err(MapError::NoBounce));
                    failed_maps += 1;
                    break;
                };
                assert_eq!(OUTSTANDING.lock().unwrap().now, 1, "while it is mapped");
                for step in [steps % 7, steps / 7 % 7, steps / 49] {
                    let (from, bytes) = [(0, size), (0, size / 2), (size / 2, size / 2)][step % 3];
                    match step {
                        0..3 => rig.sync_for_cpu(&master, handle + from, bytes, direction).unwrap(),
                        3..6 => rig.sync_for_device(&master, handle + from, bytes, direction).unwrap(),
                        _ => {}
                    }
                }
                match steps % 5 {
                    0 => {
                        assert!(rig.unmap(&master, handle, 1, direction).is_err());
                        wrong_unmaps += 1;
                    }
                    1 => rig.unmap_with(&master, handle, size, direction, Attributes::SKIP_CPU_SYNC).unwrap(),
                    _ => rig.unmap(&master, handle, size, direction).unwrap(),
                }
                assert_eq!(OUTSTANDING.lock().unwrap().now, 0, "{at} {mask:#x} {direction:?} {steps}");
            }
            assert_eq!(OUTSTANDING.lock().unwrap().now, 0, "{at} {mask:#x} {direction:?}");
            let errors = rig.machine.take_errors();
            assert_eq!(errors.len(), wrong_unmaps);
            assert!(errors.iter().all(|line| line.ends_with("wrong size, unmapped as it was mapped")), "{errors:?}");
            assert_eq!(rig.machine.take_log(Level::Warning).len(), failed_maps);
        }
    }
    // A bounced map calls `sync_out` for the bounce buffer before it gives up the driver's buffer: two at once at most.
    assert!(OUTSTANDING.lock().unwrap().most <= 2);
    rig.streaming().trim();
    rig.machine.free(held).unwrap();
}

/// An interrupt that finds no record has not called the BSP's operations.
#[test]
fn fault_26_a_mapping_without_a_record_asks_for_nothing() {
    let rig = Rig::new();
    let master = BusMaster { device: rig.machine.plain_device(), ops: Ops::Bsp(&NEVER), mask: NO_MASK };
    rig.machine.in_interrupt(|| {
        assert_eq!(rig.map(&master, rig.va(HEAP), PAGE, ToDevice), Err(MapError::NoMemory));
    });
}

static NEVER: BspOps = BspOps {
    alloc: |_, _| panic!("alloc"),
    free: |_, _, _, _| panic!("free"),
    sync_out: |_, _, _, _| panic!("sync_out"),
    sync_in: |_, _, _, _, _| panic!("sync_in"),
};

/// What [`FAILS_ONCE`] has been asked.
struct SyncOuts {
    /// The number of the call of `sync_out` that fails. Number 0, that of the map, never fails.
    failing: usize,
    calls: usize,
    /// The calls that no `sync_in` has followed yet.
    outstanding: isize,
}

static SYNC_OUTS: Mutex<SyncOuts> = Mutex::new(SyncOuts { failing: 0, calls: 0, outstanding: 0 });

/// Operations whose `sync_out` fails once, as where an IOMMU has no room.
static FAILS_ONCE: BspOps = BspOps {
    alloc: |_, _| None,
    free: |_, _, _, _| (),
    sync_out: |_, va, _, _| {
        let mut sync_outs = SYNC_OUTS.lock().unwrap();
        let number = sync_outs.calls;
        sync_outs.calls += 1;
        if number == sync_outs.failing && number != 0 {
            return None;
        }
        sync_outs.outstanding += 1;
        Some(va - SHIFT)
    },
    sync_in: |_, _, _, _, _| {
        let mut sync_outs = SYNC_OUTS.lock().unwrap();
        sync_outs.outstanding -= 1;
        assert!(sync_outs.outstanding >= 0, "a sync_in that no sync_out asked for");
        true
    },
};

#[test]
fn fault_26_no_sync_in_is_called_for_a_sync_out_that_failed() {
    let rig = Rig::new();
    let master = BusMaster { device: rig.machine.plain_device(), ops: Ops::Bsp(&FAILS_ONCE), mask: NO_MASK };
    let (va, size) = (rig.va(HEAP), PAGE);
    let mut failed_in_unmap = 0;
    for failing in 0..5 {
        for direction in DIRECTIONS {
            // Every order of three syncs, for the processor or the device.
            for steps in 0..8 {
                *SYNC_OUTS.lock().unwrap() = SyncOuts { failing, calls: 0, outstanding: 0 };
                let handle = rig.map(&master, va, size, direction).unwrap();
                for step in 0..3 {
                    let sync = if steps >> step & 1 == 0 { Rig::sync_for_cpu } else { Rig::sync_for_device };
                    sync(&rig, &master, handle, size, direction).unwrap();
                }
                let before = SYNC_OUTS.lock().unwrap().calls;
                // The cache has lines of the old bytes.
                rig.machine.cpu_read(va, size);
                rig.machine.device_write(HEAP, &bytes(steps, size));
                rig.unmap(&master, handle, size, direction).unwrap();
                let SyncOuts { calls, outstanding, .. } = *SYNC_OUTS.lock().unwrap();
                assert_eq!(outstanding, 0, "{failing} {direction:?} {steps:#b}");
                // These operations leave the cache alone. The library does not, in place of a `sync_in` that is not
                // due.
                if (before..calls).contains(&failing) {
                    failed_in_unmap += 1;
                    assert_eq!(rig.machine.cpu_read(va, size), bytes(steps, size));
                }
            }
        }
    }
    assert_ne!(failed_in_unmap, 0, "no unmap called a sync_out that failed");
    rig.streaming().trim();
}

/// Calls of the next operations' `sync_out`.
static OUT_CALLS: Mutex<usize> = Mutex::new(0);

/// Operations whose `sync_out` succeeds for the map only.
static ONLY_MAPS: BspOps = BspOps {
    alloc: |_, _| None,
    free: |_, _, _, _| (),
    sync_out: |_, va, _, _| {
        let mut calls = OUT_CALLS.lock().unwrap();
        *calls += 1;
        (*calls == 1).then_some(va - SHIFT)
    },
    sync_in: |_, _, _, _, _| true,
};

#[test]
fn a_sync_for_the_device_writes_the_bytes_to_memory_although_the_bsps_sync_out_fails() {
    let rig = Rig::new();
    let master = BusMaster { device: rig.machine.plain_device(), ops: Ops::Bsp(&ONLY_MAPS), mask: NO_MASK };
    let (va, size) = (rig.va(HEAP), PAGE);
    let handle = rig.map(&master, va, size, ToDevice).unwrap();
    rig.sync_for_cpu(&master, handle, size, ToDevice).unwrap();
    rig.machine.cpu_write(va, &bytes(1, size));
    rig.sync_for_device(&master, handle, size, ToDevice).unwrap();
    assert_eq!(rig.machine.device_read(HEAP, size), bytes(1, size));
    rig.unmap(&master, handle, size, ToDevice).unwrap();
    rig.streaming().trim();
}

/// Operations whose `sync_in` fails.
static NEVER_SYNCS_IN: BspOps = BspOps {
    alloc: |_, _| None,
    free: |_, _, _, _| (),
    sync_out: |_, va, _, _| Some(va - SHIFT),
    sync_in: |_, _, _, _, _| false,
};

#[test]
fn the_processor_sees_what_the_device_wrote_although_the_bsps_sync_in_fails() {
    let rig = Rig::new();
    let master = BusMaster { device: rig.machine.plain_device(), ops: Ops::Bsp(&NEVER_SYNCS_IN), mask: NO_MASK };
    let (va, size) = (rig.va(HEAP), PAGE);
    for direction in [FromDevice, Bidirectional] {
        let handle = rig.map(&master, va, size, direction).unwrap();
        for is_last in [false, true] {
            // The cache has lines of the old bytes.
            rig.machine.cpu_read(va, size);
            let written = bytes(is_last.into(), size);
            rig.machine.device_write(HEAP, &written);
            let take = if is_last { Rig::unmap } else { Rig::sync_for_cpu };
            take(&rig, &master, handle, size, direction).unwrap();
            assert_eq!(rig.machine.cpu_read(va, size), written, "{direction:?}, last {is_last}");
        }
    }
    rig.streaming().trim();
}
