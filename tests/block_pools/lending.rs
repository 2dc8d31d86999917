//! Tests block pools of a device whose `reusable` region is lent to a borrower that keeps the memory.

use super::*;
use rt_dma_pool::kernel::NamedRegion;
use std::ffi::c_void;

const OWN: Pa = START + 16 * MIB;
const OWN_PAGES: usize = 64;

/// Counts in its argument how often it is asked, and keeps the memory.
unsafe extern "C" fn keep_memory(_: *mut c_void, _: usize, asked: *mut c_void) {
    // SAFETY: `lend` passes a counter that is never freed.
    unsafe { &*asked.cast::<AtomicUsize>() }.fetch_add(1, Relaxed);
}

/// A machine whose device owns a region, with `pages` of memory for all devices.
fn owner(pages: usize) -> Rig {
    let machine = if pages == 0 { Machine::new() } else { Machine::with_pool(c"dma", START, pages * PAGE).0 };
    let region = NamedRegion { is_reusable: true, ..named_region(OWN, OWN_PAGES * PAGE) };
    let device = machine.device(DeviceInfo::with_regions(&[region]));
    machine.ops_of(device);
    Rig { device, ..Rig::of(machine) }
}

/// Lends all that is free in the region. Returns how often the borrower was asked since.
fn lend(rig: &Rig) -> &'static AtomicUsize {
    let asked = keep(Box::new(AtomicUsize::new(0)));
    let argument = std::ptr::from_ref(asked).expose_provenance();
    let mut count = 0;
    // SAFETY: the argument is that of `keep_memory`.
    while unsafe { rig.machine.dma.borrow_memory(PAGE, keep_memory, argument) }.is_some() {
        count += 1;
    }
    assert_ne!(count, 0, "nothing is lent");
    asked
}

fn failed_requests(rig: &Rig) -> usize {
    rig.machine.dma.pools().map(|pool| pool.failures().count).sum()
}

/// Checks that the log has nothing but lines about borrowers that kept their memory, and such a line.
fn assert_borrowers_are_named(rig: &Rig) {
    let errors = rig.machine.take_errors();
    let is_expected = |line: &String| line.contains("borrower") && line.contains("keeps");
    assert!(!errors.is_empty() && errors.iter().all(is_expected), "{errors:?}");
}

/// Frees whose group has no other free block, and allocations whose core has another group, make the reserve complete.
#[test]
fn a_call_that_needs_no_memory_asks_no_borrower_and_counts_no_failure() {
    let rig = owner(0);
    let pool = rig.create_linux(PAGE, 0, 0);
    let mut held: Vec<_> = (0..40).map(|_| take(&rig, pool)).collect();
    let asked = lend(&rig);
    held.extend(rig.machine.in_interrupt(|| std::iter::from_fn(|| pool.allocate()).collect::<Vec<_>>()));
    let failed = failed_requests(&rig);
    for _ in 0..2 {
        let far_apart = [0, 20, held.len() - 1].map(|index| held[index]);
        free_all(pool, far_apart);
        let again = far_apart.map(|_| take(&rig, pool));
        assert!(again.iter().all(|block| far_apart.contains(block)));
    }
    assert_eq!((asked.load(Relaxed), failed_requests(&rig)), (0, failed));
    // A caller that gets no block asks.
    assert_eq!(pool.allocate(), None);
    assert_ne!(asked.load(Relaxed), 0);
    assert_eq!(failed_requests(&rig), failed + 1);
    assert_borrowers_are_named(&rig);
    free_all(pool, held);
    rig.destroy(pool);
}

/// The borrower keeps the region, and the other pool serves the fill: the fill waits for the borrower once, not for
/// each page.
#[test]
fn a_fill_waits_once_for_a_borrower_that_keeps_its_memory() {
    let rig = owner(20);
    let asked = lend(&rig);
    let pool = rig.create(PAGE, 0, 0);
    assert!(pool.fill(12));
    // Once for each page that is lent, and every ten of the 100 ticks.
    let asked_once = 10 * OWN_PAGES;
    assert_eq!(asked.swap(0, Relaxed), asked_once);
    let failed = failed_requests(&rig);
    assert!(!pool.fill(30));
    assert_eq!(asked.swap(0, Relaxed), asked_once);
    assert_ne!(failed_requests(&rig), failed, "the request of a caller that needs the memory is counted");
    assert_eq!(pool.usage(), usage(0, 12, 12), "a fill that fails changes nothing");
    // The pages that a pool begins with are waited for once, too.
    let other = rig.create_linux(PAGE, 0, 0);
    assert_eq!((asked.load(Relaxed), other.usage().blocks), (asked_once, 4));
    assert_borrowers_are_named(&rig);
    [pool, other].into_iter().for_each(|pool| rig.destroy(pool));
}
