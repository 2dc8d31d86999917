//! Tests lending: the owner of a `reusable` region always gets its memory, and others borrow it.

mod fake_kernel;

use fake_kernel::*;
use rt_dma_pool::dropin::buffer_request::BufferRequest;
use rt_dma_pool::dropin::map_ops::MapOps;
use rt_dma_pool::error::Error;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{Device, MemoryType, NamedRegion, Va};
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const OWN: usize = START + 16 * MIB;
const PAGES: usize = 16;

/// A machine with an owner of a reusable region.
fn machine() -> (Arc<Machine>, Device) {
    let machine = Machine::new();
    let region = NamedRegion { is_reusable: true, ..named_region(OWN, PAGES * PAGE) };
    let owner = machine.device(DeviceInfo::with_regions(&[region]));
    machine.ops_of(owner);
    (Arc::new(machine), owner)
}

/// What a borrower does when it is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    GivesBack,
    GivesBackLater,
    GivesBackAndBorrows,
    AllocatesForTheOwner,
    Keeps,
}

/// A borrower that borrows all memory that it can.
struct Borrower {
    machine: Arc<Machine>,
    held: Mutex<Vec<Va>>,
    asked: AtomicUsize,
    answer: Answer,
    /// The owner's address, for [`Answer::AllocatesForTheOwner`]; else 0.
    owner: AtomicUsize,
}

impl Borrower {
    fn new(machine: &Arc<Machine>, answer: Answer) -> &'static Borrower {
        let (held, asked, owner) = (Mutex::default(), AtomicUsize::new(0), AtomicUsize::new(0));
        Box::leak(Box::new(Borrower { machine: machine.clone(), held, asked, answer, owner }))
    }

    /// Borrows until there is no room. Returns the number of loans.
    fn borrow_all(&'static self, size: usize) -> usize {
        let argument = std::ptr::from_ref(self).expose_provenance();
        let mut count = 0;
        while self.borrow_one(size, argument) {
            count += 1;
        }
        count
    }

    fn borrow_one(&self, size: usize, argument: usize) -> bool {
        // The list is locked meanwhile, so that a reclaim finds the memory there.
        let mut held = self.held.lock().unwrap();
        let Some(va) = borrow(&self.machine, size, argument) else { return false };
        held.push(va);
        true
    }

    fn give_back(&self, va: Va) {
        let mut held = self.held.lock().unwrap();
        if let Some(index) = held.iter().position(|known| *known == va) {
            held.swap_remove(index);
            self.machine.dma.give_back_memory(va).unwrap();
        }
    }

    fn give_back_all(&self) {
        let all = self.held.lock().unwrap().clone();
        all.into_iter().for_each(|va| self.give_back(va));
    }
}

fn borrow(machine: &Machine, size: usize, argument: usize) -> Option<Va> {
    // SAFETY: `reclaim` expects the address of a borrower, or is not called because no owner needs the memory.
    unsafe { machine.dma.borrow_memory(size, reclaim, argument) }
}

unsafe extern "C" fn reclaim(memory: *mut c_void, _: usize, argument: *mut c_void) {
    let va = memory.expose_provenance();
    // SAFETY: a borrower is never freed.
    let borrower: &'static Borrower = unsafe { &*argument.cast() };
    borrower.asked.fetch_add(1, Relaxed);
    match borrower.answer {
        Answer::GivesBack => borrower.give_back(va),
        Answer::GivesBackLater => {
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(5));
                borrower.give_back(va);
            });
        }
        Answer::GivesBackAndBorrows => {
            borrower.give_back(va);
            borrower.borrow_one(PAGE, argument.expose_provenance());
        }
        Answer::AllocatesForTheOwner => {
            let (machine, owner) = (&borrower.machine, Device::at(borrower.owner.load(Relaxed)));
            let held = machine.alloc(owner, PAGE, Flags::empty());
            borrower.give_back(va);
            if let Some(held) = held {
                machine.free(held).unwrap();
            }
        }
        Answer::Keeps => {}
    }
}

#[test]
fn borrowed_memory_is_cached_and_the_owners_request_takes_back_what_it_needs() {
    let (machine, owner) = machine();
    let borrower = Borrower::new(&machine, Answer::GivesBack);
    assert_eq!(borrower.borrow_all(PAGE), PAGES);
    let first = borrower.held.lock().unwrap()[0];
    assert_eq!(machine.translate(first), Some((OWN, MemoryType::Cached)));
    machine.poke(first, b"block");
    let held = machine.alloc(owner, 3 * PAGE, Flags::empty()).unwrap();
    assert_eq!((held.handle, borrower.asked.load(Relaxed)), (OWN, 3));
    assert_eq!(borrower.held.lock().unwrap().len(), PAGES - 3);
    machine.free(held).unwrap();
    borrower.give_back_all();
    assert_eq!(machine.balance().used_bytes, 0);
    assert_eq!(machine.take_errors(), NO_LINES);
}

#[test]
fn the_owner_gets_the_whole_region_ten_thousand_times_with_threads_and_failures() {
    let (machine, owner) = machine();
    let borrower = Borrower::new(&machine, Answer::GivesBack);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _end = SetAtEnd(&stop);
        for size in [PAGE, 3 * PAGE] {
            let stop = &stop;
            scope.spawn(move || {
                while !stop.load(Relaxed) {
                    if borrower.borrow_all(size) == 0 {
                        std::thread::yield_now();
                    }
                }
            });
        }
        for round in 0..10_000 {
            if round % 7 == 0 {
                machine.fail(Service::HeapAlloc, 0, round % 3);
            }
            if round % 2 == 0 {
                borrower.borrow_all(PAGE);
            }
            let held = machine.alloc(owner, PAGES * PAGE, Flags::empty());
            let Some(held) = held else { panic!("round {round}: {:?}", machine.take_errors()) };
            machine.free(held).unwrap();
        }
    });
    machine.repair(Service::HeapAlloc);
    assert!(borrower.asked.load(Relaxed) > 5_000);
    borrower.give_back_all();
    assert_eq!(machine.balance().used_bytes, 0);
    assert_eq!(machine.take_errors(), NO_LINES);
}

#[test]
fn memory_that_comes_back_from_another_thread_is_waited_for() {
    let (machine, owner) = machine();
    let borrower = Borrower::new(&machine, Answer::GivesBackLater);
    borrower.borrow_all(4 * PAGE);
    let held = machine.alloc(owner, PAGES * PAGE, Flags::empty()).unwrap();
    assert_eq!(held.handle, OWN);
    machine.free(held).unwrap();
}

#[test]
fn nothing_is_lent_while_an_owner_waits() {
    let (machine, owner) = machine();
    let borrower = Borrower::new(&machine, Answer::GivesBackAndBorrows);
    assert_eq!(borrower.borrow_all(PAGE), PAGES);
    let held = machine.alloc(owner, PAGES * PAGE, Flags::empty()).unwrap();
    assert_eq!(borrower.held.lock().unwrap().len(), 0);
    machine.free(held).unwrap();
    assert_eq!(borrower.borrow_all(PAGE), PAGES, "memory is lent again");
}

#[test]
fn a_borrower_that_keeps_its_memory_is_named_and_the_owner_does_not_wait_for_ever() {
    let (machine, owner) = machine();
    let borrower = Borrower::new(&machine, Answer::Keeps);
    borrower.borrow_all(8 * PAGE);
    let begin = Instant::now();
    assert_eq!(machine.alloc(owner, PAGES * PAGE, Flags::empty()), None);
    assert!(begin.elapsed() < Duration::from_secs(10));
    let lines = machine.take_errors();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    let text = format!("borrower {:#x} (", reclaim as *const () as usize);
    assert!(lines[0].contains(&text) && lines[0].contains("keeps 32768 bytes at 0x41000000"), "{lines:#?}");
    // Memory is lent again, once there is some.
    borrower.give_back_all();
    assert_eq!(borrower.borrow_all(8 * PAGE), 2);
}

#[test]
fn borrowers_are_not_asked_for_memory_that_the_request_cannot_use() {
    let (machine, owner) = machine();
    let borrower = Borrower::new(&machine, Answer::GivesBack);
    borrower.borrow_all(PAGE);
    // The region is mapped, and lies above the mask.
    assert_eq!(machine.alloc(owner, PAGE, Flags::NOMAP), None);
    let request = BufferRequest::new(MapOps::DeviceTree, owner, PAGE, Flags::empty());
    assert!(machine.dma.allocate_in_order(&BufferRequest { mask: OWN as u64 - 1, ..request }).is_err());
    assert_eq!(borrower.asked.load(Relaxed), 0);
    // A part of it lies within the mask, which is too short.
    let mask = (OWN + 3 * PAGE - 1) as u64;
    assert!(machine.dma.allocate_in_order(&BufferRequest { mask, size: 3 * PAGE + 1, ..request }).is_err());
    assert_eq!(borrower.asked.load(Relaxed), 0);
    // No page of it has the alignment.
    assert!(
        machine.dma.allocate_in_order(&BufferRequest { align: 2 * (OWN & OWN.wrapping_neg()), ..request }).is_err()
    );
    assert_eq!(borrower.asked.load(Relaxed), 0);
    let within_mask = BufferRequest { mask, size: 3 * PAGE, ..request };
    let (va, handle) = machine.dma.allocate_in_order(&within_mask).unwrap();
    assert_eq!((handle, borrower.asked.load(Relaxed)), (OWN, 3));
    machine.dma.free(owner, 3 * PAGE, va, handle, Flags::empty(), MapOps::DeviceTree).unwrap();
    borrower.give_back_all();
}

/// The bus moves the region by an odd number of pages. The handle is aligned, the physical address is not.
#[test]
fn borrowers_are_asked_where_the_handle_of_a_place_is_aligned() {
    let machine = Machine::new();
    let region = NamedRegion { is_reusable: true, ..named_region(OWN + PAGE, PAGES * PAGE) };
    let info = DeviceInfo::with_dma_ranges(&[bus_range(OWN + PAGE, 0, PAGES * PAGE)]);
    let owner = machine.device(DeviceInfo { regions: vec![Ok(region)], ..info });
    machine.ops_of(owner);
    let machine = Arc::new(machine);
    let borrower = Borrower::new(&machine, Answer::GivesBack);
    assert_eq!(borrower.borrow_all(PAGE), PAGES);
    let size = PAGES * PAGE;
    let request = BufferRequest { align: size, ..BufferRequest::new(MapOps::DeviceTree, owner, size, Flags::empty()) };
    let (va, handle) = machine.dma.allocate_in_order(&request).unwrap();
    assert_eq!((handle, borrower.asked.load(Relaxed)), (0, PAGES));
    machine.dma.free(owner, size, va, handle, Flags::empty(), MapOps::DeviceTree).unwrap();
    borrower.give_back_all();
}

/// The owner has two regions, and the lower one has no place with the alignment that is long enough.
#[test]
fn borrowers_of_a_region_without_a_place_for_the_request_are_not_asked_where_another_region_has_one() {
    let machine = Machine::new();
    let reusable = |start| NamedRegion { is_reusable: true, ..named_region(start, PAGES * PAGE) };
    let align = PAGES * PAGE;
    assert_eq!(OWN % align, 0);
    let owner = machine.device(DeviceInfo::with_regions(&[reusable(OWN + PAGE), reusable(OWN + 2 * align)]));
    machine.ops_of(owner);
    let machine = Arc::new(machine);
    let borrower = Borrower::new(&machine, Answer::GivesBack);
    assert_eq!(borrower.borrow_all(PAGE), 2 * PAGES);
    let request = BufferRequest { align, ..BufferRequest::new(MapOps::DeviceTree, owner, 2 * PAGE, Flags::empty()) };
    let (va, handle) = machine.dma.allocate_in_order(&request).unwrap();
    assert_eq!((handle, borrower.asked.load(Relaxed)), (OWN + 2 * align, 2));
    // The owner has the only place. The borrowers of the other region are not asked, not waited for, and not logged.
    assert!(machine.dma.allocate_in_order(&BufferRequest { align: 2 * align, ..request }).is_err());
    assert_eq!((borrower.asked.load(Relaxed), machine.tick_count()), (PAGES, 0));
    assert_eq!(machine.take_errors(), NO_LINES);
    machine.dma.free(owner, 2 * PAGE, va, handle, Flags::empty(), MapOps::DeviceTree).unwrap();
    borrower.give_back_all();
    assert_eq!(machine.balance().used_bytes, 0);
}

/// A borrower that writes its block to a disk first, whose driver allocates from the same region: the request within
/// the request asks no borrower, and finds no room.
#[test]
fn a_borrower_that_allocates_for_an_owner_is_not_asked_again_meanwhile() {
    let (machine, owner) = machine();
    let borrower = Borrower::new(&machine, Answer::AllocatesForTheOwner);
    borrower.owner.store(owner.address(), Relaxed);
    assert_eq!(borrower.borrow_all(PAGE), PAGES);
    let held = machine.alloc(owner, PAGE, Flags::empty()).unwrap();
    assert_eq!((held.handle, borrower.asked.load(Relaxed)), (OWN, 1));
    machine.free(held).unwrap();
    // A later request asks again.
    let held = machine.alloc(owner, 2 * PAGE, Flags::empty()).unwrap();
    assert_eq!((held.handle, borrower.asked.load(Relaxed)), (OWN, 2));
    machine.free(held).unwrap();
    borrower.give_back_all();
    assert_eq!(machine.balance().used_bytes, 0);
}

#[test]
fn in_an_interrupt_the_owner_neither_waits_nor_asks() {
    let (machine, owner) = machine();
    let first = machine.alloc(owner, PAGE, Flags::empty()).unwrap();
    machine.free(first).unwrap();
    let borrower = Borrower::new(&machine, Answer::GivesBack);
    borrower.borrow_all(PAGE);
    assert_eq!(machine.in_interrupt(|| machine.alloc(owner, PAGE, Flags::empty())), None);
    assert_eq!(borrower.asked.load(Relaxed), 0);
}

#[test]
fn wrong_calls_change_nothing() {
    let (machine, _) = machine();
    let dma = machine.dma;
    assert_eq!(dma.give_back_memory(0x1234), Err(Error::NoBuffer));
    assert_eq!(borrow(&machine, 0, 0), None);
    assert_eq!(borrow(&machine, (PAGES + 1) * PAGE, 0), None);
    assert_eq!(machine.in_interrupt(|| borrow(&machine, PAGE, 0)), None);
    let va = borrow(&machine, 100, 0).unwrap();
    assert_eq!(dma.give_back_memory(va + 4), Err(Error::NoBuffer));
    dma.give_back_memory(va).unwrap();
    assert_eq!(dma.give_back_memory(va), Err(Error::NoBuffer));
    assert_eq!(machine.balance().used_bytes, 0);
    let (fresh, _) = self::machine();
    fresh.fail(Service::HeapAlloc, 0, 1);
    assert_eq!(borrow(&fresh, PAGE, 0), None);
    assert!(fresh.repair(Service::HeapAlloc));
    assert_eq!(fresh.balance().used_bytes, 0);
    // A region that is not reusable, and a pool of no region, are not lent.
    let (plain, _) = Machine::with_pool(c"cma", START, MIB);
    let device = plain.device(DeviceInfo::with_regions(&[named_region(OWN, MIB)]));
    plain.ops_of(device);
    assert_eq!(borrow(&plain, PAGE, 0), None);
}
