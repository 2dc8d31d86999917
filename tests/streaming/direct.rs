//! What direct mappings cost: no lock, and no look-up of each page.

use crate::fake_kernel::*;
use crate::rig::*;
use rt_dma_pool::additions::streaming::{BadMapping, Direction::*, MapError};
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{Addresses, Mappings, MemoryType};

/// Locks taken by a direct mapping and its unmap, of one page and of many, while other mappings have records.
#[test]
fn a_direct_mapping_takes_no_lock() {
    let rig = Rig::new();
    let plain = rig.plain();
    let tree = rig.master(rig.machine.device(below_ranges()), NO_MASK);
    // There are spare records, and mappings with records are live: bounced, of a pool, and of another address.
    let pooled = rig.buffer(64 * PAGE, Flags::empty());
    let alias = rig.machine.map_pages(&[HEAP + 240 * PAGE, HEAP + 241 * PAGE], MemoryType::Cached);
    let mut live: Vec<_> = (0..64).map(|page| (pooled.va + page * PAGE, PAGE)).collect();
    live.extend((0..64).map(|at| (rig.va(HEAP + 200 * PAGE + at * 128 + 1), 100)));
    live.push((alias, 2 * PAGE));
    let handles: Vec<_> =
        live.iter().map(|(va, size)| (rig.map(&plain, *va, *size, FromDevice).unwrap(), *size)).collect();
    for (size, direction) in pairs([64, PAGE, 3 * PAGE, 16 * PAGE], &[ToDevice, FromDevice]) {
        for master in [&plain, &tree, &rig.coherent()] {
            let va = rig.va(HEAP + 4 * PAGE);
            let before = rig.machine.irq_save_count();
            let handle = rig.map(master, va, size, direction).unwrap();
            rig.sync_for_cpu(master, handle, size, direction).unwrap();
            rig.sync_for_device(master, handle, size, direction).unwrap();
            rig.unmap(master, handle, size, direction).unwrap();
            assert_eq!(rig.machine.irq_save_count(), before, "{size} {direction:?} {:?}", master.ops);
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
        let before = rig.machine.irq_save_count();
        rig.unmap(&plain, handle, PAGE, FromDevice).unwrap();
        assert_eq!(rig.machine.irq_save_count(), before, "{offset:#x}");
    }
    rig.machine.free(pooled).unwrap();
    rig.assert_errors(0);
}

/// Two pages of linear memory at another address, for a device that snoops the cache: there is nothing to do at the
/// address, so the mapping needs no record. Neither does it where no mapping was before, nor in an interrupt without
/// spare records.
#[test]
fn another_address_of_linear_memory_is_mapped_directly_if_the_device_snoops() {
    let rig = Rig::new();
    let tree = rig.master(rig.machine.device(below_ranges().coherent()), NO_MASK);
    let masked = rig.master(rig.machine.device(DeviceInfo::plain().coherent()), LOW_MASK);
    let alias = rig.machine.map_pages(&[HEAP + 240 * PAGE, HEAP + 241 * PAGE], MemoryType::Cached);
    // There are spare records, and no direct mapping was made.
    let pooled = rig.buffer(PAGE, Flags::empty());
    let handle = rig.map(&tree, pooled.va, PAGE, FromDevice).unwrap();
    rig.unmap(&tree, handle, PAGE, FromDevice).unwrap();
    for master in [&tree, &masked, &rig.coherent()] {
        for (offset, size) in [(0, PAGE), (PAGE - 1, 2), (1, 64), (0, 2 * PAGE)] {
            for direction in DIRECTIONS {
                let before = rig.machine.irq_save_count();
                let handle = rig.map(master, alias + offset, size, direction).unwrap();
                rig.sync_for_cpu(master, handle, size, direction).unwrap();
                rig.sync_for_device(master, handle + size / 2, size / 2, direction).unwrap();
                rig.unmap(master, handle, size, direction).unwrap();
                assert_eq!(rig.machine.irq_save_count(), before, "{size} {direction:?} {:?}", master.ops);
            }
        }
    }
    rig.machine.in_interrupt(|| {
        let held: Vec<_> = (0..200).map(|_| rig.map(&masked, alias, PAGE, FromDevice).unwrap()).collect();
        held.into_iter().for_each(|handle| rig.unmap(&masked, handle, PAGE, FromDevice).unwrap());
    });
    rig.machine.free(pooled).unwrap();
    rig.assert_errors(0);
}

/// Mappings of different sizes that begin at one handle, of memory at another address: the known part of the linear map
/// has the shorter one, and does not have the longer one.
#[test]
fn mappings_at_another_address_are_of_one_kind_whatever_is_known() {
    let rig = Rig::new();
    let master = rig.coherent();
    let alias = rig.machine.map_pages(&[HEAP, HEAP + PAGE, HEAP + 2 * PAGE], MemoryType::Cached);
    let linear = rig.map(&master, rig.va(HEAP), PAGE, FromDevice).unwrap();
    let long = rig.map(&master, alias, 3 * PAGE, FromDevice).unwrap();
    let short = rig.map(&master, alias, PAGE, FromDevice).unwrap();
    assert_eq!([linear, long, short], [HEAP; 3]);
    rig.unmap(&master, short, PAGE, FromDevice).unwrap();
    rig.unmap(&master, long, 3 * PAGE, FromDevice).unwrap();
    rig.unmap(&master, linear, PAGE, FromDevice).unwrap();
    rig.assert_errors(0);
}

/// A device that snoops the cache, and memory whose linear address is not mapped, or shows other memory: the handle
/// alone does not lead to a mapping, so there is a record, and mistakes are found by it.
#[test]
fn memory_that_is_not_mapped_linearly_has_a_record() {
    let rig = Rig::new();
    let master = rig.coherent();
    let end = HEAP + HEAP_SIZE;
    let alias = rig.machine.map_pages(&[end - PAGE, end], MemoryType::Cached);
    for shows_other_memory in [false, true] {
        if shows_other_memory {
            rig.machine.map_next_at(rig.va(end));
            let other = rig.machine.kernel.map(HEAP, PAGE, MemoryType::Cached).unwrap();
            assert_eq!(other.get(), rig.va(end));
        }
        for (offset, size) in [(PAGE, PAGE), (0, 2 * PAGE)] {
            let handle = rig.map(&master, alias + offset, size, FromDevice).unwrap();
            assert_eq!(handle, end - PAGE + offset);
            rig.sync_for_cpu(&master, handle, LINE, FromDevice).unwrap();
            assert_eq!(rig.unmap(&master, handle, size - 1, FromDevice), Err(BadMapping::WrongSize), "{size}");
            assert_eq!(
                rig.sync_for_cpu(&master, handle + size - LINE, LINE, FromDevice),
                Err(BadMapping::Unknown),
                "{size}"
            );
            rig.assert_errors(2);
        }
    }
}

/// The linear map of a pool is a part of what is known, and ends with the pool. After that, its memory at another
/// address needs a record.
#[test]
fn memory_of_a_pool_that_is_gone_has_a_record() {
    let rig = Rig::new();
    let master = rig.coherent();
    let page = rig.buffer(2 * PAGE, Flags::empty());
    let handle = rig.map_page(&master, page.handle, 0, 2 * PAGE, FromDevice).unwrap();
    rig.unmap(&master, handle, 2 * PAGE, FromDevice).unwrap();
    let (pa, linear) = (page.handle, rig.va(page.handle));
    rig.machine.free(page).unwrap();
    let pool = if pa < HIGH_POOL { rig.low } else { rig.high };
    rig.machine.dma.uninstall(&pool.public).unwrap();
    assert_eq!(rig.machine.kernel.v2p(linear), None, "its linear map has ended");
    let alias = rig.machine.map_pages(&[pa, pa + PAGE], MemoryType::Cached);
    let handle = rig.map(&master, alias, 2 * PAGE, FromDevice).unwrap();
    rig.sync_for_cpu(&master, handle + PAGE, PAGE, FromDevice).unwrap();
    rig.unmap(&master, handle, 2 * PAGE, FromDevice).unwrap();
    rig.assert_errors(0);
}

/// Page-table look-ups of a map and its unmap do not grow with the buffer where the memory is linear, or in a pool's
/// view.
#[test]
fn pages_of_linear_memory_are_not_looked_up_one_by_one() {
    let rig = Rig::new();
    let master = rig.plain();
    let pooled = rig.buffer(64 * PAGE, Flags::NOCACHE);
    for va in [rig.va(HEAP + 16 * PAGE), pooled.va] {
        let mut look_ups = Vec::new();
        for size in [PAGE, 2 * PAGE, 16 * PAGE, 16 * PAGE, 64 * PAGE, 64 * PAGE] {
            let before = rig.machine.look_up_count();
            let handle = rig.map(&master, va, size, FromDevice).unwrap();
            rig.unmap(&master, handle, size, FromDevice).unwrap();
            look_ups.push(rig.machine.look_up_count() - before);
        }
        // A longer buffer than any before is looked up once; after that, no page is.
        assert!(look_ups[0] <= 2 && look_ups[3] <= look_ups[0] && look_ups[5] <= look_ups[0], "{look_ups:?}");
    }
    // Memory that lies elsewhere is reached after a few calls, and no longer buffer is needed for that.
    let far = rig.va(HEAP + 240 * PAGE);
    let costs: Vec<_> = (0..8)
        .map(|_| {
            let before = rig.machine.look_up_count();
            let handle = rig.map(&master, far, 2 * PAGE, ToDevice).unwrap();
            rig.unmap(&master, handle, 2 * PAGE, ToDevice).unwrap();
            rig.machine.look_up_count() - before
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

/// The known part of the linear map grows towards lower addresses page by page, and stops at a page that is not mapped.
#[test]
fn a_hole_below_the_known_part_is_found() {
    let rig = Rig::new();
    let master = rig.plain();
    // Twelve pages, a hole of one, and eight more pages. The known part begins with the fourth of the eight.
    let (low, hole) = (HEAP + 4 * MIB, HEAP + 4 * MIB + 12 * PAGE);
    rig.machine.premap_linear(low, 12 * PAGE);
    rig.machine.premap_linear(hole + PAGE, 8 * PAGE);
    for first in [hole + 4 * PAGE, low] {
        let handle = rig.map(&master, rig.va(first), PAGE, ToDevice).unwrap();
        rig.unmap(&master, handle, PAGE, ToDevice).unwrap();
    }
    let across = rig.map(&master, rig.va(hole - PAGE), 3 * PAGE, ToDevice);
    assert_eq!(across, Err(MapError::NotMapped));
    let handle = rig.map(&master, rig.va(hole + PAGE), 8 * PAGE, ToDevice).unwrap();
    rig.unmap(&master, handle, 8 * PAGE, ToDevice).unwrap();
}

/// The known part grows towards higher addresses in the same way.
#[test]
fn a_hole_above_the_known_part_is_found() {
    let rig = Rig::new();
    let master = rig.plain();
    // Eight pages, a hole of one, and twelve more pages. The known part begins with the fifth of the eight.
    let (low, hole) = (HEAP + 4 * MIB, HEAP + 4 * MIB + 8 * PAGE);
    rig.machine.premap_linear(low, 8 * PAGE);
    rig.machine.premap_linear(hole + PAGE, 12 * PAGE);
    for page in [low + 4 * PAGE, hole + 12 * PAGE] {
        let handle = rig.map(&master, rig.va(page), PAGE, ToDevice).unwrap();
        rig.unmap(&master, handle, PAGE, ToDevice).unwrap();
    }
    let across = rig.map(&master, rig.va(hole - PAGE), 3 * PAGE, ToDevice);
    assert_eq!(across, Err(MapError::NotMapped));
    let handle = rig.map(&master, rig.va(low), 8 * PAGE, ToDevice).unwrap();
    rig.unmap(&master, handle, 8 * PAGE, ToDevice).unwrap();
}
