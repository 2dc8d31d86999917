//! When a bounce buffer is used, and what is copied.

use crate::fake_kernel::*;
use crate::rig::*;
use rt_dma_pool::additions::streaming::{Attributes, BadMapping, Direction, Direction::*, MapError, Master, Segment};
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{Kernel, MemoryType, NamedRegion, Pa, Va};
use rt_dma_pool::log::Level;

const WAYS: [Direction; 3] = [ToDevice, FromDevice, Bidirectional];

/// Pages of the kernel's memory, none next to the one before.
const SCATTERED: [Pa; 3] = [HEAP + 8 * PAGE, HEAP + 4 * PAGE, HEAP + 6 * PAGE];

#[test]
fn a_mask_is_never_exceeded() {
    let rig = Rig::new();
    let device = rig.machine.plain_device();
    let va = rig.va(HIGH_HEAP);
    for way in WAYS {
        rig.machine.cpu_write(va, &bytes(1, 3 * PAGE));
        for mask in [BITS_32, LOW_POOL + 3 * PAGE - 1] {
            let master = rig.master(device, mask);
            let handle = rig.map(&master, va, 3 * PAGE, way).unwrap();
            assert!(handle + 3 * PAGE - 1 <= mask, "{handle:#x} {mask:#x}");
            assert_eq!(rig.device_read(&master, handle, 3 * PAGE), bytes(1, 3 * PAGE), "also where it only writes");
            rig.unmap(&master, handle, 3 * PAGE, way).unwrap();
        }
        // One byte less than any pool reaches.
        let master = rig.master(device, LOW_POOL + 3 * PAGE - 2);
        assert_eq!(rig.map(&master, va, 3 * PAGE, way), Err(MapError::NoBounce));
        assert_eq!(rig.machine.take_log(Level::Warning).len(), 1);
    }
    assert_eq!(rig.pool_bytes(), 0);
    assert_eq!(rig.machine.dma.bad_calls(), 0, "a lack of memory is no fault of the caller's");
    rig.assert_errors(0);
}

/// A buffer that begins within the mask and ends beyond it.
#[test]
fn a_buffer_that_straddles_the_mask_is_out_of_reach() {
    let rig = Rig::new();
    let device = rig.machine.plain_device();
    let va = rig.va(HEAP + PAGE);
    for (mask, reaches) in [(HEAP + PAGE + 99, true), (HEAP + PAGE + 98, false)] {
        let master = rig.master(device, mask);
        let result = rig.map(&master, va, 100, ToDevice);
        assert_eq!(result, if reaches { Ok(HEAP + PAGE) } else { Err(MapError::NoBounce) });
    }
}

#[test]
fn pages_that_are_not_contiguous_look_so_to_the_device() {
    let rig = Rig::new();
    let master = rig.plain();
    let va = rig.machine.map_pages(&SCATTERED, MemoryType::Cached);
    for way in WAYS {
        rig.machine.cpu_write(va, &bytes(1, 3 * PAGE));
        let (at, size) = (va + 10, 3 * PAGE - 20);
        let handle = rig.map(&master, at, size, way).unwrap();
        assert_eq!(rig.device_read(&master, handle, size), bytes(1, 3 * PAGE)[10..][..size]);
        rig.device_write(&master, handle, &bytes(2, size));
        rig.unmap(&master, handle, size, way).unwrap();
        let expected = if way == ToDevice { bytes(1, 3 * PAGE)[10..][..size].to_vec() } else { bytes(2, size) };
        assert_eq!(rig.machine.cpu_read(at, size), expected);
        // A part that lies in one page needs none.
        let handle = rig.map(&master, va + PAGE, PAGE, way).unwrap();
        assert_eq!(handle, SCATTERED[1]);
        rig.unmap(&master, handle, PAGE, way).unwrap();
    }
    assert_eq!(rig.pool_bytes(), 0);
    rig.assert_errors(0);
}

/// A short transfer leaves what the driver had, and nothing of what others had.
#[test]
fn what_the_device_leaves_out_stays() {
    let rig = Rig::new();
    let before = rig.buffer(PAGE, Flags::empty());
    rig.machine.cpu_write(before.va, &[0xbd; PAGE]);
    rig.machine.evict_cache();
    rig.machine.free(before).unwrap();
    let master = rig.plain();
    let va = rig.va(HEAP + 1);
    rig.machine.cpu_write(va, &bytes(1, 1000));
    let handle = rig.map(&master, va, 1000, FromDevice).unwrap();
    assert_ne!(handle, HEAP + 1);
    rig.device_write(&master, handle + 100, &bytes(2, 300));
    rig.for_cpu(&master, handle, 1000, FromDevice).unwrap();
    let mut expected = bytes(1, 1000);
    expected[100..400].copy_from_slice(&bytes(2, 300));
    assert_eq!(rig.machine.cpu_read(va, 1000), expected);
    rig.for_device(&master, handle, 1000, FromDevice).unwrap();
    rig.unmap(&master, handle, 1000, FromDevice).unwrap();
    assert_eq!(rig.machine.cpu_read(va, 1000), expected);
}

// --- no bytes against the direction
// -------------------------------------------------------------------------------------------------------------

/// Why a mapping is bounced: for a shared line at its beginning, at its end, for its address, for its pages.
fn bounced_places(rig: &Rig) -> [(Master, Va, usize); 4] {
    let device = rig.machine.plain_device();
    let [plain, narrow] = [ALL, BITS_32].map(|mask| rig.master(device, mask));
    let scattered = rig.machine.map_pages(&SCATTERED, MemoryType::Cached);
    [
        (plain, rig.va(HEAP + 5), 3 * LINE),
        (plain, rig.va(HEAP + PAGE), 3 * LINE + 1),
        (narrow, rig.va(HIGH_HEAP), 4 * LINE),
        (plain, scattered + PAGE - 2 * LINE, 4 * LINE),
    ]
}

/// The driver looks, the frame is not there yet, and the device writes it before the driver has given the buffer back.
#[test]
fn fault_11_a_driver_that_polls_keeps_what_the_device_wrote() {
    let rig = Rig::new();
    for keeps_flushed in [false, true] {
        if keeps_flushed {
            rig.machine.keep_flushed_lines();
        }
        for (master, va, size) in bounced_places(&rig) {
            // A bidirectional mapping may be synced one way only.
            for way in [FromDevice, Bidirectional] {
                rig.machine.cpu_write(va, &bytes(1, size));
                let handle = rig.map(&master, va, size, way).unwrap();
                assert_eq!(rig.device_read(&master, handle, size), bytes(1, size), "nothing of others is shown");
                for poll in 2..6 {
                    let written = bytes(poll, size);
                    rig.for_cpu(&master, handle, size, FromDevice).unwrap();
                    rig.device_write(&master, handle, &written[..size / 2]);
                    // Of a part, of the whole, and of two parts.
                    match poll {
                        2 => rig.for_device(&master, handle, LINE, FromDevice).unwrap(),
                        3 => rig.for_device(&master, handle, size, FromDevice).unwrap(),
                        _ => {
                            rig.for_device(&master, handle, LINE, FromDevice).unwrap();
                            rig.for_device(&master, handle + LINE, size - LINE, FromDevice).unwrap();
                        }
                    }
                    rig.device_write(&master, handle + size / 2, &written[size / 2..]);
                    rig.machine.evict_cache();
                    assert!(rig.device_read(&master, handle, size) == written, "{poll} {way:?}");
                    rig.for_cpu(&master, handle, size, FromDevice).unwrap();
                    assert!(rig.machine.cpu_read(va, size) == written, "{poll} {way:?}");
                    rig.for_device(&master, handle, size, FromDevice).unwrap();
                }
                rig.device_write(&master, handle, &bytes(7, size));
                rig.for_device(&master, handle, size, FromDevice).unwrap();
                rig.unmap(&master, handle, size, way).unwrap();
                assert!(rig.machine.cpu_read(va, size) == bytes(7, size), "{way:?}");
            }
        }
    }
    assert_eq!(rig.pool_bytes(), 0);
    rig.assert_errors(0);
}

/// The other way round: what the driver wrote meanwhile is not overwritten.
#[test]
fn fault_11_a_sync_for_the_processor_carries_nothing_to_the_device_only() {
    let rig = Rig::new();
    let master = rig.master(rig.machine.plain_device(), BITS_32);
    let (va, size) = (rig.va(HIGH_HEAP), 4 * LINE);
    for way in [ToDevice, Bidirectional] {
        rig.machine.cpu_write(va, &bytes(1, size));
        let handle = rig.map(&master, va, size, way).unwrap();
        rig.machine.cpu_write(va, &bytes(2, size));
        rig.for_cpu(&master, handle, size, ToDevice).unwrap();
        assert_eq!(rig.machine.cpu_read(va, size), bytes(2, size), "{way:?}");
        rig.for_device(&master, handle, size, ToDevice).unwrap();
        assert_eq!(rig.device_read(&master, handle, size), bytes(2, size), "{way:?}");
        rig.unmap(&master, handle, size, way).unwrap();
    }
    rig.assert_errors(0);
}

/// A bidirectional mapping that is synced both ways: the processor's turn carries the device's bytes in, and all of the
/// processor's bytes out.
#[test]
fn fault_11_a_bidirectional_mapping_changes_hands_with_all_its_bytes() {
    let rig = Rig::new();
    for (master, va, size) in bounced_places(&rig) {
        rig.machine.cpu_write(va, &bytes(1, size));
        let handle = rig.map(&master, va, size, Bidirectional).unwrap();
        rig.device_write(&master, handle, &bytes(2, size));
        rig.for_cpu(&master, handle, size, Bidirectional).unwrap();
        let mut expected = bytes(2, size);
        assert_eq!(rig.machine.cpu_read(va, size), expected);
        expected[..9].copy_from_slice(&bytes(3, 9));
        rig.machine.cpu_write(va, &bytes(3, 9));
        rig.for_device(&master, handle, size, Bidirectional).unwrap();
        assert_eq!(rig.device_read(&master, handle, size), expected);
        rig.unmap(&master, handle, size, Bidirectional).unwrap();
        assert_eq!(rig.machine.cpu_read(va, size), expected);
    }
    rig.assert_errors(0);
}

/// What the driver wrote since it synced stays, and no sync is needed before the unmap for that.
#[test]
fn fault_11_an_unmap_without_a_sync_leaves_the_drivers_bytes() {
    let rig = Rig::new();
    for (master, va, size) in bounced_places(&rig) {
        for way in [FromDevice, Bidirectional] {
            rig.machine.cpu_write(va, &bytes(1, size));
            let handle = rig.map(&master, va, size, way).unwrap();
            rig.device_write(&master, handle, &bytes(2, size));
            rig.for_cpu(&master, handle, size, way).unwrap();
            rig.machine.cpu_write(va, &bytes(3, size / 2));
            rig.device_write(&master, handle, &bytes(4, size));
            rig.unmap_with(&master, handle, size, way, Attributes::SKIP_CPU_SYNC).unwrap();
            let expected = [&bytes(3, size)[..size / 2], &bytes(2, size)[size / 2..]].concat();
            assert!(rig.machine.cpu_read(va, size) == expected, "{way:?}");
        }
    }
    assert_eq!(rig.pool_bytes(), 0);
    rig.assert_errors(0);
}

#[test]
fn a_part_is_synced_and_no_more() {
    let rig = Rig::new();
    let master = rig.master(rig.machine.plain_device(), BITS_32);
    let (va, size) = (rig.va(HIGH_HEAP), 4 * PAGE);
    rig.machine.cpu_write(va, &bytes(1, size));
    let handle = rig.map(&master, va, size, Bidirectional).unwrap();
    rig.device_write(&master, handle, &bytes(2, size));
    let (from, length) = (2 * PAGE + LINE, 3 * LINE);
    rig.for_cpu(&master, handle + from, length, Bidirectional).unwrap();
    let mut expected = bytes(1, size);
    expected[from..from + length].copy_from_slice(&bytes(2, size)[from..from + length]);
    assert_eq!(rig.machine.cpu_read(va, size), expected);
    rig.machine.cpu_write(va, &bytes(3, size));
    rig.for_device(&master, handle + from, length, Bidirectional).unwrap();
    let mut expected = bytes(2, size);
    expected[from..from + length].copy_from_slice(&bytes(3, size)[from..from + length]);
    assert_eq!(rig.device_read(&master, handle, size), expected);
    // To the last byte, and not one further.
    rig.for_cpu(&master, handle + size - 1, 1, Bidirectional).unwrap();
    rig.for_cpu(&master, handle, size, FromDevice).unwrap();
    rig.assert_errors(0);
    assert!(rig.for_cpu(&master, handle + size - 1, 2, Bidirectional).is_err());
    assert!(rig.for_cpu(&master, handle + size, 1, Bidirectional).is_err());
    rig.assert_errors(2);
    rig.unmap(&master, handle, size, Bidirectional).unwrap();
}

/// Pools that are uncached as a whole, or whose buffers have mappings of their own, serve as well.
#[test]
fn a_bounce_buffer_comes_from_whatever_pool_there_is() {
    for kind in 0..4 {
        let machine = Machine::new();
        if kind == 2 || kind == 3 {
            machine.fail_always(Service::MapLinear);
        }
        if kind == 3 {
            machine.set_view_limit(0);
        }
        let rig = Rig::on(machine);
        if kind == 1 {
            rig.low.add_flags(Flags::NOCACHE);
            rig.high.add_flags(Flags::NOCACHE);
        }
        let master = rig.plain();
        let before = rig.machine.balance();
        let va = rig.va(HEAP + 1);
        for way in WAYS {
            rig.machine.cpu_write(va, &bytes(1, 5000));
            let handle = rig.machine.dma.pools().next().map(|_| rig.map(&master, va, 5000, way).unwrap()).unwrap();
            if way != ToDevice {
                assert_ne!(handle, HEAP + 1);
            }
            assert_eq!(rig.device_read(&master, handle, 5000), bytes(1, 5000));
            rig.device_write(&master, handle, &bytes(2, 5000));
            rig.unmap(&master, handle, 5000, way).unwrap();
            if way != ToDevice {
                assert_eq!(rig.machine.cpu_read(va, 5000), bytes(2, 5000), "{kind} {way:?}");
            }
        }
        rig.streaming.trim(rig.machine.dma);
        let after = rig.machine.balance();
        assert_eq!(after.used_bytes, before.used_bytes);
        assert_eq!(after.heap_bytes, before.heap_bytes);
        if kind == 3 {
            assert_eq!(after.mappings, before.mappings);
        }
        rig.assert_errors(0);
    }
}

#[test]
fn handles_are_translated() {
    let rig = Rig::new();
    let tree = rig.master(rig.machine.device(behind_ranges()), ALL);
    let pci = rig.master(rig.machine.device(DeviceInfo::pci(&[PCI_WINDOW])), BITS_32);
    for master in [tree, pci] {
        for (pa, is_direct) in [(HEAP + 2 * PAGE, true), (HIGH_HEAP + 2 * PAGE, false)] {
            let va = rig.va(pa);
            rig.machine.cpu_write(va, &bytes(1, PAGE));
            let handle = rig.map(&master, va, PAGE, Bidirectional).unwrap();
            assert_eq!(rig.on_bus(&master, handle) == pa, is_direct, "the device reaches it or not");
            assert_eq!(rig.device_read(&master, handle, PAGE), bytes(1, PAGE));
            rig.device_write(&master, handle, &bytes(2, PAGE));
            rig.for_cpu(&master, handle + LINE, LINE, Bidirectional).unwrap();
            rig.unmap(&master, handle, PAGE, Bidirectional).unwrap();
            assert_eq!(rig.machine.cpu_read(va, PAGE), bytes(2, PAGE));
        }
    }
    assert_eq!(rig.pool_bytes(), 0);
    rig.assert_errors(0);
}

/// What the bus calls an address leads back elsewhere: a record finds the buffer all the same.
#[test]
fn a_translation_that_does_not_invert_is_no_hindrance() {
    let rig = Rig::new();
    let info = DeviceInfo {
        dma_to_cpu: Some(|handle| Some(handle + 0x10_0000)),
        ..DeviceInfo::behind_ranges(&[bus_range(HEAP, HEAP ^ 0x800_0000, HEAP_SIZE)])
    };
    let master = rig.master(rig.machine.device(info), ALL);
    let va = rig.va(HEAP);
    rig.machine.cpu_write(va, &bytes(1, PAGE));
    let handle = rig.map(&master, va, PAGE, FromDevice).unwrap();
    assert_eq!(handle, HEAP ^ 0x800_0000);
    rig.machine.device_write(HEAP, &bytes(2, PAGE));
    rig.unmap(&master, handle, PAGE, FromDevice).unwrap();
    assert_eq!(rig.machine.cpu_read(va, PAGE), bytes(2, PAGE));
    rig.assert_errors(0);
}

/// A bus on which two ranges meet shows a buffer across them in two pieces.
#[test]
fn a_buffer_across_two_ranges_is_out_of_reach() {
    let rig = Rig::new();
    let two = [bus_range(0, PAGE, HEAP + PAGE), bus_range(HEAP + PAGE, HEAP, usize::MAX / 2)];
    let master = rig.master(rig.machine.device(DeviceInfo::behind_ranges(&two)), ALL);
    assert_eq!(rig.map(&master, rig.va(HEAP), PAGE, ToDevice), Ok(HEAP + PAGE));
    rig.machine.cpu_write(rig.va(HEAP), &bytes(1, 2 * PAGE));
    let handle = rig.map(&master, rig.va(HEAP), PAGE + 1, ToDevice).unwrap();
    assert_eq!(handle, LOW_POOL - PAGE);
    assert_eq!(rig.machine.device_read(LOW_POOL, PAGE + 1), bytes(1, 2 * PAGE)[..PAGE + 1]);
    rig.unmap(&master, handle, PAGE + 1, ToDevice).unwrap();
}

/// What the bus calls an address is not always a handle.
#[test]
fn no_handle_looks_like_an_error() {
    let rig = Rig::new();
    let info = DeviceInfo::behind_ranges(&[bus_range(HEAP, usize::MAX, 1), bus_range(LOW_POOL, usize::MAX, 1)]);
    let master = rig.master(rig.machine.device(info), ALL);
    assert_eq!(rig.map(&master, rig.va(HEAP), 1, ToDevice), Err(MapError::NoBounce));
    assert_eq!(rig.pool_bytes(), 0);
}

#[test]
fn bounce_buffers_are_maintained_only_where_that_helps() {
    for (uncached_pool, is_coherent) in [(false, false), (false, true), (true, false), (true, true)] {
        let rig = Rig::new();
        if uncached_pool {
            rig.low.add_flags(Flags::NOCACHE);
        }
        let info = if is_coherent { DeviceInfo::plain().coherent() } else { DeviceInfo::plain() };
        let master = rig.master(rig.machine.device(info), BITS_32);
        // The first may write back what the cache had of the pool before.
        for _ in 0..2 {
            rig.machine.take_cache_calls();
            let handle = rig.map(&master, rig.va(HIGH_HEAP), PAGE, Bidirectional).unwrap();
            rig.unmap(&master, handle, PAGE, Bidirectional).unwrap();
        }
        let calls = rig.machine.take_cache_calls().len();
        assert_eq!(calls, if uncached_pool || is_coherent { 0 } else { 2 }, "{uncached_pool} {is_coherent}");
    }
}

/// A device's own region gives its bounce buffers.
#[test]
fn a_bounce_buffer_comes_from_the_devices_own_region() {
    let rig = Rig::new();
    let region = NamedRegion {
        start: LOW.start + 32 * MIB,
        end: LOW.start + 33 * MIB,
        no_map: false,
        reusable: false,
        is_shared: false,
    };
    let master = rig.master(rig.machine.device(DeviceInfo::naming(&[region])), ALL);
    let handle = rig.map(&master, rig.va(HEAP + 1), 100, FromDevice).unwrap();
    assert_eq!(handle, region.start);
    rig.unmap(&master, handle, 100, FromDevice).unwrap();
}

#[test]
fn a_page_is_mapped_by_the_address_it_has() {
    let rig = Rig::new();
    let master = rig.plain();
    let map = |page, offset, size| rig.map_page(&master, page, offset, size, Bidirectional);
    let cached = rig.buffer(PAGE, Flags::empty());
    let uncached = rig.buffer(PAGE, Flags::NOCACHE);
    for (va, pa) in [(rig.va(HEAP), HEAP), (cached.va, cached.handle), (uncached.va, uncached.handle)] {
        rig.machine.cpu_write(va + 256, &bytes(1, 512));
        // A line read ahead through another view is not what the driver sees.
        let handle = map(pa, 256, 512).unwrap();
        assert_eq!(handle, pa + 256);
        assert_eq!(rig.device_read(&master, handle, 512), bytes(1, 512));
        rig.device_write(&master, handle, &bytes(2, 512));
        rig.unmap(&master, handle, 512, Bidirectional).unwrap();
        assert_eq!(rig.machine.cpu_read(va + 256, 512), bytes(2, 512));
    }
    rig.assert_errors(0);
    assert_eq!(map(LOW.start + 64 * MIB, 0, PAGE), Err(MapError::NotMapped));
    assert_eq!(map(usize::MAX, 1, PAGE), Err(MapError::Invalid));
    assert_eq!(map(HEAP, 0, 0), Err(MapError::Invalid));
    rig.assert_errors(3);
}

/// An uncached buffer that needs a bounce buffer is read as the driver sees it, not through lines read ahead.
#[test]
fn an_uncached_page_is_not_copied_through_the_cache() {
    let rig = Rig::new();
    let master = rig.master(rig.machine.plain_device(), BITS_32);
    let uncached = rig.buffer(PAGE, Flags::NOCACHE);
    assert!(uncached.handle > BITS_32);
    rig.machine.cpu_read(rig.machine.kernel.linear(uncached.handle), PAGE);
    rig.machine.cpu_write(uncached.va, &bytes(1, PAGE));
    let handle = rig.map_page(&master, uncached.handle, 0, PAGE, ToDevice).unwrap();
    assert_eq!(rig.device_read(&master, handle, PAGE), bytes(1, PAGE));
    rig.unmap(&master, handle, PAGE, ToDevice).unwrap();
}

// --- lists
// -------------------------------------------------------------------------------------------------------------

struct Piece {
    va: usize,
    size: usize,
    handle: usize,
}

impl Segment for Piece {
    fn va(&self) -> usize {
        self.va
    }
    fn size(&self) -> usize {
        self.size
    }
    fn handle(&self) -> usize {
        self.handle
    }
    fn set_handle(&mut self, handle: usize) {
        self.handle = handle;
    }
}

fn list(rig: &Rig) -> Vec<Piece> {
    let places = [(HEAP, PAGE), (HEAP + 2 * PAGE + 3, 77), (HIGH_HEAP, 2 * PAGE), (HIGH_HEAP + 5 * PAGE + 1, 1)];
    places.map(|(pa, size)| Piece { va: rig.va(pa), size, handle: 0 }).into()
}

#[test]
fn a_list_is_mapped_synced_and_unmapped_as_a_whole() {
    let rig = Rig::new();
    let master = rig.master(rig.machine.plain_device(), BITS_32);
    let mut list = list(&rig);
    list.iter().for_each(|piece| rig.machine.cpu_write(piece.va, &bytes(1, piece.size)));
    rig.map_list(&master, &mut list, Bidirectional).unwrap();
    for piece in &list {
        assert!(piece.handle + piece.size - 1 <= BITS_32);
        assert_eq!(rig.device_read(&master, piece.handle, piece.size), bytes(1, piece.size));
        rig.device_write(&master, piece.handle, &bytes(2, piece.size));
    }
    rig.list_for_cpu(&master, &list, Bidirectional);
    for piece in &list {
        assert_eq!(rig.machine.cpu_read(piece.va, piece.size), bytes(2, piece.size));
        rig.machine.cpu_write(piece.va, &bytes(3, piece.size));
    }
    rig.list_for_device(&master, &list, Bidirectional);
    list.iter().for_each(|piece| assert_eq!(rig.device_read(&master, piece.handle, piece.size), bytes(3, piece.size)));
    rig.unmap_list(&master, &list, Bidirectional);
    assert_eq!(rig.pool_bytes(), 0);
    rig.assert_errors(0);
}

#[test]
fn a_list_of_which_one_cannot_be_mapped_is_not_mapped() {
    let rig = Rig::new();
    let master = rig.master(rig.machine.plain_device(), BITS_32);
    for broken in 0..4 {
        let mut list = list(&rig);
        list[broken].va = 8;
        assert_eq!(rig.map_list(&master, &mut list, FromDevice), Err(MapError::NotMapped));
        assert!(list.iter().all(|piece| piece.handle == usize::MAX));
        assert_eq!(rig.pool_bytes(), 0);
        rig.assert_errors(1);
    }
    assert_eq!(rig.map_list(&master, &mut [] as &mut [Piece], FromDevice), Err(MapError::Invalid));
    rig.assert_errors(1);
}

/// The driver looks at every buffer of a list, and gives the list back while the device writes.
#[test]
fn fault_11_a_list_that_is_polled_keeps_what_the_device_wrote() {
    let rig = Rig::new();
    let master = rig.master(rig.machine.plain_device(), BITS_32);
    let mut list = list(&rig);
    rig.map_list(&master, &mut list, FromDevice).unwrap();
    rig.list_for_cpu(&master, &list, FromDevice);
    list.iter().for_each(|piece| rig.device_write(&master, piece.handle, &bytes(2, piece.size)));
    rig.list_for_device(&master, &list, FromDevice);
    rig.unmap_list(&master, &list, FromDevice);
    list.iter().for_each(|piece| assert!(rig.machine.cpu_read(piece.va, piece.size) == bytes(2, piece.size)));
    assert_eq!(rig.pool_bytes(), 0);
    rig.assert_errors(0);
}

/// A driver that shortened its entries, or emptied one, before it unmaps the list.
#[test]
fn fault_12_a_list_whose_lengths_changed_is_unmapped_as_it_was_mapped() {
    let rig = Rig::new();
    let master = rig.master(rig.machine.plain_device(), BITS_32);
    let mut list = list(&rig);
    // All of them bounced.
    list[0].va += 1;
    let sizes: Vec<_> = list.iter().map(|piece| piece.size).collect();
    rig.map_list(&master, &mut list, FromDevice).unwrap();
    list.iter().for_each(|piece| rig.device_write(&master, piece.handle, &bytes(2, piece.size)));
    list.iter_mut().for_each(|piece| piece.size /= 2);
    // What has no bytes left is nothing to sync.
    assert_eq!(list[3].size, 0);
    rig.list_for_cpu(&master, &list, FromDevice);
    rig.assert_errors(0);
    rig.unmap_list(&master, &list, FromDevice);
    rig.assert_errors(4);
    for (piece, size) in list.iter().zip(sizes) {
        assert!(rig.machine.cpu_read(piece.va, size) == bytes(2, size));
    }
    assert_eq!(rig.pool_bytes(), 0);
}

// --- cache lines that the driver owns
// -------------------------------------------------------------------------------------------------------------

/// A network driver's receive buffer begins 2 bytes after a line, and has its lines for itself.
#[test]
fn a_receive_buffer_whose_lines_are_the_drivers_is_not_bounced() {
    let rig = Rig::new();
    let master = rig.plain();
    let (pa, size) = (HEAP + 2, 1514);
    let va = rig.va(pa);
    for way in [FromDevice, Bidirectional] {
        rig.machine.cpu_write(va, &bytes(1, size));
        let handle = rig.map_with(&master, va, size, way, Attributes::OWN_LINES).unwrap();
        assert_eq!((handle, rig.pool_bytes()), (pa, 0), "the device sees the driver's buffer");
        // The processor reads ahead.
        rig.machine.cpu_read(rig.va(HEAP), 2048);
        rig.device_write(&master, handle, &bytes(2, size));
        rig.for_cpu(&master, handle, size, way).unwrap();
        assert_eq!(rig.machine.cpu_read(va, size), bytes(2, size), "{way:?}");
        rig.for_device(&master, handle, size, way).unwrap();
        rig.machine.cpu_read(rig.va(HEAP), 2048);
        rig.device_write(&master, handle, &bytes(3, size));
        rig.unmap_with(&master, handle, size, way, Attributes::OWN_LINES).unwrap();
        assert_eq!(rig.machine.cpu_read(va, size), bytes(3, size), "{way:?}");
        // Without the attribute it is bounced as ever.
        let handle = rig.map(&master, va, size, way).unwrap();
        assert_ne!(handle, pa);
        rig.unmap(&master, handle, size, way).unwrap();
    }
    // In a pool's memory the record remembers nothing of it, and nothing is needed.
    let held = rig.buffer(PAGE, Flags::empty());
    let handle = rig.map_with(&master, held.va + 2, size, FromDevice, Attributes::OWN_LINES).unwrap();
    assert_eq!(handle, held.handle + 2);
    rig.device_write(&master, handle, &bytes(4, size));
    rig.unmap_with(&master, handle, size, FromDevice, Attributes::OWN_LINES).unwrap();
    assert_eq!(rig.machine.cpu_read(held.va + 2, size), bytes(4, size));
    rig.machine.free(held).unwrap();
    rig.assert_errors(0);
}

/// An unmap that forgets the attribute is logged, and the device's bytes arrive.
#[test]
fn an_unmap_without_the_attribute_of_its_map_loses_no_bytes() {
    let rig = Rig::new();
    let master = rig.plain();
    let (va, size) = (rig.va(HEAP + 2), 100);
    let handle = rig.map_with(&master, va, size, FromDevice, Attributes::OWN_LINES).unwrap();
    rig.machine.cpu_read(va, size);
    rig.device_write(&master, handle, &bytes(2, size));
    assert_eq!(rig.unmap(&master, handle, size, FromDevice), Err(BadMapping::WrongSize));
    assert_eq!(rig.machine.cpu_read(va, size), bytes(2, size));
    rig.assert_errors(1);
}
