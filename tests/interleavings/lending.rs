//! Lending: owners and borrowers of one region at the same time.

use super::kernel::{LENDABLE, OWNERS, ShuttleKernel};
use super::{at_once, call, explore, leak};
use rt_dma_pool::dropin::buffer_request::BufferRequest;
use rt_dma_pool::dropin::map_ops::MapOps;
use rt_dma_pool::dropin::registry::Dma;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{Device, PAGE_SIZE, Va};
use shuttle::sync::Mutex;
use shuttle::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::ffi::c_void;

/// A borrower that gives its memory back when it is asked.
struct Borrower {
    dma: &'static Dma<ShuttleKernel>,
    held: Mutex<Vec<Va>>,
    /// A call of its function runs.
    is_asked: AtomicBool,
    /// Its function was called while another call of it ran.
    is_asked_twice: AtomicBool,
}

impl Borrower {
    /// Makes a system with a region, whose owners have made their first calls, and a borrower without memory. Each
    /// buffer has its own mapping: the borrower takes longer to get memory, so that more schedules let the owner run
    /// meanwhile.
    fn new() -> &'static Borrower {
        let dma: &'static Dma<ShuttleKernel> = leak(Dma::new(ShuttleKernel::new(0)));
        OWNERS.into_iter().for_each(|owner| assert_eq!(dma.choose_ops(owner).unwrap(), MapOps::DeviceTree));
        let [is_asked, is_asked_twice] = [const { AtomicBool::new(false) }; 2];
        leak(Borrower { dma, held: Mutex::new(Vec::new()), is_asked, is_asked_twice })
    }

    /// Borrows a page, if one is lent.
    fn borrow_page(&self) {
        // The list is locked meanwhile, so that `give_back` finds the memory there.
        let mut held = self.held.lock().unwrap();
        let argument = std::ptr::from_ref(self).expose_provenance();
        // SAFETY: the argument is a borrower, which stays.
        held.extend(unsafe { self.dma.borrow_memory(PAGE_SIZE, give_back, argument) });
    }

    /// Allocates for an owner, which must get memory, and frees the buffer.
    fn allocate(&self, owner: Device, size: usize) {
        let (ops, flags) = (MapOps::DeviceTree, Flags::empty());
        let (va, handle) = self.dma.allocate_in_order(&BufferRequest::new(ops, owner, size, flags)).unwrap();
        self.dma.free(owner, size, va, handle, flags, ops).unwrap();
    }
}

/// The function of a [`Borrower`]. (A panic here would end the process without a schedule.)
unsafe extern "C" fn give_back(memory: *mut c_void, _: usize, borrower: *mut c_void) {
    // SAFETY: `borrow_page` passes a borrower, which stays.
    let borrower: &'static Borrower = unsafe { &*borrower.cast() };
    let is_asked = borrower.is_asked.swap(true, SeqCst);
    borrower.is_asked_twice.fetch_or(is_asked, SeqCst);
    let mut held = borrower.held.lock().unwrap();
    if let Some(index) = held.iter().position(|va| *va == memory.expose_provenance()) {
        let is_ended = borrower.dma.give_back_memory(held.swap_remove(index));
        assert_eq!(is_ended, Ok(()));
    }
    borrower.is_asked.store(false, SeqCst);
}

#[test]
fn one_owner_at_a_time_asks_the_borrowers_of_a_region() {
    explore("two owners need memory that is lent", || {
        let borrower = Borrower::new();
        (0..2).for_each(|_| borrower.borrow_page());
        assert_eq!(borrower.held.lock().unwrap().len(), 2);
        at_once(OWNERS.map(|owner| call(move || borrower.allocate(owner, PAGE_SIZE))));
        assert!(!borrower.is_asked_twice.load(SeqCst));
    });
}

#[test]
fn an_owner_gets_memory_that_is_just_being_lent() {
    explore("an owner needs memory that is just being lent", || {
        let borrower = Borrower::new();
        let size = LENDABLE.end - LENDABLE.start;
        let owner = call(move || (0..4).for_each(|_| borrower.allocate(OWNERS[0], size)));
        at_once([call(|| (0..6).for_each(|_| borrower.borrow_page())), owner]);
    });
}
