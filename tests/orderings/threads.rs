//! A kernel whose threads loom switches.

use rt_dma_pool::kernel::testing::Services;

/// The kernel.
#[derive(Clone, Copy)]
pub struct Threads {
    pub may_sleep: bool,
}

// SAFETY: it maps nothing.
unsafe impl Services for Threads {
    fn pause(&self) {
        loom::thread::yield_now();
    }
    fn can_sleep(&self) -> bool {
        self.may_sleep
    }
}
