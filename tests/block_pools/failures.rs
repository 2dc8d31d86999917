//! Makes every kernel service fail, at every call: the library's call reports the failure, no memory is lost, and the
//! next attempt succeeds.

use super::*;

const SERVICES: [Service; 4] = [
    Service::HeapAlloc,
    Service::Map,
    Service::MapWrong(WrongMapping::Block),
    Service::MapWrong(WrongMapping::LastPage),
];

/// As `at_every_call` of `tests/failures.rs`, for block pools: runs `scenario` for each service, which fails at its
/// first call, then at its second, and so on, until a run ends without a failure.
fn at_every_call(make: impl Fn() -> Rig, scenario: impl Fn(&Rig) -> bool) {
    for service in SERVICES {
        for call in 0.. {
            assert!(call < 1000, "{service:?} is called without end");
            let rig = make();
            rig.machine.fail(service, call, 1);
            let succeeded = scenario(&rig);
            let failed = rig.machine.repair(service);
            assert_eq!(rig.machine.balance().used_bytes, 0, "{service:?}, call {call}: pages are lost");
            assert_eq!(rig.machine.balance().heap_bytes, make().machine.balance().heap_bytes, "the heap leaks");
            assert!(scenario(&rig), "{service:?}, call {call}: the next try fails");
            if !failed {
                assert!(succeeded, "nothing failed but the scenario, with {service:?}");
                break;
            }
        }
    }
}

/// A pool grows by several pages, so that its bookkeeping grows several times, and is destroyed.
fn grow(rig: &Rig, size: usize, boundary: usize, count: usize) -> bool {
    let Ok(pool) = rig.try_create(size, 0, boundary) else { return false };
    let held: Vec<_> = (0..count).map_while(|_| pool.allocate()).collect();
    let grown = held.len() == count;
    if !grown {
        assert_eq!(pool.usage().in_use, held.len());
        // The pool still serves requests.
        let more = pool.allocate().expect("only one call fails");
        pool.free(more.va, more.handle).unwrap();
    }
    free_all(pool, held);
    rig.destroy(pool);
    grown
}

#[test]
fn growth_that_fails_gives_everything_back() {
    for (size, boundary, count) in [(4096, 0, 40), (16, 0, 2000), (80, 256, 200), (5000, 8192, 12), (1024, 0, 1)] {
        at_every_call(Rig::new, |rig| grow(rig, size, boundary, count));
    }
}

#[test]
fn growth_with_mappings_of_each_page_gives_everything_back() {
    let make = || {
        let rig = Rig::new();
        rig.machine.set_view_limit(0);
        rig
    };
    at_every_call(make, |rig| grow(rig, 512, 0, 60));
}
