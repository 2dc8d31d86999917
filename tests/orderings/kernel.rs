//! A kernel whose threads loom switches.

use rt_dma_pool::kernel::testing::Services;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

#[derive(Clone, Copy)]
pub struct LoomKernel {
    pub may_sleep: bool,
}

// SAFETY: it maps nothing.
unsafe impl Services for LoomKernel {
    fn pause(&self) {
        // No panic message is printed.
        resume_unwind(Box::new(Waits));
    }
    fn can_sleep(&self) -> bool {
        self.may_sleep
    }
}

/// The panic of a thread that would wait.
struct Waits;

/// Returns what `work` returns; `None` if it would have to wait for a turn. In loom's model a thread that waits may
/// find the turn taken forever. Nothing is missed: what the thread does after it has waited, it does in another
/// execution without waiting, because it begins later there.
pub fn unless_it_waits<T>(work: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => Some(result),
        Err(panic) if panic.is::<Waits>() => None,
        Err(panic) => resume_unwind(panic),
    }
}
