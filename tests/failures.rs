//! Makes every kernel service fail, at every call of a scenario: the library's call reports the failure, no memory is
//! lost, and the next attempt succeeds.

mod fake_kernel;

use fake_kernel::*;
use rt_dma_pool::error::Error;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{NamedRegion, Pa};

const SERVICES: [Service; 6] = [
    Service::HeapAlloc,
    Service::Map,
    Service::MapLinear,
    Service::MapLinearWrong,
    Service::MapWrong(WrongMapping::Block),
    Service::MapWrong(WrongMapping::LastPage),
];

/// Runs `scenario` on a new machine for each service, which fails at its first call, then at its second, and so on,
/// until a run ends without a failure. After each run, `check` examines the machine.
fn at_every_call(make: impl Fn() -> Machine, scenario: impl Fn(&Machine) -> bool, check: impl Fn(&Machine, bool)) {
    for service in SERVICES {
        for call in 0.. {
            assert!(call < 100, "{service:?} is called without end");
            let machine = make();
            machine.fail(service, call, 1);
            let succeeded = scenario(&machine);
            let failed = machine.repair(service);
            check(&machine, succeeded);
            if !failed {
                assert!(succeeded, "nothing failed but the scenario, with {service:?}");
                break;
            }
        }
    }
}

fn reserved(start: Pa, size: usize) -> ReservedRegion {
    ReservedRegion { start, end: start + size, usable: true }
}

/// Checks that one buffer of each kind can be allocated, keeps what is written to it, and can be freed.
fn assert_serves(machine: &Machine) {
    let device = machine.plain_device();
    for flags in [Flags::empty(), Flags::NOCACHE, Flags::WRITE_THROUGH] {
        let held = machine.alloc(device, 3 * PAGE, flags).expect("there is room");
        assert_eq!(machine.pa_of(held.va), held.handle, "the address leads to the handle");
        machine.poke(held.va, b"hello");
        assert_eq!(machine.device_read(held.handle, 5), b"hello");
        machine.free(held).unwrap();
    }
}

#[test]
fn an_install_that_fails_leaves_no_pool_and_no_memory() {
    at_every_call(
        Machine::new,
        |machine| machine.try_install(c"pool", START, MIB).is_ok(),
        |machine, succeeded| {
            if !succeeded {
                assert_eq!(machine.dma.pools().count(), 0);
                assert_eq!(machine.balance().heap_bytes, 0);
                machine.install(c"pool", START, MIB);
            }
            assert_serves(machine);
            assert_eq!(machine.balance().used_bytes, 0);
        },
    );
}

#[test]
fn an_extract_that_fails_leaves_no_pool_and_the_region_whole() {
    at_every_call(
        || {
            let machine = Machine::new();
            machine.set_reserved(Some(vec![reserved(START, 8 * MIB)]));
            machine
        },
        |machine| machine.extract(8 * MIB, 2 * MIB).is_ok(),
        |machine, succeeded| {
            if !succeeded {
                assert_eq!(machine.dma.pools().count(), 0, "all or nothing");
                assert_eq!(machine.balance().heap_bytes, 0);
                assert!(machine.extract(8 * MIB, 2 * MIB).is_ok(), "the region was not consumed");
            }
            assert_eq!(machine.dma.pools().count(), 2);
            assert_serves(machine);
        },
    );
}

/// Allocates and frees a buffer of each kind. Returns whether all were served.
fn each_kind_once(machine: &Machine) -> bool {
    let device = machine.plain_device();
    let served = [Flags::empty(), Flags::NOCACHE, Flags::WRITE_THROUGH].map(|flags| {
        let Some(held) = machine.alloc(device, 5 * PAGE, flags) else { return false };
        assert_eq!(machine.pa_of(held.va), held.handle);
        machine.free(held).unwrap();
        true
    });
    served == [true; 3]
}

#[test]
fn a_view_that_cannot_be_had_costs_nothing_but_the_view() {
    at_every_call(
        || Machine::with_pool(c"pool", START, MIB).0,
        |machine| {
            // If the view failed, each buffer has a mapping of its own. That allocation may fail or succeed.
            each_kind_once(machine);
            true
        },
        |machine, _| {
            assert_eq!(machine.balance().used_bytes, 0, "no page is lost");
            assert_serves(machine);
            assert_eq!(machine.balance().used_bytes, 0);
        },
    );
}

#[test]
fn buffers_with_mappings_of_their_own_lose_nothing() {
    at_every_call(
        || {
            let machine = Machine::with_pool(c"pool", START, MIB).0;
            machine.set_view_limit(0);
            machine
        },
        each_kind_once,
        |machine, _| {
            let balance = machine.balance();
            assert_eq!(balance.used_bytes, 0);
            assert_eq!(balance.mappings, [], "no mapping outlives its buffer");
            assert!(each_kind_once(machine));
            assert_eq!(machine.balance(), balance, "and no record either");
        },
    );
}

#[test]
fn a_pool_without_linear_map_serves_all_the_same() {
    let machine = Machine::new();
    machine.fail_always(Service::MapLinear);
    let pool = machine.install(c"pool", START, MIB);
    assert!(!pool.flags().contains(Flags::LINEAR));
    assert_serves(&machine);
    assert_eq!(machine.balance().used_bytes, 0);
}

#[test]
fn regions_of_a_device_are_claimed_later_if_not_now() {
    let region = named_region(START, MIB);
    at_every_call(
        Machine::new,
        |machine| {
            let device = machine.device(DeviceInfo::with_regions(&[region]));
            machine.alloc(device, PAGE, Flags::empty()).is_some_and(|held| machine.free(held).is_ok())
        },
        |machine, succeeded| {
            if !succeeded {
                assert_eq!(machine.balance().used_bytes, 0);
            }
            let device = machine.device(DeviceInfo::with_regions(&[region]));
            let held = machine.alloc(device, PAGE, Flags::empty()).expect("its region serves it");
            assert_eq!(held.handle, START);
            machine.free(held).unwrap();
            assert_eq!(machine.dma.pools().count(), 1, "installed once");
        },
    );
}

#[test]
fn a_region_that_cannot_be_read_does_not_stop_the_others() {
    let machine = Machine::new();
    let good = named_region(START, MIB);
    let empty = NamedRegion { end: START, ..good };
    let regions = vec![Err(Error::BadReg), Ok(empty), Ok(good)];
    let device = machine.device(DeviceInfo { node: 1, regions, ..DeviceInfo::plain() });
    let held = machine.alloc(device, PAGE, Flags::empty()).unwrap();
    assert_eq!(held.handle, START);
    assert_eq!(machine.take_errors().len(), 2, "one line for each");
    machine.free(held).unwrap();
}

/// The services that a view needs.
const MAPPING_SERVICES: [Service; 5] = [
    Service::HeapAlloc,
    Service::Map,
    Service::MapLinear,
    Service::MapWrong(WrongMapping::Block),
    Service::MapWrong(WrongMapping::LastPage),
];

#[test]
fn fault_02_a_view_that_failed_at_first_use_is_made_by_a_threads_next_call() {
    for flags in [Flags::empty(), Flags::NOCACHE, Flags::WRITE_THROUGH] {
        let machine = Machine::new();
        machine.fail(Service::MapLinear, 0, 1);
        machine.install(c"pool", START, 4 * MIB);
        let device = machine.plain_device();
        MAPPING_SERVICES.iter().for_each(|service| machine.fail_always(*service));
        for _ in 0..3 {
            assert_eq!(machine.alloc(device, PAGE, flags), None, "{flags:?}: nothing can be mapped");
        }
        MAPPING_SERVICES.iter().for_each(|service| _ = machine.repair(*service));

        let held = machine.alloc(device, PAGE, flags).expect("there is room now");
        machine.free(held).unwrap();
        let maps = machine.map_count();
        let held = machine.in_interrupt(|| machine.alloc(device, PAGE, flags)).expect("the view is there");
        machine.in_interrupt(|| machine.free(held)).unwrap();
        assert_eq!(machine.map_count(), maps, "{flags:?}: no buffer has a mapping of its own");
        assert_eq!(machine.balance().used_bytes, 0);
    }
}

#[test]
fn fault_02_buffers_with_mappings_of_their_own_outlive_the_making_of_the_view() {
    let kinds = [Flags::empty(), Flags::NOCACHE, Flags::WRITE_THROUGH];
    for (flags, caches_write_through) in pairs(kinds, &[true, false]) {
        let machine = Machine::new();
        machine.set_caches_write_through(caches_write_through);
        machine.fail_always(Service::MapLinear);
        let pool = machine.install(c"pool", START, 4 * MIB);
        let device = machine.plain_device();
        // The view's mapping fails, that of the buffer succeeds.
        machine.fail(Service::Map, 0, 1);
        let own = machine.alloc(device, 3 * PAGE, flags).expect("it has a mapping of its own");
        machine.repair(Service::Map);
        let seen = machine.alloc(device, PAGE, flags).expect("it lies in the view");
        let base = seen.va - (seen.handle - pool.start());
        assert_eq!(machine.balance().mappings.len(), 2, "{flags:?}: the view and the buffer's own");

        // The view's address of the first buffer was not handed out.
        let in_view = Held { va: base + (own.handle - pool.start()), ..own };
        assert_eq!(machine.free(in_view), Err(Error::NoBuffer), "{flags:?}");
        machine.free(own).unwrap();
        assert_eq!(machine.free(own), Err(Error::NoBuffer), "{flags:?}: twice");
        machine.free(seen).unwrap();
        assert_eq!(machine.balance().used_bytes, 0);
        assert_eq!(machine.balance().mappings.len(), 1, "{flags:?}: the view alone");
        // Its page is handed out in the view next.
        let again = machine.alloc(device, 3 * PAGE, flags).unwrap();
        assert_eq!((again.va, again.handle), (base, pool.start()));
        machine.free(again).unwrap();
    }
}

#[test]
fn fault_02_a_linear_map_that_failed_at_install_is_made_by_a_threads_next_call() {
    // The limit for views is none for the linear map, which takes no addresses of the ioremap window.
    for (service, view_limit) in pairs([Service::MapLinear, Service::MapLinearWrong], &[64 * MIB, 0]) {
        let machine = Machine::new();
        machine.set_view_limit(view_limit);
        machine.fail(service, 0, 1);
        let pool = machine.install(c"pool", START, 4 * MIB);
        assert!(!pool.flags().contains(Flags::LINEAR));
        let device = machine.plain_device();
        let held = machine.alloc(device, PAGE, Flags::empty()).unwrap();
        // What is mapped wrongly cannot be mapped again.
        let is_linear = service == Service::MapLinear;
        assert_eq!(pool.flags().contains(Flags::LINEAR), is_linear, "{view_limit}");
        assert_eq!(held.va == machine.linear_va(held.handle), is_linear, "{view_limit}");
        assert_eq!(
            machine.in_interrupt(|| machine.alloc(device, PAGE, Flags::empty())).is_some(),
            is_linear || view_limit != 0
        );
        machine.free(held).unwrap();
    }
}

#[test]
fn fault_02_memory_that_firmware_keeps_unmapped_is_never_mapped_linearly() {
    let machine = Machine::new();
    let region = NamedRegion { is_no_map: true, ..named_region(START, MIB) };
    let device = machine.device(DeviceInfo::with_regions(&[region]).coherent());
    let held = machine.alloc(device, PAGE, Flags::empty()).unwrap();
    machine.free(held).unwrap();
    // Nor after the board cleared the flag.
    let machine = Machine::new();
    let device = machine.device(DeviceInfo::with_regions(&[region]).coherent());
    machine.ops_of(device).unwrap();
    let pool = machine.dma.pools().next().unwrap();
    machine.set_pool_flags(pool, Flags::empty());
    let held = machine.alloc(device, PAGE, Flags::empty()).unwrap();
    assert!(!machine.is_linear(START));
    machine.free(held).unwrap();
}

#[test]
fn fault_02_only_a_pool_above_the_view_limit_has_no_view_for_good() {
    let machine = Machine::new();
    machine.set_view_limit(MIB);
    let pool = machine.install(c"pool", START, 2 * MIB);
    let device = machine.plain_device();
    for _ in 0..2 {
        let held = machine.alloc(device, PAGE, Flags::NOCACHE).unwrap();
        assert_eq!(machine.in_interrupt(|| machine.alloc(device, PAGE, Flags::NOCACHE)), None);
        machine.free(held).unwrap();
        assert!(!pool.has_any_own_mapping());
    }
}
