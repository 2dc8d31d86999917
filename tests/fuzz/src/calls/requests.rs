//! Allocating buffers.

use rt_dma_pool::ffi::*;

use super::buffers::Buffer;
use super::{
    ADDRESS_32BITS, DEVICE, Device, Happened, LINEAR, NOCACHE, NOMAP, WRITE_THROUGH, c_call, has_own_memory, place_for,
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

/// The calls that allocate a buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum AllocCall {
    Plain,
    Zeroed,
    WriteCombining,
    ZeroedCoherent,
    Aligned,
    Managed,
    ManagedCoherent,
    NoDevice,
}

use AllocCall::*;

/// One of these is chosen: `rt_dma_alloc` in half of the cases.
const CALLS: [AllocCall; 16] = [
    Plain,
    Plain,
    Plain,
    Plain,
    Plain,
    Plain,
    Plain,
    Plain,
    Zeroed,
    WriteCombining,
    ZeroedCoherent,
    Aligned,
    Managed,
    Managed,
    ManagedCoherent,
    NoDevice,
];

impl AllocCall {
    fn clears_memory(self) -> bool {
        matches!(self, Zeroed | WriteCombining | ZeroedCoherent | ManagedCoherent)
    }

    /// Returns whether the call has no argument for flags.
    fn chooses_flags(self) -> bool {
        matches!(self, WriteCombining | ZeroedCoherent | ManagedCoherent)
    }

    fn is_managed(self) -> bool {
        matches!(self, Managed | ManagedCoherent)
    }

    /// Returns whether the caller's place for the handle is left alone if there is no memory.
    fn leaves_handle(self) -> bool {
        !matches!(self, Plain | NoDevice)
    }
}

/// What the place for the handle has before the call.
const UNWRITTEN: usize = 0x5555;

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
    let call = input::one_of(&CALLS);
    if call == Aligned {
        request.align = input::one_of(&[2 * PAGE, 4 * PAGE, 16 * PAGE, 64, 1, 0, 3 * PAGE, 1 << 40, 1 << 63, 8 * PAGE]);
    }
    if call.clears_memory() {
        pools::refresh_free();
    }
    let expected = expected(&request);
    let mut handle = UNWRITTEN;
    let place = place_for(&mut handle, is_asked);
    let (dev, size) = (request.device.pointer(), request.size);
    let flags = request.flags;
    let (address, happened) = c_call(|| unsafe {
        match call {
            Plain => rt_dma_alloc(dev, size, place, flags),
            Zeroed => rt_dma_zalloc(dev, size, place, flags),
            WriteCombining => rt_dma_alloc_wc(dev, size, place),
            ZeroedCoherent => rt_dma_zalloc_coherent(dev, size, place),
            Aligned => rt_dma_alloc_aligned(dev, size, request.align, place, flags),
            Managed => rt_dmam_alloc(dev, size, place, flags),
            ManagedCoherent => rt_dmam_zalloc_coherent(dev, size, place),
            NoDevice => rt_dma_alloc(std::ptr::null_mut(), size, place, flags),
        }
    });
    if call.chooses_flags() {
        request.flags = unsafe { rt_dma_wc_flags(dev) };
    }
    let va = address as usize;
    crate::log!(
        "allocate {size} bytes, {:?}, flags {flags:#x}, call {call:?}: {va:#x}, handle {handle:#x}",
        request.device
    );
    if va == 0 {
        assert!(handle == UNWRITTEN || !call.leaves_handle(), "a handle was written for no buffer");
    } else {
        assert!(call != NoDevice, "memory is allocated for no device");
    }
    check_placement(&request, call, va, happened, expected);
    if va != 0 {
        accept(&request, call, va, is_asked.then_some(handle));
    }
}

fn accept(request: &Request, call: AllocCall, va: usize, handle: Option<usize>) {
    let &Request { device, size, flags, align } = request;
    if call.clears_memory() {
        let pa = memory::v2p(va).expect("a buffer is mapped");
        assert!(memory::read(va, size).iter().all(|byte| *byte == 0), "the buffer is not cleared");
        let seen = memory::with(|memory| memory.device_read(pa, size, false));
        // The board's own memory is cached, whatever the flags are.
        let is_seen = has_own_memory(device) || seen.iter().all(|byte| *byte == 0);
        assert!(is_seen, "the device does not see the zeros of {size} bytes at {va:#x}");
    }
    let mut buffer = Buffer::new(device, size, va, handle, flags);
    assert!(call != Aligned || buffer.handle.is_multiple_of(align), "the buffer is not aligned");
    buffer.is_managed = call.is_managed();
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

fn check_placement(request: &Request, call: AllocCall, va: usize, happened: Happened, expected: Expected) {
    if call.chooses_flags() || call == NoDevice || !happened.is_plain() {
        return;
    }
    let Some(expected) = expected else { return };
    let is_cleared_nomap = call == Zeroed && request.flags & NOMAP != 0;
    let expected = expected.filter(|_| !is_cleared_nomap);
    let found = match va {
        0 => None,
        _ if request.flags & NOMAP != 0 => Some(va),
        _ => memory::v2p(va),
    };
    assert!(found == expected, "{} bytes are at {found:x?}, first fit is {expected:x?}", request.size);
}
