//! The check of a free, which goes on after it if the table does not have the memory.

use core::ffi::c_void;

use super::{WATCH, checked_after, rt_dma_watch_call};
use crate::additions::debug::{AfterFree, Call, FreedMemory};
use crate::ffi::DMA;

/// What the check before a free passes to the one after it. The port passes it as a number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct FreeCheck(pub(super) usize);

impl FreeCheck {
    /// The check is complete: nothing is to be reported after the free.
    pub(super) const DONE: Self = FreeCheck(0);

    /// The table does not have what is freed, so the check goes on after the free. `refused_calls` is how many calls
    /// were refused before it.
    fn undecided(refused_calls: usize) -> Self {
        FreeCheck(refused_calls.wrapping_add(1))
    }

    /// Returns whether the table did not have what was freed, and the library refused the free. `refused_calls` is how
    /// many calls have been refused after it.
    fn was_refused(self, refused_calls: usize) -> bool {
        self != Self::DONE && self != Self::undecided(refused_calls)
    }
}

/// Checks a free. `refused_calls` is how many calls were refused before it.
pub(super) fn check_before_free(call: &Call, freed: &FreedMemory, refused_calls: usize) -> FreeCheck {
    match WATCH.check_free(&DMA, call, freed) {
        AfterFree::Nothing => FreeCheck::DONE,
        AfterFree::ReportRefusal => FreeCheck::undecided(refused_calls),
    }
}

/// Reports the free of memory that the table does not have if the library refused it. `refused_calls` is how many calls
/// have been refused after the free.
pub(super) fn report_if_refused(
    call: Option<&rt_dma_watch_call>,
    cpu_addr: *mut c_void,
    size: usize,
    check: FreeCheck,
    refused_calls: usize,
) {
    if check.was_refused(refused_calls)
        && let Some(call) = checked_after(call)
    {
        WATCH.report_refused_free(&call, cpu_addr.expose_provenance(), size);
    }
}
