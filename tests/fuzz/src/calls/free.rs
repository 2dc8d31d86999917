//! Freeing buffers, rightly and wrongly.

use rt_dma_pool::ffi::*;

use super::buffers::Buffer;
use super::{Device, LINEAR, NOMAP, c_call, has_own_memory, pointer, pools, world};
use crate::memory::{self, PAGE};
use crate::{input, machine};

fn take_unmapped() -> Option<Buffer> {
    let choice = input::below(256);
    world(|world| {
        let buffers = &mut world.buffers;
        let index = if buffers.is_empty() { return None } else { choice % buffers.len() };
        // A driver unmaps first.
        buffers[index].area.mappings.is_empty().then(|| buffers.swap_remove(index))
    })
}

/// How a driver frees a buffer.
#[derive(Clone, Copy, Debug)]
struct FreeChoice {
    with_handle: bool,
    /// With the flags of the allocation. Drivers free with other flags, too.
    with_flags: bool,
    by_managed_call: bool,
}

impl FreeChoice {
    fn from_bits(bits: usize) -> Self {
        FreeChoice { with_handle: bits & 1 == 0, with_flags: bits & 2 == 0, by_managed_call: bits & 4 != 0 }
    }
}

/// Frees a buffer as its driver does.
pub fn free() {
    if let Some(buffer) = take_unmapped() {
        give_back(buffer, FreeChoice::from_bits(input::below(16)));
    }
}

fn give_back(buffer: Buffer, choice: FreeChoice) {
    buffer.area.check();
    world(|world| world.disown(&buffer));
    let &Buffer { device, size, va, flags, is_managed, pa, .. } = &buffer;
    let handle = if choice.with_handle { buffer.handle } else { 0 };
    let flags = if choice.with_flags { flags } else { flags & NOMAP | LINEAR };
    let by_managed_call = is_managed && choice.by_managed_call;
    let is_context_wrong = by_managed_call && machine::is_atomic();
    crate::log!(
        "free {size} bytes at {va:#x} ({pa:#x}), {device:?}, flags {flags:#x}, managed {is_managed}, {choice:?}"
    );
    let ((), happened) = c_call(|| unsafe {
        if by_managed_call {
            rt_dmam_free(device.pointer(), size, pointer(va), handle);
        } else {
            rt_dma_free(device.pointer(), size, pointer(va), handle, flags);
        }
    });
    let is_refused = !happened.was_interrupted && !buffer.is_own() && pools::is_used(pa);
    if is_refused || is_context_wrong {
        // A mapping of its own is removed by a thread only.
        assert!(machine::is_atomic(), "a buffer is not freed: {size} bytes at {va:#x}, {pa:#x}, flags {flags:#x}");
        world(|world| {
            world.own(pa, buffer.pages());
            world.buffers.push(buffer);
        });
        return;
    }
    assert!(happened.errors == 0 || happened.was_interrupted, "a right free is logged as an error");
    world(|world| {
        if world.freed.len() == 16 {
            world.freed.remove(0);
        }
        world.freed.push(buffer);
    });
}

/// What is wrong with a free.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mistake {
    SecondFree,
    LargerSize,
    SmallerSize,
    NextPage,
    InsidePage,
    WrongHandle,
    ImpossibleSize,
    EndOfPool,
    OtherDevice,
}

use Mistake::*;

/// One of these is chosen.
const MISTAKES: [Mistake; 12] = [
    SecondFree,
    SecondFree,
    SecondFree,
    SecondFree,
    LargerSize,
    SmallerSize,
    NextPage,
    InsidePage,
    WrongHandle,
    ImpossibleSize,
    EndOfPool,
    OtherDevice,
];

/// Makes a call that frees nothing: the library must see that.
pub fn free_wrongly() {
    let (mistake, choice) = (input::one_of(&MISTAKES), input::below(256));
    let known = world(|world| {
        let list = if mistake == SecondFree { &world.freed } else { &world.buffers };
        if list.is_empty() { None } else { Some(list[choice % list.len()].clone()) }
    });
    let Some(Buffer { mut device, mut size, mut va, mut handle, mut flags, .. }) = known else { return };
    match mistake {
        SecondFree => {}
        LargerSize => size += PAGE,
        SmallerSize => size = size.saturating_sub(PAGE),
        NextPage => va += PAGE,
        InsidePage => va += 1 + input::below(200),
        WrongHandle => handle = handle.wrapping_add(PAGE),
        ImpossibleSize => size = input::one_of(&[usize::MAX, 0, 1 << 63, usize::MAX - PAGE + 1]),
        EndOfPool => {
            let end = pools::all().get(input::below(4)).map_or(0, |pool| pool.start + pool.pages * PAGE);
            (va, handle) = (memory::linear(end), end);
        }
        OtherDevice => (device, flags) = (Device::any(), flags ^ NOMAP),
    }
    if has_own_memory(device) || is_right(size, va, handle) {
        return;
    }
    // If an interrupt allocated the memory meanwhile, a second free would be right.
    machine::arm_interrupt(0);
    let maps = pools::maps();
    let is_managed_free = input::one_in(4);
    crate::log!("wrong free of {size} bytes at {va:#x}, handle {handle:#x}, {device:?}, flags {flags:#x}, {mistake:?}");
    let ((), happened) = c_call(|| unsafe {
        if is_managed_free {
            rt_dmam_free(device.pointer(), size, pointer(va), handle);
        } else {
            rt_dma_free(device.pointer(), size, pointer(va), handle, flags);
        }
    });
    if !happened.was_interrupted {
        // The first call of a device may install pools.
        let what = format!("a wrong free changes something: {size} bytes at {va:#x}, handle {handle:#x}");
        pools::assert_unchanged(&maps, &what);
        let is_first_call = device.kind().has_node && machine::is_atomic();
        assert!(happened.errors != 0 || size == 0 || va == 0 || is_first_call, "a wrong free is not logged");
    }
}

/// Whether a call may be right after all: for a buffer of a driver, of a borrower, of the library's own, or of a call
/// that an interrupt came into.
fn is_right(size: usize, va: usize, handle: usize) -> bool {
    let page = memory::page_of(va).map(memory::pa_of);
    let found = memory::v2p(va & !(PAGE - 1));
    let is_others = |pa: usize| {
        let covers = |buffer: &Buffer| pa.wrapping_sub(buffer.pa) < buffer.pages() * PAGE;
        pools::is_used(pa) && !world(|world| world.buffers.iter().any(covers))
    };
    let is_right = |buffer: &Buffer| {
        let is_at = [buffer.va, buffer.pa].contains(&va) || found == Some(buffer.pa) && va.is_multiple_of(PAGE);
        let is_handle = handle == 0 || handle == buffer.pa || is_translated(buffer, handle);
        is_at && buffer.pages() == size.div_ceil(PAGE) && is_handle
    };
    world(|world| world.buffers.iter().any(is_right)) || [found, page].into_iter().flatten().any(is_others)
}

/// Whether another device's bus makes the handle of the buffer's address.
fn is_translated(buffer: &Buffer, handle: usize) -> bool {
    crate::devices::KINDS.iter().any(|kind| kind.bus.physical(handle) == Some(buffer.pa))
}

/// Frees all buffers.
pub fn free_all() {
    while let Some(buffer) = world(|world| world.buffers.pop()) {
        give_back(buffer, FreeChoice::from_bits(0));
    }
}
