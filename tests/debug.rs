//! Tests the debug mode: each mistake of a driver is one line and one count, and the right variant of each is silent.

mod fake_kernel;

use fake_kernel::*;
use rt_dma_pool::additions::debug::{Allocated, Buffer, Call, Debug, Entry, Freed, Kind, Mistake, Named};
use rt_dma_pool::additions::streaming::{Direction, MAPPING_ERROR};
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::Device;
use rt_dma_pool::log::{Level, Name};
use std::ffi::CStr;

const START: usize = LOW.start;
const MAP: usize = 0x1111;
const END: usize = 0x2222;

/// A driver, its device, and the debug mode that watches it.
struct Rig {
    machine: Machine,
    debug: &'static Debug<FakeKernel>,
    device: Device,
}

impl Rig {
    fn with_entries(count: usize) -> Self {
        let (machine, _) = Machine::with_pool(c"pool", START, 64 * PAGE);
        let debug: &'static Debug<FakeKernel> = Box::leak(Box::new(Debug::new(machine.kernel)));
        debug.start(Box::leak(vec![Entry::EMPTY; count].into_boxed_slice()));
        let device = machine.device(DeviceInfo::plain().named(c"eth0"));
        Rig { machine, debug, device }
    }

    fn new() -> Self {
        Rig::with_entries(64)
    }

    fn other(&self, name: &'static CStr) -> Device {
        self.machine.device(DeviceInfo::plain().named(name))
    }

    fn call(&self, caller: usize) -> Call {
        Call { device: self.device, caller, time: 5, is_new: false }
    }

    fn by(&self, device: Device, caller: usize) -> Call {
        Call { device, ..self.call(caller) }
    }

    /// Allocates a buffer, and has it recorded.
    fn alloc(&self, size: usize, flags: Flags) -> Held {
        let held = self.machine.alloc(self.device, size, flags).unwrap();
        self.record(self.device, &held);
        held
    }

    fn record(&self, device: Device, held: &Held) {
        let (va, handle, size) = (held.va, held.handle, held.size);
        let new =
            Allocated { kind: Kind::Buffer, va, handle, size, flags: held.flags.bits(), pool: 0, is_managed: false };
        self.debug.allocated(&self.by(device, MAP), &new);
    }

    fn free(&self, freed: Freed) -> bool {
        self.debug.freeing(&self.call(END), &freed)
    }

    /// Records a mapping, whose handle is its physical address.
    fn map(&self, va: usize, size: usize, direction: Direction) -> usize {
        self.map_as(self.device, Buffer { direction, ..buffer(va, size) })
    }

    fn map_as(&self, device: Device, buffer: Buffer) -> usize {
        let handle = self.machine.at(buffer.va).unwrap().0;
        self.debug.mapped(&self.by(device, MAP), &buffer, handle);
        self.debug.checked(&self.by(device, MAP), handle);
        handle
    }

    fn unmap(&self, named: Named) {
        self.debug.unmapping(&self.call(END), &named);
    }

    fn sync_data(&self, va: usize, size: usize, flags: Flags) {
        self.debug.syncing_data(self.machine.dma, &self.call(END), va, size, flags, false);
    }

    /// The lines since the last call.
    fn lines(&self) -> Vec<String> {
        self.machine.take_errors()
    }

    /// Checks that one mistake was found since the last call, and that its line is `rest`.
    #[track_caller]
    fn found(&self, mistake: Mistake, rest: &str) {
        assert_eq!(self.lines(), [format!("eth0: {}: {rest}; caller 0x2222", mistake.label().to_str().unwrap())]);
        let counts = |device| Mistake::ALL.map(|other| self.debug.count(device, other) - usize::from(other == mistake));
        assert_eq!(counts(None), [0; Mistake::ALL.len()], "it is counted once, and no other");
        assert_eq!(counts(Some(self.device)), [0; Mistake::ALL.len()]);
        assert_eq!(self.debug.mistakes(None), 1);
    }

    #[track_caller]
    fn silent(&self) {
        assert_eq!(self.lines(), [""; 0]);
        assert_eq!(self.debug.mistakes(None), 0);
    }
}

fn freed(held: &Held) -> Freed {
    Freed { kind: Kind::Buffer, va: held.va, size: held.size, handle: held.handle, pool: 0, is_managed: false }
}

fn buffer(va: usize, size: usize) -> Buffer {
    let direction = Direction::ToDevice;
    Buffer {
        kind: Kind::Single,
        va,
        pa: 0,
        size,
        direction,
        count: 0,
        has_own_lines: false,
        is_on_stack: false,
        is_managed: false,
    }
}

fn named(handle: usize, size: usize, direction: Direction) -> Named {
    Named { kind: Some(Kind::Single), handle, size, direction, count: 0, is_managed: false }
}

/// The driver's own memory: mapped, and no pool's.
fn own_memory(rig: &Rig) -> usize {
    rig.machine.premap_linear(START + 64 * PAGE, 4 * PAGE);
    rig.machine.at_linear(START + 64 * PAGE)
}

#[test]
fn a_driver_without_mistakes_causes_no_line() {
    let rig = Rig::new();
    let memory = own_memory(&rig);
    for flags in [Flags::empty(), Flags::NOCACHE] {
        let held = rig.alloc(5000, flags);
        rig.sync_data(held.va, 5000, flags);
        rig.sync_data(held.va + 64, 100, flags);
        assert!(rig.free(freed(&held)));
    }
    let held = rig.alloc(100, Flags::empty());
    assert!(rig.free(Freed { handle: 0, ..freed(&held) }), "a caller need not know the handle");
    for direction in [Direction::ToDevice, Direction::FromDevice, Direction::Bidirectional] {
        let handle = rig.map(memory, 1500, direction);
        rig.debug.syncing(&rig.call(END), &named(handle + 100, 1400, direction));
        rig.debug.syncing(&rig.call(END), &named(handle, 0, Direction::Neither));
        rig.unmap(named(handle, 1500, direction));
    }
    // A bidirectional mapping is synced in any direction, and several devices may read the same bytes.
    let handle = rig.map(memory, 64, Direction::Bidirectional);
    rig.debug.syncing(&rig.call(END), &named(handle, 64, Direction::ToDevice));
    rig.unmap(named(handle, 64, Direction::Bidirectional));
    let twice = [0, 1].map(|_| rig.map(memory, 64, Direction::ToDevice));
    for handle in twice {
        rig.unmap(named(handle, 64, Direction::ToDevice));
    }
    // Bounce buffers keep neighbours in one cache line apart.
    let neighbours = [memory, memory + 32].map(|va| rig.map(va, 32, Direction::FromDevice));
    for handle in neighbours {
        rig.unmap(named(handle, 32, Direction::FromDevice));
    }
    // The sync calls of drivers/dma.h need no mapping.
    rig.sync_data(memory, 64, Flags::empty());
    rig.debug.released(&rig.call(END));
    rig.silent();
}

#[test]
fn frees_that_do_not_fit_are_reported() {
    let rig = Rig::new();
    let held = rig.alloc(8192, Flags::empty());
    let at = format!("{:#x}, ", held.va);
    rig.free(Freed { size: 4096, ..freed(&held) });
    rig.found(Mistake::FreeSize, &format!("{at}4096 bytes, allocated with 8192"));

    let rig = Rig::new();
    let held = rig.alloc(100, Flags::empty());
    rig.free(Freed { size: 200, ..freed(&held) });
    rig.found(Mistake::FreeSize, &format!("{:#x}, 200 bytes, allocated with 100", held.va));
    assert!(rig.free(freed(&held)), "it was freed: the pages are as many");

    let rig = Rig::new();
    let held = rig.alloc(64, Flags::empty());
    rig.free(Freed { handle: held.handle + 64, ..freed(&held) });
    rig.found(Mistake::FreeHandle, &format!("{:#x}, 64 bytes, its handle is {:#x}", held.va, held.handle));

    let rig = Rig::new();
    let held = rig.alloc(64, Flags::empty());
    rig.free(Freed { is_managed: true, ..freed(&held) });
    rig.found(Mistake::FreeKind, &format!("{:#x}, 64 bytes, it is a buffer", held.va));
    assert!(rig.free(freed(&held)), "it is still allocated");

    let rig = Rig::new();
    let held = rig.machine.alloc(rig.device, 64, Flags::empty()).unwrap();
    rig.record(rig.other(c"dma1"), &held);
    rig.free(freed(&held));
    rig.found(Mistake::FreeDevice, &format!("{:#x}, 64 bytes, allocated for dma1", held.va));
}

#[test]
fn a_second_free_names_the_first_until_the_memory_is_allocated_again() {
    let rig = Rig::new();
    let held = rig.alloc(64, Flags::empty());
    rig.free(freed(&held));
    rig.silent();
    assert!(rig.free(freed(&held)));
    rig.found(Mistake::FreeTwice, &format!("{:#x}, 64 bytes, first by 0x2222", held.va));
    rig.record(rig.device, &held);
    rig.free(freed(&held));
    assert_eq!(rig.lines(), [""; 0]);
}

#[test]
fn a_free_of_unknown_memory_is_reported_if_the_library_refused_it() {
    let rig = Rig::new();
    let unknown = Freed { kind: Kind::Buffer, va: 0x9000, size: 64, handle: 0, pool: 0, is_managed: false };
    assert!(!rig.free(unknown));
    rig.silent();
    rig.debug.refused(&rig.call(END), &unknown);
    rig.found(Mistake::FreeUnknown, "0x9000, 64 bytes");
}

#[test]
fn blocks_belong_to_their_pools() {
    let rig = Rig::new();
    let pool = |va| Allocated { kind: Kind::Pool, va, handle: 0, size: 64, flags: 0, pool: 0, is_managed: false };
    for va in [0x1000, 0x2000] {
        rig.debug.allocated(&rig.call(MAP), &pool(va));
    }
    let block = Allocated { kind: Kind::Block, va: 0x8040, handle: 0x40, pool: 0x1000, ..pool(0) };
    rig.debug.allocated(&rig.call(MAP), &block);
    assert_eq!((rig.debug.device_of_pool(0x1000), rig.debug.block_size(0x1000)), (Some(rig.device.0), 64));
    let free = |pool, kind| rig.free(Freed { kind, va: 0x8040, size: 64, handle: 0x40, pool, is_managed: false });
    free(0x2000, Kind::Block);
    rig.found(Mistake::FreeDevice, "0x8040, 64 bytes, allocated for eth0");
    free(0, Kind::Buffer);
    assert_eq!(rig.lines(), ["eth0: free by another call: 0x8040, 64 bytes, it is a block; caller 0x2222"]);
    assert!(free(0x1000, Kind::Block));
    rig.debug.destroyed(0x1000);
    assert_eq!(rig.debug.device_of_pool(0x1000), None);
    assert_eq!(rig.lines(), [""; 0]);
}

#[test]
fn unmaps_that_do_not_fit_are_reported() {
    type Change = fn(Named) -> Named;
    let cases: [(Mistake, &str, Change); 4] = [
        (Mistake::UnmapSize, "1000 bytes, mapped with 1500", |named| Named { size: 1000, ..named }),
        (Mistake::UnmapDirection, "1500 bytes, mapped from the device", |named| Named {
            direction: Direction::ToDevice,
            ..named
        }),
        (Mistake::UnmapKind, "1500 bytes, it is a single mapping", |named| Named { kind: Some(Kind::Page), ..named }),
        (Mistake::UnmapKind, "1500 bytes, it is a single mapping", |named| Named { is_managed: true, ..named }),
    ];
    for (mistake, rest, change) in cases {
        let rig = Rig::new();
        let memory = own_memory(&rig);
        let handle = rig.map(memory, 1500, Direction::FromDevice);
        rig.unmap(change(named(handle, 1500, Direction::FromDevice)));
        rig.found(mistake, &format!("{handle:#x}, {rest}"));
    }
}

#[test]
fn an_unmap_of_unknown_memory_names_what_it_is() {
    let rig = Rig::new();
    let handle = rig.map(own_memory(&rig), 64, Direction::ToDevice);
    for _ in 0..2 {
        rig.unmap(named(handle, 64, Direction::ToDevice));
    }
    rig.found(Mistake::UnmapTwice, &format!("{handle:#x}, 64 bytes, first by 0x2222"));

    let rig = Rig::new();
    rig.unmap(named(0x8000, 64, Direction::ToDevice));
    rig.found(Mistake::UnmapUnknown, "0x8000, 64 bytes");

    let rig = Rig::new();
    rig.unmap(named(MAPPING_ERROR, 64, Direction::ToDevice));
    rig.found(Mistake::UnmapFailed, &format!("{MAPPING_ERROR:#x}, 64 bytes"));

    let rig = Rig::new();
    let held = rig.alloc(64, Flags::empty());
    rig.unmap(named(held.handle, 64, Direction::ToDevice));
    rig.found(Mistake::UnmapKind, &format!("{:#x}, 64 bytes, it is a buffer", held.handle));

    let rig = Rig::new();
    let other = rig.other(c"dma1");
    let handle = rig.map_as(other, buffer(own_memory(&rig), 64));
    rig.unmap(named(handle, 64, Direction::ToDevice));
    rig.found(Mistake::UnmapDevice, &format!("{handle:#x}, 64 bytes, mapped for dma1"));
}

#[test]
fn a_list_is_unmapped_as_a_list_with_its_number_of_entries() {
    let rig = Rig::new();
    let memory = own_memory(&rig);
    let list = |va| Buffer { kind: Kind::List, count: 2, ..buffer(va, 64) };
    let entry = |handle, count| Named { kind: Some(Kind::List), count, ..named(handle, 64, Direction::ToDevice) };
    let map = || [memory, memory + 64].map(|va| rig.map_as(rig.device, list(va)));
    let [first, second] = map();
    for handle in [first, second] {
        rig.unmap(entry(handle, 2));
    }
    rig.silent();
    let [first, _] = map();
    rig.unmap(entry(first, 1));
    rig.found(Mistake::UnmapCount, &format!("{first:#x}, 1 entries, mapped with 2"));
    rig.unmap(Named { kind: None, ..entry(second, 0) });
    let line = format!("eth0: unmap by another call: {second:#x}, 64 bytes, it is a list mapping; caller 0x2222");
    assert_eq!(rig.lines(), [line]);
}

#[test]
fn a_mapping_that_was_never_checked_is_reported_when_it_ends() {
    let rig = Rig::new();
    let memory = own_memory(&rig);
    let handle = rig.machine.at(memory).unwrap().0;
    rig.debug.mapped(&rig.call(MAP), &buffer(memory, 64), handle);
    rig.silent();
    rig.unmap(named(handle, 64, Direction::ToDevice));
    rig.found(Mistake::Unchecked, &format!("{handle:#x}, 64 bytes, mapped by 0x1111"));
}

#[test]
fn syncs_of_mappings_that_do_not_fit_are_reported() {
    let cases: [(Mistake, usize, usize, Direction, &str); 3] = [
        (Mistake::SyncUnknown, 2000, 64, Direction::FromDevice, ""),
        (Mistake::SyncEnd, 1000, 501, Direction::FromDevice, "end"),
        (Mistake::SyncDirection, 0, 64, Direction::ToDevice, ", mapped from the device"),
    ];
    for (mistake, offset, size, direction, rest) in cases {
        let rig = Rig::new();
        let handle = rig.map(own_memory(&rig), 1500, Direction::FromDevice);
        rig.debug.syncing(&rig.call(END), &named(handle + offset, size, direction));
        let rest = if rest == "end" { format!(", the end is {:#x}", handle + 1500) } else { rest.to_owned() };
        rig.found(mistake, &format!("{:#x}, {size} bytes{rest}", handle + offset));
    }
    let rig = Rig::new();
    let other = rig.other(c"dma1");
    let handle = rig.map_as(other, buffer(own_memory(&rig), 64));
    rig.debug.syncing(&rig.call(END), &named(handle, 64, Direction::ToDevice));
    rig.found(Mistake::SyncDevice, &format!("{handle:#x}, 64 bytes, mapped for dma1"));
}

#[test]
fn nocache_in_a_sync_of_cached_memory_and_the_reverse_are_reported() {
    let rig = Rig::new();
    let held = rig.alloc(4096, Flags::empty());
    rig.sync_data(held.va + 64, 1500, Flags::NOCACHE);
    rig.found(Mistake::SyncNocache, &format!("{:#x}, 1500 bytes", held.va + 64));

    let rig = Rig::new();
    let memory = own_memory(&rig);
    rig.sync_data(memory, 64, Flags::NOCACHE);
    rig.found(Mistake::SyncNocache, &format!("{memory:#x}, 64 bytes"));

    let rig = Rig::new();
    let held = rig.alloc(4096, Flags::NOCACHE);
    rig.sync_data(held.va, 4096, Flags::empty());
    rig.found(Mistake::SyncCached, &format!("{:#x}, 4096 bytes", held.va));

    // A driver that asked for any memory cannot know that the pool's is not cached.
    let rig = Rig::new();
    rig.machine.dma.pools().next().unwrap().add_flags(Flags::NOCACHE);
    let held = rig.alloc(4096, Flags::empty());
    rig.sync_data(held.va, 4096, Flags::empty());
    rig.sync_data(held.va, 4096, Flags::NOCACHE);
    rig.silent();
}

#[test]
fn a_sync_past_a_buffer_and_of_a_freed_one_are_reported() {
    let rig = Rig::new();
    let held = rig.alloc(1500, Flags::empty());
    rig.sync_data(held.va, 1500usize.next_multiple_of(LINE), Flags::empty());
    rig.silent();
    rig.sync_data(held.va, 4096, Flags::empty());
    rig.found(Mistake::SyncEnd, &format!("{:#x}, 4096 bytes, the end is {:#x}", held.va, held.va + 1500));

    let rig = Rig::new();
    let held = rig.alloc(1500, Flags::empty());
    rig.free(freed(&held));
    rig.machine.free(held).unwrap();
    rig.sync_data(held.va, 64, Flags::empty());
    rig.found(Mistake::SyncFreed, &format!("{:#x}, 64 bytes, freed by 0x2222", held.va));
    // The library itself may use the memory meanwhile.
    let again = rig.machine.alloc(rig.device, 1500, Flags::empty()).unwrap();
    assert_eq!(again.va, held.va);
    rig.sync_data(held.va, 64, Flags::empty());
    assert_eq!(rig.lines(), [""; 0]);
}

#[test]
fn bytes_that_two_devices_write_are_reported() {
    let rig = Rig::new();
    let memory = own_memory(&rig);
    let other = rig.other(c"dma1");
    let first = Buffer { direction: Direction::FromDevice, ..buffer(memory, 1000) };
    rig.map_as(other, first);
    rig.debug.mapped(&rig.call(END), &Buffer { va: memory + 999, ..first }, 0x5000);
    rig.found(Mistake::MapTwice, &format!("{:#x}, 1000 bytes, first by 0x1111", memory + 999));

    // A driver that owns its cache lines must have them for itself.
    let rig = Rig::new();
    let memory = own_memory(&rig);
    let first = Buffer { direction: Direction::FromDevice, has_own_lines: true, ..buffer(memory, LINE + 2) };
    rig.map_as(rig.device, first);
    let next = Buffer { va: memory + LINE + 2, size: 8, ..first };
    rig.debug.mapped(&rig.call(END), &Buffer { va: memory + 2 * LINE, ..next }, 0x5000);
    rig.silent();
    rig.debug.mapped(&rig.call(END), &next, 0x6000);
    rig.found(Mistake::MapTwice, &format!("{:#x}, 8 bytes, first by 0x1111", memory + LINE + 2));
}

#[test]
fn stacks_and_unmapped_addresses_are_reported() {
    let rig = Rig::new();
    let memory = own_memory(&rig);
    rig.debug.mapped(&rig.call(END), &Buffer { is_on_stack: true, ..buffer(memory, 64) }, memory);
    rig.found(Mistake::Stack, &format!("{memory:#x}, 64 bytes"));

    let rig = Rig::new();
    let memory = own_memory(&rig);
    rig.debug.syncing_data(rig.machine.dma, &rig.call(END), memory, 64, Flags::empty(), true);
    rig.found(Mistake::Stack, &format!("{memory:#x}, 64 bytes"));

    let rig = Rig::new();
    rig.debug.mapped(&rig.call(END), &buffer(0x10, 64), MAPPING_ERROR);
    rig.found(Mistake::Unmapped, "0x10, 64 bytes");

    // The last byte counts, too.
    let rig = Rig::new();
    let last = own_memory(&rig) + 4 * PAGE - 64;
    rig.debug.mapped(&rig.call(END), &buffer(last, 65), MAPPING_ERROR);
    rig.found(Mistake::Unmapped, &format!("{last:#x}, 65 bytes"));
}

#[test]
fn what_a_removed_device_holds_is_reported_but_not_what_is_managed() {
    let rig = Rig::new();
    let [kept, managed] = [64, 64].map(|size| rig.machine.alloc(rig.device, size, Flags::empty()).unwrap());
    rig.record(rig.device, &kept);
    let (va, handle) = (managed.va, managed.handle);
    let new = Allocated { kind: Kind::Buffer, va, handle, size: 64, flags: 0, pool: 0, is_managed: true };
    rig.debug.allocated(&rig.call(MAP), &new);
    rig.debug.released(&rig.call(END));
    let line = format!("eth0: still held after removal: {:#x}, 64 bytes, a buffer; caller 0x1111", kept.va);
    assert_eq!(rig.lines(), [line]);
    rig.debug.released(&rig.call(END));
    assert_eq!(rig.lines(), [""; 0], "it is reported once");
    assert!(rig.free(freed(&kept)), "a free after that is no mistake");
    assert_eq!(rig.lines(), [""; 0]);
}

#[test]
fn a_new_device_at_the_address_of_an_earlier_one_inherits_nothing() {
    let rig = Rig::new();
    let held = rig.alloc(64, Flags::empty());
    rig.debug.must_fail(&Call { is_new: true, ..rig.call(END) }, 64);
    let line = format!("eth0: still held after removal: {:#x}, 64 bytes, a buffer; caller 0x1111", held.va);
    assert_eq!(rig.lines(), [line]);
    rig.debug.released(&rig.call(END));
    assert_eq!(rig.lines(), [""; 0], "the new device holds nothing");
    rig.machine.replace(rig.device, DeviceInfo::plain().named(c"usb0"));
    rig.debug.must_fail(&Call { is_new: true, ..rig.call(END) }, 64);
    rig.unmap(named(MAPPING_ERROR, 64, Direction::ToDevice));
    assert!(rig.lines()[0].starts_with("usb0: unmap of a map that failed"));
    assert_eq!(rig.debug.find(Name::of(c"usb0")), Some(rig.device));
    assert_eq!(rig.debug.find(Name::of(c"eth0")), None);
}

#[test]
fn lines_of_an_interrupt_are_written_by_the_next_call_of_a_thread() {
    let rig = Rig::new();
    let handle = rig.map(own_memory(&rig), 64, Direction::ToDevice);
    let line = format!("eth0: unmap with another size: {handle:#x}, 32 bytes, mapped with 64; caller 0x2222");
    rig.machine.in_interrupt(|| rig.unmap(named(handle, 32, Direction::ToDevice)));
    assert_eq!(rig.lines(), [""; 0]);
    assert_eq!(rig.debug.count(Some(rig.device), Mistake::UnmapSize), 1, "it is counted at once");
    rig.machine.with_interrupts_off(|| rig.debug.must_fail(&rig.call(END), 1));
    assert_eq!(rig.lines(), [""; 0]);
    rig.debug.must_fail(&rig.call(END), 1);
    assert_eq!(rig.lines(), [line]);
}

#[test]
fn a_caller_that_repeats_a_mistake_gets_few_lines() {
    let rig = Rig::new();
    (0..1000).for_each(|_| rig.unmap(named(MAPPING_ERROR, 64, Direction::ToDevice)));
    let lines = rig.lines();
    let line = format!("eth0: unmap of a map that failed: {MAPPING_ERROR:#x}, 64 bytes; caller 0x2222");
    let times = |times| format!("eth0: {times} times: unmap of a map that failed; caller 0x2222");
    let mut expected = vec![line.clone(); 3];
    for count in [10, 100, 1000] {
        expected.extend([line.clone(), times(count)]);
    }
    assert_eq!(lines, expected);
    assert_eq!(rig.debug.mistakes(Some(rig.device)), 1000);
}

#[test]
fn a_full_table_is_reported_once_and_what_is_not_in_it_is_no_mistake() {
    let rig = Rig::with_entries(2);
    let held: Vec<_> = (0..5).map(|_| rig.alloc(64, Flags::empty())).collect();
    let warnings = rig.machine.take_log(Level::Warning);
    assert_eq!(warnings, ["eth0: debug table full: 2 entries in use, more are not checked"]);
    rig.unmap(named(0x8000, 64, Direction::ToDevice));
    for held in &held[2..4] {
        assert!(!rig.free(freed(held)), "not recorded");
    }
    held[..2].iter().for_each(|held| assert!(rig.free(freed(held))));
    rig.silent();
    // All that was not recorded was given back.
    rig.unmap(named(0x8000, 64, Direction::ToDevice));
    rig.found(Mistake::UnmapUnknown, "0x8000, 64 bytes");
}

#[test]
fn memory_that_was_given_back_without_a_call_is_forgotten_when_it_is_allocated_again() {
    let rig = Rig::new();
    let held = rig.alloc(8192, Flags::empty());
    rig.machine.free(held).unwrap();
    let again = rig.alloc(64, Flags::empty());
    assert_eq!(again.va, held.va);
    assert!(rig.free(freed(&again)));
    rig.silent();
}

#[test]
fn the_nth_call_fails_and_no_other() {
    let rig = Rig::new();
    let other = rig.other(c"dma1");
    assert!(rig.debug.fail(&rig.call(END), 3));
    let failed: Vec<_> = (0..5).map(|_| rig.debug.must_fail(&rig.call(END), 64)).collect();
    assert_eq!(failed, [false, false, true, false, false]);
    assert!(rig.debug.has_failed(rig.device));
    let note = "eth0: failure on request: allocation or mapping of 64 bytes; caller 0x2222";
    assert_eq!(rig.machine.take_log(Level::Warning), [note]);
    rig.debug.fail(&rig.call(END), 2);
    assert!(!rig.debug.has_failed(rig.device), "a new request begins anew");
    assert!(!rig.debug.must_fail(&rig.by(other, END), 64));
    assert!(!rig.debug.must_fail(&rig.call(END), 64));
    rig.debug.fail(&rig.call(END), 0);
    assert!(!rig.debug.must_fail(&rig.call(END), 64));
    assert!(!rig.debug.has_failed(rig.device));
    rig.silent();
}

#[test]
fn the_list_has_mistakes_and_what_devices_hold() {
    let rig = Rig::new();
    let other = rig.other(c"dma1");
    let held = rig.alloc(100, Flags::empty());
    let handle = rig.map_as(other, Buffer { direction: Direction::FromDevice, ..buffer(own_memory(&rig), 64) });
    rig.unmap(named(MAPPING_ERROR, 64, Direction::ToDevice));
    rig.machine.take_printed();
    rig.debug.list(None, 105);
    let text = rig.machine.take_printed().join("\n");
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "unmap of a map that failed 1 1 mistakes found".to_owned(),
        format!("eth0 buffer {:#x} 100 0x1111 100", held.va),
        format!("dma1 single mapping {handle:#x} 64 0x1111 100 from the device"),
        "2 held by devices 2 of 64 entries in use, 2 at most, 0 not recorded".to_owned(),
    ] {
        assert!(squeezed(&text).contains(&part), "{part}: {text}");
    }
    rig.debug.list(Some(other), 105);
    let text = rig.machine.take_printed().join("\n");
    assert!(squeezed(&text).contains("0 mistakes found") && !text.contains("eth0"), "{text}");
    assert!(squeezed(&text).contains("1 held by devices"), "{text}");
}

#[test]
fn cores_and_interrupts_at_once_lose_no_entry() {
    let rig = Rig::with_entries(1024);
    let memory = own_memory(&rig);
    let (debug, machine) = (rig.debug, &rig.machine);
    std::thread::scope(|scope| {
        for core in 0..4usize {
            let device = rig.other(c"core");
            scope.spawn(move || {
                for round in 0..2000usize {
                    let caller = Call { device, caller: core, time: 0, is_new: false };
                    let handle = 0x10_0000 * (core + 1) + 64 * (round % 16);
                    let run = || {
                        debug.mapped(&caller, &buffer(memory, 64), handle);
                        debug.checked(&caller, handle);
                        debug.unmapping(&caller, &named(handle, 64, Direction::ToDevice));
                    };
                    if round % 3 == 0 { machine.in_interrupt(run) } else { run() }
                }
            });
        }
    });
    rig.silent();
    rig.machine.take_printed();
    rig.debug.list(None, 0);
    assert!(rig.machine.take_printed().join("\n").contains("0 held by devices"));
}

/// Exported functions that neither allocate, map, sync nor give back.
const NOT_WATCHED: [&str; 22] = [
    "list_dma_block_pool",
    "rt_dma_block_pool_fill",
    "rt_dma_block_pool_trim",
    "rt_dma_get_coherent_mask",
    "rt_dma_get_mask",
    "rt_dma_get_max_segment",
    "rt_dma_get_min_align_mask",
    "rt_dma_get_segment_boundary",
    "rt_dma_list_pools",
    "rt_dma_ofw_device_map_ops",
    "rt_dma_pool_extract",
    "rt_dma_pool_install",
    "rt_dma_pool_next",
    "rt_dma_pool_statistics",
    "rt_dma_reserved_memory_install",
    "rt_dma_set_coherent_mask",
    "rt_dma_set_mask",
    "rt_dma_set_mask_and_coherent",
    "rt_dma_set_max_segment",
    "rt_dma_set_min_align_mask",
    "rt_dma_set_segment_boundary",
    "rt_dma_wc_flags",
];

/// Returns the functions that the library exports, without those of the debug mode.
fn exported(folder: &std::path::Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            exported(&path, found);
        } else {
            let source = std::fs::read_to_string(&path).unwrap();
            let after = source.split("#[unsafe(no_mangle)]").skip(1).filter_map(|part| part.split("fn ").nth(1));
            found.extend(after.map(|rest| rest.split('(').next().unwrap().to_owned()));
        }
    }
    found.retain(|name| !name.starts_with("rt_dma_watch_"));
}

#[test]
fn the_debug_mode_watches_each_call_that_allocates_maps_syncs_or_gives_back() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let port = std::fs::read_to_string(root.join("rtthread-port/rt_dma_port_debug.c")).unwrap();
    let names = port.lines().filter_map(|line| line.strip_prefix("WATCH(")?.strip_suffix(");"));
    let mut known: Vec<_> = names.chain(NOT_WATCHED).map(str::to_owned).collect();
    known.sort();
    let mut found = Vec::new();
    exported(&root.join("src/ffi"), &mut found);
    found.sort();
    assert_eq!(found, known);
}
