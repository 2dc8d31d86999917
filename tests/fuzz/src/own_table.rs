//! Tables of operations that a board has of its own: with all operations, and with one.

use std::cell::Cell;
use std::ffi::c_void;

use crate::calls::NOMAP;
use crate::firmware::OWN;
use crate::memory::{self, PAGE, linear, pa_of};
use crate::port::{INVAL, OK};

type Dev = *mut c_void;

/// `struct rt_dma_map_ops`.
#[repr(C)]
struct Ops {
    alloc: Option<extern "C" fn(Dev, usize, *mut usize, usize) -> *mut c_void>,
    free: Option<extern "C" fn(Dev, usize, *mut c_void, usize, usize)>,
    sync_out: Option<extern "C" fn(Dev, *mut c_void, usize, *mut usize, usize) -> isize>,
    sync_in: Option<extern "C" fn(Dev, *mut c_void, usize, usize, usize) -> isize>,
}

static WITH_ALL: Ops = Ops { alloc: Some(alloc), free: Some(free), sync_out: Some(sync_out), sync_in: Some(sync_in) };
static WITH_ONE: Ops = Ops { alloc: None, free: None, sync_out: Some(sync_out), sync_in: None };

pub fn own() -> *mut c_void {
    std::ptr::from_ref(&WITH_ALL).cast_mut().cast()
}

pub fn partial() -> *mut c_void {
    std::ptr::from_ref(&WITH_ONE).cast_mut().cast()
}

thread_local! {
    /// The pages in use, as bits.
    static USED: Cell<usize> = const { Cell::new(0) };
}

/// Begins a run.
pub fn reset() {
    USED.set(0);
}

/// Returns whether no page is in use.
pub fn is_free() -> bool {
    USED.get() == 0
}

extern "C" fn alloc(_dev: Dev, size: usize, handle: *mut usize, flags: usize) -> *mut c_void {
    assert!(size != 0 && !handle.is_null(), "the library promises a size and a handle");
    let pages = size.div_ceil(PAGE);
    if pages > OWN.len() || flags & NOMAP != 0 {
        return std::ptr::null_mut();
    }
    let bits = (1 << pages) - 1;
    let Some(first) = (0..=OWN.len() - pages).find(|first| USED.get() & bits << first == 0) else {
        return std::ptr::null_mut();
    };
    USED.set(USED.get() | bits << first);
    let pa = pa_of(OWN.start + first);
    // SAFETY: the caller's place.
    unsafe { handle.write(pa) };
    linear(pa) as *mut c_void
}

extern "C" fn free(_dev: Dev, size: usize, address: *mut c_void, handle: usize, _flags: usize) {
    let bits = ((1 << size.div_ceil(PAGE)) - 1) << ((address as usize - linear(pa_of(OWN.start))) / PAGE);
    assert!(USED.get() & bits == bits, "the board's own memory is freed twice, or was not in use");
    assert!(handle == 0 || address as usize == linear(handle), "the handle is not that of the buffer");
    USED.set(USED.get() & !bits);
}

extern "C" fn sync_out(_dev: Dev, data: *mut c_void, size: usize, handle: *mut usize, _flags: usize) -> isize {
    assert!(!data.is_null() && size != 0 && !handle.is_null(), "the library promises an address, a size and a handle");
    let Some(pa) = memory::v2p(data as usize) else { return INVAL };
    maintain(data as usize, size);
    // SAFETY: the caller's place.
    unsafe { handle.write(pa) };
    OK
}

extern "C" fn sync_in(_dev: Dev, data: *mut c_void, size: usize, _handle: usize, _flags: usize) -> isize {
    assert!(!data.is_null() && size != 0, "the library promises an address and a size");
    maintain(data as usize, size);
    OK
}

/// Writes the lines of a buffer back, and reads them again.
fn maintain(va: usize, size: usize) {
    let pages = (va & !(PAGE - 1)..va + size).step_by(PAGE);
    for page in pages {
        let (from, to) = (page.max(va), (page + PAGE).min(va + size));
        if let Some(pa) = memory::v2p(from) {
            memory::with(|memory| memory.flush(pa, to - from, false));
        }
    }
}
