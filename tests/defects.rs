//! One test for each defect of RT-Thread's `dma_pool.c` that must not come back, and one for a trap of its aarch64 port
//! (number 15). The numbers are those of the table in README.

mod fake_kernel;

use fake_kernel::*;
use rt_dma_pool::extract::ExtractError;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{Entry, Level, MemoryType, Name, NamedRegion, ReservedRegion};
use rt_dma_pool::map_ops::{BadSync, MapOps};
use rt_dma_pool::pool::Region;
use rt_dma_pool::registry::{BadFree, InstallError};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const BASE: usize = LOW.start;
const CACHED: Flags = Flags::empty();

/// The original stopped its search one page early, so 63 of 64 pages, and never a whole pool, could be had.
#[test]
fn defect_01_every_page_and_a_whole_pool_can_be_allocated() {
    for pages in [1, 2, 63, 64, 65, 2_048] {
        let (machine, _) = Machine::with_pool(c"pool", BASE, pages * PAGE);
        let device = machine.plain_device();
        let one_by_one: Vec<_> = (0..pages).map(|_| machine.alloc(device, PAGE, CACHED).unwrap()).collect();
        for (page, held) in one_by_one.iter().enumerate() {
            assert_eq!(held.handle, BASE + page * PAGE);
        }
        assert_eq!(machine.alloc(device, 1, CACHED), None, "all {pages} are in use");
        one_by_one.into_iter().for_each(|held| machine.free(held).unwrap());

        let whole = machine.alloc(device, pages * PAGE, CACHED).expect("the pool in one piece");
        machine.free(whole).unwrap();
    }
}

/// A handle that equals a pool's end is the first page of the pool behind it: the original cleared a bit past the first
/// one's bitmap, lost the page, and damaged the heap.
#[test]
fn defect_02_the_first_page_behind_a_pool_is_freed_in_its_own_pool() {
    let machine = Machine::new();
    let first = machine.install(c"first", BASE, 64 * PAGE);
    let second = machine.install(c"second", BASE + 64 * PAGE, 64 * PAGE);
    let device = machine.plain_device();
    let all_of_first = machine.alloc(device, 64 * PAGE, CACHED).unwrap();
    for flags in [CACHED, Flags::NOCACHE] {
        let border = machine.alloc(device, PAGE, flags).unwrap();
        assert_eq!(border.handle, first.end(), "the page at the border");
        machine.free(border).unwrap();
        assert_eq!((first.usage(), second.usage()), ((64 * PAGE, 0), (0, 64 * PAGE)));
    }
    // Nor does a forged free reach past the end of a pool with nobody behind.
    let past = Held { va: all_of_first.va + 128 * PAGE, handle: second.end(), size: PAGE, ..all_of_first };
    assert_eq!(machine.free(past), Err(BadFree::Foreign));
    machine.free(all_of_first).unwrap();
    assert_eq!(first.usage(), (0, 64 * PAGE));
}

/// A request larger than the pool underflowed, and "succeeded" with memory past the pool's end.
#[test]
fn defect_03_a_request_larger_than_the_pool_gets_nothing() {
    let (machine, pool) = Machine::with_pool(c"pool", BASE, 64 * PAGE);
    let device = machine.plain_device();
    for size in [64 * PAGE + 1, 65 * PAGE, MIB, usize::MAX / 2, usize::MAX - PAGE, usize::MAX] {
        for flags in [CACHED, Flags::NOCACHE, Flags::WRITE_THROUGH] {
            assert_eq!(machine.alloc(device, size, flags), None, "{size} bytes");
        }
    }
    assert_eq!(pool.usage(), (0, 64 * PAGE));
}

/// An uncached buffer of a linear pool was never unmapped: 128 bytes of heap and its window leaked at each free.
#[test]
fn defect_04_uncached_buffers_leak_neither_heap_nor_mappings() {
    let (machine, _) = Machine::with_pool(c"pool", BASE, 4 * MIB);
    let device = machine.plain_device();
    let pair = |size, flags| machine.free(machine.alloc(device, size, flags).unwrap()).unwrap();
    // The first one makes the views, which stay.
    pair(PAGE, Flags::NOCACHE);
    pair(PAGE, Flags::WRITE_THROUGH);
    let (settled, maps) = (machine.balance(), machine.maps_made());
    for round in 0..5_000 {
        pair(64 * KIB, [Flags::NOCACHE, Flags::WRITE_THROUGH][round % 2]);
    }
    assert_eq!(machine.balance(), settled);
    assert_eq!(machine.maps_made(), maps, "and no pair costs a mapping");

    // Where the pool is too large for a view each buffer has a mapping of its own, and it goes with the buffer.
    let (machine, _) = Machine::with_pool(c"pool", BASE, 4 * MIB);
    machine.set_view_limit(MIB);
    let device = machine.plain_device();
    let settled = machine.balance();
    for _ in 0..500 {
        machine.free(machine.alloc(device, 64 * KIB, Flags::NOCACHE).unwrap()).unwrap();
    }
    assert_eq!(machine.balance(), settled);
}

/// Interrupts stayed off through a whole ioremap, and a mutex was taken under a spinlock: an interrupt, or a second
/// core, deadlocked. Here an interrupt comes whenever interrupts are on, and allocates and frees itself; the fake kernel
/// panics when anything that may sleep is called under a lock.
#[test]
fn defect_05_nothing_that_sleeps_is_called_with_interrupts_off() {
    let (machine, _) = Machine::with_pool(c"pool", BASE, 4 * MIB);
    let machine = Arc::new(machine);
    machine.set_view_limit(2 * MIB);
    machine.install(c"small", BASE + 8 * MIB, MIB);
    let (driver, interrupt) = (machine.plain_device(), machine.plain_device());
    machine.ops(interrupt).unwrap();
    let served = Arc::new(AtomicUsize::new(0));
    let (weak, count) = (Arc::downgrade(&machine), served.clone());
    machine.set_interrupt(Some(Arc::new(move || {
        let machine = weak.upgrade().unwrap();
        machine.free(machine.alloc(interrupt, PAGE, CACHED).unwrap()).unwrap();
        count.fetch_add(1, Relaxed);
    })));
    let mut held = Vec::new();
    for flags in [CACHED, Flags::NOCACHE, Flags::WRITE_THROUGH] {
        // From the large pool, with mappings of their own, and from the small one, through its views.
        held.push(machine.alloc(driver, MIB, flags).unwrap());
        held.push(machine.alloc(driver, 16 * KIB, flags).unwrap());
    }
    held.into_iter().for_each(|held| machine.free(held).unwrap());
    machine.install(c"later", BASE + 16 * MIB, MIB);
    machine.list();
    machine.set_interrupt(None);
    assert!(served.load(Relaxed) > 50, "interrupts were served all along");
}

/// A device with a `memory-region` did not get its own region while strangers did; the region was installed again at
/// every call; `no-map` was read from a node that had been given back.
#[test]
fn defect_06_a_memory_region_serves_its_device_and_no_stranger() {
    let machine = Machine::new();
    let region = NamedRegion { no_map: true, ..named_region(BASE + 8 * MIB, MIB) };
    machine.install(c"cma", BASE, MIB);
    let owner = machine.device(DeviceInfo::naming(&[region]).named(c"owner"));
    let stranger = machine.plain_device();
    for _ in 0..3 {
        assert_eq!(machine.dma.choose_ops(owner), Ok(MapOps::DeviceTree));
    }
    assert_eq!(machine.dma.pools().count(), 2, "installed once");
    let pool = machine.dma.pools().last().unwrap();
    assert!(pool.flags().contains(Flags::NOMAP | Flags::DEVICE));
    assert!(!machine.is_linear(region.start));

    let held = machine.alloc(owner, PAGE, CACHED).unwrap();
    assert_eq!(held.handle, region.start, "the owner is served from its own region");
    for flags in [CACHED, Flags::DEVICE, Flags::NOMAP, Flags::DEVICE | Flags::NOMAP] {
        let elsewhere = machine.alloc(stranger, PAGE, flags);
        assert!(elsewhere.is_none_or(|held| held.handle < BASE + MIB), "a stranger with {flags:?}");
    }
    machine.free(held).unwrap();
}

/// Installing memory that is mapped already stopped the kernel with an assertion.
#[test]
fn defect_07_memory_that_is_mapped_already_becomes_a_linear_pool() {
    let machine = Machine::new();
    machine.premap_linear(BASE, MIB);
    let pool = machine.install(c"pool", BASE, MIB);
    assert!(pool.flags().contains(Flags::LINEAR), "the boot code's mapping serves");
    let device = machine.plain_device();
    let held = machine.alloc(device, MIB, CACHED).unwrap();
    assert_eq!(machine.at(held.va), Some((BASE, MemoryType::Cached)));

    // Half of it: nothing can be mapped there as a whole, and the pool serves all the same.
    machine.premap_linear(BASE + 4 * MIB, MIB / 2);
    let half = machine.install(c"half", BASE + 4 * MIB, MIB);
    assert!(!half.flags().contains(Flags::LINEAR));
    let held = machine.alloc(device, MIB, CACHED).unwrap();
    assert_eq!(machine.at(held.va), Some((BASE + 4 * MIB, MemoryType::Cached)));
}

/// Freeing one page of a `no-map` pool dropped the mapping of the whole pool.
#[test]
fn defect_08_a_free_leaves_the_other_buffers_of_a_no_map_pool_mapped() {
    for view_limit in [64 * MIB, 0] {
        let machine = Machine::new();
        machine.set_view_limit(view_limit);
        let region = NamedRegion { no_map: true, ..named_region(BASE, MIB) };
        let device = machine.device(DeviceInfo::naming(&[region]));
        let kept = machine.alloc(device, 3 * PAGE, Flags::NOCACHE).unwrap();
        let freed = machine.alloc(device, PAGE, Flags::NOCACHE).unwrap();
        let unmapped = machine.alloc(device, PAGE, Flags::NOMAP).unwrap();
        machine.poke(kept.va, &[0x5a; 3 * PAGE]);
        machine.free(freed).unwrap();
        machine.free(unmapped).unwrap();
        assert_eq!(machine.peek(kept.va, 3 * PAGE), [0x5a; 3 * PAGE]);
        assert_eq!(machine.device_read(kept.handle, 3 * PAGE), [0x5a; 3 * PAGE]);
        machine.free(kept).unwrap();
    }
}

/// Free went from the handle to the pool; with a translation that does not invert it did not get there, and the page
/// leaked. A buffer is known by its address.
#[test]
fn defect_09_a_translation_that_does_not_invert_leaks_no_page() {
    let machine = Machine::new();
    let pool = machine.install(c"cma", BASE, MIB);
    let nowhere = machine.device(DeviceInfo::behind_ranges(|pa| Some(pa - BASE), |_| None));
    let elsewhere = machine.device(DeviceInfo::behind_ranges(|pa| Some(pa & 0xf_ffff), |handle| Some(handle + 0x123_4567)));
    for device in [nowhere, elsewhere] {
        for flags in [CACHED, Flags::NOCACHE] {
            let held = machine.alloc(device, 2 * PAGE, flags).unwrap();
            assert_eq!(held.handle, 0);
            let second = machine.alloc(device, PAGE, flags).unwrap();
            assert_eq!(second.handle, 2 * PAGE);
            machine.free(held).unwrap();
            machine.free(second).unwrap();
            assert_eq!(pool.usage(), (0, MIB));
        }
    }
}

/// `RT_DMA_F_WT` was ignored.
#[test]
fn defect_10_a_write_through_request_gets_write_through_memory() {
    let (machine, pool) = Machine::with_pool(c"pool", BASE, MIB);
    let device = machine.plain_device();
    assert!(pool.flags().contains(Flags::LINEAR));
    let held = machine.alloc(device, PAGE, Flags::WRITE_THROUGH).unwrap();
    assert_eq!(machine.at(held.va), Some((held.handle, MemoryType::WriteThrough)));
    let uncached = machine.alloc(device, PAGE, Flags::WRITE_THROUGH | Flags::NOCACHE).unwrap();
    assert_eq!(machine.at(uncached.va).unwrap().1, MemoryType::Uncached, "uncached goes first");
}

/// An uncached mapping and the cached linear one of a page lived side by side, and nothing wrote dirty lines back when
/// the page went from one to the other: they were written over the device's data later.
#[test]
fn defect_11_no_dirty_line_is_written_over_an_uncached_buffer() {
    for flags in [Flags::NOCACHE, Flags::WRITE_THROUGH] {
        let (machine, _) = Machine::with_pool(c"pool", BASE, MIB);
        let device = machine.plain_device();
        // Boot code, too, wrote through the linear map before there was a pool.
        machine.cpu_write(machine.at_linear(BASE + 8 * PAGE), &[0xb0; PAGE]);
        for round in 0..3 {
            let cached = machine.alloc(device, 4 * PAGE, CACHED).unwrap();
            machine.cpu_write(cached.va, &[0xca; 4 * PAGE]);
            machine.free(cached).unwrap();

            let uncached = machine.alloc(device, 16 * PAGE, flags).unwrap();
            assert_eq!(uncached.handle, BASE);
            machine.device_write(uncached.handle, &[0xde + round; 16 * PAGE]);
            machine.evict_cache();
            assert_eq!(machine.cpu_read(uncached.va, 16 * PAGE), [0xde + round; 16 * PAGE], "round {round}");
            machine.free(uncached).unwrap();
        }
    }
}

/// A double free, a free with the wrong size and overlapping pools were not noticed: the same page was handed out twice.
#[test]
fn defect_12_wrong_frees_and_overlapping_pools_are_refused() {
    for (flags, view_limit) in [(CACHED, 64 * MIB), (Flags::NOCACHE, 64 * MIB), (Flags::NOCACHE, 0)] {
        let (machine, pool) = Machine::with_pool(c"pool", BASE, MIB);
        machine.set_view_limit(view_limit);
        let device = machine.plain_device();
        let first = machine.alloc(device, 3 * PAGE, flags).unwrap();
        let second = machine.alloc(device, 2 * PAGE, flags).unwrap();
        let before = (machine.balance(), pool.usage());
        let refused = |held: Held, why: BadFree| {
            assert_eq!(machine.free(held), Err(why));
            let [line] = &machine.take_errors()[..] else { panic!("one line for each") };
            assert!(line.contains(&format!("{:#x}", held.va)), "{line}");
            assert_eq!((machine.balance(), pool.usage()), before, "nothing changed");
        };
        refused(Held { size: 2 * PAGE, ..first }, BadFree::WrongSize);
        refused(Held { size: 5 * PAGE, ..first }, BadFree::WrongSize);
        refused(Held { size: usize::MAX, ..first }, BadFree::WrongSize);
        refused(Held { handle: second.handle, ..first }, BadFree::WrongHandle);
        machine.free(first).unwrap();
        let twice = machine.free(first).expect_err("freed before");
        assert!(matches!(twice, BadFree::NotAllocated | BadFree::Foreign), "{twice:?}");
        let again = machine.alloc(device, 3 * PAGE, flags).unwrap();
        let next = machine.alloc(device, PAGE, flags).unwrap();
        assert_eq!((again.handle, next.handle), (first.handle, BASE + 5 * PAGE), "no page is handed out twice");
    }

    let (machine, pool) = Machine::with_pool(c"pool", BASE + MIB, MIB);
    for (start, size) in [(BASE, 4 * MIB), (BASE, MIB + 1), (BASE + MIB + PAGE, PAGE), (BASE + 2 * MIB - 1, 2 * PAGE)] {
        let result = machine.dma.install(&range(c"overlap", start, size)).map(|_| ());
        assert_eq!(result, Err(InstallError::Overlap), "{start:#x}, {size:#x} bytes");
    }
    assert_eq!(machine.dma.pools().count(), 1);
    assert_eq!(pool.usage(), (0, MIB));
}

/// A reserved region with a NULL name stopped the kernel; what a region held beyond `cma_size` was lost. (The third
/// part, a cleared `alloc` in memblock's list, cannot come back: the library has no way to write the list.)
#[test]
fn defect_13_extract_passes_over_nameless_regions_and_loses_no_rest() {
    let machine = Machine::new();
    let entry = |start, size, usable| ReservedRegion { start, end: start + size, usable };
    // The port reports a node without a name as unusable.
    let list = vec![entry(BASE, 16 * MIB, false), entry(BASE + 32 * MIB, 8 * MIB, true)];
    machine.set_reserved(Some(list));
    assert_eq!(machine.extract(4 * MIB, MIB), Ok((BASE + 32 * MIB, BASE + 36 * MIB)));
    assert_eq!(machine.extract(4 * MIB, MIB), Ok((BASE + 36 * MIB, BASE + 40 * MIB)), "the rest");
    assert_eq!(machine.extract(4 * MIB, MIB), Err(ExtractError::NoRegion));
    assert_eq!(machine.dma.pools().count(), 4);

    // A pool without a name is a pool, and can be listed.
    let nameless = Region { name: Name::NONE, ..range(c"", BASE, MIB) };
    machine.dma.install_logged(&nameless).unwrap();
    assert!(machine.list().iter().any(|line| line.starts_with("<anon>")));
}

/// `list_dma_pool` printed no names; a full pool was warned of although the next one served the request; a sync call
/// for nothing stopped the kernel. (A NULL `dev` is for the C drivers: see `c_drivers.rs`.)
#[test]
fn defect_14_the_list_has_names_and_a_full_pool_is_no_news() {
    let machine = Machine::new();
    machine.install(c"first", BASE, PAGE);
    machine.install(c"second", BASE + MIB, MIB);
    let device = machine.plain_device();
    let full = machine.alloc(device, PAGE, CACHED).unwrap();
    assert_eq!(full.handle, BASE);
    assert_eq!(machine.alloc(device, PAGE, CACHED).unwrap().handle, BASE + MIB);
    assert_eq!(machine.take_log(Level::Warning), [""; 0]);
    assert_eq!(machine.take_errors(), [""; 0]);

    let lines = machine.list();
    for name in ["first", "second"] {
        assert!(lines.iter().any(|line| line.starts_with(name)), "{name} in {lines:#?}");
    }
    let sync = machine.dma.sync_out(MapOps::Coherent, device, 0, PAGE, CACHED);
    assert_eq!(sync, Err(BadSync::NotMapped));
}

/// RT-Thread's aarch64 block mapping looks at the virtual address's alignment only, and maps the wrong memory without
/// an error. Nobody gets such a mapping, and it does not stay.
#[test]
fn defect_15_a_mapping_of_the_wrong_memory_reaches_nobody() {
    for wrong in [Wrong::Block, Wrong::LastPage] {
        for flags in [CACHED, Flags::NOCACHE, Flags::WRITE_THROUGH] {
            let machine = Machine::new();
            machine.fail_always(Service::MapLinear);
            let pool = machine.install(c"pool", BASE + 3 * PAGE, 2 * MIB);
            let device = machine.plain_device();
            let settled = machine.balance();

            machine.fail_always(Service::MapWrong(wrong));
            assert_eq!(machine.alloc(device, 2 * MIB, flags), None, "view and own mapping lead elsewhere");
            assert_eq!(machine.balance(), settled, "no page and no mapping stays");

            machine.repair(Service::MapWrong(wrong));
            let held = machine.alloc(device, 2 * MIB, flags).expect("it works again");
            for offset in (0..held.size).step_by(PAGE) {
                assert_eq!(machine.at(held.va + offset).unwrap().0, pool.start() + offset);
            }
            machine.free(held).unwrap();
        }
    }
    // The linear map is held against `v2p` as well.
    let machine = Machine::new();
    machine.fail_always(Service::MapLinearWrong);
    let pool = machine.install(c"pool", BASE, MIB);
    assert!(!pool.flags().contains(Flags::LINEAR));
    let device = machine.plain_device();
    let held = machine.alloc(device, PAGE, CACHED).unwrap();
    assert_eq!(machine.at(held.va).unwrap().0, held.handle);
}
