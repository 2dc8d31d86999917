//! Where the memory of a pool comes from.

use crate::kernel::{Device, Va};

/// The source of a pool's spans: the device's coherent memory.
///
/// # Safety
///
/// Memory that [`allocate`](Pages::allocate) returned is mapped uncached for the processor, or is coherent for the device in
/// another way. No other code uses it until [`free`](Pages::free) gets it back, and its address is that of a pointer whose
/// provenance was exposed.
#[allow(unsafe_code)]
pub unsafe trait Pages: Copy + Send + Sync + 'static {
    /// Allocates `size` bytes of coherent memory, whole pages, and returns their address and handle.
    ///
    /// Context: thread first, then any.
    fn allocate(&self, device: Device, size: usize) -> Option<(Va, usize)>;

    /// Allocates as [`allocate`](Pages::allocate) does, at an address and a handle that are multiples of `align`, a power of
    /// two, if that is possible. The pool checks both.
    ///
    /// Context: thread first, then any.
    fn allocate_aligned(&self, device: Device, size: usize, align: usize) -> Option<(Va, usize)> {
        let _ = align;
        self.allocate(device, size)
    }

    /// Frees what one of the calls above returned.
    ///
    /// Context: thread.
    fn free(&self, device: Device, size: usize, va: Va, handle: usize);

    /// Returns the last address that the device reaches now, with its coherent mask.
    ///
    /// Context: any.
    fn limit(&self, device: Device) -> usize;
}
