//! The list of what devices hold of a pool.

use crate::fake_kernel::*;
use crate::rig::*;
use rt_dma_pool::additions::debug::{DebugEntry, HeldMapping, Kind, MappedBy};
use rt_dma_pool::additions::streaming::Direction;
use rt_dma_pool::flags::Flags;

fn line(device: &str, kind: &str, at: usize, size: usize) -> String {
    format!("{device}: holds a {kind} of the pool: {at:#x}, {size} bytes; caller 0x1111")
}

/// Returns the last line of a list of memory that begins at `start`.
fn last_line(start: usize, count: usize) -> String {
    format!("dma-pool: the pool at {start:#x} is in use: devices hold {count} buffers, blocks and mappings of it")
}

/// Lists what devices hold of the pool, and returns the lines.
fn list(rig: &Rig) -> Vec<String> {
    rig.debug.log_holders(START, 64 * PAGE);
    rig.lines()
}

/// Records a buffer of the physical memory at `pa`, which is not mapped.
fn hold_unmapped(rig: &Rig, pa: usize) {
    rig.debug.record_allocation(
        &rig.call(ALLOC_SITE),
        DebugEntry { kind: Kind::Buffer { flags: Flags::NOMAP }, ..allocated(pa) },
    );
}

#[test]
fn the_buffers_and_blocks_of_a_pool_are_listed() {
    let rig = Rig::new();
    let other = rig.other_device(c"dma1");
    let held = rig.alloc(4096, Flags::empty());
    // The page of a block pool is the library's.
    let page = rig.machine.alloc(rig.device, 4096, Flags::empty()).unwrap();
    let kind = Kind::Block { pool: 0 };
    let block = DebugEntry { kind, handle: page.handle + 64, ..allocated(page.va + 64) };
    rig.debug.record_allocation(&rig.call_for(other, ALLOC_SITE), block);
    hold_unmapped(&rig, START + 4 * PAGE);
    // Physical memory elsewhere, whose address is that of a buffer.
    hold_unmapped(&rig, held.va);
    // What lies elsewhere, or was freed, is not listed.
    rig.map(own_memory(&rig), 64, Direction::ToDevice);
    let gone = rig.alloc(4096, Flags::empty());
    rig.free(freed(&gone));
    let expected = [
        line("eth0", "buffer", held.va, 4096),
        line("dma1", "block", page.va + 64, 64),
        line("eth0", "buffer", START + 4 * PAGE, 64),
        last_line(START, 3),
    ];
    assert_eq!(list(&rig), expected);
}

/// A handle that is no physical address may look like one of the pool. A bounce buffer lies where its handle leads.
#[test]
fn the_mappings_of_a_pools_memory_are_listed() {
    let rig = Rig::new();
    let held = rig.machine.alloc(rig.device, 4096, Flags::empty()).unwrap();
    let own = own_memory(&rig);
    let map = |is_handle_pa, va, handle| {
        let mapping = HeldMapping { is_handle_pa, ..HeldMapping::new(MappedBy::Single, Direction::ToDevice) };
        let held = DebugEntry { kind: Kind::Mapping(mapping), va, handle, size: 64, ..DebugEntry::NONE };
        rig.debug.check_map(&rig.call(ALLOC_SITE), held);
    };
    map(false, own, START + 5 * PAGE);
    map(true, own + PAGE, START + 6 * PAGE);
    map(false, held.va, 0x9000_0000);
    rig.lines();
    let listed = [START + 6 * PAGE, 0x9000_0000].map(|handle| line("eth0", "single mapping", handle, 64));
    assert_eq!(list(&rig), [&listed[..], &[last_line(START, 2)]].concat());
}

#[test]
fn the_first_and_the_last_byte_of_a_pool_count_and_those_next_to_it_do_not() {
    let rig = Rig::new();
    let at = START + 4 * PAGE;
    hold_unmapped(&rig, at);
    let expected = [line("eth0", "buffer", at, 64), last_line(at, 1)];
    rig.debug.log_holders(at, 1);
    assert_eq!(rig.lines(), expected);
    rig.debug.log_holders(at + 1, PAGE);
    assert_eq!(rig.lines(), [last_line(at + 1, 0)]);
}

#[test]
fn at_most_eight_holders_are_listed_and_all_are_counted() {
    let rig = Rig::new();
    for number in 0..20 {
        hold_unmapped(&rig, START + number * PAGE);
    }
    let lines = list(&rig);
    assert_eq!((lines.len(), lines.last()), (9, Some(&last_line(START, 20))));
}
