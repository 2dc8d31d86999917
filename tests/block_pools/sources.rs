//! Tests sources of pages that a BSP might have. Nothing that a test may use lies at their addresses, so a read or
//! write of a block most likely stops the test.

use super::*;
use std::sync::Mutex;

/// Hands out the addresses of a list, the last first, and accepts each of them back.
#[derive(Clone, Copy)]
struct Listed {
    /// Addresses and handles.
    left: &'static Mutex<Vec<(Va, usize)>>,
    /// What was handed out: address, handle, size.
    taken: &'static Mutex<Vec<(Va, usize, usize)>>,
}

impl Listed {
    fn new(mut addresses: Vec<(Va, usize)>) -> Self {
        addresses.reverse();
        Listed { left: keep(Box::new(Mutex::new(addresses))), taken: keep(Box::default()) }
    }
}

// SAFETY: the tests that use this source do not touch the memory.
unsafe impl Pages for Listed {
    fn allocate(&self, _: Device, size: usize, _: usize, _: Effort) -> Option<(Va, usize)> {
        let (va, handle) = self.left.lock().unwrap().pop()?;
        self.taken.lock().unwrap().push((va, handle, size));
        Some((va, handle))
    }

    unsafe fn free(&self, _: Device, size: usize, va: Va, handle: usize) {
        let mut out = self.taken.lock().unwrap();
        let index = out.iter().position(|span| *span == (va, handle, size));
        out.remove(index.expect("a span is given back as it was taken"));
    }

    fn last_reachable(&self, _: Device) -> usize {
        usize::MAX
    }
}

fn pools(machine: &Machine, source: Listed) -> &'static Pools<Listed> {
    keep(Box::new(Pools::new(machine.kernel, source)))
}

fn create(
    machine: &Machine,
    source: Listed,
    size: usize,
    align: usize,
    boundary: usize,
) -> (&'static Pools<Listed>, &'static Pool<Listed>) {
    let pools = pools(machine, source);
    let device = machine.plain_device();
    let pool = pools.create(&spec(Some(device), size, align, boundary)).unwrap();
    (pools, pool)
}

const VA: Va = 0x7700_0000;
const HANDLE: usize = 0x1000_0000;

/// Returns the addresses and handles of `count` pages, one after the other.
fn contiguous_pages(count: usize) -> Vec<(Va, usize)> {
    (0..count).map(|page| (VA + page * PAGE, HANDLE + page * PAGE)).collect()
}

#[test]
fn pages_far_apart_are_all_found() {
    for distance in [PAGE, 3 * PAGE, 64 * PAGE, 1024 * PAGE, 987 * PAGE] {
        for size in [16, 300, 4096] {
            let machine = Machine::new();
            let addresses = (0..500).map(|page| (VA + page * distance, HANDLE + (page ^ 1) * PAGE)).collect();
            let source = Listed::new(addresses);
            let (pools, pool) = create(&machine, source, size, 0, 0);
            let held: Vec<_> = std::iter::from_fn(|| pool.allocate()).collect();
            assert_eq!(pool.usage().pages, 500, "{distance:#x} {size}");
            let mut sorted: Vec<_> = held.iter().map(|block| block.va).collect();
            sorted.sort();
            assert!(sorted.windows(2).all(|pair| pair[1] - pair[0] >= size));
            for (at, block) in held.iter().enumerate().filter(|(at, _)| at % 3 != 0) {
                pool.free(block.va, block.handle).unwrap();
                assert!(pool.free(block.va, block.handle).is_err(), "{at}");
            }
            pool.trim();
            held.iter().step_by(3).for_each(|block| pool.free(block.va, block.handle).unwrap());
            // SAFETY: the pool is not used after this call.
            unsafe { pools.destroy(pool) }.unwrap();
            assert_eq!(*source.taken.lock().unwrap(), []);
            assert_eq!(machine.balance().heap_bytes, 0);
        }
    }
}

#[test]
fn a_large_block_is_moved_past_the_boundary_that_it_would_cross() {
    let machine = Machine::new();
    // A block of 20,000 bytes that begins here would cross a boundary of 32 KiB. The next place has the same handle but
    // more pages.
    let handle = 0x1000_5000;
    let source = Listed::new(vec![(VA, handle), (VA + (1 << 20), handle), (VA + (2 << 20), 0x2000_0000)]);
    let (pools, pool) = create(&machine, source, 20_000, 64, 32_768);
    let block = pool.allocate().unwrap();
    assert_eq!((block.va, block.handle), (VA + (1 << 20) + 0x3000, 0x1000_8000));
    assert_eq!(*source.taken.lock().unwrap(), [(VA + (1 << 20), handle, 9 * PAGE)]);
    assert_eq!(pool.usage(), usage(1, 1, 9));
    let fits = pool.allocate().unwrap();
    assert_eq!(fits.handle, 0x2000_0000);
    assert_eq!(pool.usage(), usage(2, 2, 14));
    for block in [block, fits] {
        pool.free(block.va, block.handle).unwrap();
    }
    // SAFETY: the pool is not used after this call.
    unsafe { pools.destroy(pool) }.unwrap();
    assert_eq!(*source.taken.lock().unwrap(), []);
}

#[test]
fn memory_that_does_not_begin_on_a_page_is_given_back() {
    let machine = Machine::new();
    let source = Listed::new(vec![(VA + 64, 0x1000), (VA, 0x1040), (0, 0x1000), (VA, 0x1000)]);
    let (pools, pool) = create(&machine, source, 64, 64, 0);
    for _ in 0..3 {
        assert_eq!(pool.allocate(), None);
        assert_eq!(*source.taken.lock().unwrap(), []);
        assert_eq!(machine.take_errors().len(), 1);
    }
    let block = pool.allocate().unwrap();
    assert_eq!((block.va, block.handle), (VA, 0x1000));
    pool.free(block.va, block.handle).unwrap();
    // SAFETY: the pool is not used after this call.
    unsafe { pools.destroy(pool) }.unwrap();
}

/// Addresses of pages that collide: in each hash table of up to 16,384 buckets, all their units have the same nine
/// buckets. The pool makes no larger table for so few pages. The buckets follow from the lower 14 bits of the key and
/// of both halves of the hash, of the lower half with bit 0 set. These bits are the same for all.
#[cfg(target_pointer_width = "64")]
const SAME_BUCKETS: [Va; 13] = [
    0x420_0000,
    0x6_1aa8_4420_0000,
    0x2c_b7d7_1c20_0000,
    0x64_8f24_0020_0000,
    0xae_1f91_b420_0000,
    0xb0_2370_0020_0000,
    0xb2_bdd6_f820_0000,
    0x104_7d2d_5020_0000,
    0x110_9b56_f420_0000,
    0x121_effa_6c20_0000,
    0x13b_f3fd_5820_0000,
    0x152_f6dd_ac20_0000,
    0x159_4290_4820_0000,
];

#[cfg(target_pointer_width = "64")]
#[test]
fn a_page_without_a_bucket_in_the_table_takes_no_heap() {
    let machine = Machine::new();
    let addresses = SAME_BUCKETS.iter().enumerate().map(|(page, va)| (*va, HANDLE + page * PAGE)).collect();
    let source = Listed::new(addresses);
    let (pools, pool) = create(&machine, source, PAGE, 0, 0);
    let held: Vec<_> = (0..9).map(|_| pool.allocate().unwrap()).collect();
    // The first failure leaves a table for one page more.
    assert_eq!(pool.allocate(), None);
    let heap_bytes = machine.balance().heap_bytes;
    for _ in 0..3 {
        assert_eq!(pool.allocate(), None);
        assert_eq!(machine.balance().heap_bytes, heap_bytes);
    }
    free_all(pool, held);
    // SAFETY: the pool is not used after this call.
    unsafe { pools.destroy(pool) }.unwrap();
    assert_eq!(*source.taken.lock().unwrap(), []);
    assert_eq!(machine.balance().heap_bytes, 0);
}

/// What another caller does once.
type Action = Mutex<Option<Box<dyn FnOnce() + Send>>>;

/// A source of pages that runs `at_allocate` in its next allocation, and `at_free` in its next free: what another
/// caller does at that moment.
#[derive(Clone, Copy)]
struct Interposed {
    addresses: Listed,
    mask: &'static AtomicUsize,
    at_allocate: &'static Action,
    at_free: &'static Action,
}

impl Interposed {
    fn new(addresses: Vec<(Va, usize)>) -> Self {
        Interposed {
            addresses: Listed::new(addresses),
            mask: keep(Box::new(AtomicUsize::new(usize::MAX))),
            at_allocate: keep(Box::new(Mutex::new(None))),
            at_free: keep(Box::new(Mutex::new(None))),
        }
    }
}

fn run_once(action: &Action) {
    let action = action.lock().unwrap().take();
    if let Some(action) = action {
        action();
    }
}

// SAFETY: as for `Listed`.
unsafe impl Pages for Interposed {
    fn allocate(&self, device: Device, size: usize, align: usize, effort: Effort) -> Option<(Va, usize)> {
        let pages = self.addresses.allocate(device, size, align, effort);
        run_once(self.at_allocate);
        pages
    }

    unsafe fn free(&self, device: Device, size: usize, va: Va, handle: usize) {
        run_once(self.at_free);
        // SAFETY: the caller gives back what it got.
        unsafe { self.addresses.free(device, size, va, handle) }
    }

    fn last_reachable(&self, _: Device) -> usize {
        self.mask.load(Relaxed)
    }
}

#[test]
fn fault_08_a_pool_that_could_not_be_destroyed_follows_a_mask_set_meanwhile() {
    let machine = Machine::new();
    let source = Interposed::new(contiguous_pages(2));
    let mask = source.mask;
    let pools = keep(Box::new(Pools::<Interposed>::new(machine.kernel, source)));
    let device = machine.plain_device();
    let pool = pools.create(&spec(Some(device), 2048, 0, 0)).unwrap();
    let held: Vec<_> = std::iter::from_fn(|| pool.allocate()).collect();
    assert_eq!(held.len(), 4);
    free_all(pool, held);
    // Against the rules, another caller allocates a block while the pool is destroyed; and a mask is set.
    let late = keep(Box::new(Mutex::new(Vec::new())));
    *source.at_free.lock().unwrap() = Some(Box::new(move || {
        late.lock().unwrap().push(pool.allocate().unwrap());
        mask.store(0, Relaxed);
        pools.follow_mask(device);
    }));
    // SAFETY: the pool is used after this call only because it is not destroyed.
    assert!(unsafe { pools.destroy(pool) }.is_err());
    let beyond = machine.in_interrupt(|| pool.allocate());
    assert!(beyond.is_none(), "{beyond:?} lies beyond the mask");
    late.lock().unwrap().drain(..).for_each(|block| pool.free(block.va, block.handle).unwrap());
    // SAFETY: the pool is not used after this call.
    unsafe { pools.destroy(pool) }.unwrap();
}

/// The reserve cannot be completed.
#[test]
fn a_call_that_needs_no_memory_does_not_log_that_the_memory_is_not_aligned() {
    let machine = Machine::new();
    let not_aligned = [(VA + 64, 0x1000); 2];
    let source = Listed::new([&contiguous_pages(4)[..], &not_aligned].concat());
    let pools = pools(&machine, source);
    let pool = pools.create_linux(&spec(Some(machine.plain_device()), PAGE, 0, 0), source).unwrap();
    let held: Vec<_> = (0..4).map(|_| pool.allocate().unwrap()).collect();
    assert_eq!(source.left.lock().unwrap().len(), 1, "the first call tries to complete the reserve");
    assert_eq!(machine.take_errors(), NO_LINES);
    assert_eq!(pool.allocate(), None);
    assert_eq!(machine.take_errors().len(), 1, "this one needs the memory");
    free_all(pool, held);
    // SAFETY: the pool is not used after this call.
    unsafe { pools.destroy(pool) }.unwrap();
}

/// Two threads fill a pool with four blocks of a page at the same time: the second one does so while the first one gets
/// its first page.
#[test]
fn a_fill_counts_the_blocks_that_another_thread_adds_meanwhile() {
    for pages in [5, 64] {
        let machine = Machine::new();
        let source = Interposed::new(contiguous_pages(pages));
        let pools = keep(Box::new(Pools::<Interposed>::new(machine.kernel, source)));
        let pool = pools.create(&spec(Some(machine.plain_device()), PAGE, 0, 0)).unwrap();
        *source.at_allocate.lock().unwrap() = Some(Box::new(|| assert!(pool.fill(4))));
        assert!(pool.fill(4), "{} blocks are free", pool.usage().blocks);
        assert!(pool.usage().blocks <= 6, "{} pages for four blocks", pool.usage().pages);
        // SAFETY: the pool is not used after this call.
        unsafe { pools.destroy(pool) }.unwrap();
    }
}
