//! Memory that was allocated: frees, the sync calls of `drivers/dma.h`, removed devices.

use crate::fake_kernel::*;
use crate::rig::*;
use rt_dma_pool::additions::debug::{
    AfterFree, Call, DebugEntry, Finding, FreedBy, FreedMemory, HeldMapping, Kind, MappedBy, UnmappedBy,
};
use rt_dma_pool::additions::streaming::{Direction, MAPPING_ERROR};
use rt_dma_pool::flags::Flags;
use rt_dma_pool::log::Name;

#[test]
fn frees_that_do_not_fit_are_reported() {
    let rig = Rig::new();
    let held = rig.alloc(8192, Flags::empty());
    let at = format!("{:#x}, ", held.va);
    rig.free(FreedMemory { size: 4096, ..freed(&held) });
    rig.found(Finding::FreeSize, &format!("{at}4096 bytes, allocated with 8192"));

    let rig = Rig::new();
    let held = rig.alloc(100, Flags::empty());
    rig.free(FreedMemory { size: 200, ..freed(&held) });
    rig.found(Finding::FreeSize, &format!("{:#x}, 200 bytes, allocated with 100", held.va));
    assert!(rig.free(freed(&held)), "it was freed: the pages are as many");

    let rig = Rig::new();
    let held = rig.alloc(64, Flags::empty());
    rig.free(FreedMemory { handle: held.handle + 64, ..freed(&held) });
    rig.found(Finding::FreeHandle, &format!("{:#x}, 64 bytes, its handle is {:#x}", held.va, held.handle));

    let rig = Rig::new();
    let held = rig.alloc(64, Flags::empty());
    rig.free(FreedMemory { by: FreedBy::ManagedFree, ..freed(&held) });
    rig.found(Finding::FreeKind, &format!("{:#x}, 64 bytes, it is a buffer", held.va));
    assert!(rig.free(freed(&held)), "it is still allocated");

    let rig = Rig::new();
    let held = rig.machine.alloc(rig.device, 64, Flags::empty()).unwrap();
    rig.record(rig.other(c"dma1"), &held);
    rig.free(freed(&held));
    rig.found(Finding::FreeDevice, &format!("{:#x}, 64 bytes, allocated for dma1", held.va));
}

/// What the library refuses stays allocated, and what it frees does not: it takes the physical address for a handle, and frees a
/// managed buffer only with its size.
#[test]
fn a_buffer_is_held_until_the_library_frees_it() {
    let rig = Rig::new();
    let managed = DebugEntry { is_managed: true, ..allocated(0x9000) };
    rig.debug.record_allocation(&rig.call(MAP), managed);
    let free = |size| rig.free(FreedMemory { by: FreedBy::ManagedFree, va: 0x9000, size, handle: 0 });
    free(32);
    rig.found(Finding::FreeSize, "0x9000, 32 bytes, allocated with 64");
    assert!(free(64));
    assert_eq!(rig.lines(), [""; 0], "it was not freed before");

    let rig = Rig::new();
    let held = rig.machine.alloc(rig.device, 64, Flags::empty()).unwrap();
    let (va, pa) = (held.va, held.handle);
    rig.debug.record_allocation(&rig.call(MAP), DebugEntry { handle: pa + 0x1000_0000, ..allocated(va) });
    assert!(rig.free(FreedMemory { handle: pa, ..freed(&held) }));
    rig.debug.note_managed_release(&rig.call(END));
    rig.silent();

    // The address of a buffer without a mapping is the physical one.
    rig.machine.dma.pools().next().unwrap().add_flags(Flags::NOMAP);
    let held = rig.machine.alloc(rig.device, 64, Flags::NOMAP).unwrap();
    rig.record(rig.device, &Held { handle: held.va + 0x1000_0000, ..held });
    assert!(rig.free(FreedMemory { handle: held.va, ..freed(&held) }));
    rig.debug.note_managed_release(&rig.call(END));
    rig.silent();
}

/// The library refuses the free: a managed buffer stays with the device for which it was allocated.
#[test]
fn a_managed_buffer_that_another_device_frees_is_still_held() {
    let rig = Rig::new();
    let owner = rig.by(rig.other(c"dma1"), END);
    rig.debug.record_allocation(&owner, DebugEntry { is_managed: true, ..allocated(0x9000) });
    let freed = FreedMemory { by: FreedBy::ManagedFree, va: 0x9000, size: 64, handle: 0 };
    assert!(rig.free(freed));
    rig.found(Finding::FreeDevice, "0x9000, 64 bytes, allocated for dma1");
    assert!(rig.free_as(owner.device, freed), "it is found");
    assert_eq!(rig.lines(), [""; 0], "it was not freed before");
}

/// The library refuses the free: what was managed for an earlier device at the address is not the new device's. A
/// buffer that is not managed may be freed by the driver that has it.
#[test]
fn a_managed_buffer_of_an_earlier_device_is_not_freed_by_the_new_one() {
    let rig = Rig::new();
    rig.debug.record_allocation(&rig.call(MAP), DebugEntry { is_managed: true, ..allocated(0x9000) });
    rig.debug.record_allocation(&rig.call(MAP), allocated(0xa000));
    rig.debug.note_call(&Call { recheck_new: Some(|_| true), ..rig.call(END) });
    assert_eq!(rig.lines().len(), 2, "both are still held");
    let freed = FreedMemory { by: FreedBy::ManagedFree, va: 0x9000, size: 64, handle: 0 };
    assert!(rig.free(freed));
    let line = "eth0: free for another device: 0x9000, 64 bytes, allocated for eth0; caller 0x2222";
    assert_eq!(rig.lines(), [line]);
    assert!(rig.free(FreedMemory { by: FREE, va: 0xa000, ..freed }));
    assert_eq!(rig.lines(), [""; 0]);
}

/// Only `rt_dma_free` takes the physical address for a handle.
#[test]
fn managed_buffers_and_blocks_are_freed_with_their_own_handles() {
    let rig = Rig::new();
    let [buffer, page] = [64, 64].map(|size| rig.machine.alloc(rig.device, size, Flags::empty()).unwrap());
    let handle = |held: &Held| held.handle + 0x1000_0000;
    let managed = DebugEntry { handle: handle(&buffer), is_managed: true, ..allocated(buffer.va) };
    let block = DebugEntry { kind: Kind::Block { pool: 0x1000 }, handle: handle(&page), ..allocated(page.va) };
    for (entry, held, by) in
        [(managed, buffer, FreedBy::ManagedFree), (block, page, FreedBy::BlockFree { pool: 0x1000 })]
    {
        rig.debug.record_allocation(&rig.call(MAP), entry);
        assert!(rig.free(FreedMemory { by, ..freed(&held) }));
        assert!(rig.lines()[0].starts_with("eth0: free with another handle"));
        assert!(rig.free(FreedMemory { by, handle: handle(&held), ..freed(&held) }));
        assert_eq!(rig.lines(), [""; 0], "it was not freed before");
    }
}

#[test]
fn a_second_free_names_the_first_until_the_memory_is_allocated_again() {
    let rig = Rig::new();
    let held = rig.alloc(64, Flags::empty());
    rig.free(freed(&held));
    rig.silent();
    assert!(rig.free(freed(&held)));
    rig.found(Finding::FreeTwice, &format!("{:#x}, 64 bytes, first by 0x2222", held.va));
    rig.record(rig.device, &held);
    rig.free(freed(&held));
    assert_eq!(rig.lines(), [""; 0]);
}

#[test]
fn a_call_that_is_refused_outside_of_a_thread_may_be_repeated_in_one() {
    let rig = Rig::new();
    let managed = |entry: DebugEntry| DebugEntry { is_managed: true, ..entry };
    // A free of this buffer unmaps it.
    rig.machine.set_view_limit(0);
    let held = rig.alloc(64, Flags::NOCACHE);
    rig.debug.record_allocation(&rig.call(MAP), managed(allocated(0x9000)));
    let second = FreedMemory { by: FreedBy::ManagedFree, va: 0x9000, size: 64, handle: 0 };
    for freed in [freed(&held), second] {
        assert!(rig.machine.in_interrupt(|| rig.free(freed)));
        assert!(rig.free(freed));
    }
    let handle = rig.map_as(rig.device, managed(buffer(own_memory(&rig), 64, Direction::ToDevice)));
    let unmap = || rig.unmap_by(UnmappedBy::ManagedSingle, given(handle, 64, Direction::ToDevice));
    rig.machine.in_interrupt(unmap);
    unmap();
    rig.debug.note_managed_release(&rig.call(END));
    rig.silent();
}

#[test]
fn a_free_of_unknown_memory_is_reported_if_the_library_refused_it() {
    let rig = Rig::new();
    let unknown = FreedMemory { by: FREE, va: 0x9000, size: 64, handle: 0 };
    assert!(!rig.free(unknown));
    rig.silent();
    rig.debug.report_refused_free(&rig.call(END), unknown.va, unknown.size);
    rig.found(Finding::FreeUnknown, "0x9000, 64 bytes");
}

#[test]
fn blocks_belong_to_their_pools() {
    let rig = Rig::new();
    for va in [0x1000, 0x2000] {
        rig.debug.record_allocation(&rig.call(MAP), block_pool(va));
    }
    let kind = Kind::Block { pool: 0x1000 };
    rig.debug
        .record_allocation(&rig.call(MAP), DebugEntry { kind, va: 0x8040, handle: 0x40, size: 64, ..DebugEntry::NONE });
    let entry = rig.debug.block_pool(0x1000).unwrap();
    assert_eq!((entry.device, entry.size), (rig.device, 64));
    let free = |by, handle| rig.free(FreedMemory { by, va: 0x8040, size: 64, handle });
    free(FreedBy::BlockFree { pool: 0x2000 }, 0x40);
    rig.found(Finding::FreeDevice, "0x8040, 64 bytes, allocated for eth0");
    free(FREE, 0);
    assert_eq!(rig.lines(), ["eth0: free by another call: 0x8040, 64 bytes, it is a block; caller 0x2222"]);
    assert!(free(FreedBy::BlockFree { pool: 0x1000 }, 0x40));
    for is_gone in [false, true] {
        rig.debug.note_destroy_begin(0x1000);
        rig.debug.note_destroy_end(0x1000, is_gone);
        assert_eq!(rig.debug.block_pool(0x1000).is_none(), is_gone);
    }
    assert_eq!(rig.lines(), [""; 0]);
}

/// The memory of a pool is free before its destruction ends: another thread creates a pool there.
#[test]
fn a_pool_at_the_address_of_one_that_is_being_destroyed_is_checked() {
    let rig = Rig::new();
    let other = rig.other(c"dma1");
    rig.debug.record_allocation(&rig.call(MAP), block_pool(0x1000));
    rig.debug.note_destroy_begin(0x1000);
    rig.debug.record_allocation(&rig.by(other, MAP), block_pool(0x1000));
    let block = DebugEntry { kind: Kind::Block { pool: 0x1000 }, ..allocated(0x8040) };
    rig.debug.record_allocation(&rig.by(other, MAP), block);
    rig.debug.note_destroy_end(0x1000, true);
    assert_eq!(rig.debug.block_pool(0x1000).unwrap().device, other);
    rig.free(FreedMemory { by: FreedBy::BlockFree { pool: 0x2000 }, va: 0x8040, size: 64, handle: 0 });
    rig.found(Finding::FreeDevice, "0x8040, 64 bytes, allocated for dma1");
}

fn block_pool(va: usize) -> DebugEntry {
    DebugEntry { kind: Kind::NEW_POOL, va, size: 64, ..DebugEntry::NONE }
}

#[test]
fn nocache_in_a_sync_of_cached_memory_and_the_reverse_are_reported() {
    let rig = Rig::new();
    let held = rig.alloc(4096, Flags::empty());
    rig.sync_data(held.va + 64, 1500, Flags::NOCACHE);
    rig.found(Finding::SyncNocache, &format!("{:#x}, 1500 bytes", held.va + 64));

    let rig = Rig::new();
    let memory = own_memory(&rig);
    rig.sync_data(memory, 64, Flags::NOCACHE);
    rig.found(Finding::SyncNocache, &format!("{memory:#x}, 64 bytes"));

    let rig = Rig::new();
    let held = rig.alloc(4096, Flags::NOCACHE);
    rig.sync_data(held.va, 4096, Flags::empty());
    rig.found(Finding::SyncCached, &format!("{:#x}, 4096 bytes", held.va));

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
    rig.found(Finding::SyncEnd, &format!("{:#x}, 4096 bytes, the end is {:#x}", held.va, held.va + 1500));

    let rig = Rig::new();
    let held = rig.alloc(1500, Flags::empty());
    rig.free(freed(&held));
    rig.machine.free(held).unwrap();
    rig.sync_data(held.va, 64, Flags::empty());
    rig.found(Finding::SyncFreed, &format!("{:#x}, 64 bytes, freed by 0x2222", held.va));
    // Of two frees, the line has the later one.
    let around = Held { va: held.va - 64, handle: 0, ..held };
    rig.record(rig.device, &around);
    rig.debug.check_free(rig.machine.dma, &rig.call(0x3333), &freed(&around));
    rig.sync_data(held.va, 64, Flags::empty());
    assert!(rig.lines()[0].ends_with("64 bytes, freed by 0x3333; caller 0x2222"));
    // The library itself may use the memory meanwhile.
    let again = rig.machine.alloc(rig.device, 1500, Flags::empty()).unwrap();
    assert_eq!(again.va, held.va);
    rig.sync_data(held.va, 64, Flags::empty());
    assert_eq!(rig.lines(), [""; 0]);
}

#[test]
fn what_a_removed_device_holds_is_reported_but_not_what_is_managed() {
    let rig = Rig::new();
    let [kept, managed] = [64, 64].map(|size| rig.machine.alloc(rig.device, size, Flags::empty()).unwrap());
    rig.record(rig.device, &kept);
    rig.debug.record_allocation(
        &rig.call(MAP),
        DebugEntry { handle: managed.handle, is_managed: true, ..allocated(managed.va) },
    );
    rig.debug.note_managed_release(&rig.call(END));
    let line = format!("eth0: still held after removal: {:#x}, 64 bytes, a buffer; caller 0x1111", kept.va);
    assert_eq!(rig.lines(), [line]);
    rig.debug.note_managed_release(&rig.call(END));
    assert_eq!(rig.lines(), [""; 0], "it is reported once");
    assert!(rig.free(freed(&kept)), "a free after that is no mistake");
    assert_eq!(rig.lines(), [""; 0]);
}

/// A driver that reports its removal itself need not have released what is managed.
#[test]
fn what_is_managed_and_was_not_released_is_reported_too() {
    let rig = Rig::new();
    rig.debug.record_allocation(&rig.call(MAP), DebugEntry { is_managed: true, ..allocated(0x9000) });
    rig.debug.note_driver_removal(&rig.call(END));
    assert_eq!(rig.lines(), ["eth0: still held after removal: 0x9000, 64 bytes, a buffer; caller 0x1111"]);
    rig.debug.note_managed_release(&rig.call(END));
    let freed = FreedMemory { by: FreedBy::ManagedFree, va: 0x9000, size: 64, handle: 0 };
    assert!(!rig.free(freed), "the release has ended it");
}

/// A block pool of which blocks are in use stays when its device is released. It is not managed any more.
#[test]
fn a_managed_pool_in_use_outlives_a_second_release() {
    let rig = Rig::new();
    rig.debug.record_allocation(&rig.call(MAP), DebugEntry { is_managed: true, ..block_pool(0x1000) });
    let block = DebugEntry { kind: Kind::Block { pool: 0x1000 }, ..allocated(0x8040) };
    rig.debug.record_allocation(&rig.call(MAP), block);
    rig.debug.note_managed_release(&rig.call(END));
    assert_eq!(rig.lines().len(), 2);
    assert!(rig.free(FreedMemory { by: FreedBy::BlockFree { pool: 0x1000 }, va: 0x8040, size: 64, handle: 0 }));
    rig.debug.note_managed_release(&rig.call(END));
    assert!(rig.debug.block_pool(0x1000).is_some());
}

#[test]
fn a_new_device_at_the_address_of_an_earlier_one_inherits_nothing() {
    let rig = Rig::new();
    let held = rig.alloc(64, Flags::empty());
    rig.debug.count_and_check_failure(&Call { recheck_new: Some(|_| true), ..rig.call(END) }, 64);
    let line = format!("eth0: still held after removal: {:#x}, 64 bytes, a buffer; caller 0x1111", held.va);
    assert_eq!(rig.lines(), [line]);
    rig.debug.note_managed_release(&rig.call(END));
    assert_eq!(rig.lines(), [""; 0], "the new device holds nothing");
    rig.machine.replace(rig.device, DeviceInfo::plain().named(c"usb0"));
    rig.debug.count_and_check_failure(&Call { recheck_new: Some(|_| true), ..rig.call(END) }, 64);
    rig.unmap(given(MAPPING_ERROR, 64, Direction::ToDevice));
    assert!(rig.lines()[0].starts_with("usb0: unmap of a map that failed"));
    assert_eq!(rig.debug.find(Name::of(c"usb0")), Some(rig.device));
    assert_eq!(rig.debug.find(Name::of(c"eth0")), None);
    // The device is removed, and found again at another address.
    let again = rig.other(c"usb0");
    rig.debug.count_and_check_failure(&rig.by(again, END), 64);
    assert_eq!(rig.debug.find(Name::of(c"usb0")), Some(again));
}

/// The first calls of a new device come from two threads. One of them has a buffer when the other is checked.
#[test]
fn a_call_that_another_one_of_a_new_device_overtakes_ends_nothing() {
    let rig = Rig::new();
    let held = rig.alloc(64, Flags::empty());
    rig.debug.count_and_check_failure(&Call { recheck_new: Some(|_| false), ..rig.call(END) }, 64);
    assert_eq!(rig.lines(), [""; 0]);
    rig.debug.note_driver_removal(&rig.call(END));
    let line = format!("eth0: still held after removal: {:#x}, 64 bytes, a buffer; caller 0x1111", held.va);
    assert_eq!(rig.lines(), [line]);
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

/// An operation of a BSP may allocate for another device, a bus for example, and free for that one.
#[test]
fn each_device_for_which_one_call_allocates_holds_the_memory() {
    let rig = Rig::new();
    let bus = rig.other(c"bus");
    let held = rig.machine.alloc(rig.device, 64, Flags::empty()).unwrap();
    let check = |device| rig.debug.check_free(rig.machine.dma, &rig.by(device, END), &freed(&held));
    let free = |device| check(device) == AfterFree::Nothing;
    for _ in 0..2 {
        rig.record(bus, &held);
        rig.record(rig.device, &held);
        assert!(free(rig.device) && free(bus));
        rig.silent();
    }
    // What the bus had before the call was given back.
    rig.debug.record_allocation(&Call { made_at_ms: 4, ..rig.by(bus, MAP) }, allocated(held.va));
    rig.record(rig.device, &held);
    assert!(free(rig.device));
    for device in [bus, rig.device] {
        rig.debug.note_managed_release(&rig.by(device, END));
    }
    rig.silent();
}

#[test]
fn the_holders_of_a_pool_are_listed() {
    let rig = Rig::new();
    let other = rig.other(c"dma1");
    let held = rig.alloc(4096, Flags::empty());
    // The page of a block pool is the library's.
    let page = rig.machine.alloc(rig.device, 4096, Flags::empty()).unwrap();
    let kind = Kind::Block { pool: 0 };
    let block = DebugEntry { kind, handle: page.handle + 64, ..allocated(page.va + 64) };
    rig.debug.record_allocation(&rig.by(other, MAP), block);
    let unmapped = DebugEntry { kind: Kind::Buffer { flags: Flags::NOMAP }, ..allocated(START + 4 * PAGE) };
    rig.debug.record_allocation(&rig.call(MAP), unmapped);
    // What lies elsewhere, or was freed, is not listed.
    let own = own_memory(&rig);
    rig.map(own, 64, Direction::ToDevice);
    let gone = rig.alloc(4096, Flags::empty());
    rig.free(freed(&gone));
    rig.debug.log_holders(START, 64 * PAGE);
    let line = |device: &str, kind: &str, va: usize, size: usize| {
        format!("{device}: holds a {kind} of the pool: {va:#x}, {size} bytes; caller 0x1111")
    };
    let end = |count| {
        format!("dma-pool: the pool at {START:#x} is in use: devices hold {count} buffers, blocks and mappings of it")
    };
    let expected = [
        line("eth0", "buffer", held.va, 4096),
        line("dma1", "block", page.va + 64, 64),
        line("eth0", "buffer", START + 4 * PAGE, 64),
        end(3),
    ];
    assert_eq!(rig.lines(), expected);
    // A handle that is no physical address may look like one of the pool. A bounce buffer lies where its handle leads.
    let mapped = |is_handle_pa, va, handle| {
        let mapping = HeldMapping { is_handle_pa, ..HeldMapping::new(MappedBy::Single, Direction::ToDevice) };
        let held = DebugEntry { kind: Kind::Mapping(mapping), va, handle, size: 64, ..DebugEntry::NONE };
        rig.debug.check_map(&rig.by(other, MAP), held);
    };
    mapped(false, own, START + 5 * PAGE);
    mapped(true, own + PAGE, START + 6 * PAGE);
    mapped(false, held.va, 0x9000_0000);
    rig.lines();
    rig.debug.log_holders(START, 64 * PAGE);
    let mappings = [START + 6 * PAGE, 0x9000_0000].map(|handle| line("dma1", "single mapping", handle, 64));
    let [first, second, third, _] = expected;
    assert_eq!(rig.lines(), [first, second, third].into_iter().chain(mappings).chain([end(5)]).collect::<Vec<_>>());
    // The first and the last byte of the pool count, those next to it do not.
    rig.debug.log_holders(START + 4 * PAGE, 1);
    assert_eq!(
        rig.lines(),
        [
            line("eth0", "buffer", START + 4 * PAGE, 64),
            end(1).replace(&format!("{START:#x}"), &format!("{:#x}", START + 4 * PAGE))
        ]
    );
    rig.debug.log_holders(START + 4 * PAGE + 1, PAGE);
    assert_eq!(rig.lines().len(), 1);
    for number in 0..20 {
        rig.debug.record_allocation(&rig.call(MAP), DebugEntry { va: START + (number + 5) * PAGE, ..unmapped });
    }
    rig.debug.log_holders(START, 64 * PAGE);
    let lines = rig.lines();
    assert_eq!((lines.len(), lines.last()), (9, Some(&end(25))));
}

fn allocated(va: usize) -> DebugEntry {
    DebugEntry { kind: Kind::Buffer { flags: Flags::empty() }, va, handle: va, size: 64, ..DebugEntry::NONE }
}
