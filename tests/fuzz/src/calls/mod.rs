//! The calls, and the model of what they must do.
//!
//! The model is never borrowed during a call: an interrupt may come, which makes calls of its own. What a call is about
//! is taken out of the model until the call returns, so that the interrupt leaves it alone.
//!
//! The calls of the C interface are `unsafe`. What their safety needs is the same for all: a device is one of this
//! machine, and exists as long as the run; a place for a handle is a variable of the caller; a block pool or a list is
//! one of the model. All other arguments may be wrong, and the library must notice that.

#![expect(clippy::undocumented_unsafe_blocks, reason = "the head of this file states it for all calls")]

mod areas;
mod blocks;
mod buffers;
mod free;
mod lending;
mod lists;
mod masks;
mod pools;
mod replace;
mod requests;
mod streaming;
mod sync;
mod world;

use std::ffi::c_void;
use std::sync::atomic::Ordering::Relaxed;

use rt_dma_pool::abi::rt_device;

use crate::devices::{self, DEVICES, Kind, Table};
use crate::machine::{self, Events, Service};
use crate::memory::{self, LOW_PAGES, MemoryType, PAGE, PAGES};
use crate::{firmware, heap, input, own_table, port};

use world::world;

pub const LINEAR: usize = 1;
pub const ADDRESS_32BITS: usize = 2;
pub const NOCACHE: usize = 4;
pub const DEVICE: usize = 8;
pub const NOMAP: usize = 16;
pub const WRITE_THROUGH: usize = 32;

/// A device of the machine, for one call.
#[derive(Clone, Copy, Debug)]
pub struct Device(pub usize);

impl Device {
    /// Chooses a device.
    pub fn any() -> Self {
        Device(input::below(DEVICES))
    }

    pub fn pointer(self) -> *mut rt_device {
        devices::address(self.0) as *mut rt_device
    }

    pub fn kind(self) -> &'static Kind {
        devices::kind(devices::address(self.0)).expect("a device")
    }

    /// Returns the physical address of `size` bytes that the device reaches at `handle`.
    pub fn reach(self, handle: usize, size: usize) -> Option<usize> {
        self.kind().bus.reach(handle, size)
    }

    pub fn streaming_mask(self) -> u64 {
        world(|world| world.masks[self.0][0])
    }

    pub fn coherent_mask(self) -> u64 {
        world(|world| world.masks[self.0][1])
    }
}

/// Returns bytes that differ from place to place, and from call to call.
pub fn fresh(size: usize) -> Vec<u8> {
    let seed = world(|world| {
        world.seed = world.seed.wrapping_add(1);
        world.seed
    });
    (0..size)
        .map(|at| (at as u8).wrapping_mul(7).wrapping_add(seed.wrapping_mul(101)).wrapping_add((at >> 8) as u8))
        .collect()
}

/// Makes a call of the C interface. Returns its result, and what happened during it.
pub fn c_call<T>(code: impl FnOnce() -> T) -> (T, Happened) {
    machine::count_call();
    let before = machine::events();
    let result = code();
    let Events { interrupts, failures, errors } = machine::events();
    let happened = Happened {
        was_interrupted: interrupts != before.interrupts,
        had_failure: failures != before.failures,
        errors: errors - before.errors,
    };
    (result, happened)
}

/// What happened during a call.
#[derive(Clone, Copy, Debug)]
pub struct Happened {
    pub was_interrupted: bool,
    pub had_failure: bool,
    /// Lines that were logged as errors.
    pub errors: usize,
}

impl Happened {
    /// Whether the call ran alone, in a thread, with all services.
    pub fn is_plain(self) -> bool {
        !self.was_interrupted && !self.had_failure && !machine::is_atomic()
    }
}

/// Begins a run: chooses the machine.
pub fn begin() {
    let bits = input::byte();
    let is_set = |bit: u32| bits >> bit & 1 != 0;
    let revision = if is_set(0) { 2 } else { 1 };
    let view_limit_mib = if is_set(1) { 0 } else { 64 };
    let largest_line = [64, 128, 256, 64][usize::from(bits >> 2 & 3)];
    let (keeps_flushed, has_dirty_lines) = (is_set(4), is_set(5));
    // One machine in four has no memblock, and another one in four no device tree.
    let (has_memblock, has_tree) = (bits >> 6 != 3, bits >> 6 != 2);
    port::rt_dma_port_configuration.revision.store(revision, Relaxed);
    port::rt_dma_port_configuration.view_limit_mib.store(view_limit_mib, Relaxed);
    memory::with(|memory| {
        memory.reset();
        memory.largest_line = largest_line;
        memory.keeps_flushed = keeps_flushed;
        if has_dirty_lines {
            memory.make_dirty(memory::KERNEL_LOW..memory::KERNEL_LOW + 48);
        }
    });
    firmware::reset(has_memblock, has_tree);
    world(|world| {
        world.masks = [[!0; 2]; DEVICES];
        world.owned = [false; PAGES];
        world.seed = 0;
        // After a run that failed.
        (world.buffers, world.freed, world.block_pools) = (Vec::new(), Vec::new(), Vec::new());
        world.loans = Vec::new();
    });
    let areas = areas::areas();
    world(|world| world.areas = areas);
    (0..DEVICES).for_each(|device| devices::attach(device, device));
    let pools = input::byte();
    (0..4).filter(|index| pools >> index & 1 == 0).for_each(pools::install_usual);
    world(|world| world.early_pools = pools::all().len());
}

/// Makes one call, or several that belong together, or changes the machine.
pub fn step() {
    match input::below(64) {
        0..=9 => requests::allocate(),
        10..=15 => free::free(),
        16..=19 => free::free_wrongly(),
        20..=22 => sync::sync(),
        23..=27 => streaming::map(),
        28..=31 => streaming::use_mapping(),
        32..=35 => streaming::unmap(),
        36 => streaming::unmap_wrongly(),
        37 => lists::map_list(),
        38 => blocks::create(),
        39..=44 => blocks::allocate(),
        45..=48 => blocks::free(),
        49 => blocks::free_wrongly(),
        50 => blocks::tend(),
        51 => blocks::destroy(),
        52..=53 => masks::set(),
        54 => pools::install(),
        55 => pools::extract(),
        56 => pools::look(),
        57 => lending::lend(),
        58 => replace::release(Device::any()),
        59 => replace::replace(),
        60 => change_machine(),
        61 => masks::limits(),
        62 => pools::own_region(),
        _ => {
            if input::one_in(4) {
                streaming::fill();
            } else {
                pools::uninstall();
            }
            buffers::check_all();
        }
    }
}

/// Changes what the library does not control.
fn change_machine() {
    match input::below(8) {
        0..=2 => machine::arm_interrupt(1 + input::below(12)),
        3 | 4 => {
            let service =
                input::one_of(&[Service::Heap, Service::Map, Service::Heap, Service::MapLinear, Service::Reserve]);
            machine::make_fail(service, input::below(8), 1 + input::below(4));
        }
        5 => {
            let page =
                [input::below_many(LOW_PAGES - 7), LOW_PAGES + input::below(PAGES - LOW_PAGES - 7)][input::below(2)];
            memory::with(|memory| memory.evict(page, 8));
        }
        6 if !machine::is_atomic() => machine::with_interrupts_masked(step),
        7 if !machine::in_interrupt() => machine::interrupt(),
        _ => machine::repair(),
    }
}

/// Gives all back, and checks that everything is whole.
pub fn finish() {
    input::end();
    machine::repair();
    machine::arm_interrupt(0);
    buffers::check_all();
    streaming::unmap_all();
    free::free_all();
    lending::give_all_back();
    blocks::destroy_all();
    (0..DEVICES).map(Device).for_each(replace::release);
    streaming::tidy();
    pools::assert_all_free();
    assert!(own_table::is_free(), "the board's own memory is not given back");
    pools::assert_mappings_are_views();
    heap::assert_nothing_is_lost();
}

/// Returns the place for a handle, or null if the caller does not ask for it.
pub fn place_for(handle: &mut usize, is_asked: bool) -> *mut usize {
    if is_asked { handle } else { std::ptr::null_mut() }
}

/// Checks that a buffer is mapped to `pa` from its first byte to its last.
pub fn assert_leads_to(va: usize, pa: usize, size: usize, is_uncached: bool) {
    memory::with(|memory| {
        for offset in (0..size).step_by(PAGE) {
            let (found, kind) = memory.translate(va + offset).unwrap_or_else(|| panic!("{va:#x} is not mapped"));
            assert!(found == pa + offset, "{:#x} leads to {found:#x}, not to {:#x}", va + offset, pa + offset);
            assert!(!is_uncached || kind == MemoryType::Uncached, "{va:#x} is mapped {kind:?}");
        }
    });
}

/// Returns an address as a pointer.
pub fn pointer(address: usize) -> *mut c_void {
    address as *mut c_void
}

/// Returns whether operations of the board's own allocate for the device.
pub fn has_own_memory(device: Device) -> bool {
    device.kind().table == Table::Own
}
