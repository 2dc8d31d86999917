//! Tests `rt_dma_free` of buffers with mappings of their own: of pools that are too large for a view, or whose view
//! could not be mapped.

use crate::fake_kernel::*;
use rt_dma_pool::error::Error;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{Addresses, NamedRegion};

/// Returns machines with a pool that is too large for a view, or whose view cannot be mapped, each with and without a
/// linear map.
fn machines_without_views() -> Vec<Machine> {
    let mut machines = Vec::new();
    for (is_linear, is_too_large) in pairs([true, false], &[true, false]) {
        let machine = Machine::new();
        if !is_linear {
            machine.fail_always(Service::MapLinear);
        }
        if is_too_large {
            machine.set_view_limit(0);
        }
        machine.install(c"pool", START, MIB);
        if !is_too_large {
            machine.set_largest_mapping(MIB - PAGE);
        }
        machines.push(machine);
    }
    machines
}

#[test]
fn a_mapping_of_its_own_ends_with_the_buffer() {
    for machine in machines_without_views() {
        let device = machine.plain_device();
        let settled = machine.balance();
        for flags in [CACHED, Flags::NOCACHE, Flags::WRITE_THROUGH] {
            let first = machine.alloc(device, 2 * PAGE, flags).unwrap();
            let second = machine.alloc(device, 2 * PAGE, flags).unwrap();
            let before = machine.balance();
            if before.mappings.is_empty() {
                assert_eq!(flags, CACHED, "only the linear map can do without");
                machine.free(second).unwrap();
                machine.free(first).unwrap();
                continue;
            }
            assert_eq!(before.mappings.len(), 2);
            machine.assert_refused(Held { size: PAGE, ..first }, Error::WrongSize);
            machine.assert_refused(Held { size: 3 * PAGE, ..first }, Error::WrongSize);
            machine.assert_refused(Held { size: usize::MAX, ..first }, Error::WrongSize);
            machine.assert_refused(Held { va: first.va + PAGE, size: PAGE, handle: 0, ..first }, Error::NoBuffer);
            machine.assert_refused(Held { va: first.va + PAGE, ..first }, Error::NoBuffer);
            machine.assert_refused(Held { va: first.va + 8, ..first }, Error::NoBuffer);
            machine.assert_refused(Held { handle: second.handle, ..first }, Error::WrongHandle);
            if machine.is_linear(first.handle) {
                machine.assert_refused(Held { va: machine.linear_va(first.handle), ..first }, Error::NoBuffer);
            }
            assert_eq!(machine.in_interrupt(|| machine.free(first)), Err(Error::Context), "an unmap may sleep");
            assert_eq!(machine.with_interrupts_off(|| machine.free(first)), Err(Error::Context));
            assert_eq!(machine.balance(), before);
            machine.free(first).unwrap();
            assert_eq!(machine.translate(first.va), None);
            assert_eq!(machine.pa_of(second.va), second.handle);
            machine.assert_refused(first, Error::NoBuffer);
            machine.free(Held { flags: CACHED, ..second }).unwrap();
            assert_eq!(machine.take_errors(), NO_LINES, "the correct frees, and those in an interrupt");
            assert_eq!(machine.balance(), settled);
        }
    }
}

#[test]
fn the_record_of_a_mapping_serves_the_next_one() {
    let (machine, pool) = Machine::with_pool(c"pool", START, MIB);
    machine.set_view_limit(0);
    let device = machine.plain_device();
    let allocate_and_free = |count: usize| {
        let held: Vec<_> = (0..count).map(|_| machine.alloc(device, PAGE, Flags::NOCACHE).unwrap()).collect();
        assert!(pool.has_any_own_mapping());
        for held in held {
            machine.free(held).unwrap();
        }
        assert!(!pool.has_any_own_mapping(), "all mappings have ended");
        pool.own_mappings.kept_bytes()
    };
    let one = allocate_and_free(1);
    assert_eq!(allocate_and_free(1), one);
    assert_eq!(allocate_and_free(3), 3 * one, "as many as there were at once");
    assert_eq!(allocate_and_free(2), 3 * one);
}

/// A record whose mapping failed claims no page.
#[test]
fn a_buffer_is_freed_where_one_could_not_be_mapped() {
    let (machine, pool) = Machine::with_pool(c"pool", START, MIB);
    machine.set_view_limit(0);
    let device = machine.plain_device();
    let alone = machine.alloc(device, PAGE, Flags::NOCACHE).unwrap();
    let kept = pool.own_mappings.kept_bytes();
    machine.fail(Service::Map, 0, 1);
    assert!(machine.alloc(device, PAGE, Flags::NOCACHE).is_none());
    machine.repair(Service::Map);
    assert!(pool.own_mappings.kept_bytes() > kept, "for the next");
    let held = machine.alloc(device, PAGE, CACHED).unwrap();
    assert!(pool.has_any_own_mapping());
    machine.free(held).unwrap();
    machine.free(alone).unwrap();
    assert!(!pool.has_any_own_mapping(), "the one that failed is not counted any more");
}

/// The same number may be a virtual address of a mapping and a physical address. A free by physical address does not
/// find the mapping.
#[test]
fn the_address_of_memory_is_not_that_of_a_mapping() {
    let (machine, pool) = Machine::with_pool(c"pool", START, MIB);
    machine.set_view_limit(0);
    let held = machine.alloc(machine.plain_device(), PAGE, Flags::NOCACHE).unwrap();
    assert!(pool.buffer_without_mapping(held.va).is_none());
    assert_eq!(pool.own_mappings.find(held.va).map(|(page, _)| page), Some(0));
    machine.free(held).unwrap();
}

/// The record of a freed buffer has no address. NULL does not match it.
#[test]
fn null_is_no_buffers_address() {
    let (machine, _) = Machine::with_pool(c"pool", START, MIB);
    machine.set_view_limit(0);
    let device = machine.plain_device();
    let [gone, held] = [(); 2].map(|()| machine.alloc(device, PAGE, Flags::NOCACHE).unwrap());
    machine.free(gone).unwrap();
    machine.assert_refused(Held { va: 0, handle: 0, ..gone }, Error::NoBuffer);
    machine.free(held).unwrap();
}

/// An address in the view of another memory type is refused, as one in the linear map is.
#[test]
fn the_view_of_another_kind_is_not_the_address_of_a_buffer_with_its_own_mapping() {
    let machine = Machine::new();
    machine.fail_always(Service::MapLinear);
    machine.install(c"pool", START, MIB);
    let device = machine.plain_device();
    let view = machine.alloc(device, PAGE, Flags::NOCACHE).unwrap();
    machine.fail(Service::Map, 0, 1);
    let alone = machine.alloc(device, PAGE, CACHED).unwrap();
    machine.repair(Service::Map);
    assert_eq!(machine.mappings().len(), 2);
    machine.assert_refused(Held { va: view.va + PAGE, ..alone }, Error::NoBuffer);
    machine.free(alone).unwrap();
    machine.free(view).unwrap();
    assert_eq!(machine.mappings().len(), 1, "the view");
}

/// Uncached and write-through memory share a view where the port asks for it. An address in that view is refused, too.
#[test]
fn the_uncached_view_is_not_the_address_of_a_write_through_buffer_with_its_own_mapping() {
    let (machine, _) = Machine::with_pool(c"pool", START, MIB);
    let device = machine.plain_device();
    let view = machine.alloc(device, PAGE, Flags::NOCACHE).unwrap();
    machine.fail(Service::Map, 0, 1);
    let alone = machine.alloc(device, PAGE, Flags::WRITE_THROUGH).unwrap();
    machine.repair(Service::Map);
    machine.assert_refused(Held { va: view.va + PAGE, ..alone }, Error::NoBuffer);
    machine.free(alone).unwrap();
    machine.free(view).unwrap();
}

/// The pool also hands out physical addresses. That of a buffer with a mapping of its own is refused.
#[test]
fn the_physical_address_is_not_that_of_a_buffer_with_its_own_mapping() {
    let machine = Machine::new();
    machine.set_caches_write_through(false);
    machine.set_view_limit(0);
    let region = NamedRegion { is_no_map: true, ..named_region(START, MIB) };
    let device = machine.device(DeviceInfo::with_regions(&[region]).coherent());
    let held = machine.alloc(device, PAGE, CACHED).unwrap();
    assert_ne!(held.va, held.handle);
    machine.assert_refused(Held { va: held.handle, ..held }, Error::NoBuffer);
    machine.assert_refused(Held { va: held.handle, flags: Flags::NOMAP, ..held }, Error::NoBuffer);
    machine.free(held).unwrap();
    let physical = machine.alloc(device, PAGE, Flags::NOMAP).unwrap();
    machine.free(physical).unwrap();
}

#[test]
fn a_buffer_with_a_mapping_of_its_own_has_no_other_address() {
    let kinds = [CACHED, Flags::NOCACHE, Flags::WRITE_THROUGH, Flags::NOMAP];
    let systems = pairs([false, true], &[false, true]);
    for ((no_map, caches_write_through), (wanted, freed_as)) in pairs(systems, &pairs(kinds, &kinds)) {
        let machine = Machine::new();
        machine.set_caches_write_through(caches_write_through);
        machine.set_view_limit(0);
        let region = NamedRegion { is_no_map: no_map, ..named_region(START, MIB) };
        let device = machine.device(DeviceInfo::with_regions(&[region]).coherent());
        // One neighbour of each kind, so that every possible mapping exists.
        let neighbours: Vec<_> = kinds.iter().filter_map(|flags| machine.alloc(device, PAGE, *flags)).collect();
        let Some(held) = machine.alloc(device, 2 * PAGE, wanted) else { continue };
        let at_neighbours =
            neighbours.iter().map(|other| other.va.wrapping_add(held.handle).wrapping_sub(other.handle));
        let others = [held.handle, machine.kernel.linear(held.handle), held.va + PAGE, held.va + 1];
        for va in at_neighbours.chain(others).filter(|va| *va != held.va) {
            let result = machine.free(Held { va, flags: freed_as, ..held });
            assert!(result.is_err(), "{no_map} {wanted:?} {freed_as:?} {va:#x}");
        }
        machine.free(Held { flags: freed_as, ..held }).unwrap();
    }
}
