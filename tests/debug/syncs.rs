//! The sync calls of `drivers/dma.h`.

use crate::fake_kernel::*;
use crate::rig::*;
use rt_dma_pool::additions::debug::Finding;
use rt_dma_pool::flags::Flags;
#[cfg(target_pointer_width = "64")]
use rt_dma_pool::kernel::{Mappings, MemoryType};

#[test]
fn nocache_in_a_sync_of_cached_memory_and_the_reverse_are_reported() {
    let rig = Rig::new();
    let held = rig.alloc(4096, Flags::empty());
    rig.sync_data(held.va + 64, 1500, Flags::NOCACHE);
    rig.assert_found(Finding::SyncNocache, &format!("{:#x}, 1500 bytes", held.va + 64));

    let rig = Rig::new();
    let memory = own_memory(&rig);
    rig.sync_data(memory, 64, Flags::NOCACHE);
    rig.assert_found(Finding::SyncNocache, &format!("{memory:#x}, 64 bytes"));

    let rig = Rig::new();
    let held = rig.alloc(4096, Flags::NOCACHE);
    rig.sync_data(held.va, 4096, Flags::empty());
    rig.assert_found(Finding::SyncCached, &format!("{:#x}, 4096 bytes", held.va));

    // A driver that asked for any memory cannot know that the pool's is not cached.
    let rig = Rig::new();
    rig.machine.dma.pools().next().unwrap().add_flags(Flags::NOCACHE);
    let held = rig.alloc(4096, Flags::empty());
    rig.sync_data(held.va, 4096, Flags::empty());
    rig.sync_data(held.va, 4096, Flags::NOCACHE);
    rig.assert_silent();
}

/// Where memory is mapped at its physical address, that is also the address of a buffer without a mapping. (A host of 32
/// bits may have other memory at this address.)
#[test]
#[cfg(target_pointer_width = "64")]
fn a_sync_past_a_buffer_without_a_mapping_is_reported_where_its_address_is_mapped_to_itself() {
    let rig = Rig::new();
    rig.machine.dma.pools().next().unwrap().add_flags(Flags::NOMAP);
    // No mapping is uncached, whatever the flags state.
    let held = rig.alloc(64, Flags::NOMAP | Flags::NOCACHE);
    rig.machine.map_next_at(held.va);
    assert_eq!(rig.machine.kernel.map(held.va, PAGE, MemoryType::Cached).unwrap().get(), held.va);
    rig.sync_data(held.va, 64, Flags::empty());
    rig.assert_silent();
    rig.sync_data(held.va, PAGE, Flags::empty());
    rig.assert_found(Finding::SyncEnd, &format!("{:#x}, 4096 bytes, the end is {:#x}", held.va, held.va + 64));
}

#[test]
fn a_sync_past_a_buffer_and_of_a_freed_one_are_reported() {
    let rig = Rig::new();
    let held = rig.alloc(1500, Flags::empty());
    rig.sync_data(held.va, 1500usize.next_multiple_of(LINE), Flags::empty());
    rig.assert_silent();
    rig.sync_data(held.va, 4096, Flags::empty());
    rig.assert_found(Finding::SyncEnd, &format!("{:#x}, 4096 bytes, the end is {:#x}", held.va, held.va + 1500));

    let rig = Rig::new();
    let held = rig.alloc(1500, Flags::empty());
    rig.free(freed(&held));
    rig.machine.free(held).unwrap();
    rig.sync_data(held.va, 64, Flags::empty());
    rig.assert_found(Finding::SyncFreed, &format!("{:#x}, 64 bytes, freed by 0x2222", held.va));
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
    assert_eq!(rig.lines(), NO_LINES);
}
