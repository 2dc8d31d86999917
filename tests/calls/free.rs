//! Tests how a buffer is freed: a correct call frees it; a wrong call logs one line, is counted, and changes nothing.
//! `own_mappings` has the buffers that have mappings of their own. The number in a name `fault_NN` is that of
//! the second list of `docs/defects.md`: faults of version 0.1.
//!
//! The tests call `Dma::free`. C's `rt_dma_free` differs from it in three points. With size 0 or a null address it does
//! nothing (`wrong_calls` in `bsp-tests/host/drivers.c`), and `Dma::free` refuses the call. After the first managed
//! buffer was allocated, it also takes a managed buffer off its device's list (`tests/managed/plain_calls.rs`). For a
//! device with a table of the BSP, it calls the `free` of that table.

use crate::fake_kernel::{
    CACHED, DeviceInfo, FakeKernel, Held, MIB, Machine, NO_LINES, PAGE, START, Service, bus_range,
};
use rt_dma_pool::dropin::pool::Pool;
use rt_dma_pool::dropin::pool::view::View;
use rt_dma_pool::error::Error;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{Device, Mappings, MemoryType};

/// View limits by which the pools of these tests have views, and by which each buffer has its own mapping.
const WITH_VIEWS: usize = 64 * MIB;
const WITHOUT_VIEWS: usize = 0;

/// Flags of requests for buffers that the library maps, of each memory type.
const MAPPED: [Flags; 3] = [CACHED, Flags::NOCACHE, Flags::WRITE_THROUGH];
/// Flags of requests for buffers that it does not map.
const NOT_MAPPED: [Flags; 2] = [Flags::NOMAP, Flags::NOMAP.union(Flags::NOCACHE)];

/// The first physical address and the size of a bus range that begins at handle 0.
const RANGE_START: usize = 0x3000_0000;
const RANGE_SIZE: usize = 0x4000_0000;

#[test]
fn any_size_within_the_last_page_is_the_buffers_size() {
    let (machine, pool) = Machine::with_pool(c"pool", START, MIB);
    let device = machine.plain_device();
    for size in [2 * PAGE + 1, 2 * PAGE + 2, 3 * PAGE] {
        let held = machine.alloc(device, 2 * PAGE + 1, CACHED).unwrap();
        machine.free(Held { size, ..held }).unwrap();
        assert_eq!(pool.usage().used, 0);
    }
}

#[test]
fn another_size_is_refused() {
    // A buffer of 100 pages is in several words of the bitmaps.
    for right in [3 * PAGE, 100 * PAGE] {
        let (machine, pool) = Machine::with_pool(c"pool", START, MIB);
        let device = machine.plain_device();
        let held = machine.alloc(device, right, CACHED).unwrap();
        let after = machine.alloc(device, PAGE, CACHED).unwrap();
        for size in [0, 1, right - PAGE, right + 1, right + PAGE, MIB, 2 * MIB, usize::MAX] {
            machine.assert_refused(Held { size, ..held }, Error::WrongSize);
        }
        machine.free(held).unwrap();
        machine.free(after).unwrap();
        assert_eq!(pool.usage().used, 0);
    }
}

#[test]
fn an_address_within_a_buffer_or_free_memory_is_refused() {
    let (machine, pool) = Machine::with_pool(c"pool", START, MIB);
    let device = machine.plain_device();
    let held = machine.alloc(device, 3 * PAGE, CACHED).unwrap();
    let at = |va| Held { va, ..held };
    let second_page = Held { va: held.va + PAGE, handle: held.handle + PAGE, size: 2 * PAGE, ..held };
    let page_after = Held { va: held.va + 3 * PAGE, handle: held.handle + 3 * PAGE, ..held };
    let inside_a_page = at(held.va + 8);
    let end_of_the_pool = at(held.va + MIB);
    for (wrong, error) in [
        (second_page, Error::NotAllocated),
        (page_after, Error::NotAllocated),
        (inside_a_page, Error::NoBuffer),
        (end_of_the_pool, Error::NoBuffer),
        (at(0x1000), Error::NoBuffer),
        (at(usize::MAX), Error::NoBuffer),
    ] {
        machine.assert_refused(wrong, error);
    }
    assert_eq!(pool.usage().used, 3 * PAGE);
    machine.free(held).unwrap();
    machine.assert_refused(held, Error::NotAllocated);
}

#[test]
fn a_buffer_is_known_by_the_address_that_was_handed_out() {
    let (machine, _) = Machine::with_pool(c"pool", START, MIB);
    let device = machine.plain_device();
    let cached = machine.alloc(device, PAGE, CACHED).unwrap();
    let uncached = machine.alloc(device, PAGE, Flags::NOCACHE).unwrap();
    // The address of the cached buffer's page in the uncached view is not that buffer's address.
    let in_uncached_view = uncached.va - PAGE;
    assert_eq!(machine.pa_of(in_uncached_view), cached.handle);
    machine.assert_refused(Held { va: in_uncached_view, ..cached }, Error::NoBuffer);
    machine.assert_refused(Held { va: machine.linear_va(uncached.handle), ..uncached }, Error::NoBuffer);
    // Neither is the physical address, since the pool is not NOMAP.
    machine.assert_refused(Held { va: cached.handle, ..cached }, Error::NoBuffer);
    // The buffer is found without the flags of its request.
    machine.free(Held { flags: Flags::NOCACHE, ..cached }).unwrap();
    machine.free(Held { flags: CACHED, ..uncached }).unwrap();
}

/// Which device a buffer was allocated for is not kept. Only its handle depends on the device.
#[test]
fn a_buffer_may_be_freed_for_another_device() {
    let (machine, pool) = Machine::with_pool(c"pool", START, MIB);
    let [plain, other] = [(); 2].map(|()| machine.plain_device());
    let translated = machine.device(DeviceInfo::with_dma_ranges(&[bus_range(RANGE_START, 0, RANGE_SIZE)]));
    for device in [other, translated] {
        let held = machine.alloc(plain, PAGE, CACHED).unwrap();
        machine.free(Held { device, ..held }).unwrap();
        assert_eq!(pool.usage().used, 0);
    }
    let held = machine.alloc(translated, PAGE, CACHED).unwrap();
    machine.assert_refused(Held { device: plain, ..held }, Error::WrongHandle);
    machine.free(Held { device: plain, handle: START, ..held }).unwrap();
    assert_eq!(pool.usage().used, 0);
}

#[test]
fn another_mapping_of_a_page_in_a_view_is_not_its_address() {
    check_another_mapping(WITH_VIEWS);
}

#[test]
fn another_mapping_of_a_buffer_with_its_own_mapping_is_not_its_address() {
    check_another_mapping(WITHOUT_VIEWS);
}

#[test]
fn the_handle_is_checked_against_the_address() {
    let (machine, pool) = Machine::with_pool(c"pool", START, MIB);
    let device = machine.plain_device();
    let held = machine.alloc(device, PAGE, CACHED).unwrap();
    let other = machine.alloc(device, PAGE, CACHED).unwrap();
    for handle in [other.handle, held.handle + 1, START + MIB, usize::MAX] {
        machine.assert_refused(Held { handle, ..held }, Error::WrongHandle);
    }
    machine.free(Held { handle: 0, ..held }).expect("a caller that did not ask for the handle has none");
    machine.free(other).unwrap();
    assert_eq!(pool.usage().used, 0);
}

#[test]
fn a_translated_handle_must_be_the_buffers() {
    let (machine, pool) = Machine::with_pool(c"pool", START, MIB);
    let device = machine.device(DeviceInfo::with_dma_ranges(&[bus_range(RANGE_START, 0, RANGE_SIZE)]));
    let held = machine.alloc(device, PAGE, CACHED).unwrap();
    assert_eq!(held.handle, START - RANGE_START);
    machine.assert_refused(Held { handle: held.handle + PAGE, ..held }, Error::WrongHandle);
    machine.free(held).unwrap();
    assert_eq!(pool.usage().used, 0);
}

/// The buffer is found by the processor's address. So the physical address in place of the handle, as `rt_kmem_v2p`
/// returns it, cannot free another buffer, not even one of which it is the handle.
#[test]
fn the_physical_address_of_a_translated_buffer_is_accepted_as_its_handle() {
    let (machine, pool) = Machine::with_pool(c"pool", START, MIB);
    // The handle of the second page is the physical address of the first.
    let device = machine.device(DeviceInfo::with_dma_ranges(&[bus_range(START + PAGE, START, MIB - PAGE)]));
    let first = machine.alloc(machine.plain_device(), PAGE, CACHED).unwrap();
    let held = machine.alloc(device, PAGE, CACHED).unwrap();
    assert_eq!((held.handle, first.handle), (START, START));
    machine.assert_refused(Held { handle: START + 2 * PAGE, ..held }, Error::WrongHandle);
    machine.free(Held { handle: START + PAGE, ..held }).unwrap();
    assert_eq!(pool.usage().used, PAGE);
    machine.free(first).unwrap();
}

/// A device may reach the same memory at several handles. `rt_dma_free` accepts each of them.
#[test]
fn a_handle_that_leads_back_is_the_buffers() {
    let (machine, pool) = Machine::with_pool(c"pool", START, MIB);
    let device = machine.device(DeviceInfo {
        dma_to_cpu: Some(|handle| (handle & !(1 << 31)).checked_add(RANGE_START)),
        ..DeviceInfo::with_dma_ranges(&[bus_range(RANGE_START, 0, RANGE_SIZE)])
    });
    let held = machine.alloc(device, PAGE, CACHED).unwrap();
    let again = Held { handle: held.handle | 1 << 31, ..held };
    assert_ne!(again.handle, held.handle);
    machine.assert_refused(Held { handle: again.handle + PAGE, ..held }, Error::WrongHandle);
    machine.free(again).unwrap();
    assert_eq!(pool.usage().used, 0);
}

#[test]
fn the_physical_address_is_a_buffers_address_where_it_was_handed_out_so() {
    let machine = Machine::new();
    machine.fail_always(Service::MapLinear);
    let pool = machine.install(c"pool", START, MIB);
    pool.add_flags(Flags::NOMAP);
    let device = machine.plain_device();
    let physical = machine.alloc(device, 2 * PAGE, Flags::NOMAP).unwrap();
    let mapped = machine.alloc(device, PAGE, Flags::NOCACHE).unwrap();
    let mapped_as_physical = Held { va: mapped.handle, flags: Flags::NOMAP, ..mapped };
    machine.assert_refused(mapped_as_physical, Error::NoBuffer);
    machine.assert_refused(Held { size: PAGE, ..physical }, Error::WrongSize);
    machine.free(physical).unwrap();
    machine.assert_refused(physical, Error::NotAllocated);
    machine.free(mapped).unwrap();
    assert_eq!(pool.usage().used, 0);
}

#[test]
fn refusals_are_counted_where_no_line_can_be_written() {
    let (machine, _) = Machine::with_pool(c"pool", START, MIB);
    let device = machine.plain_device();
    let held = machine.alloc(device, 2 * PAGE, CACHED).unwrap();
    let page_after = Held { va: held.va + 2 * PAGE, handle: held.handle + 2 * PAGE, ..held };
    let wrong_frees = [
        (Held { va: held.handle, ..held }, Error::NoBuffer),
        (Held { handle: held.handle + PAGE, ..held }, Error::WrongHandle),
        (Held { size: PAGE, ..held }, Error::WrongSize),
        (page_after, Error::NotAllocated),
    ];
    for (count, (wrong, error)) in (1..).zip(wrong_frees) {
        assert_eq!(machine.in_interrupt(|| machine.free(wrong)), Err(error));
        assert_eq!(machine.take_errors(), NO_LINES, "{error:?}");
        assert_eq!(machine.dma.refused_calls(), count, "{error:?}");
    }
    machine.free(held).unwrap();
}

#[test]
fn fault_18_a_buffer_is_freed_after_a_change_of_flags() {
    for is_linear in [true, false] {
        let requests = [&MAPPED[..], &NOT_MAPPED].concat();
        let with_views = PoolMapping { is_linear, view_limit: WITH_VIEWS };
        let without_views = PoolMapping { is_linear, view_limit: WITHOUT_VIEWS };
        check_frees_after_a_change_of_flags(with_views, &requests, Error::NotAllocated);
        check_frees_after_a_change_of_flags(without_views, &NOT_MAPPED, Error::NotAllocated);
    }
}

/// The mapping ends with the buffer, so that nothing is at its address at the second free.
#[test]
fn fault_18_an_own_mapping_is_freed_after_a_change_of_flags() {
    let without_linear_map = PoolMapping { is_linear: false, view_limit: WITHOUT_VIEWS };
    check_frees_after_a_change_of_flags(without_linear_map, &MAPPED, Error::NoBuffer);
    // Here a cached buffer has no mapping of its own: it is seen through the linear map.
    let with_linear_map = PoolMapping { is_linear: true, view_limit: WITHOUT_VIEWS };
    let not_cached = [Flags::NOCACHE, Flags::WRITE_THROUGH];
    check_frees_after_a_change_of_flags(with_linear_map, &not_cached, Error::NoBuffer);
}

#[test]
fn fault_18_a_physical_address_that_was_never_handed_out_is_refused() {
    let (machine, pool) = Machine::with_pool(c"pool", START, MIB);
    let device = machine.plain_device();
    let held = machine.alloc(device, PAGE, CACHED).unwrap();
    pool.add_flags(Flags::NOMAP);
    machine.assert_refused(Held { va: held.handle, flags: Flags::NOMAP, ..held }, Error::NoBuffer);
    machine.free(held).unwrap();
}

#[test]
fn fault_26_a_view_at_a_low_address_is_found_although_the_pool_has_no_cached_view() {
    let machine = Machine::new();
    machine.fail_always(Service::MapLinear);
    let size = 16 * MIB;
    machine.install(c"pool", START, size);
    let device = machine.plain_device();
    // The first view's address is less than the pool's size. The second view begins where the first ends.
    let low = MIB;
    let after = low + size;
    machine.map_next_at(low);
    let held = machine.alloc(device, PAGE, Flags::NOCACHE).unwrap();
    assert_eq!(held.va, low, "where the kernel was set to map it");
    machine.free(held).expect("it was handed out there");
    machine.map_next_at(after);
    let held = machine.alloc(device, 2 * PAGE, Flags::WRITE_THROUGH).unwrap();
    assert_eq!(held.va, after);
    machine.free(held).unwrap();
}

#[test]
fn fault_26_an_odd_low_address_is_no_buffer_of_a_view_that_is_not_mapped() {
    let (machine, _) = Machine::with_pool(c"pool", START, MIB);
    let device = machine.plain_device();
    let held: Vec<_> = (0..4).map(|_| machine.alloc(device, PAGE, Flags::NOCACHE).unwrap()).collect();
    for page in 0..4 {
        // The last byte of each page is a whole number of pages after the value of a view that is not mapped, as if a
        // page of the view began there. Another value would need other addresses.
        let va = page * PAGE + PAGE - 1;
        assert_eq!(View::new().page_of_aligned(va, MIB / PAGE), Some(page + 1));
        machine.assert_refused(Held { va, handle: 0, ..held[0] }, Error::NoBuffer);
    }
    held.into_iter().for_each(|held| machine.free(held).unwrap());
}

/// Maps a buffer of each memory type a second time, and checks that the second address does not free it.
fn check_another_mapping(view_limit: usize) {
    let (machine, _) = Machine::with_pool(c"pool", START, MIB);
    machine.set_view_limit(view_limit);
    let device = machine.plain_device();
    for flags in MAPPED {
        let held = machine.alloc(device, PAGE, flags).unwrap();
        let alias = machine.kernel.map(held.handle, PAGE, MemoryType::Uncached).unwrap().get();
        machine.assert_refused(Held { va: alias, ..held }, Error::NoBuffer);
        // SAFETY: it was mapped above, and is not used.
        unsafe { machine.kernel.unmap(alias) };
        machine.free(held).unwrap();
    }
}

/// How a test's pool is mapped.
struct PoolMapping {
    is_linear: bool,
    view_limit: usize,
}

/// Allocates a page by each of the requests, changes flags and owner of the pool, and frees each page twice. The first
/// free succeeds, and the second one fails with `second_free`. This is done for each pair of combinations of the
/// pool's flags.
fn check_frees_after_a_change_of_flags(mapping: PoolMapping, requests: &[Flags], second_free: Error) {
    let machine = Machine::new();
    machine.set_view_limit(mapping.view_limit);
    if !mapping.is_linear {
        machine.fail_always(Service::MapLinear);
    }
    let pool = machine.install(c"pool", START, MIB);
    let [device, other] = [(); 2].map(|()| machine.plain_device());
    for before in flag_combinations() {
        for after in flag_combinations() {
            let held = allocate_each(&machine, pool, device, before, requests);
            machine.set_pool_flags(pool, after);
            machine.set_pool_owner(pool, other);
            for held in held {
                assert_eq!(machine.free(held), Ok(()), "{held:x?}, {before:?} and then {after:?}");
                assert_eq!(machine.free(held), Err(second_free), "twice: {held:x?}, {before:?} and then {after:?}");
            }
            assert_eq!(pool.usage().used, 0);
            assert_eq!(machine.take_errors().len(), requests.len());
        }
    }
}

/// Returns all combinations of the flags that have names: those that the revisions of the interface define.
fn flag_combinations() -> impl Iterator<Item = Flags> {
    let named: Flags = Flags::all().iter_names().map(|(_, flag)| flag).collect();
    (0..=named.bits()).map(Flags::from_bits_retain).filter(move |flags| named.contains(*flags))
}

/// Makes `device` the owner of the pool, and allocates a page by each of the requests. Before each of them, it sets the
/// pool's flags to `flags`, and `NOMAP` too if the request has it. The request gets the flag `DEVICE` if the pool has
/// it.
fn allocate_each(
    machine: &Machine,
    pool: &Pool<FakeKernel>,
    device: Device,
    flags: Flags,
    requests: &[Flags],
) -> Vec<Held> {
    machine.set_pool_owner(pool, device);
    let allocate = |request: Flags| {
        machine.set_pool_flags(pool, flags | request & Flags::NOMAP);
        machine.alloc(device, PAGE, request | (pool.flags() & Flags::DEVICE)).expect("the pool serves it")
    };
    requests.iter().map(|&request| allocate(request)).collect()
}
