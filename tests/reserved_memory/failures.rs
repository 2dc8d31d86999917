//! Installs in which a service of the kernel fails, and which succeed the next time.

use crate::fake_kernel::*;
use crate::{CACHED, machine};
use rt_dma_pool::additions::reserved_memory::ReservedError;
use rt_dma_pool::error::Error;

/// What the first install leaves if one call of a service fails in it.
struct FirstInstall {
    result: Result<(), ReservedError>,
    /// Whether each of the two nodes has a place.
    has_place: [bool; 2],
    pools: usize,
    heap_bytes: usize,
}

/// Installs the pools of two nodes, the default pool first, while call `call` of the service fails. Then installs them
/// again, which must serve both nodes. Returns what the first install left; `None` if it made no such call, and
/// succeeded.
fn first_install(service: Service, call: usize) -> Option<FirstInstall> {
    let nodes = [SharedPoolNode::without_reg(MIB).default_pool().reusable(), SharedPoolNode::without_reg(MIB).no_map()];
    let machine = machine(&nodes, &[]);
    machine.fail(service, call, 1);
    let result = machine.dma.install_reserved();
    let has_failed = machine.repair(service);
    let has_place = [0, 1].map(|node| machine.places()[node].is_some());
    let pools = machine.dma.pools().count();
    let heap_bytes = machine.balance().heap_bytes;
    let reserved = machine.with_boot(|boot| boot.reserved.len());
    assert_eq!(reserved, has_place.into_iter().filter(|has| *has).count(), "a range for each node with a place");
    machine.dma.install_reserved().expect("the second install succeeds");
    assert_eq!((machine.places().iter().flatten().count(), machine.dma.pools().count()), (2, 1));
    let held = machine.alloc(machine.plain_device(), PAGE, CACHED).unwrap();
    machine.free(held).unwrap();
    if !has_failed {
        assert_eq!((result, has_place, pools), (Ok(()), [true; 2], 1), "nothing has failed");
        return None;
    }
    Some(FirstInstall { result, has_place, pools, heap_bytes })
}

/// Returns what first installs leave of which each call of the service has failed once.
fn first_installs(service: Service) -> Vec<FirstInstall> {
    const LIMIT: usize = 100;
    let installs: Vec<_> = (0..LIMIT).map_while(|call| first_install(service, call)).collect();
    assert!((1..LIMIT).contains(&installs.len()), "{} calls of {service:?} have failed", installs.len());
    installs
}

const NO_MEMORY: Result<(), ReservedError> = Err(ReservedError::Install(Error::NoMemory));

/// Its memory stays reserved for it.
#[test]
fn without_heap_the_default_pool_is_installed_the_next_time() {
    for FirstInstall { result, has_place, pools, heap_bytes } in first_installs(Service::HeapAlloc) {
        assert_eq!((result, has_place, pools, heap_bytes), (NO_MEMORY, [true; 2], 0, 0));
    }
}

#[test]
fn a_node_whose_memory_cannot_be_reserved_is_served_the_next_time_and_the_other_at_once() {
    let installs = first_installs(Service::Reserve);
    assert_eq!(installs.len(), 2, "a call for each node");
    for (failed, FirstInstall { result, has_place, pools, .. }) in installs.into_iter().enumerate() {
        assert_eq!((result, has_place), (NO_MEMORY, [failed != 0, failed != 1]));
        assert_eq!(pools, usize::from(has_place[0]), "only the default pool is installed");
    }
}

#[test]
fn a_default_pool_that_cannot_be_mapped_linearly_serves() {
    for service in [Service::MapLinear, Service::MapLinearWrong] {
        for FirstInstall { result, has_place, pools, .. } in first_installs(service) {
            assert_eq!((result, has_place, pools), (Ok(()), [true; 2], 1), "{service:?}");
        }
    }
}
