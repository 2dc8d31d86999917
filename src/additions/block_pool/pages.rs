//! Where the memory of block pools comes from.

use crate::kernel::{Device, Handle, Va};

/// What an allocation does where no memory is free.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effort {
    /// It asks borrowers of the device's memory, and waits until they give some back. A failure is counted.
    AsksBorrowers,
    /// It fails, which is counted. This is for a caller for which borrowers were asked in vain.
    FailsCounted,
    /// It fails, which is neither counted nor logged. This is for a caller that can do without the memory.
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
    /// Allocates `size` bytes of coherent memory, whole pages, and returns their address and handle.
    ///
    /// Context: thread first, then any.
    fn allocate(&self, device: Device, size: usize) -> Option<(Va, Handle)>;

    /// Allocates as [`allocate`](Pages::allocate) does, at an address and a handle that are multiples of `align`, a
    /// power of two, if that is possible. The pool checks both.
    ///
    /// Context: thread first, then any.
    fn allocate_aligned(&self, device: Device, size: usize, align: usize) -> Option<(Va, Handle)> {
        let _ = align;
        self.allocate(device, size)
    }

    /// Allocates as [`allocate_aligned`](Pages::allocate_aligned) does, but only memory that is free now: asks no
    /// borrower, waits for nothing, and logs no failure. A failure is counted unless the `effort` is
    /// [`Effort::FailsUncounted`]. (A source that does none of this need not have a function of its own.)
    ///
    /// Context: thread first, then any.
    fn allocate_without_reclaim(
        &self,
        device: Device,
        size: usize,
        align: usize,
        effort: Effort,
    ) -> Option<(Va, Handle)> {
        let _ = effort;
        self.allocate_aligned(device, size, align)
    }

    /// Returns how often borrowers did not give back enough memory for a request, of any caller.
    ///
    /// Context: any.
    fn failed_waits(&self) -> usize {
        0
    }

    /// Frees what one of the calls above returned.
    ///
    /// Context: any. In an interrupt, it frees only what a call in the same interrupt has allocated.
    ///
    /// # Safety
    /// One of the calls above returned `va` and `handle` for `device` and `size`. The memory is not used any more, and
    /// is freed once.
    unsafe fn free(&self, device: Device, size: usize, va: Va, handle: Handle);

    /// Returns the last address that the device reaches now, with its coherent mask.
    ///
    /// Context: any.
    fn last_reachable(&self, device: Device) -> usize;
}
