//! Callers that are wrong, and devices whose operations are the BSP's.

use crate::fake_kernel::*;
use crate::rig::*;
use rt_dma_pool::additions::streaming::{BadMapping, Direction::*, MapError, Master, Ops, OwnOps};
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{MemoryType, Va};
use std::sync::Mutex;

#[test]
fn what_is_no_buffer_is_not_mapped() {
    let rig = Rig::new();
    let master = rig.plain();
    let va = rig.va(HEAP);
    // The last page of the kernel's memory, with nothing behind it.
    let last = rig.va(HEAP + HEAP_SIZE - PAGE);
    let wrong = [
        (0, PAGE, ToDevice, MapError::Invalid),
        (va, 0, ToDevice, MapError::Invalid),
        (va, PAGE, Neither, MapError::Invalid),
        (va, usize::MAX, ToDevice, MapError::Invalid),
        (usize::MAX - 10, 12, ToDevice, MapError::Invalid),
        (8, 4, ToDevice, MapError::NotMapped),
        (usize::MAX - 10, 11, ToDevice, MapError::NotMapped),
        (last, PAGE + 1, FromDevice, MapError::NotMapped),
        (last + PAGE - 1, 2, ToDevice, MapError::NotMapped),
        (rig.va(LOW.start + 80 * MIB), PAGE, Bidirectional, MapError::NotMapped),
    ];
    for (count, (va, size, way, error)) in wrong.into_iter().enumerate() {
        assert_eq!(rig.map(&master, va, size, way), Err(error), "{va:#x} {size:#x} {way:?}");
        rig.assert_errors(1);
        assert_eq!(rig.machine.dma.bad_calls(), count + 1);
    }
    assert_eq!(rig.machine.take_cache_calls(), []);
    assert_eq!(rig.pool_bytes(), 0);
    rig.machine.in_interrupt(|| assert!(rig.map(&master, 0, 0, Neither).is_err()));
    assert_eq!(rig.machine.dma.bad_calls(), wrong.len() + 1, "counted, though nothing can be said");
    rig.assert_errors(0);
}

/// A bounced mapping, an uncached one, and one of a pool's cached memory: each has a record to compare with.
#[test]
fn an_unmap_that_does_not_fit_changes_nothing() {
    let rig = Rig::new();
    let master = rig.plain();
    let other = rig.plain();
    let uncached = rig.buffer(PAGE, Flags::NOCACHE);
    let cached = rig.buffer(PAGE, Flags::empty());
    for va in [rig.va(HEAP + 1), uncached.va, cached.va] {
        let size = 640;
        rig.machine.cpu_write(va, &bytes(1, size));
        let handle = rig.map(&master, va, size, FromDevice).unwrap();
        rig.device_write(&master, handle, &bytes(2, size));
        rig.machine.take_cache_calls();
        let used = rig.pool_bytes();
        let wrong = [
            (&master, handle, size - 1, FromDevice, BadMapping::WrongSize),
            (&master, handle, size + 1, FromDevice, BadMapping::WrongSize),
            (&master, handle, 0, FromDevice, BadMapping::WrongSize),
            (&master, handle, size, ToDevice, BadMapping::WrongDirection),
            (&master, handle, size, Neither, BadMapping::WrongDirection),
            (&master, handle + LINE, size - LINE, FromDevice, BadMapping::Unknown),
            (&other, handle, size, FromDevice, BadMapping::Unknown),
            (&master, handle + PAGE, size, FromDevice, BadMapping::Unknown),
            (&master, usize::MAX, size, FromDevice, BadMapping::Unknown),
            (&master, 0, size, FromDevice, BadMapping::Unknown),
        ];
        for (master, handle, size, way, error) in wrong {
            assert_eq!(rig.unmap(master, handle, size, way), Err(error), "{handle:#x} {size} {way:?}");
            rig.assert_errors(1);
        }
        let wrong = [
            (&master, handle, size + 1, FromDevice, BadMapping::WrongSize),
            (&master, handle + 1, size, FromDevice, BadMapping::WrongSize),
            (&master, handle, size, ToDevice, BadMapping::WrongDirection),
            (&master, handle, size, Neither, BadMapping::Unknown),
            (&master, handle, 0, FromDevice, BadMapping::Unknown),
            (&other, handle, size, FromDevice, BadMapping::Unknown),
            (&master, usize::MAX, 1, FromDevice, BadMapping::Unknown),
        ];
        for (master, handle, size, way, error) in wrong {
            assert_eq!(rig.for_cpu(master, handle, size, way), Err(error), "{handle:#x} {size} {way:?}");
            assert_eq!(rig.for_device(master, handle, size, way), Err(error), "{handle:#x} {size} {way:?}");
            rig.assert_errors(2);
        }
        assert_eq!(rig.machine.take_cache_calls(), []);
        assert_eq!(rig.pool_bytes(), used);
        assert_eq!(rig.unmap(&master, handle, size, FromDevice), Ok(()));
        assert_eq!(rig.machine.cpu_read(va, size), bytes(2, size));
        // Twice.
        let calls = rig.machine.take_cache_calls().len();
        assert_eq!(rig.unmap(&master, handle, size, FromDevice), Err(BadMapping::Unknown));
        assert_eq!(rig.for_cpu(&master, handle, size, FromDevice), Err(BadMapping::Unknown));
        assert_eq!(rig.machine.take_cache_calls(), [], "after {calls} before");
        rig.assert_errors(2);
    }
}

/// A mapping without a record has only its handle: what does not lead to linear memory outside the pools is refused.
#[test]
fn a_handle_that_leads_nowhere_is_refused() {
    let rig = Rig::new();
    let tree = rig.master(rig.machine.device(behind_ranges()), ALL);
    let plain = rig.plain();
    let handles = [0, 1, 8, LOW.start + 64 * MIB, HEAP + HEAP_SIZE, LOW_POOL, LOW_POOL - 1, usize::MAX, usize::MAX / 2];
    for (handle, size) in handles.into_iter().flat_map(|handle| [0, 1, PAGE, usize::MAX].map(|size| (handle, size))) {
        for master in [&tree, &plain] {
            assert!(rig.unmap(master, handle, size, FromDevice).is_err(), "{handle:#x} {size:#x}");
            assert!(rig.for_cpu(master, handle, size, Bidirectional).is_err());
            assert!(rig.for_device(master, handle, size, ToDevice).is_err());
            rig.assert_errors(3);
        }
    }
    assert!(rig.unmap(&plain, HEAP + HEAP_SIZE - PAGE, PAGE + 1, FromDevice).is_err(), "it ends past the memory");
    assert!(rig.unmap(&plain, HEAP, PAGE, Neither).is_err());
    assert_eq!(rig.machine.take_cache_calls(), []);
}

/// One buffer may be mapped more than once; each unmap ends one mapping.
#[test]
fn a_buffer_that_is_mapped_twice_is_unmapped_twice() {
    let rig = Rig::new();
    let master = rig.plain();
    let held = rig.buffer(PAGE, Flags::NOCACHE);
    let first = rig.map(&master, held.va, PAGE, ToDevice).unwrap();
    let second = rig.map(&master, held.va, 100, ToDevice).unwrap();
    let third = rig.map(&master, held.va, PAGE, Bidirectional).unwrap();
    assert_eq!([first, second, third], [held.handle; 3]);
    rig.for_cpu(&master, first, 100, FromDevice).unwrap();
    rig.unmap(&master, first, PAGE, ToDevice).unwrap();
    assert!(rig.unmap(&master, first, PAGE, ToDevice).is_err());
    rig.unmap(&master, third, PAGE, Bidirectional).unwrap();
    rig.unmap(&master, second, 100, ToDevice).unwrap();
    assert!(rig.for_cpu(&master, first, 100, ToDevice).is_err());
    rig.assert_errors(2);
}

/// The kernel's memory through another address than the linear one, beside a mapping by the linear one.
#[test]
fn another_address_of_the_same_memory_has_a_record() {
    let rig = Rig::new();
    let master = rig.plain();
    let alias = rig.machine.map_pages(&[HEAP, HEAP + PAGE], MemoryType::Cached);
    let linear = rig.map(&master, rig.va(HEAP), PAGE, FromDevice).unwrap();
    let handle = rig.map(&master, alias + PAGE, PAGE, FromDevice).unwrap();
    assert_eq!((linear, handle), (HEAP, HEAP + PAGE));
    rig.for_cpu(&master, handle + LINE, LINE, FromDevice).unwrap();
    rig.for_cpu(&master, linear + LINE, LINE, FromDevice).unwrap();
    assert!(rig.unmap(&master, handle, LINE, FromDevice).is_err(), "the record knows better");
    rig.unmap(&master, handle, PAGE, FromDevice).unwrap();
    rig.unmap(&master, linear, PAGE, FromDevice).unwrap();
    rig.assert_errors(1);
}

// --- a BSP's own operations ----------------------------------------------------------------------------------------

/// What the BSP's operations were asked.
static ASKED: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// What its IOMMU shows: addresses of the processor's, their number, and the first handle. What it allocates comes
/// last.
static SHOWN: Mutex<Vec<(Va, usize, usize)>> = Mutex::new(Vec::new());

fn asked() -> String {
    std::mem::take(&mut *ASKED.lock().unwrap()).join(", ")
}

static OWN: OwnOps = OwnOps {
    alloc: |_, size| {
        ASKED.lock().unwrap().push(format!("alloc {size}"));
        SHOWN.lock().unwrap().last().map(|(va, _, handle)| (*va, *handle))
    },
    free: |_, size, _, handle| ASKED.lock().unwrap().push(format!("free {size} {handle:#x}")),
    sync_out: |_, va, size, flags| {
        ASKED.lock().unwrap().push(format!("out {size} {:#x}", flags.bits()));
        let shown = SHOWN.lock().unwrap();
        let (start, _, handle) = shown.iter().find(|(start, size, _)| (*start..*start + *size).contains(&va))?;
        Some(va - start + handle)
    },
    sync_in: |_, _, size, handle, flags| {
        ASKED.lock().unwrap().push(format!("in {size} {handle:#x} {:#x}", flags.bits()));
    },
};

#[test]
fn a_bsps_own_operations_say_what_a_handle_is() {
    let rig = Rig::new();
    let device = rig.machine.plain_device();
    let master = Master { device, ops: Ops::Own(&OWN), mask: 0x1_ffff };
    let held = rig.buffer(PAGE, Flags::empty());
    let (near, far, unshown) = (rig.va(HEAP), rig.va(HEAP + 4 * PAGE), rig.va(HEAP + 8 * PAGE));
    *SHOWN.lock().unwrap() = vec![(near, PAGE, 0x1_0000), (far, PAGE, 0x2_0000), (held.va, PAGE, 0x1_8000)];

    // Within the mask: as it is, and its own maintenance.
    let handle = rig.map(&master, near, PAGE, Bidirectional).unwrap();
    assert_eq!(handle, 0x1_0000);
    assert_eq!(asked(), "out 4096 0x0, out 4096 0x0");
    rig.for_cpu(&master, handle + 64, 128, Bidirectional).unwrap();
    rig.for_device(&master, handle + 64, 128, Bidirectional).unwrap();
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

    // In an interrupt nobody knows whether it may be freed.
    let handle = rig.map(&master, far, PAGE, ToDevice).unwrap();
    asked();
    rig.machine.in_interrupt(|| rig.unmap(&master, handle, PAGE, ToDevice).unwrap());
    assert_eq!(asked(), "");
    rig.streaming.trim(rig.machine.dma);
    assert_eq!(asked(), "free 4096 0x18000");

    // Neither the buffer nor what it allocates is within.
    let tight = Master { mask: 0xffff, ..master };
    assert_eq!(rig.map(&tight, near, PAGE, ToDevice), Err(MapError::NoBounce));
    assert_eq!(asked(), "out 4096 0x0, alloc 4096, out 4096 0x0, free 4096 0x18000");

    // A dma-coherent device, and memory that is not cached, ask for no maintenance.
    let coherent = Master { device: rig.coherent().device, ..master };
    rig.map(&coherent, near, PAGE, ToDevice).unwrap();
    assert_eq!(asked(), "out 4096 0x4, out 4096 0x4");
    rig.streaming.trim(rig.machine.dma);
    rig.machine.free(held).unwrap();
}
