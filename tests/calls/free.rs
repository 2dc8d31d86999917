//! `rt_dma_free`: what is right is given back; what is wrong costs one line, is counted, and changes nothing.

use crate::fake_kernel::*;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{Kernel, MemoryType};
use rt_dma_pool::map_ops::MapOps;
use rt_dma_pool::registry::BadFree;
use std::sync::atomic::Ordering::Relaxed;

const BASE: usize = LOW.start;
const CACHED: Flags = Flags::empty();

/// Holds that a call was refused, counted and logged, and changed nothing.
fn refused(machine: &Machine, held: Held, why: BadFree) {
    let (before, count) = (machine.balance(), machine.dma.bad_calls());
    assert_eq!(machine.free(held), Err(why), "{held:x?}");
    assert_eq!(machine.dma.bad_calls(), count + 1);
    let lines = machine.take_errors();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(machine.balance(), before);
}

#[test]
fn any_size_within_the_last_page_is_the_buffers_size() {
    let (machine, pool) = Machine::with_pool(c"pool", BASE, MIB);
    let device = machine.plain_device();
    for size in [2 * PAGE + 1, 2 * PAGE + 2, 3 * PAGE] {
        let held = machine.alloc(device, 2 * PAGE + 1, CACHED).unwrap();
        machine.free(Held { size, ..held }).unwrap();
        assert_eq!(pool.usage().0, 0);
    }
}

#[test]
fn another_size_is_refused() {
    let (machine, _) = Machine::with_pool(c"pool", BASE, MIB);
    let device = machine.plain_device();
    let held = machine.alloc(device, 3 * PAGE, CACHED).unwrap();
    let behind = machine.alloc(device, PAGE, CACHED).unwrap();
    for size in [0, 1, 2 * PAGE, 3 * PAGE + 1, 4 * PAGE, MIB, 2 * MIB, usize::MAX] {
        refused(&machine, Held { size, ..held }, BadFree::WrongSize);
    }
    machine.free(held).unwrap();
    machine.free(behind).unwrap();
}

#[test]
fn an_address_within_a_buffer_or_free_memory_is_refused() {
    let (machine, pool) = Machine::with_pool(c"pool", BASE, MIB);
    let device = machine.plain_device();
    let held = machine.alloc(device, 3 * PAGE, CACHED).unwrap();
    let inside = Held { va: held.va + PAGE, handle: held.handle + PAGE, size: 2 * PAGE, ..held };
    refused(&machine, inside, BadFree::NotAllocated);
    let behind = Held { va: held.va + 3 * PAGE, handle: held.handle + 3 * PAGE, ..held };
    refused(&machine, behind, BadFree::NotAllocated);
    refused(&machine, Held { va: held.va + 8, ..held }, BadFree::Foreign);
    refused(&machine, Held { va: held.va + MIB, ..held }, BadFree::Foreign);
    refused(&machine, Held { va: 0x1000, ..held }, BadFree::Foreign);
    refused(&machine, Held { va: usize::MAX, ..held }, BadFree::Foreign);
    assert_eq!(pool.usage().0, 3 * PAGE);
    machine.free(held).unwrap();
    refused(&machine, held, BadFree::NotAllocated);
}

#[test]
fn a_buffer_is_known_by_the_address_that_was_handed_out() {
    let (machine, _) = Machine::with_pool(c"pool", BASE, MIB);
    let device = machine.plain_device();
    let cached = machine.alloc(device, PAGE, CACHED).unwrap();
    let uncached = machine.alloc(device, PAGE, Flags::NOCACHE).unwrap();
    // The other one's view of the same page is not the buffer's address.
    let view = uncached.va - PAGE;
    assert_eq!(machine.at(view).unwrap().0, cached.handle);
    refused(&machine, Held { va: view, ..cached }, BadFree::Foreign);
    refused(&machine, Held { va: machine.at_linear(uncached.handle), ..uncached }, BadFree::Foreign);
    // Nor is the physical address, of a pool that is not NOMAP.
    refused(&machine, Held { va: cached.handle, ..cached }, BadFree::Foreign);
    // The flags of the request are not needed to know it.
    machine.free(Held { flags: Flags::NOCACHE, ..cached }).unwrap();
    machine.free(Held { flags: CACHED, ..uncached }).unwrap();
}

#[test]
fn another_mapping_of_the_page_is_not_its_address() {
    for view_limit in [64 * MIB, 0] {
        let (machine, _) = Machine::with_pool(c"pool", BASE, MIB);
        machine.set_view_limit(view_limit);
        let device = machine.plain_device();
        let held = machine.alloc(device, PAGE, Flags::NOCACHE).unwrap();
        let alias = machine.kernel.map(held.handle, PAGE, MemoryType::Uncached).unwrap();
        refused(&machine, Held { va: alias, ..held }, BadFree::Foreign);
        machine.kernel.unmap(alias);
        machine.free(held).unwrap();
    }
}

#[test]
fn the_handle_is_checked_against_the_address() {
    let (machine, pool) = Machine::with_pool(c"pool", BASE, MIB);
    let device = machine.plain_device();
    let held = machine.alloc(device, PAGE, CACHED).unwrap();
    let other = machine.alloc(device, PAGE, CACHED).unwrap();
    for handle in [other.handle, held.handle + 1, BASE + MIB, usize::MAX] {
        refused(&machine, Held { handle, ..held }, BadFree::WrongHandle);
    }
    machine.free(Held { handle: 0, ..held }).expect("a caller that did not ask for the handle has none");
    machine.free(other).unwrap();
    assert_eq!(pool.usage().0, 0);
}

#[test]
fn a_translated_handle_is_checked_both_ways() {
    let machine = Machine::new();
    machine.install(c"pool", BASE, MIB);
    let device = machine
        .device(DeviceInfo::behind_ranges(|pa| pa.checked_sub(0x3000_0000), |handle| handle.checked_add(0x3000_0000)));
    let held = machine.alloc(device, PAGE, CACHED).unwrap();
    assert_eq!(held.handle, BASE - 0x3000_0000);
    refused(&machine, Held { handle: held.handle + PAGE, ..held }, BadFree::WrongHandle);
    machine.free(held).unwrap();
}

#[test]
fn a_buffer_with_a_mapping_of_its_own_takes_it_along() {
    let machine = Machine::new();
    machine.set_view_limit(0);
    machine.install(c"pool", BASE, MIB);
    let device = machine.plain_device();
    let settled = machine.balance();
    let first = machine.alloc(device, 2 * PAGE, Flags::NOCACHE).unwrap();
    let second = machine.alloc(device, 2 * PAGE, Flags::WRITE_THROUGH).unwrap();
    assert_eq!(machine.mappings().len(), 2);
    refused(&machine, Held { size: PAGE, ..first }, BadFree::WrongSize);
    refused(&machine, Held { va: first.va + PAGE, ..first }, BadFree::Foreign);
    refused(&machine, Held { va: machine.at_linear(first.handle), ..first }, BadFree::Foreign);
    assert_eq!(machine.in_interrupt(|| machine.free(first)), Err(BadFree::Context), "an unmap may sleep");
    machine.free(first).unwrap();
    assert_eq!(machine.at(first.va), None);
    assert_eq!(machine.at(second.va).unwrap().0, second.handle);
    refused(&machine, first, BadFree::Foreign);
    machine.free(second).unwrap();
    assert_eq!(machine.balance(), settled);
}

#[test]
fn the_physical_address_is_a_buffers_address_where_it_was_handed_out_so() {
    let machine = Machine::new();
    machine.fail_always(Service::MapLinear);
    let pool = machine.install(c"pool", BASE, MIB);
    pool.public.flags.fetch_or(Flags::NOMAP.bits(), Relaxed);
    let device = machine.plain_device();
    let physical = machine.alloc(device, 2 * PAGE, Flags::NOMAP).unwrap();
    let mapped = machine.alloc(device, PAGE, Flags::NOCACHE).unwrap();
    let mapped_as_physical = Held { va: mapped.handle, flags: Flags::NOMAP, ..mapped };
    refused(&machine, mapped_as_physical, BadFree::Foreign);
    refused(&machine, Held { size: PAGE, ..physical }, BadFree::WrongSize);
    machine.free(physical).unwrap();
    refused(&machine, physical, BadFree::NotAllocated);
    machine.free(mapped).unwrap();
    assert_eq!(pool.usage().0, 0);
}

#[test]
fn a_pool_whose_flags_changed_takes_back_what_it_gave() {
    let (machine, pool) = Machine::with_pool(c"pool", BASE, MIB);
    let (device, other) = (machine.plain_device(), machine.plain_device());
    let held = [CACHED, Flags::NOCACHE, Flags::WRITE_THROUGH].map(|flags| machine.alloc(device, PAGE, flags).unwrap());
    pool.public.flags.store((Flags::NOCACHE | Flags::DEVICE).bits(), Relaxed);
    pool.public.dev.store(other.0 as *mut _, Relaxed);
    held.into_iter().for_each(|held| machine.free(held).unwrap());
    assert_eq!(pool.usage().0, 0);
}

#[test]
fn refusals_are_counted_where_no_line_can_be_written() {
    let (machine, _) = Machine::with_pool(c"pool", BASE, MIB);
    let device = machine.plain_device();
    let result = machine.in_interrupt(|| machine.dma.free(MapOps::Coherent, device, PAGE, BASE, BASE, CACHED));
    assert_eq!(result, Err(BadFree::Foreign));
    assert_eq!(machine.take_errors(), [""; 0]);
    assert_eq!(machine.dma.bad_calls(), 1);
}
