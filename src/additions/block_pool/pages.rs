//! Where the memory of block pools comes from.

use crate::kernel::{Device, Handle, Va};

/// What an allocation does where no memory is free.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effort {
    /// It asks borrowers of the device's memory, and waits until they give some back. A failure is counted.
    AsksBorrowers,
    /// It asks no borrower, waits for nothing and logs nothing. A failure is counted. This is for a caller for which
    /// borrowers were asked in vain.
    FailsCounted,
    /// It asks no borrower, waits for nothing and logs nothing. A failure is not counted. This is for a caller that can
    /// do without the memory.
    FailsUncounted,
}

/// The source of a pool's spans: the device's coherent memory.
///
/// # Safety
///
/// Memory that [`allocate`](Pages::allocate) returned is mapped uncached for the processor, or is coherent for the
/// device in another way. No other code uses it until [`free`](Pages::free) gets it back, and its address is that of a
/// pointer whose provenance was exposed.
#[allow(unsafe_code)]
pub unsafe trait Pages: Copy + Send + Sync + 'static {
    /// Allocates `size` bytes of coherent memory, whole pages, and returns their address and handle. If it is possible,
    /// both are multiples of `align`, a power of two that is a page at least; the pool checks that. `effort` states
    /// what the call does where no memory is free; an operation of the BSP that allocates does what it always does.
    /// (A source of a test may ignore both.)
    ///
    /// Context: thread first, then any.
    fn allocate(&self, device: Device, size: usize, align: usize, effort: Effort) -> Option<(Va, Handle)>;

    /// Returns how often borrowers did not give back enough memory for a request, of any caller.
    ///
    /// Context: any.
    fn failed_waits(&self) -> usize {
        0
    }

    /// Frees what [`allocate`](Pages::allocate) returned.
    ///
    /// Context: any. In an interrupt, it frees only what a call in the same interrupt has allocated.
    ///
    /// # Safety
    /// [`allocate`](Pages::allocate) returned `va` and `handle` for `device` and `size`. The memory is not used any
    /// more, and is freed once.
    unsafe fn free(&self, device: Device, size: usize, va: Va, handle: Handle);

    /// Returns the last address that the device reaches now, with its coherent mask. A new pool calls this before and
    /// after it enters the list of pools, so that an implementation can also begin to follow changes of the mask.
    ///
    /// Context: any.
    fn last_reachable(&self, device: Device) -> usize;
}
