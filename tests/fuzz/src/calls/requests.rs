//! Allocating buffers.

use rt_dma_pool::ffi::*;

use super::buffers::Buffer;
use super::{
    ADDRESS_32BITS, DEVICE, Device, Happened, LINEAR, NOCACHE, NOMAP, WRITE_THROUGH, call, has_own_memory, place_for,
    pools, world,
};
use crate::devices::{Bus, Table};
use crate::input;
use crate::memory::{self, PAGE};

/// What a driver asks for.
struct Request {
    device: Device,
    size: usize,
    flags: usize,
    align: usize,
}

const FLAGS: [usize; 12] = [
    0,
    NOCACHE,
    NOCACHE | LINEAR,
    WRITE_THROUGH,
    NOMAP,
    ADDRESS_32BITS,
    DEVICE,
    DEVICE | NOCACHE,
    NOCACHE | ADDRESS_32BITS,
    NOMAP | ADDRESS_32BITS,
    LINEAR,
    WRITE_THROUGH | NOCACHE,
];

fn size() -> usize {
    match input::below(16) {
        0..=7 => 1 + input::below(6) * PAGE,
        8..=11 => PAGE * (1 + input::below(16)),
        12 => 1 + input::below_many(20_000),
        13 => PAGE * (1 + input::below(210)),
        14 => input::one_of(&[0, 1, usize::MAX, usize::MAX - PAGE + 2, 1 << 63, usize::MAX - PAGE, 1 << 20]),
        _ => PAGE,
    }
}

/// Allocates a buffer by one of the calls that do.
pub fn allocate() {
    if world(|world| world.buffers.len()) > 40 {
        return;
    }
    let mut request = Request { device: Device::any(), size: size(), flags: input::one_of(&FLAGS), align: PAGE };
    let is_asked = !input::one_in(8);
    let which = input::below(16);
    if which == 11 {
        request.align = input::one_of(&[2 * PAGE, 4 * PAGE, 16 * PAGE, 64, 1, 0, 3 * PAGE, 1 << 40, 1 << 63, 8 * PAGE]);
    }
    if matches!(which, 8 | 9 | 10 | 14) {
        pools::refresh_free();
    }
    let expected = expected(&request);
    let mut handle = 0x5555;
    let place = place_for(&mut handle, is_asked);
    let (dev, size) = (request.device.pointer(), request.size);
    let flags = request.flags;
    let (address, happened) = call(|| unsafe {
        match which {
            0..=7 => rt_dma_alloc(dev, size, place, flags),
            8 => rt_dma_zalloc(dev, size, place, flags),
            9 => rt_dma_alloc_wc(dev, size, place),
            10 => rt_dma_zalloc_coherent(dev, size, place),
            11 => rt_dma_alloc_aligned(dev, size, request.align, place, flags),
            12 | 13 => rt_dmam_alloc(dev, size, place, flags),
            14 => rt_dmam_zalloc_coherent(dev, size, place),
            _ => rt_dma_alloc(std::ptr::null_mut(), size, place, flags),
        }
    });
    if matches!(which, 9 | 10 | 14) {
        request.flags = unsafe { rt_dma_wc_flags(dev) };
    }
    let va = address as usize;
    crate::log!(
        "allocate {size} bytes, {:?}, flags {flags:#x}, call {which}: {va:#x}, handle {handle:#x}",
        request.device
    );
    if va == 0 {
        assert!(handle == 0x5555 || which < 8 || which == 15, "a handle was written for no buffer");
    } else {
        assert!(which != 15, "memory is allocated for no device");
    }
    check_placement(&request, which, va, happened, expected);
    if va != 0 {
        accept(&request, which, va, is_asked.then_some(handle));
    }
}

fn accept(request: &Request, which: usize, va: usize, handle: Option<usize>) {
    let &Request { device, size, flags, align } = request;
    let is_zeroed = matches!(which, 8 | 9 | 10 | 14);
    if is_zeroed {
        let pa = memory::v2p(va).expect("a buffer is mapped");
        assert!(memory::read(va, size).iter().all(|byte| *byte == 0), "the buffer is not cleared");
        let seen = memory::with(|memory| memory.device_read(pa, size, false));
        // The board's own memory is cached, whatever the flags are.
        let is_seen = has_own_memory(device) || seen.iter().all(|byte| *byte == 0);
        assert!(is_seen, "the device does not see the zeros of {size} bytes at {va:#x}");
    }
    let mut buffer = Buffer::new(device, size, va, handle, flags);
    assert!(which != 11 || buffer.handle.is_multiple_of(align), "the buffer is not aligned");
    buffer.is_managed = matches!(which, 12..=14);
    world(|world| world.buffers.push(buffer));
}

/// Where a request must be served: the physical address, or none. `None` if the model does not know.
type Expected = Option<Option<usize>>;

/// Returns where first fit serves a request of a device without memory of its own.
fn expected(request: &Request) -> Expected {
    let &Request { device, size, flags, align } = request;
    let kind = device.kind();
    if !matches!(kind.bus, Bus::Plain) || kind.has_node || kind.table == Table::Own || flags & DEVICE != 0 {
        return None;
    }
    if size == 0 || !align.is_power_of_two() {
        return Some(None);
    }
    let wanted = flags & (NOMAP | ADDRESS_32BITS);
    let pages = size.div_ceil(PAGE);
    let mask = device.coherent_mask();
    for pool in pools::all().iter().filter(|pool| pool.flags & wanted == wanted && pool.flags & DEVICE == 0) {
        let fits = |first: &usize| {
            let pa = pool.start + first * PAGE;
            let last = pa as u64 + size as u64 - 1;
            pa.is_multiple_of(align) && last <= mask && (*first..first + pages).all(|page| !pool.is_used(page))
        };
        let last = pool.pages.checked_sub(pages);
        if let Some(first) = last.and_then(|last| (0..=last).find(fits)) {
            return Some(Some(pool.start + first * PAGE));
        }
    }
    Some(None)
}

fn check_placement(request: &Request, which: usize, va: usize, happened: Happened, expected: Expected) {
    // Calls that choose flags or alignment themselves.
    if !matches!(which, 0..=8 | 11..=13) || !happened.is_plain() {
        return;
    }
    let Some(expected) = expected else { return };
    let is_cleared_nomap = which == 8 && request.flags & NOMAP != 0;
    let expected = expected.filter(|_| !is_cleared_nomap);
    let found = match va {
        0 => None,
        _ if request.flags & NOMAP != 0 => Some(va),
        _ => memory::v2p(va),
    };
    assert!(found == expected, "{} bytes are at {found:x?}, first fit is {expected:x?}", request.size);
}
