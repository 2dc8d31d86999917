//! Mappings of a driver's own buffers: maps, unmaps, syncs.

use crate::fake_kernel::*;
use crate::rig::*;
use rt_dma_pool::additions::debug::{Call, DebugEntry, Finding, HeldMapping, Kind, MappedBy, SyncedData, UnmappedBy};
use rt_dma_pool::additions::streaming::{
    Attributes, BadMapping, Buffer, BusMaster, Direction, MAPPING_ERROR, MappedBuffer, Ops, Streaming, StreamingMaps,
};
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::MemoryType;

#[test]
fn unmaps_that_do_not_fit_are_reported() {
    use Direction::{FromDevice, ToDevice};
    use UnmappedBy::{ManagedSingle, Page, Single};
    let cases = [
        (Finding::UnmapSize, "1000 bytes, mapped with 1500", Single, 1000, FromDevice),
        (Finding::UnmapDirection, "1500 bytes, mapped from the device", Single, 1500, ToDevice),
        (Finding::UnmapKind, "1500 bytes, it is a single mapping", Page, 1500, FromDevice),
        (Finding::UnmapKind, "1500 bytes, it is a single mapping", ManagedSingle, 1500, FromDevice),
    ];
    for (mistake, rest, by, size, direction) in cases {
        let rig = Rig::new();
        let memory = own_memory(&rig);
        let handle = rig.map(memory, 1500, FromDevice);
        rig.unmap_by(by, part(handle, size, direction));
        rig.assert_found(mistake, &format!("{handle:#x}, {rest}"));
    }
}

/// Of two managed mappings with one handle, the library ends none for an unmap that fits neither.
#[test]
fn an_ambiguous_managed_unmap_ends_nothing() {
    let rig = Rig::new();
    let memory = own_memory(&rig);
    let map = |size| {
        let managed = DebugEntry { is_managed: true, ..buffer(memory, size, Direction::ToDevice) };
        rig.map_as(rig.device, managed)
    };
    let unmap = |handle, size| rig.unmap_by(UnmappedBy::ManagedSingle, part(handle, size, Direction::ToDevice));
    let handle = map(64);
    map(128);
    unmap(handle, 256);
    assert_eq!(rig.lines().len(), 1);
    unmap(handle, 64);
    unmap(handle, 128);
    assert_eq!(rig.lines(), NO_LINES, "they were not unmapped before");
    // A managed buffer may have the handle of its mapping.
    let kind = Kind::Buffer { flags: Flags::empty() };
    let managed = DebugEntry { kind, va: memory, handle, size: 64, is_managed: true, ..DebugEntry::NONE };
    rig.debug.record_allocation(&rig.call(ALLOC_SITE), managed);
    map(64);
    unmap(handle, 256);
    assert_eq!(rig.lines().len(), 1);
    unmap(handle, 64);
    assert!(rig.lines()[0].starts_with("eth0: unmapped twice"), "the only one was unmapped");
}

/// The library refuses an unmap that fits none of several mappings that have a record.
#[test]
fn an_ambiguous_unmap_ends_nothing() {
    let rig = Rig::new();
    let maps = StreamingMaps::new();
    let streaming = || Streaming::new(rig.machine.dma, &maps);
    let held = rig.alloc(256, Flags::empty());
    let ops = Ops::Library(rig.machine.ops_of(rig.device).unwrap());
    let master = BusMaster { device: rig.device, ops, mask: usize::MAX };
    let direction = Direction::ToDevice;
    for size in [64, 128] {
        let attributes = Attributes::empty();
        // SAFETY: the buffer is freed after the unmaps.
        let result = unsafe { streaming().map(&master, &Buffer { va: held.va, size, direction, attributes }) };
        assert_eq!(result, Ok(rig.map(held.va, size, direction)));
    }
    let unmap = |size| {
        let has_record = |mapped: MappedBuffer| streaming().has_record(&master, &mapped);
        let part = part(held.handle, size, direction);
        rig.debug.check_unmap(&rig.call(OTHER_SITE), UnmappedBy::Single, part, has_record);
        let lines = rig.lines();
        // SAFETY: the buffer is freed after the unmaps.
        (lines, unsafe { streaming().unmap(&master, &MappedBuffer::new(held.handle, size, direction)) })
    };
    let (lines, result) = unmap(256);
    assert_eq!((lines.len(), result), (1, Err(BadMapping::Ambiguous)), "{lines:#?}");
    assert_eq!(rig.lines().len(), 1, "the library's line");
    for size in [64, 128] {
        assert_eq!(unmap(size), (vec![], Ok(())));
    }
    let (lines, _) = unmap(128);
    assert!(lines[0].starts_with("eth0: unmapped twice"), "{lines:#?}");
}

/// The library ends direct mappings, which have no record, as the call states.
#[test]
fn a_wrong_unmap_of_one_of_several_direct_mappings_ends_one() {
    let rig = Rig::new();
    let memory = own_memory(&rig);
    let handle = rig.map(memory, 64, Direction::ToDevice);
    rig.map(memory, 128, Direction::ToDevice);
    for (size, line) in [(256, Some("unmap with another size")), (64, None), (128, Some("unmapped twice"))] {
        let part = part(handle, size, Direction::ToDevice);
        rig.debug.check_unmap(&rig.call(OTHER_SITE), UnmappedBy::Single, part, |_| false);
        let lines = rig.lines();
        assert_eq!(lines.len(), usize::from(line.is_some()), "{lines:#?}");
        assert!(line.is_none_or(|line| lines[0].contains(line)), "{lines:#?}");
    }
}

#[test]
fn an_unmap_of_unknown_memory_names_what_it_is() {
    let rig = Rig::new();
    let handle = rig.map(own_memory(&rig), 64, Direction::ToDevice);
    for _ in 0..2 {
        rig.unmap(part(handle, 64, Direction::ToDevice));
    }
    rig.assert_found(Finding::UnmapTwice, &format!("{handle:#x}, 64 bytes, first by 0x2222"));

    let rig = Rig::new();
    rig.unmap(part(0x8000, 64, Direction::ToDevice));
    rig.assert_found(Finding::UnmapUnknown, "0x8000, 64 bytes");

    let rig = Rig::new();
    rig.unmap(part(MAPPING_ERROR, 64, Direction::ToDevice));
    rig.assert_found(Finding::UnmapFailed, &format!("{MAPPING_ERROR:#x}, 64 bytes"));

    let rig = Rig::new();
    let held = rig.alloc(64, Flags::empty());
    rig.unmap(part(held.handle, 64, Direction::ToDevice));
    rig.assert_found(Finding::UnmapKind, &format!("{:#x}, 64 bytes, it is a buffer", held.handle));

    let rig = Rig::new();
    let other = rig.other_device(c"dma1");
    let handle = rig.map_as(other, buffer(own_memory(&rig), 64, Direction::ToDevice));
    rig.unmap(part(handle, 64, Direction::ToDevice));
    rig.assert_found(Finding::UnmapDevice, &format!("{handle:#x}, 64 bytes, mapped for dma1"));
}

#[test]
fn a_list_is_unmapped_as_a_list_with_its_number_of_entries() {
    let rig = Rig::new();
    let memory = own_memory(&rig);
    let mapping = HeldMapping { list_entries: 2, ..HeldMapping::new(MappedBy::List, Direction::ToDevice) };
    let list = |va| DebugEntry { kind: Kind::Mapping(mapping), ..buffer(va, 64, Direction::ToDevice) };
    let entry = |handle| part(handle, 64, Direction::ToDevice);
    let map = || [memory, memory + 64].map(|va| rig.map_as(rig.device, list(va)));
    let [first, second] = map();
    for handle in [first, second] {
        rig.unmap_by(UnmappedBy::List { entries: 2 }, entry(handle));
    }
    rig.assert_silent();
    let [first, _] = map();
    rig.unmap_by(UnmappedBy::List { entries: 1 }, entry(first));
    rig.assert_found(Finding::UnmapCount, &format!("{first:#x}, 1 entries, mapped with 2"));
    rig.unmap_by(UnmappedBy::SingleOrPage, entry(second));
    let line = format!("eth0: unmap by another call: {second:#x}, 64 bytes, it is a list mapping; caller 0x2222");
    assert_eq!(rig.lines(), [line]);
}

#[test]
fn a_mapping_that_was_never_checked_is_reported_when_it_ends() {
    let rig = Rig::new();
    let memory = own_memory(&rig);
    let handle = rig.machine.pa_of(memory);
    rig.debug.check_map(&rig.call(ALLOC_SITE), DebugEntry { handle, ..buffer(memory, 64, Direction::ToDevice) });
    rig.assert_silent();
    rig.unmap(part(handle, 64, Direction::ToDevice));
    rig.assert_found(Finding::Unchecked, &format!("{handle:#x}, 64 bytes, mapped by 0x1111"));
}

#[test]
fn a_managed_mapping_that_was_never_checked_is_reported_when_the_release_ends_it() {
    let rig = Rig::new();
    let memory = own_memory(&rig);
    let managed = |va| DebugEntry { is_managed: true, ..buffer(va, 64, Direction::ToDevice) };
    let handle = rig.machine.pa_of(memory);
    rig.debug.check_map(&rig.call(ALLOC_SITE), DebugEntry { handle, ..managed(memory) });
    rig.map_as(rig.device, managed(memory + 64));
    rig.assert_silent();
    rig.debug.note_managed_release(&rig.call(OTHER_SITE));
    rig.assert_found(Finding::Unchecked, &format!("{handle:#x}, 64 bytes, mapped by 0x1111"));
    rig.debug.note_managed_release(&rig.call(OTHER_SITE));
    assert_eq!(rig.debug.mistakes(None), 1, "it is reported once");
}

#[test]
fn syncs_of_mappings_that_do_not_fit_are_reported() {
    let cases: [(Finding, usize, usize, Direction, &str); 3] = [
        (Finding::SyncUnknown, 2000, 64, Direction::FromDevice, ""),
        (Finding::SyncEnd, 1000, 501, Direction::FromDevice, "end"),
        (Finding::SyncDirection, 0, 64, Direction::ToDevice, ", mapped from the device"),
    ];
    for (mistake, offset, size, direction, rest) in cases {
        let rig = Rig::new();
        let handle = rig.map(own_memory(&rig), 1500, Direction::FromDevice);
        rig.debug.check_sync(&rig.call(OTHER_SITE), part(handle + offset, size, direction));
        let rest = if rest == "end" { format!(", the end is {:#x}", handle + 1500) } else { rest.to_owned() };
        rig.assert_found(mistake, &format!("{:#x}, {size} bytes{rest}", handle + offset));
    }
    let rig = Rig::new();
    let other = rig.other_device(c"dma1");
    let handle = rig.map_as(other, buffer(own_memory(&rig), 64, Direction::ToDevice));
    rig.debug.check_sync(&rig.call(OTHER_SITE), part(handle, 64, Direction::ToDevice));
    rig.assert_found(Finding::SyncDevice, &format!("{handle:#x}, 64 bytes, mapped for dma1"));
}

#[test]
fn bytes_that_two_devices_write_are_reported() {
    let rig = Rig::new();
    let memory = own_memory(&rig);
    let other = rig.other_device(c"dma1");
    let first = buffer(memory, 1000, Direction::FromDevice);
    rig.map_as(other, first);
    rig.debug.check_map(&rig.call(OTHER_SITE), DebugEntry { va: memory + 999, handle: 0x5000, ..first });
    rig.assert_found(Finding::MapTwice, &format!("{:#x}, 1000 bytes, first by 0x1111", memory + 999));

    // A driver that owns its cache lines must have them for itself.
    let rig = Rig::new();
    let memory = own_memory(&rig);
    let mapping = HeldMapping { has_own_lines: true, ..HeldMapping::new(MappedBy::Single, Direction::FromDevice) };
    let first = DebugEntry { kind: Kind::Mapping(mapping), va: memory, size: LINE + 2, ..DebugEntry::NONE };
    rig.map_as(rig.device, first);
    let next = DebugEntry { va: memory + LINE + 2, size: 8, ..first };
    rig.debug.check_map(&rig.call(OTHER_SITE), DebugEntry { va: memory + 2 * LINE, handle: 0x5000, ..next });
    rig.assert_silent();
    rig.debug.check_map(&rig.call(OTHER_SITE), DebugEntry { handle: 0x6000, ..next });
    rig.assert_found(Finding::MapTwice, &format!("{:#x}, 8 bytes, first by 0x1111", memory + LINE + 2));
}

/// Only the first of the pages of such a buffer lies where the physical address of its first byte leads.
#[test]
fn a_buffer_whose_pages_are_not_contiguous_shares_no_bytes_with_what_lies_after_its_first_page() {
    let rig = Rig::new();
    let memory = own_memory(&rig);
    let pa = rig.machine.pa_of(memory);
    let scattered = rig.machine.map_pages(&[pa, pa + 2 * PAGE], MemoryType::Cached);
    rig.map(scattered, 2 * PAGE, Direction::FromDevice);
    rig.map(memory + PAGE, PAGE, Direction::FromDevice);
    rig.assert_silent();
}

#[test]
fn stacks_and_unmapped_addresses_are_reported() {
    let rig = Rig::new();
    let memory = own_memory(&rig);
    let on_stack = Call { stack: memory - 64, stack_size: 65, ..rig.call(OTHER_SITE) };
    rig.debug.check_map(&on_stack, DebugEntry { handle: memory, ..buffer(memory, 64, Direction::ToDevice) });
    rig.assert_found(Finding::Stack, &format!("{memory:#x}, 64 bytes"));

    let rig = Rig::new();
    let memory = own_memory(&rig);
    let on_stack = Call { stack: memory - 64, stack_size: 65, ..rig.call(OTHER_SITE) };
    let data = SyncedData { va: memory, size: 64, flags: Flags::empty() };
    rig.debug.check_sync_data(rig.machine.dma, &on_stack, &data);
    rig.assert_found(Finding::Stack, &format!("{memory:#x}, 64 bytes"));

    let rig = Rig::new();
    rig.debug.check_map(
        &rig.call(OTHER_SITE),
        DebugEntry { handle: MAPPING_ERROR, ..buffer(0x10, 64, Direction::ToDevice) },
    );
    rig.assert_found(Finding::BadAddress, "0x10, 64 bytes");

    // The last byte counts, too.
    let rig = Rig::new();
    let last = own_memory(&rig) + 4 * PAGE - 64;
    rig.debug.check_map(
        &rig.call(OTHER_SITE),
        DebugEntry { handle: MAPPING_ERROR, ..buffer(last, 65, Direction::ToDevice) },
    );
    rig.assert_found(Finding::BadAddress, &format!("{last:#x}, 65 bytes"));

    // So does each page in between.
    let rig = Rig::new();
    [128, 130].into_iter().for_each(|page| rig.machine.premap_linear(START + page * PAGE, PAGE));
    let first = rig.machine.linear_va(START + 128 * PAGE);
    let failed = DebugEntry { handle: MAPPING_ERROR, ..buffer(first, 3 * PAGE, Direction::ToDevice) };
    rig.debug.check_map(&rig.call(OTHER_SITE), failed);
    rig.assert_found(Finding::BadAddress, &format!("{first:#x}, {} bytes", 3 * PAGE));

    // A buffer without bytes is not looked at.
    let rig = Rig::new();
    rig.machine.premap_linear(START + 128 * PAGE, PAGE);
    let first = rig.machine.linear_va(START + 128 * PAGE);
    rig.debug.check_map(
        &rig.call(OTHER_SITE),
        DebugEntry { handle: MAPPING_ERROR, ..buffer(first, 0, Direction::ToDevice) },
    );
    rig.assert_silent();
}
