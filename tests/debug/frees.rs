//! Frees of buffers and blocks.

use crate::fake_kernel::*;
use crate::rig::*;
use rt_dma_pool::additions::debug::{Call, DebugEntry, Finding, FreedBy, FreedMemory, Kind, UnmappedBy};
use rt_dma_pool::additions::streaming::Direction;
use rt_dma_pool::flags::Flags;

#[test]
fn frees_that_do_not_fit_are_reported() {
    let rig = Rig::new();
    let held = rig.alloc(8192, Flags::empty());
    let at = format!("{:#x}, ", held.va);
    rig.free(FreedMemory { size: 4096, ..freed(&held) });
    rig.assert_found(Finding::FreeSize, &format!("{at}4096 bytes, allocated with 8192"));

    let rig = Rig::new();
    let held = rig.alloc(100, Flags::empty());
    rig.free(FreedMemory { size: 200, ..freed(&held) });
    rig.assert_found(Finding::FreeSize, &format!("{:#x}, 200 bytes, allocated with 100", held.va));
    assert!(rig.free(freed(&held)), "it was freed: the pages are as many");

    let rig = Rig::new();
    let held = rig.alloc(64, Flags::empty());
    rig.free(FreedMemory { handle: held.handle + 64, ..freed(&held) });
    rig.assert_found(Finding::FreeHandle, &format!("{:#x}, 64 bytes, its handle is {:#x}", held.va, held.handle));

    let rig = Rig::new();
    let held = rig.alloc(64, Flags::empty());
    rig.free(FreedMemory { by: FreedBy::ManagedFree, ..freed(&held) });
    rig.assert_found(Finding::FreeKind, &format!("{:#x}, 64 bytes, it is a buffer", held.va));
    assert!(rig.free(freed(&held)), "it is still allocated");

    let rig = Rig::new();
    let held = rig.machine.alloc(rig.device, 64, Flags::empty()).unwrap();
    rig.record(rig.other_device(c"dma1"), &held);
    rig.free(freed(&held));
    rig.assert_found(Finding::FreeDevice, &format!("{:#x}, 64 bytes, allocated for dma1", held.va));
}

/// What the library refuses stays allocated, and what it frees does not: it takes the physical address for a handle,
/// and frees a managed buffer only with its size.
#[test]
fn a_buffer_is_held_until_the_library_frees_it() {
    let rig = Rig::new();
    let managed = DebugEntry { is_managed: true, ..allocated(0x9000) };
    rig.debug.record_allocation(&rig.call(ALLOC_SITE), managed);
    let free = |size| rig.free(FreedMemory { by: FreedBy::ManagedFree, va: 0x9000, size, handle: 0 });
    free(32);
    rig.assert_found(Finding::FreeSize, "0x9000, 32 bytes, allocated with 64");
    assert!(free(64));
    assert_eq!(rig.lines(), NO_LINES, "it was not freed before");

    let rig = Rig::new();
    let held = rig.machine.alloc(rig.device, 64, Flags::empty()).unwrap();
    let (va, pa) = (held.va, held.handle);
    rig.debug.record_allocation(&rig.call(ALLOC_SITE), DebugEntry { handle: pa + 0x1000_0000, ..allocated(va) });
    assert!(rig.free(FreedMemory { handle: pa, ..freed(&held) }));
    rig.debug.note_managed_release(&rig.call(OTHER_SITE));
    rig.assert_silent();

    // The address of a buffer without a mapping is the physical one.
    rig.machine.dma.pools().next().unwrap().add_flags(Flags::NOMAP);
    let held = rig.machine.alloc(rig.device, 64, Flags::NOMAP).unwrap();
    rig.record(rig.device, &Held { handle: held.va + 0x1000_0000, ..held });
    assert!(rig.free(FreedMemory { handle: held.va, ..freed(&held) }));
    rig.debug.note_managed_release(&rig.call(OTHER_SITE));
    rig.assert_silent();
}

/// The physical address of a buffer without a mapping may be the address at which another buffer is mapped.
#[test]
fn a_buffer_without_a_mapping_is_not_taken_for_one_that_is_mapped_at_its_address() {
    for frees_mapped_first in [true, false] {
        let rig = Rig::new();
        let mapped = rig.alloc(2 * PAGE, Flags::NOCACHE);
        let unmapped = Held { va: mapped.va, handle: mapped.va, size: PAGE, flags: Flags::NOMAP, ..mapped };
        assert_ne!(rig.machine.pa_of(mapped.va), mapped.va);
        rig.record(rig.device, &unmapped);
        rig.sync_data(mapped.va, 2 * PAGE, Flags::NOCACHE);
        // The driver did not ask for the handle of the second one.
        let frees = [freed(&mapped), FreedMemory { handle: 0, ..freed(&unmapped) }];
        rig.free(frees[usize::from(!frees_mapped_first)]);
        rig.free(frees[usize::from(frees_mapped_first)]);
        rig.debug.note_managed_release(&rig.call(OTHER_SITE));
        rig.assert_silent();
    }
}

/// The library refuses the free: a managed buffer stays with the device for which it was allocated.
#[test]
fn a_managed_buffer_that_another_device_frees_is_still_held() {
    let rig = Rig::new();
    let owner = rig.call_for(rig.other_device(c"dma1"), OTHER_SITE);
    rig.debug.record_allocation(&owner, DebugEntry { is_managed: true, ..allocated(0x9000) });
    let freed = FreedMemory { by: FreedBy::ManagedFree, va: 0x9000, size: 64, handle: 0 };
    assert!(rig.free(freed));
    rig.assert_found(Finding::FreeDevice, "0x9000, 64 bytes, allocated for dma1");
    assert!(rig.free_as(owner.device, freed), "it is found");
    assert_eq!(rig.lines(), NO_LINES, "it was not freed before");
}

/// The library refuses the free: what was managed for an earlier device at the address is not the new device's. A
/// buffer that is not managed may be freed by the driver that has it.
#[test]
fn a_managed_buffer_of_an_earlier_device_is_not_freed_by_the_new_one() {
    let rig = Rig::new();
    rig.debug.record_allocation(&rig.call(ALLOC_SITE), DebugEntry { is_managed: true, ..allocated(0x9000) });
    rig.debug.record_allocation(&rig.call(ALLOC_SITE), allocated(0xa000));
    rig.debug.note_call(&Call { recheck_new: Some(|_| true), ..rig.call(OTHER_SITE) });
    assert_eq!(rig.lines().len(), 2, "both are still held");
    let freed = FreedMemory { by: FreedBy::ManagedFree, va: 0x9000, size: 64, handle: 0 };
    assert!(rig.free(freed));
    let line = "eth0: free for another device: 0x9000, 64 bytes, allocated for eth0; caller 0x2222";
    assert_eq!(rig.lines(), [line]);
    assert!(rig.free(FreedMemory { by: BY_FREE, va: 0xa000, ..freed }));
    assert_eq!(rig.lines(), NO_LINES);
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
        rig.debug.record_allocation(&rig.call(ALLOC_SITE), entry);
        assert!(rig.free(FreedMemory { by, ..freed(&held) }));
        assert!(rig.lines()[0].starts_with("eth0: free with another handle"));
        assert!(rig.free(FreedMemory { by, handle: handle(&held), ..freed(&held) }));
        assert_eq!(rig.lines(), NO_LINES, "it was not freed before");
    }
}

#[test]
fn a_second_free_names_the_first_until_the_memory_is_allocated_again() {
    let rig = Rig::new();
    let held = rig.alloc(64, Flags::empty());
    rig.free(freed(&held));
    rig.assert_silent();
    assert!(rig.free(freed(&held)));
    rig.assert_found(Finding::FreeTwice, &format!("{:#x}, 64 bytes, first by 0x2222", held.va));
    rig.record(rig.device, &held);
    rig.free(freed(&held));
    assert_eq!(rig.lines(), NO_LINES);
}

#[test]
fn a_call_that_is_refused_outside_of_a_thread_may_be_repeated_in_one() {
    let rig = Rig::new();
    let managed = |entry: DebugEntry| DebugEntry { is_managed: true, ..entry };
    // A free of this buffer unmaps it.
    rig.machine.set_view_limit(0);
    let held = rig.alloc(64, Flags::NOCACHE);
    rig.debug.record_allocation(&rig.call(ALLOC_SITE), managed(allocated(0x9000)));
    let second = FreedMemory { by: FreedBy::ManagedFree, va: 0x9000, size: 64, handle: 0 };
    for freed in [freed(&held), second] {
        assert!(rig.machine.in_interrupt(|| rig.free(freed)));
        assert!(rig.free(freed));
    }
    let handle = rig.map_as(rig.device, managed(buffer(own_memory(&rig), 64, Direction::ToDevice)));
    let unmap = || rig.unmap_by(UnmappedBy::ManagedSingle, part(handle, 64, Direction::ToDevice));
    rig.machine.in_interrupt(unmap);
    unmap();
    rig.debug.note_managed_release(&rig.call(OTHER_SITE));
    rig.assert_silent();
}

#[test]
fn a_free_of_unknown_memory_is_reported_if_the_library_refused_it() {
    let rig = Rig::new();
    let unknown = FreedMemory { by: BY_FREE, va: 0x9000, size: 64, handle: 0 };
    assert!(!rig.free(unknown));
    rig.assert_silent();
    rig.debug.report_refused_free(&rig.call(OTHER_SITE), unknown.va, unknown.size);
    rig.assert_found(Finding::FreeUnknown, "0x9000, 64 bytes");
}

#[test]
fn blocks_belong_to_their_pools() {
    let rig = Rig::new();
    for va in [0x1000, 0x2000] {
        rig.debug.record_allocation(&rig.call(ALLOC_SITE), block_pool(va));
    }
    let kind = Kind::Block { pool: 0x1000 };
    rig.debug.record_allocation(
        &rig.call(ALLOC_SITE),
        DebugEntry { kind, va: 0x8040, handle: 0x40, size: 64, ..DebugEntry::NONE },
    );
    let entry = rig.debug.block_pool(0x1000).unwrap();
    assert_eq!((entry.device, entry.size), (rig.device, 64));
    let free = |by, handle| rig.free(FreedMemory { by, va: 0x8040, size: 64, handle });
    free(FreedBy::BlockFree { pool: 0x2000 }, 0x40);
    rig.assert_found(Finding::FreeDevice, "0x8040, 64 bytes, allocated for eth0");
    free(BY_FREE, 0);
    assert_eq!(rig.lines(), ["eth0: free by another call: 0x8040, 64 bytes, it is a block; caller 0x2222"]);
    assert!(free(FreedBy::BlockFree { pool: 0x1000 }, 0x40));
    for is_gone in [false, true] {
        rig.debug.note_destroy_begin(0x1000);
        rig.debug.note_destroy_end(0x1000, is_gone);
        assert_eq!(rig.debug.block_pool(0x1000).is_none(), is_gone);
    }
    assert_eq!(rig.lines(), NO_LINES);
}

/// The memory of a pool is free before its destruction ends: another thread creates a pool there.
#[test]
fn a_pool_at_the_address_of_one_that_is_being_destroyed_is_checked() {
    let rig = Rig::new();
    let other = rig.other_device(c"dma1");
    rig.debug.record_allocation(&rig.call(ALLOC_SITE), block_pool(0x1000));
    rig.debug.note_destroy_begin(0x1000);
    rig.debug.record_allocation(&rig.call_for(other, ALLOC_SITE), block_pool(0x1000));
    let block = DebugEntry { kind: Kind::Block { pool: 0x1000 }, ..allocated(0x8040) };
    rig.debug.record_allocation(&rig.call_for(other, ALLOC_SITE), block);
    rig.debug.note_destroy_end(0x1000, true);
    assert_eq!(rig.debug.block_pool(0x1000).unwrap().device, other);
    rig.free(FreedMemory { by: FreedBy::BlockFree { pool: 0x2000 }, va: 0x8040, size: 64, handle: 0 });
    rig.assert_found(Finding::FreeDevice, "0x8040, 64 bytes, allocated for dma1");
}
