//! Memory of a device that is lent to others.

use std::ffi::c_void;

use rt_dma_pool::ffi::*;

use super::world::Loan;
use super::{assert_leads_to, c_call, fresh, pointer, pools, world};
use crate::memory::{self, PAGE, pa_of, page_of};
use crate::{input, machine};

/// A borrower's function: gives the memory back, if it still has it.
unsafe extern "C" fn reclaim(memory: *mut c_void, size: usize, argument: *mut c_void) {
    assert!(argument as usize == size, "a borrower gets another's argument");
    if input::one_in(4) {
        return;
    }
    give_back(memory as usize);
}

fn give_back(va: usize) {
    let loan = world(|world| {
        let index = world.loans.iter().position(|loan| loan.va == va)?;
        let loan = world.loans.swap_remove(index);
        let pa = memory::v2p(va).expect("borrowed memory is mapped");
        let page = page_of(pa).expect("RAM");
        world.owned[page..page + loan.size.div_ceil(PAGE)].fill(false);
        Some((loan, pa))
    });
    let Some((loan, pa)) = loan else { return };
    let (before, _) = (pools::is_used(pa), c_call(|| unsafe { rt_dma_give_back(pointer(va)) }));
    assert!(before, "borrowed memory was not in use");
    // A mapping of its own is removed by a thread only.
    if machine::is_atomic() && pools::is_used(pa) {
        world(|world| {
            world.own(pa, loan.size.div_ceil(PAGE));
            world.loans.push(loan);
        });
    }
}

/// Borrows memory, or gives some back.
pub fn lend() {
    let loan = world(|world| world.loans.first().copied());
    match (input::below(4), loan) {
        (0, Some(loan)) => give_back(loan.va),
        (1, _) => {
            let stranger = pointer(input::one_of(&[0, 0x1000, memory::linear(pa_of(72)) + 1]));
            c_call(|| unsafe { rt_dma_give_back(stranger) });
        }
        _ => {
            let size = input::one_of(&[PAGE, 1, 3 * PAGE, 8 * PAGE, 0, 9 * PAGE, usize::MAX]);
            let (memory, _) = c_call(|| unsafe { rt_dma_borrow(size, Some(reclaim), pointer(size)) });
            if !memory.is_null() {
                let va = memory as usize;
                let pa = memory::v2p(va).expect("borrowed memory is mapped");
                assert_leads_to(va, pa, size, false);
                memory::write(va, &fresh(size.min(64)));
                world(|world| {
                    world.own(pa, size.div_ceil(PAGE));
                    world.loans.push(Loan { va, size });
                });
            }
        }
    }
}

/// Gives all borrowed memory back.
pub fn give_all_back() {
    while let Some(loan) = world(|world| world.loans.first().copied()) {
        give_back(loan.va);
    }
}
