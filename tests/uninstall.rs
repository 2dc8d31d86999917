//! Tests that an uninstalled pool's memory is the caller's again, and that calls which look at the pool meanwhile stay
//! right.

mod fake_kernel;

use fake_kernel::*;
use rt_dma_pool::dropin::map_ops::MapOps;
use rt_dma_pool::dropin::pool::{Failures, Pool, UninstallError};
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{Addresses, MemoryType, NamedRegion};
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

const IN_USE: Result<(), UninstallError> = Err(UninstallError::InUse);
const NOT_INSTALLED: Result<(), UninstallError> = Err(UninstallError::NotInstalled);

fn uninstall(machine: &Machine, pool: &'static Pool<FakeKernel>) -> Result<(), UninstallError> {
    machine.dma.uninstall(&pool.public)
}

/// Returns where the pools begin, in the order of the library's list. Checks that C's list has them in the same order.
fn pools_in_order(machine: &Machine) -> Vec<usize> {
    let pools: Vec<_> = machine.dma.pools().map(|pool| (&raw const pool.public.list, pool.start())).collect();
    let Some(&(first, _)) = pools.first() else { return Vec::new() };
    // C walks from a pool's link, and knows that what is no pool is the head of the list.
    let mut links = Vec::new();
    let mut at = first;
    for _ in 0..=pools.len() {
        links.push(at);
        // SAFETY: links of pools, and of the list's head, stay.
        let next = unsafe { (*at).next.load(Relaxed) };
        // SAFETY: links of pools, and of the list's head, stay.
        assert_eq!(unsafe { (*next).prev.load(Relaxed) }.cast_const(), at, "the list leads back");
        at = next;
    }
    assert_eq!(at, first, "the list is a ring of the pools and its head");
    let starts = links.iter().filter_map(|link| pools.iter().find(|(known, _)| known == link).map(|(_, start)| *start));
    let starts: Vec<_> = starts.collect();
    assert_eq!(starts, pools.iter().map(|(_, start)| *start).collect::<Vec<_>>());
    starts
}

#[test]
fn the_memory_is_the_callers_again_and_can_be_installed_again() {
    let (machine, pool) = Machine::with_pool(c"sram", START, MIB);
    let device = machine.plain_device();
    let linear = machine.kernel.linear(START);
    let all = [Flags::empty(), Flags::NOCACHE, Flags::WRITE_THROUGH];
    let mut heap = None;
    for round in 0..1000 {
        assert!(pool.flags().contains(Flags::LINEAR));
        let held = all.map(|flags| machine.alloc(device, 5 * PAGE, flags).unwrap());
        assert_eq!(held[0].handle, START);
        assert_eq!((held[0].va, machine.kernel.v2p(held[0].va)), (linear, Some(START)));
        for held in held {
            assert_eq!(uninstall(&machine, pool), IN_USE);
            machine.free(held).unwrap();
        }
        assert_eq!(machine.alloc(device, MIB, Flags::empty()).map(|held| machine.free(held)), Some(Ok(())));
        uninstall(&machine, pool).unwrap();
        assert_eq!(machine.alloc(device, PAGE, Flags::empty()), None);
        assert_eq!(machine.kernel.v2p(linear), None, "the linear map is undone");
        assert_eq!(machine.balance().mappings, [], "the views are unmapped");
        assert_eq!(pools_in_order(&machine), [0; 0]);
        let again = machine.install(c"sram", START, MIB);
        assert!(std::ptr::eq(again, pool), "its bookkeeping is used again");
        assert_eq!((pool.peak(), pool.failures()), (0, Failures { count: 0, largest: 0 }));
        let now = machine.balance().heap_bytes;
        assert!(round == 0 || heap == Some(now), "the heap does not grow");
        heap = Some(now);
    }
    assert_eq!(machine.dma.refused_calls(), 0);
}

/// C reads these fields, and must not write them. If it does while the pool is not installed, the next pool of the same
/// pages still shows it the right values.
#[test]
fn a_pool_that_is_installed_again_shows_c_its_pages_whatever_c_wrote() {
    let (machine, pool) = Machine::with_pool(c"sram", START, MIB);
    let shown = |pool: &Pool<FakeKernel>| {
        (pool.public.map.load(Relaxed), pool.public.bits.load(Relaxed), pool.public.start.load(Relaxed))
    };
    let before = shown(pool);
    uninstall(&machine, pool).unwrap();
    pool.public.map.store(std::ptr::null_mut(), Relaxed);
    pool.public.bits.store(0, Relaxed);
    pool.public.start.store(0, Relaxed);
    let again = machine.install(c"sram", START, MIB);
    assert!(std::ptr::eq(again, pool), "its bookkeeping is used again");
    assert_eq!(shown(again), before);
}

#[test]
fn a_pool_that_is_not_installed_is_refused() {
    let (machine, pool) = Machine::with_pool(c"sram", START, MIB);
    assert_eq!(machine.dma.uninstall(std::ptr::null()), NOT_INSTALLED);
    uninstall(&machine, pool).unwrap();
    assert_eq!(uninstall(&machine, pool), NOT_INSTALLED);
    let pool = machine.install(c"sram", START, MIB);
    assert_eq!(machine.in_interrupt(|| uninstall(&machine, pool)), Err(UninstallError::Context));
    assert_eq!(machine.with_interrupts_off(|| uninstall(&machine, pool)), Err(UninstallError::Context));
    uninstall(&machine, pool).unwrap();
}

#[test]
fn what_the_processor_wrote_is_in_memory_afterwards() {
    let (machine, pool) = Machine::with_pool(c"sram", START, MIB);
    let device = machine.plain_device();
    let held = machine.alloc(device, PAGE, Flags::empty()).unwrap();
    machine.cpu_write(held.va, &[0x5a; 64]);
    machine.free(held).unwrap();
    uninstall(&machine, pool).unwrap();
    assert_eq!(machine.device_read(START, 64), [0x5a; 64]);
    // The next pool there does not trust the cache: its owner may have written to the memory.
    let pool = machine.install(c"sram", START, MIB);
    let held = machine.alloc(device, PAGE, Flags::NOCACHE).unwrap();
    machine.free(held).unwrap();
    uninstall(&machine, pool).unwrap();
    let pool = machine.install(c"sram", START, MIB);
    machine.cpu_write(machine.kernel.linear(START), &[0xa5; 64]);
    let held = machine.alloc(device, PAGE, Flags::NOCACHE).unwrap();
    assert_eq!(machine.device_read(START, 64), [0xa5; 64], "dirty lines are written back before the uncached buffer");
    machine.free(held).unwrap();
    uninstall(&machine, pool).unwrap();
}

#[test]
fn a_linear_map_of_the_boot_code_stays() {
    let machine = Machine::new();
    machine.premap_linear(START, MIB);
    let pool = machine.install(c"sram", START, MIB);
    assert!(pool.flags().contains(Flags::LINEAR));
    uninstall(&machine, pool).unwrap();
    assert_eq!(machine.kernel.v2p(machine.kernel.linear(START)), Some(START));
}

#[test]
fn the_lists_stay_in_one_order() {
    let machine = Machine::new();
    let starts = [0, 1, 2, 3].map(|number| START + number * 2 * MIB);
    let pools = starts.map(|start| machine.install(c"one", start, MIB));
    assert_eq!(pools_in_order(&machine), starts);
    for gone in 1..15_u32 {
        let is_gone = |index: &usize| gone >> index & 1 != 0;
        let left: Vec<_> = (0..4).filter(|index| !is_gone(index)).map(|index| starts[index]).collect();
        (0..4).filter(is_gone).for_each(|index| uninstall(&machine, pools[index]).unwrap());
        assert_eq!(pools_in_order(&machine), left);
        // A caller that was at a pool when it left the list still reaches those after it.
        for index in (0..4).filter(is_gone) {
            let reached: Vec<_> =
                std::iter::successors(pools[index].next.get(), |pool| pool.next.get()).map(Pool::start).collect();
            let after: Vec<_> = left.iter().copied().filter(|start| *start > starts[index]).collect();
            assert!(after.iter().all(|start| reached.contains(start)), "{gone:#b}, {index}");
        }
        (0..4).rev().filter(is_gone).for_each(|index| {
            machine.install(c"one", starts[index], MIB);
        });
        assert_eq!(pools_in_order(&machine), starts);
    }
    uninstall(&machine, pools[3]).unwrap();
    machine.install(c"other", starts[3], 2 * MIB);
    assert_eq!(pools_in_order(&machine), starts);
}

#[test]
fn pools_of_other_pages_are_made_anew() {
    let (machine, pool) = Machine::with_pool(c"sram", START, MIB);
    uninstall(&machine, pool).unwrap();
    let [larger, later] =
        [(START, 2 * MIB), (START + 4 * MIB, MIB)].map(|(start, size)| machine.install(c"more", start, size));
    assert!(!std::ptr::eq(pool, larger) && !std::ptr::eq(pool, later));
    assert_eq!((larger.page_count(), later.start()), (512, START + 4 * MIB));
}

#[test]
fn extract_finds_a_region_again_whose_pools_are_gone() {
    let machine = Machine::new();
    machine.set_reserved(Some(vec![ReservedRegion { start: START, end: START + 8 * MIB, usable: true }]));
    for _ in 0..3 {
        machine.extract(8 * MIB, 2 * MIB).unwrap();
        assert!(machine.extract(8 * MIB, 2 * MIB).is_err());
        let pools: Vec<_> = machine.dma.pools().collect();
        assert_eq!(pools.len(), 2);
        pools.into_iter().for_each(|pool| uninstall(&machine, pool).unwrap());
    }
}

#[test]
fn a_devices_region_stays_until_the_device_gives_it_up() {
    let machine = Machine::new();
    let region = NamedRegion { is_no_map: true, ..named_region(START, MIB) };
    let [device, second] =
        [c"first", c"second"].map(|name| machine.device(DeviceInfo::with_regions(&[region]).named(name)));
    for device in [device, second] {
        machine.ops_of(device).unwrap();
    }
    for _ in 0..3 {
        for device in [device, second] {
            machine.dma.claim_own_region(device, 0).unwrap();
        }
        let pool = machine.dma.pools().next().unwrap();
        assert_eq!(uninstall(&machine, pool), IN_USE);
        machine.dma.release_own_regions(device);
        assert_eq!(uninstall(&machine, pool), IN_USE);
        machine.dma.release_own_regions(second);
        uninstall(&machine, pool).unwrap();
        assert_eq!(machine.alloc(device, PAGE, Flags::NOMAP), None);
    }
}

#[test]
fn memory_that_is_lent_keeps_its_pool() {
    let machine = Machine::new();
    let region = NamedRegion { is_reusable: true, ..named_region(START, MIB) };
    let device = machine.device(DeviceInfo::with_regions(&[region]));
    machine.dma.claim_own_region(device, 0).unwrap();
    machine.dma.release_own_regions(device);
    let pool = machine.dma.pools().next().unwrap();
    unsafe extern "C" fn reclaim(_: *mut c_void, _: usize, _: *mut c_void) {}
    // SAFETY: `reclaim` does nothing.
    let lent = unsafe { machine.dma.borrow_memory(PAGE, reclaim, 0) }.unwrap();
    assert_eq!(uninstall(&machine, pool), IN_USE);
    machine.dma.give_back_memory(lent).unwrap();
    uninstall(&machine, pool).unwrap();
}

/// A name may be freed as soon as its pool is uninstalled, also while another thread lists the pools.
#[test]
fn a_list_that_is_being_printed_may_still_read_the_name() {
    let (machine, pool) = Machine::with_pool(c"sram", START, MIB);
    let machine = Arc::new(machine);
    let (texts, is_uninstalled) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let (printing, uninstalled) = (texts.clone(), is_uninstalled.clone());
    machine.set_console_driver(move || {
        // The second text is the pool's line, after the header.
        if printing.fetch_add(1, Relaxed) == 1 {
            thread::sleep(Duration::from_millis(20));
            assert!(!uninstalled.load(Relaxed), "the name is gone while the list is printed");
        }
    });
    thread::scope(|scope| {
        let lister = machine.clone();
        let list = scope.spawn(move || lister.dma.report());
        while texts.load(Relaxed) < 2 && !list.is_finished() {
            thread::yield_now();
        }
        assert!(texts.load(Relaxed) >= 2, "the list ended before the line of the pool");
        uninstall(&machine, pool).unwrap();
        is_uninstalled.store(true, Relaxed);
    });
    machine.clear_console_driver();
}

#[test]
fn threads_allocate_free_and_list_while_pools_come_and_go() {
    let machine = Arc::new(Machine::new());
    machine.install(c"first", START, 16 * PAGE);
    let middle = machine.install(c"middle", START + MIB, 64 * PAGE);
    machine.install(c"last", START + 2 * MIB, 16 * PAGE);
    let is_done = Arc::new(AtomicBool::new(false));
    let (mut gone, start) = (0, Instant::now());
    thread::scope(|scope| {
        let _end = SetAtEnd(&is_done);
        for number in 0..3 {
            let (machine, is_done) = (machine.clone(), is_done.clone());
            let device = machine.plain_device();
            scope.spawn(move || {
                let mut held = Vec::new();
                let mut step = number;
                while !is_done.load(Relaxed) {
                    step += 1;
                    // More than the first pool has, so that all three serve.
                    let flags = [Flags::empty(), Flags::NOCACHE][step % 2];
                    let size = [1, 12, 7, 20][step % 4] * PAGE;
                    match machine.alloc(device, size, flags) {
                        Some(buffer) => {
                            assert_eq!(machine.kernel.v2p(buffer.va), Some(buffer.handle));
                            let last = buffer.va + buffer.size - PAGE;
                            assert_eq!(machine.kernel.v2p(last), Some(buffer.handle + buffer.size - PAGE));
                            held.push(buffer);
                        }
                        None => held.drain(..).for_each(|buffer| machine.free(buffer).unwrap()),
                    }
                    if step % 3 == 0
                        && let Some(buffer) = held.pop()
                    {
                        machine.free(buffer).unwrap();
                    }
                    if step % 32 == 0 {
                        held.drain(..).for_each(|buffer| machine.free(buffer).unwrap());
                        machine.dma.report();
                        thread::sleep(Duration::from_micros(200));
                    }
                }
                held.into_iter().for_each(|buffer| machine.free(buffer).unwrap());
            });
        }
        while gone < 300 && start.elapsed() < Duration::from_secs(60) {
            match uninstall(&machine, middle) {
                Ok(()) => {
                    gone += 1;
                    assert_eq!(machine.kernel.v2p(machine.kernel.linear(START + MIB)), None);
                    machine.install(c"middle", START + MIB, 64 * PAGE);
                }
                stays => assert_eq!(stays, IN_USE),
            }
        }
    });
    assert_eq!(gone, 300);
    assert_eq!((machine.dma.refused_calls(), machine.balance().used_bytes), (0, 0));
    let views = machine.balance().mappings;
    assert!(views.iter().all(|view| view.memory == MemoryType::Uncached), "{views:?}");
    assert!(views.len() <= 3, "{views:?}");
}

/// While a pool is being uninstalled, all its pages are in use, but they are no buffer that an interrupt can free
/// again.
#[test]
fn a_pool_that_is_being_uninstalled_cannot_be_freed() {
    let machine = Arc::new(Machine::new());
    let device = machine.plain_device();
    let pool = machine.install(c"sram", START, MIB);
    pool.add_flags(Flags::NOMAP);
    let held = machine.alloc(device, MIB, Flags::NOMAP).unwrap();
    machine.free(held).unwrap();
    let (interrupted, refused) = (Arc::clone(&machine), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&refused);
    machine.set_interrupt(move || {
        let freed = interrupted.dma.free(device, MIB, held.va, 0, Flags::NOMAP, MapOps::UNTRANSLATED);
        assert!(freed.is_err(), "the pool is free again, while it is being uninstalled");
        count.fetch_add(1, Relaxed);
    });
    let result = uninstall(&machine, pool);
    machine.clear_interrupt();
    assert_eq!(result, Ok(()));
    assert!(refused.load(Relaxed) > 0, "no interrupt came");
}
