//! Values in coherent memory.

#![forbid(unsafe_code)]

use crate::rig::*;

#[test]
fn processor_and_device_see_each_others_writes() {
    let rig = Rig::new();
    rig.assert_balanced(|device| {
        let mut numbers = device.coherent::<u32>(10).unwrap();
        assert_eq!((numbers.len(), numbers.size()), (10, 40));
        assert_eq!(numbers.handle_of(0), Some(numbers.handle()));
        let seventh = numbers.handle_of(7).unwrap();
        assert_eq!(seventh, numbers.handle() + 28);
        numbers.write(7, 0x1234_5678).unwrap();
        assert_eq!(rig.machine.device_read(seventh, 4), 0x1234_5678u32.to_ne_bytes());
        rig.machine.device_write(seventh, &7u32.to_ne_bytes());
        assert_eq!(numbers.read(7), Some(7));
        assert_eq!((numbers.read(6), numbers.read(8)), (Some(0), Some(0)));
    });
}

#[test]
fn a_descriptor_lies_in_memory_as_its_words() {
    let rig = Rig::new();
    let mut ring = rig.plain().coherent::<Descriptor>(3).unwrap();
    let descriptor = Descriptor { address: 0x0102_0304_0506_0708, length: 0x99, is_devices: true };
    ring.write(1, descriptor).unwrap();
    let expected = *b"\x08\x07\x06\x05\x04\x03\x02\x01\x99\0\0\0\0\0\0\x80";
    assert_eq!(rig.machine.device_read(ring.handle() + 16, 16), expected);
    assert_eq!(ring.read(1), Some(descriptor));
    assert_eq!(ring.read_word(1, 3).map(u32::from_le), Some(IS_DEVICES));
    ring.write_word(1, 3, 0).unwrap();
    assert_eq!(ring.read(1), Some(Descriptor { is_devices: false, ..descriptor }));
    assert_eq!(ring.read(0), Some(Descriptor::default()));
    assert_eq!(ring.read(2), Some(Descriptor::default()));
}

#[test]
fn new_memory_is_uncached_and_zeroed() {
    let rig = Rig::new();
    rig.machine.device_write(POOL, &[0xee; 4 * PAGE]);
    let buffer = rig.plain().coherent::<[u8; 3]>(PAGE + 1).unwrap();
    assert_eq!(buffer.size(), 3 * PAGE + 3);
    assert_eq!(rig.machine.device_read(buffer.handle(), buffer.size()), vec![0; buffer.size()]);
    assert!((0..buffer.len()).all(|index| buffer.read(index) == Some([0; 3])));
    let views = rig.machine.mappings();
    assert_eq!(views.iter().map(|view| view.memory).collect::<Vec<_>>(), [MemoryType::Uncached]);
    // A line that stayed in the cache could be written over what the device wrote.
    let pages = (buffer.handle()..buffer.handle() + buffer.size()).step_by(PAGE);
    let expected = pages.map(|pa| CacheCall { operation: Maintenance::FlushAndInvalidate, pa, size: PAGE });
    assert_eq!(rig.machine.take_cache_calls(), expected.collect::<Vec<_>>());
}

#[test]
fn what_is_out_of_range_is_refused_and_changes_nothing() {
    let rig = Rig::new();
    let mut buffer = rig.plain().coherent::<Descriptor>(4).unwrap();
    let value = Descriptor { address: !0, length: !0, is_devices: true };
    for index in [4, 5, PAGE, usize::MAX / 16, usize::MAX / 16 + 1, usize::MAX] {
        assert_eq!(buffer.read(index), None, "{index}");
        assert_eq!(buffer.write(index, value), Err(OutOfRange), "{index}");
        assert_eq!(buffer.handle_of(index), None, "{index}");
        assert_eq!(buffer.write_word(index, 0, !0), Err(OutOfRange), "{index}");
        assert_eq!(buffer.read_word(index, 0), None, "{index}");
    }
    for word in [4, usize::MAX / 4 + 1, usize::MAX] {
        assert_eq!(buffer.write_word(0, word, !0), Err(OutOfRange), "{word}");
        assert_eq!(buffer.read_word(0, word), None, "{word}");
    }
    let mut bytes = [1; 5];
    for offset in [60, 64, usize::MAX - 4, usize::MAX] {
        assert_eq!(buffer.read_bytes(offset, &mut bytes), Err(OutOfRange), "{offset}");
        assert_eq!(buffer.write_bytes(offset, &bytes), Err(OutOfRange), "{offset}");
    }
    assert_eq!(bytes, [1; 5]);
    assert_eq!(rig.machine.device_read(buffer.handle(), PAGE), vec![0; PAGE]);
}

#[test]
fn bytes_are_written_and_read_at_any_offset() {
    let rig = Rig::new();
    let mut buffer = rig.plain().coherent::<u8>(100).unwrap();
    buffer.write_bytes(13, b"between words").unwrap();
    let mut bytes = [0; 15];
    buffer.read_bytes(12, &mut bytes).unwrap();
    assert_eq!(&bytes, b"\0between words\0");
    buffer.write_bytes(100, b"").unwrap();
    buffer.zero();
    assert_eq!(rig.machine.device_read(buffer.handle(), 100), [0; 100]);
}

#[test]
fn a_buffer_of_no_size_or_too_large_a_size_is_refused() {
    let rig = Rig::new();
    let device = rig.plain();
    assert!(device.coherent::<u32>(0).is_none());
    assert!(device.coherent::<u64>(usize::MAX / 8 + 1).is_none(), "the size wraps to 0 bytes");
    assert!(device.coherent::<u64>(usize::MAX / 8 + 2).is_none(), "the size wraps to 8 bytes");
    assert!(device.coherent::<u8>(usize::MAX).is_none());
    assert!(device.coherent::<u8>(POOL_SIZE + 1).is_none());
    let all = device.coherent::<u8>(POOL_SIZE).unwrap();
    assert!(device.coherent::<u8>(1).is_none());
    drop(all);
    assert!(device.coherent::<u8>(1).is_some());
    assert!(Rig::without_pool().plain().coherent::<u8>(1).is_none());
}

#[test]
fn memory_that_is_not_aligned_for_the_words_is_given_back() {
    let rig = Rig::with_offset(4);
    rig.machine.install(c"dma", POOL, POOL_SIZE);
    let device = rig.plain();
    assert!(device.coherent::<u64>(1).is_none());
    assert!(device.ring::<[u64; 2]>(4).is_none());
    assert_eq!(rig.used_bytes(), 0);
    let mut ring = device.ring::<Descriptor>(4).unwrap();
    let descriptor = Descriptor { address: 5, ..Descriptor::default() };
    assert_eq!(ring.push(descriptor), Ok(0));
    assert_eq!(ring.pop(), Some((0, descriptor)));
}

#[test]
fn handles_include_the_bus_offset() {
    let rig = Rig::new();
    let info = DeviceInfo::with_dma_ranges(&[bus_range(0, BUS_OFFSET, usize::MAX / 2)]);
    let mut buffer = rig.device(info).coherent::<u32>(2).unwrap();
    buffer.write(1, 5).unwrap();
    assert_eq!(rig.machine.device_read(buffer.handle_of(1).unwrap() - BUS_OFFSET, 4), 5u32.to_ne_bytes());
}

#[test]
fn a_forgotten_buffer_keeps_its_page() {
    let rig = Rig::new();
    let device = rig.plain();
    let mut forgotten = device.coherent::<u32>(1).unwrap();
    forgotten.write(0, 1).unwrap();
    let handle = forgotten.handle();
    std::mem::forget(forgotten);
    let rest: Vec<_> = std::iter::from_fn(|| device.coherent::<u32>(1)).collect();
    assert_eq!(rest.len(), POOL_SIZE / PAGE - 1);
    assert!(rest.iter().all(|buffer| buffer.handle() != handle));
    assert_eq!(rig.machine.device_read(handle, 4), 1u32.to_ne_bytes());
}

#[test]
fn an_interrupt_gets_coherent_memory_once_the_view_is_mapped() {
    let rig = Rig::new();
    rig.assert_balanced(|device| {
        rig.machine.in_interrupt(|| {
            let mut buffer = device.coherent::<u64>(600).unwrap();
            buffer.write(599, 1).unwrap();
            assert_eq!(buffer.read(599), Some(1));
        });
    });
}

#[test]
fn a_coherent_buffer_may_be_sent_to_another_thread() {
    let rig = Rig::new();
    rig.assert_balanced(|device| {
        let mut buffer = device.coherent::<u32>(1).unwrap();
        std::thread::scope(|scope| scope.spawn(move || buffer.write(0, 1).unwrap()).join().unwrap());
    });
}
