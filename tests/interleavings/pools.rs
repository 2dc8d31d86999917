//! Pools: mappings of single buffers, views, and the list of pools.

use super::kernel::ShuttleKernel;
use super::{Call, at_once, call, explore, leak};
use rt_dma_pool::dropin::map_ops::MapOps;
use rt_dma_pool::dropin::pool::{Failures, Region};
use rt_dma_pool::dropin::registry::Dma;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{Addresses, Device, PAGE_SIZE};
use rt_dma_pool::log::Name;
use std::collections::HashSet;
use std::mem::MaybeUninit;
use std::sync::{Arc, Mutex};

const START: usize = 0x8000_0000;
const DEVICE: Device = Device::at(0x1000);
const OPS: MapOps = MapOps::NonCoherent;

fn region(page: usize, pages: usize) -> Region {
    let start = START + page * PAGE_SIZE;
    Region { start, end: start + pages * PAGE_SIZE, name: Name::NONE }
}

type System = (ShuttleKernel, &'static Dma<ShuttleKernel>);

/// Makes a system with one pool, which is mapped as a whole if it has up to `view_pages` pages.
fn system(pages: usize, view_pages: usize) -> System {
    let kernel = ShuttleKernel::new(view_pages * PAGE_SIZE);
    let dma: &'static Dma<ShuttleKernel> = leak(Dma::new(kernel));
    dma.install(&region(0, pages)).unwrap();
    (kernel, dma)
}

/// The pages that are held, so that none has two owners.
#[derive(Clone, Default)]
struct Held(Arc<Mutex<HashSet<usize>>>);

/// Allocates as `rt_dma_alloc` does.
fn allocate(dma: &Dma<ShuttleKernel>, size: usize, flags: Flags) -> Option<(usize, usize)> {
    let mut handle = MaybeUninit::new(0);
    let buffer = dma.allocate_fast(DEVICE, size, Some(&mut handle), flags)?;
    // SAFETY: it was initialised above.
    Some((buffer.as_ptr().expose_provenance(), unsafe { handle.assume_init() }))
}

impl Held {
    fn allocate(&self, kernel: ShuttleKernel, dma: &Dma<ShuttleKernel>, flags: Flags) -> (usize, usize) {
        let (va, handle) = allocate(dma, PAGE_SIZE, flags).expect("there is memory");
        assert!(self.0.lock().unwrap().insert(handle), "a page has two owners");
        assert_eq!(kernel.v2p(va), Some(handle), "the address leads elsewhere");
        (va, handle)
    }

    fn free(&self, dma: &Dma<ShuttleKernel>, (va, handle): (usize, usize), flags: Flags) {
        assert!(self.0.lock().unwrap().remove(&handle));
        assert!(dma.free(DEVICE, PAGE_SIZE, va, handle, flags, OPS).is_ok(), "the owner's free is refused");
    }

    /// An owner: a call that allocates `count` pages and frees them, `times` times.
    fn owner(&self, system: System, flags: Flags, times: usize, count: usize) -> Call {
        let (held, (kernel, dma)) = (self.clone(), system);
        call(move || {
            for _ in 0..times {
                let buffers: Vec<_> = (0..count).map(|_| held.allocate(kernel, dma, flags)).collect();
                buffers.into_iter().for_each(|buffer| held.free(dma, buffer, flags));
            }
        })
    }
}

fn used(dma: &Dma<ShuttleKernel>) -> usize {
    dma.pools().map(|pool| pool.usage().used).sum()
}

#[test]
fn buffers_with_mappings_of_their_own_have_one_owner_each() {
    explore("mappings of single buffers", || {
        let (kernel, dma) = system(8, 0);
        let held = Held::default();
        at_once([(); 3].map(|()| held.owner((kernel, dma), Flags::NOCACHE, 2, 1)));
        // The linear map is left.
        assert_eq!((used(dma), kernel.mappings()), (0, 1));
    });
}

#[test]
fn a_second_free_of_a_mapped_buffer_harms_no_owner() {
    explore("second free of a mapped buffer", || {
        let (kernel, dma) = system(8, 0);
        let held = Held::default();
        let (va, handle) = held.allocate(kernel, dma, Flags::NOCACHE);
        held.free(dma, (va, handle), Flags::NOCACHE);
        // The same address, with another page and another length.
        let _first = held.allocate(kernel, dma, Flags::empty());
        let wrong = call(move || {
            for size in [PAGE_SIZE, 2 * PAGE_SIZE] {
                let freed = dma.free(DEVICE, size, va, handle, Flags::NOCACHE, OPS);
                assert!(freed.is_err(), "a second free is accepted");
            }
        });
        at_once([wrong, held.owner((kernel, dma), Flags::NOCACHE, 2, 1)]);
        assert_eq!((used(dma), kernel.mappings()), (PAGE_SIZE, 1));
    });
}

#[test]
fn of_two_frees_of_a_mapped_buffer_one_is_right() {
    explore("two frees of a mapped buffer", || {
        let (kernel, dma) = system(8, 0);
        let held = Held::default();
        let (va, handle) = held.allocate(kernel, dma, Flags::NOCACHE);
        let accepted = Arc::new(Mutex::new(0));
        let free = |size: usize| {
            let accepted = accepted.clone();
            call(move || {
                let freed = dma.free(DEVICE, size, va, handle, Flags::NOCACHE, OPS).is_ok();
                *accepted.lock().unwrap() += freed as usize;
            })
        };
        at_once([free(PAGE_SIZE), free(2 * PAGE_SIZE), free(PAGE_SIZE)]);
        assert_eq!(*accepted.lock().unwrap(), 1);
        assert_eq!((used(dma), kernel.mappings()), (0, 1));
    });
}

#[test]
fn a_pool_is_mapped_once_however_many_ask_first() {
    explore("first use of a view", || {
        let (kernel, dma) = system(8, 8);
        let held = Held::default();
        at_once([(); 3].map(|()| held.owner((kernel, dma), Flags::NOCACHE, 1, 1)));
        assert_eq!((used(dma), kernel.mappings()), (0, 2));
    });
}

#[test]
fn each_request_that_fails_is_counted() {
    explore("failed requests", || {
        let (_, dma) = system(2, 0);
        let fail = |pages: usize| call(move || assert!(allocate(dma, pages * PAGE_SIZE, Flags::empty()).is_none()));
        at_once([fail(3), fail(4), fail(3)]);
        let pool = dma.pools().next().unwrap();
        assert_eq!(pool.failures(), Failures { count: 3, largest: 4 * PAGE_SIZE });
    });
}

#[test]
fn of_overlapping_installs_one_is_done_and_every_walk_sees_whole_pools() {
    explore("installs and walks", || {
        let (_, dma) = system(4, 0);
        let done = Arc::new(Mutex::new(0));
        let install = |page: usize| {
            let done = done.clone();
            call(move || *done.lock().unwrap() += dma.install(&region(page, 4)).is_ok() as usize)
        };
        let walk = call(move || {
            for _ in 0..3 {
                for pool in dma.pools() {
                    assert_eq!(pool.size(), 4 * PAGE_SIZE);
                }
                if let Some((va, handle)) = allocate(dma, 3 * PAGE_SIZE, Flags::empty()) {
                    dma.free(DEVICE, 3 * PAGE_SIZE, va, handle, Flags::empty(), OPS).unwrap();
                }
            }
        });
        at_once([install(8), install(10), install(20), walk]);
        // One of the first two, and the third.
        assert_eq!(*done.lock().unwrap(), 2);
        assert_eq!(dma.pools().count(), 3);
        assert_eq!(used(dma), 0);
    });
}

/// Walkers that are interrupted at a pool find it gone, or installed again.
#[test]
fn a_pool_comes_and_goes_while_others_allocate_free_and_walk() {
    explore("uninstall", || {
        let (kernel, dma) = system(2, 8);
        let pool = dma.install(&region(4, 4)).unwrap();
        dma.install(&region(16, 8)).unwrap();
        let held = Held::default();
        let exchange = call(move || {
            // Only the new pool is large enough for the buffer.
            for (page, count) in [(32, 9), (48, 10)] {
                while dma.uninstall(&pool.public).is_err() {
                    shuttle::thread::yield_now();
                }
                assert_eq!(kernel.v2p(kernel.linear(pool.start())), None, "it is mapped");
                dma.install(&region(page, count)).unwrap();
                let (va, handle) = allocate(dma, count * PAGE_SIZE, Flags::NOCACHE).unwrap();
                assert_eq!(handle, region(page, count).start);
                dma.install(&region(4, 4)).unwrap();
                dma.free(DEVICE, count * PAGE_SIZE, va, handle, Flags::NOCACHE, OPS).unwrap();
            }
        });
        let walk = call(move || {
            let starts: Vec<_> = dma.pools().map(|pool| pool.start()).collect();
            for page in [0, 16] {
                assert!(starts.contains(&region(page, 1).start), "a pool that stays is not found");
            }
            assert!(starts.is_sorted(), "a pool is found twice, or out of order");
        });
        let owner = || held.owner((kernel, dma), Flags::NOCACHE, 2, 3);
        at_once([owner(), owner(), exchange, walk]);
        assert_eq!((used(dma), dma.refused_calls()), (0, 0));
    });
}
