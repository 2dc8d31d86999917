//! Callers that are wrong.

use crate::fake_kernel::*;
use crate::rig::*;
use rt_dma_pool::additions::streaming::{BadMapping, Direction::*, MapError};
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::MemoryType;

#[test]
fn what_is_no_buffer_is_not_mapped() {
    let rig = Rig::new();
    let master = rig.plain();
    let va = rig.va(HEAP);
    // The last page of the kernel's memory, with nothing after it.
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
        (va, usize::MAX - va, ToDevice, MapError::NotMapped),
        (last + PAGE - 1, 2, ToDevice, MapError::NotMapped),
        (rig.va(LOW.start + 80 * MIB), PAGE, Bidirectional, MapError::NotMapped),
    ];
    for (count, (va, size, direction, error)) in wrong.into_iter().enumerate() {
        assert_eq!(rig.map(&master, va, size, direction), Err(error), "{va:#x} {size:#x} {direction:?}");
        rig.assert_errors(1);
        assert_eq!(rig.machine.dma.refused_calls(), count + 1);
    }
    assert_eq!(rig.machine.take_cache_calls(), []);
    assert_eq!(rig.used_bytes(), 0);
    rig.machine.in_interrupt(|| assert!(rig.map(&master, 0, 0, Neither).is_err()));
    assert_eq!(rig.machine.dma.refused_calls(), wrong.len() + 1, "counted, though no line can be written");
    rig.assert_errors(0);
}

#[test]
fn a_map_without_a_direction_is_refused_where_the_fast_path_would_serve_it() {
    let rig = Rig::new();
    let master = rig.plain();
    let va = rig.va(HEAP);
    let handle = rig.map(&master, va, PAGE, ToDevice).unwrap();
    rig.unmap(&master, handle, PAGE, ToDevice).unwrap();
    rig.assert_errors(0);
    assert_eq!(rig.map(&master, va, PAGE, Neither), Err(MapError::Invalid));
    rig.assert_errors(1);
}

/// A bounced mapping, an uncached one, and one of a pool's cached memory: each has a record to compare with.
#[test]
fn an_unmap_or_a_sync_of_what_is_not_mapped_changes_nothing() {
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
        let used = rig.used_bytes();
        let wrong = [
            (&master, handle + LINE, size - LINE),
            (&other, handle, size),
            (&master, handle + PAGE, size),
            (&master, usize::MAX, size),
            (&master, 0, size),
        ];
        for (master, handle, size) in wrong {
            assert_eq!(rig.unmap(master, handle, size, FromDevice), Err(BadMapping::Unknown), "{handle:#x} {size}");
            rig.assert_errors(1);
        }
        let wrong = [
            (&master, handle, size + 1, FromDevice, BadMapping::PastEnd),
            (&master, handle + 1, size, FromDevice, BadMapping::PastEnd),
            (&master, handle, size, ToDevice, BadMapping::WrongDirection),
            (&master, handle, size, Neither, BadMapping::NoDirection),
            (&other, handle, size, FromDevice, BadMapping::Unknown),
            (&master, usize::MAX, 1, FromDevice, BadMapping::Unknown),
        ];
        for (master, handle, size, direction, error) in wrong {
            assert_eq!(
                rig.sync_for_cpu(master, handle, size, direction),
                Err(error),
                "{handle:#x} {size} {direction:?}"
            );
            assert_eq!(
                rig.sync_for_device(master, handle, size, direction),
                Err(error),
                "{handle:#x} {size} {direction:?}"
            );
            rig.assert_errors(2);
        }
        assert_eq!(rig.machine.take_cache_calls(), []);
        assert_eq!(rig.used_bytes(), used);
        assert_eq!(rig.unmap(&master, handle, size, FromDevice), Ok(()));
        assert_eq!(rig.machine.cpu_read(va, size), bytes(2, size));
        // Twice.
        let calls = rig.machine.take_cache_calls().len();
        assert_eq!(rig.unmap(&master, handle, size, FromDevice), Err(BadMapping::Unknown));
        assert_eq!(rig.sync_for_cpu(&master, handle, size, FromDevice), Err(BadMapping::Unknown));
        assert_eq!(rig.machine.take_cache_calls(), [], "after {calls} before");
        rig.assert_errors(2);
    }
}

/// Bounced for its alignment, bounced for its address, uncached memory and cached memory of a pool.
#[test]
fn fault_12_an_unmap_with_a_wrong_size_or_direction_ends_the_mapping_as_it_was_recorded() {
    let size = 640;
    let wrong = [
        (size - 1, None, BadMapping::WrongSize),
        (size + 1, None, BadMapping::WrongSize),
        (0, None, BadMapping::WrongSize),
        (usize::MAX, None, BadMapping::WrongSize),
        (1, Some(ToDevice), BadMapping::WrongSize),
        (size, Some(ToDevice), BadMapping::WrongDirection),
        (size, Some(FromDevice), BadMapping::WrongDirection),
        (size, Some(Bidirectional), BadMapping::WrongDirection),
        (size, Some(Neither), BadMapping::WrongDirection),
    ];
    let rig = Rig::new();
    let master = rig.master(rig.machine.plain_device(), LOW_MASK);
    let flags = |more: Flags| Flags::ADDRESS_32BITS | more;
    let [uncached, cached] = [Flags::NOCACHE, Flags::empty()].map(|kind| rig.buffer(PAGE, flags(kind)));
    let places = [rig.va(HEAP + 1), rig.va(HIGH_HEAP), uncached.va, cached.va];
    // Records are kept for the next mappings.
    let handle = rig.map(&master, places[0], size, FromDevice).unwrap();
    rig.unmap(&master, handle, size, FromDevice).unwrap();
    let before = rig.machine.balance();
    let mut refused = 0;
    for in_interrupt in [false, true] {
        for ((va, direction), wrong) in pairs(pairs(places, &DIRECTIONS), &wrong) {
            let (wrong_size, wrong_direction, error) = wrong;
            let wrong_direction = wrong_direction.unwrap_or(direction);
            // A buffer that the device only reads needs no bounce buffer for its lines, and so no record.
            let is_direct = va == places[0] && direction == ToDevice;
            if is_direct || (wrong_size == size && wrong_direction == direction) {
                continue;
            }
            let case = format!("{va:#x} {direction:?}: {wrong_size} {wrong_direction:?}");
            rig.machine.cpu_write(va, &bytes(1, size));
            let handle = rig.map(&master, va, size, direction).unwrap();
            if direction != ToDevice {
                rig.device_write(&master, handle, &bytes(2, size));
            }
            let unmap = || rig.unmap(&master, handle, wrong_size, wrong_direction);
            let result = if in_interrupt { rig.machine.in_interrupt(unmap) } else { unmap() };
            assert_eq!(result, Err(error), "{case}");
            refused += 1;
            assert_eq!(rig.machine.dma.refused_calls(), refused, "{case}: counted");
            rig.assert_errors(usize::from(!in_interrupt));
            let expected = bytes(if direction == ToDevice { 1 } else { 2 }, size);
            assert!(rig.machine.cpu_read(va, size) == expected, "{case}: the bytes arrive");
            assert_eq!(rig.machine.balance(), before, "{case}: nothing is left");
            assert_eq!(rig.unmap(&master, handle, size, direction), Err(BadMapping::Unknown), "{case}: it has ended");
            refused += 1;
            rig.assert_errors(1);
        }
    }
}

/// Two mappings have the handle, and the call fits neither: it is not known which one is meant, so neither is ended.
#[test]
fn fault_12_a_wrong_unmap_of_a_buffer_that_is_mapped_twice_ends_neither_mapping() {
    let rig = Rig::new();
    let master = rig.plain();
    let held = rig.buffer(PAGE, Flags::empty());
    let first = rig.map(&master, held.va, PAGE, ToDevice).unwrap();
    let second = rig.map(&master, held.va, 2 * LINE, FromDevice).unwrap();
    assert_eq!(rig.unmap(&master, first, PAGE, FromDevice), Err(BadMapping::Ambiguous));
    rig.unmap(&master, second, 2 * LINE, FromDevice).unwrap();
    assert_eq!(rig.unmap(&master, first, LINE, ToDevice), Err(BadMapping::WrongSize), "it is the only one now");
    assert_eq!(rig.unmap(&master, first, PAGE, ToDevice), Err(BadMapping::Unknown));
    rig.assert_errors(3);
}

/// Without a record only the caller knows the size and the direction. What cannot be right is logged, and loses no
/// bytes.
#[test]
fn fault_12_a_wrong_unmap_of_a_direct_mapping_loses_no_bytes() {
    for (wrong_size, wrong_direction, error) in [
        (3 * LINE - 5, FromDevice, BadMapping::WrongSize),
        (3 * LINE + 5, Bidirectional, BadMapping::WrongSize),
        (3 * LINE, Neither, BadMapping::WrongDirection),
    ] {
        let rig = Rig::new();
        let master = rig.plain();
        let (va, size) = (rig.va(HEAP), 3 * LINE);
        let handle = rig.map(&master, va, size, FromDevice).unwrap();
        assert_eq!(handle, HEAP);
        // The processor reads ahead, and others write to the lines next to the buffer.
        rig.machine.cpu_read(va, size);
        rig.device_write(&master, handle, &bytes(2, size));
        rig.machine.cpu_write(va + size, &bytes(3, LINE));
        assert_eq!(rig.sync_for_device(&master, handle, size, Neither), Err(BadMapping::NoDirection));
        rig.assert_errors(1);
        assert_eq!(rig.unmap(&master, handle, wrong_size, wrong_direction), Err(error));
        rig.assert_errors(1);
        assert_eq!(rig.machine.cpu_read(va, size), bytes(2, size), "{wrong_size} {wrong_direction:?}");
        assert_eq!(rig.machine.cpu_read(va + size, LINE), bytes(3, LINE), "{wrong_size} {wrong_direction:?}");
    }
}

#[test]
fn fault_12_a_sync_of_zero_bytes_is_nothing_and_no_error() {
    let rig = Rig::new();
    let master = rig.plain();
    let bounced = rig.map(&master, rig.va(HEAP + 1), 100, FromDevice).unwrap();
    let direct = rig.map(&master, rig.va(HEAP + PAGE), PAGE, Bidirectional).unwrap();
    rig.machine.take_cache_calls();
    for handle in [bounced, bounced + 100, direct, direct + PAGE, 0, 8, usize::MAX] {
        for direction in [ToDevice, FromDevice, Bidirectional, Neither] {
            assert_eq!(rig.sync_for_cpu(&master, handle, 0, direction), Ok(()));
            assert_eq!(rig.sync_for_device(&master, handle, 0, direction), Ok(()));
        }
    }
    assert_eq!(rig.machine.take_cache_calls(), []);
    rig.assert_errors(0);
    assert_eq!(rig.machine.dma.refused_calls(), 0);
}

/// A mapping without a record has only its handle: what does not lead to linear memory outside the pools is refused.
#[test]
fn a_handle_that_leads_nowhere_is_refused() {
    let rig = Rig::new();
    let tree = rig.master(rig.machine.device(below_ranges()), NO_MASK);
    let plain = rig.plain();
    let handles = [0, 1, 8, LOW.start + 64 * MIB, HEAP + HEAP_SIZE, LOW_POOL, LOW_POOL - 1, usize::MAX, usize::MAX / 2];
    for (handle, size) in pairs(handles, &[0, 1, PAGE, usize::MAX]) {
        for master in [&tree, &plain] {
            assert!(rig.unmap(master, handle, size, FromDevice).is_err(), "{handle:#x} {size:#x}");
            assert_eq!(rig.sync_for_cpu(master, handle, size, Bidirectional).is_err(), size != 0);
            assert_eq!(rig.sync_for_device(master, handle, size, ToDevice).is_err(), size != 0);
            rig.assert_errors(if size == 0 { 1 } else { 3 });
        }
    }
    assert!(rig.unmap(&plain, HEAP + HEAP_SIZE - PAGE, PAGE + 1, FromDevice).is_err(), "it ends past the memory");
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
    rig.sync_for_cpu(&master, first, 100, FromDevice).unwrap();
    rig.unmap(&master, first, PAGE, ToDevice).unwrap();
    assert!(rig.unmap(&master, first, PAGE, ToDevice).is_err());
    rig.unmap(&master, third, PAGE, Bidirectional).unwrap();
    rig.unmap(&master, second, 100, ToDevice).unwrap();
    assert!(rig.sync_for_cpu(&master, first, 100, ToDevice).is_err());
    rig.assert_errors(2);
}

/// Mappings of all lengths, one in the other: each part is found, and a sync that is too long for all of them is
/// refused.
#[test]
fn a_part_of_any_mapping_is_found() {
    let rig = Rig::new();
    let master = rig.plain();
    let held = rig.buffer(200 * PAGE, Flags::NOCACHE);
    let ranges = [
        (0, 200 * PAGE),
        (0, 1),
        (PAGE - 1, 2),
        (3 * PAGE, 4 * PAGE),
        (3 * PAGE + 5, 4 * PAGE),
        (15 * PAGE, 16 * PAGE),
        (63 * PAGE, 65 * PAGE),
        (199 * PAGE, PAGE),
    ];
    for (offset, size) in ranges {
        let handle = rig.map(&master, held.va + offset, size, Bidirectional).unwrap();
        for at in [0, 1, size / 3, size - 1].into_iter().filter(|at| *at < size) {
            for bytes in [1, (size - at).div_ceil(2), size - at] {
                rig.sync_for_cpu(&master, handle + at, bytes, FromDevice).unwrap();
                rig.sync_for_device(&master, handle + at, bytes, ToDevice).unwrap();
            }
        }
        assert_eq!(rig.sync_for_cpu(&master, handle + size - 1, 2, FromDevice), Err(BadMapping::PastEnd));
        assert_eq!(rig.sync_for_cpu(&master, handle + size, 1, FromDevice), Err(BadMapping::Unknown));
        rig.unmap(&master, handle, size, Bidirectional).unwrap();
        rig.assert_errors(2);
    }
    let handles = ranges.map(|(offset, size)| rig.map(&master, held.va + offset, size, Bidirectional).unwrap());
    for page in 0..200 {
        rig.sync_for_cpu(&master, held.handle + page * PAGE, PAGE, FromDevice).unwrap();
    }
    for ((_, size), handle) in ranges.into_iter().zip(handles).rev() {
        rig.unmap(&master, handle, size, Bidirectional).unwrap();
    }
    rig.assert_errors(0);
    rig.machine.free(held).unwrap();
}

/// The kernel's memory through another address than the linear one, and a mapping by the linear one at the same time.
#[test]
fn another_address_of_the_same_memory_has_a_record() {
    let rig = Rig::new();
    let master = rig.plain();
    let alias = rig.machine.map_pages(&[HEAP, HEAP + PAGE], MemoryType::Cached);
    let linear = rig.map(&master, rig.va(HEAP), PAGE, FromDevice).unwrap();
    let handle = rig.map(&master, alias + PAGE, PAGE, FromDevice).unwrap();
    assert_eq!((linear, handle), (HEAP, HEAP + PAGE));
    rig.sync_for_cpu(&master, handle + LINE, LINE, FromDevice).unwrap();
    rig.sync_for_cpu(&master, linear + LINE, LINE, FromDevice).unwrap();
    assert_eq!(rig.unmap(&master, handle, LINE, FromDevice), Err(BadMapping::WrongSize), "the record knows better");
    rig.unmap(&master, linear, PAGE, FromDevice).unwrap();
    rig.assert_errors(1);
}
