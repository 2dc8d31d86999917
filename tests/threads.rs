//! Tests calls from several cores at the same time, each a host thread, and from interrupts where the fake
//! kernel lets them come.

mod fake_kernel;

use fake_kernel::*;
use rt_dma_pool::dropin::pool::Usage;
use rt_dma_pool::dropin::pool::own_mappings::BufferPages;
use rt_dma_pool::error::Error;
use rt_dma_pool::flags::Flags;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Barrier};
use std::thread;

#[test]
fn buffers_of_different_cores_never_overlap() {
    // First every pool has its views; then each buffer has a mapping of its own; then only uncached buffers have one.
    for (view_limit, is_linear, steps) in [(64 * MIB, true, 2_000usize), (0, false, 300), (0, true, 300)] {
        let machine = Machine::new();
        if !is_linear {
            machine.fail_always(Service::MapLinear);
        }
        machine.set_view_limit(view_limit);
        let pool = machine.install(c"pool", START, 64 * PAGE);
        let device = machine.plain_device();
        machine.ops_of(device);
        on_every_core(|core| {
            let mut held = Vec::new();
            for step in 0..steps {
                let flags = if (step + core) % 3 == 0 { Flags::NOCACHE } else { Flags::empty() };
                if let Some(buffer) = machine.alloc(device, (1 + step % 5) * PAGE, flags) {
                    // The first and the last bytes identify the owner.
                    let mark = [(core * 50 + step % 50) as u8; 8];
                    machine.poke(buffer.va, &mark);
                    machine.poke(buffer.va + buffer.size - 8, &mark);
                    held.push((buffer, mark));
                }
                if held.len() > 4 || step % 7 == 0 {
                    for (buffer, mark) in held.drain(..) {
                        assert_eq!(machine.peek(buffer.va, 8), mark);
                        assert_eq!(machine.peek(buffer.va + buffer.size - 8, 8), mark);
                        machine.free(buffer).unwrap();
                    }
                }
            }
            held.into_iter().for_each(|(buffer, _)| machine.free(buffer).unwrap());
        });
        assert_eq!(pool.usage(), Usage { used: 0, longest_free: 64 * PAGE });
        assert_eq!(machine.take_errors(), NO_LINES);
    }
}

/// The cache states of pages lie next to each other in words. If one is lost, a free finds no buffer.
#[test]
fn cache_states_of_pages_are_changed_with_the_lock_held() {
    let (machine, pool) = Machine::with_pool(c"pool", START, 32 * PAGE);
    let device = machine.plain_device();
    machine.ops_of(device);
    let locks = |flags| {
        let before = machine.irq_save_count();
        let buffer = machine.alloc(device, PAGE, flags).unwrap();
        let locks = machine.irq_save_count() - before;
        machine.free(buffer).unwrap();
        locks
    };
    let kinds = [Flags::NOCACHE, Flags::empty()];
    // The views are mapped.
    kinds.into_iter().for_each(|flags| _ = locks(flags));
    for flags in kinds {
        let (with_change, without) = (locks(flags), locks(flags));
        assert!(with_change > without, "{flags:?}: {with_change} and {without} stretches with the lock held");
    }
    on_every_core(|core| {
        for step in 0..5_000 {
            let buffer = machine.alloc(device, PAGE, kinds[(core + step) % 2]).unwrap();
            machine.free(buffer).unwrap();
        }
    });
    assert_eq!(pool.usage().used, 0);
}

/// The fake kernel lets an interrupt come before interrupts are masked, after they are unmasked, and in services that
/// may sleep.
#[test]
fn an_interrupt_of_the_fake_kernel_allocates_and_frees() {
    let (machine, pool) = Machine::with_pool(c"pool", START, MIB);
    let machine = Arc::new(machine);
    let device = machine.plain_device();
    for flags in [Flags::empty(), Flags::NOCACHE] {
        let first = machine.alloc(device, PAGE, flags).unwrap();
        machine.free(first).unwrap();
    }
    static INTERRUPTS: AtomicUsize = AtomicUsize::new(0);
    let weak = Arc::downgrade(&machine);
    machine.set_interrupt(move || {
        let Some(machine) = weak.upgrade() else { return };
        INTERRUPTS.fetch_add(1, Relaxed);
        for flags in [Flags::empty(), Flags::NOCACHE] {
            let held = machine.alloc(device, PAGE, flags).expect("there is room");
            machine.free(held).unwrap();
        }
    });
    on_every_core(|_| {
        for step in 0..200 {
            let flags = if step % 2 == 0 { Flags::NOCACHE } else { Flags::empty() };
            let held = machine.alloc(device, (1 + step % 9) * PAGE, flags).unwrap();
            machine.free(held).unwrap();
        }
    });
    machine.clear_interrupt();
    assert!(INTERRUPTS.load(Relaxed) > 1_000, "too few interrupts came");
    assert_eq!(pool.usage(), Usage { used: 0, longest_free: MIB });
}

#[test]
fn a_view_that_all_cores_want_first_is_made_once() {
    for _ in 0..20 {
        let (machine, pool) = Machine::with_pool(c"pool", START, MIB);
        let device = machine.plain_device();
        machine.ops_of(device);
        on_every_core(|_| {
            let held = machine.alloc(device, PAGE, Flags::NOCACHE).unwrap();
            machine.poke(held.va, &[1; 64]);
            machine.free(held).unwrap();
        });
        assert_eq!(machine.map_count(), 1);
        assert_eq!(pool.usage().used, 0);
    }
}

#[test]
fn a_region_that_all_cores_claim_is_installed_once() {
    for _ in 0..20 {
        let machine = Machine::new();
        let region = named_region(START, MIB);
        let shared = machine.device(DeviceInfo::with_regions(&[region]));
        let devices: Vec<_> = (0..CORES).map(|_| machine.device(DeviceInfo::with_regions(&[region]))).collect();
        on_every_core(|core| {
            for device in [devices[core], shared] {
                let held = machine.alloc(device, PAGE, Flags::empty()).unwrap();
                assert!((START..START + MIB).contains(&held.handle));
                machine.free(held).unwrap();
            }
        });
        assert_eq!(machine.dma.pools().count(), 1);
        assert_eq!(machine.take_errors(), NO_LINES);
    }
}

#[test]
fn of_two_frees_of_one_buffer_one_is_refused() {
    for (view_limit, flags) in [(64 * MIB, Flags::NOCACHE), (0, Flags::NOCACHE), (0, Flags::empty())] {
        for _ in 0..50 {
            let machine = Machine::new();
            machine.fail_always(Service::MapLinear);
            let pool = machine.install(c"pool", START, MIB);
            machine.set_view_limit(view_limit);
            let device = machine.plain_device();
            let held = machine.alloc(device, 2 * PAGE, flags).unwrap();
            let freed = AtomicUsize::new(0);
            on_every_core(|_| {
                freed.fetch_add(machine.free(held).is_ok() as usize, Relaxed);
            });
            assert_eq!(freed.into_inner(), 1);
            assert_eq!(machine.dma.refused_calls(), CORES - 1);
            assert_eq!(pool.usage(), Usage { used: 0, longest_free: MIB });
            assert_eq!(machine.balance().mappings.len(), (view_limit != 0) as usize, "the view, or nothing");
        }
    }
}

/// Otherwise a correct free that comes at that moment is refused, and the buffer is lost.
#[test]
fn a_free_with_a_wrong_size_hides_the_buffer_for_no_moment() {
    let (machine, pool) = Machine::with_pool(c"pool", START, MIB);
    machine.set_view_limit(0);
    let device = machine.plain_device();
    let held = machine.alloc(device, 2 * PAGE, Flags::NOCACHE).unwrap();
    let (page, mapping) = pool.own_mappings.find(held.va).expect("it has a mapping of its own");
    let claim = |first_page, page_count| {
        pool.own_mappings.claim(machine.kernel, mapping, held.va, BufferPages { first_page, page_count })
    };
    let (done, start) = (AtomicBool::new(false), Barrier::new(2));
    thread::scope(|scope| {
        let _end = SetAtEnd(&done);
        scope.spawn(|| {
            start.wait();
            while !done.load(Relaxed) {
                assert_eq!(claim(page, 1), Err(Error::WrongSize));
                assert_eq!(claim(page + 1, 2), Err(Error::WrongSize), "another page's");
            }
        });
        start.wait();
        let hidden = (0..1_000_000).filter(|_| pool.own_mappings.find(held.va).is_none()).count();
        assert_eq!(hidden, 0);
    });
    assert_eq!(claim(page, 2), Ok(()));
}

#[test]
fn overlapping_installs_at_once_give_one_pool() {
    for _ in 0..20 {
        let machine = Machine::new();
        let made = AtomicUsize::new(0);
        on_every_core(|core| {
            let region = region(c"pool", START + core * PAGE, MIB);
            made.fetch_add(machine.dma.install(&region).is_ok() as usize, Relaxed);
        });
        assert_eq!(made.into_inner(), 1);
        assert_eq!(machine.dma.pools().count(), 1);
    }
}
