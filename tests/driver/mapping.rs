//! Bytes of the driver's own that a device has for a time.

#![forbid(unsafe_code)]

use crate::rig::*;
use rt_dma_pool::kernel::Cache;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Returns the cache operations since the last call.
fn maintained(rig: &Rig) -> Vec<(Maintenance, Pa, usize)> {
    rig.machine.take_cache_calls().into_iter().map(|call| (call.operation, call.pa, call.size)).collect()
}

#[test]
fn a_device_reads_what_is_lent() {
    let rig = Rig::new();
    let device = rig.plain();
    let frame = rig.bytes(0, 100);
    frame.copy_from_slice(&[7; 100]);
    let sent = device.with_mapped(ToDevice, frame, |mapping| {
        assert_eq!(maintained(&rig), [(Maintenance::Flush, HEAP, 100)]);
        assert_eq!((mapping.handle(), mapping.size()), (HEAP, 100));
        assert_eq!(mapping.cpu(|bytes: &[u8]| bytes[99]), Ok(7));
        rig.machine.device_read(mapping.handle(), 100)
    });
    assert_eq!(sent, Ok(vec![7; 100]));
    // The borrow has ended.
    frame[0] = 8;
}

#[test]
fn a_device_writes_to_what_is_lent() {
    let rig = Rig::new();
    let device = rig.plain();
    let frame = rig.bytes(0, 2 * LINE);
    let first = device.with_mapped(FromDevice, frame, |mapping| {
        assert_eq!(maintained(&rig), [(Maintenance::Flush, HEAP, 2 * LINE)]);
        rig.machine.device_write(mapping.handle(), &[5; LINE]);
        let first = mapping.cpu(|bytes: &mut [u8]| {
            assert_eq!(maintained(&rig), [(Maintenance::Invalidate, HEAP, 2 * LINE)]);
            bytes[1] = 6;
            bytes[0]
        });
        assert_eq!(maintained(&rig), [(Maintenance::Flush, HEAP, 2 * LINE)]);
        first
    });
    assert_eq!(first, Ok(Ok(5)));
    assert_eq!(maintained(&rig), [(Maintenance::Invalidate, HEAP, 2 * LINE)]);
    assert_eq!(frame[..3], [5, 6, 5]);
}

#[test]
fn an_owner_has_its_bytes_again_when_it_is_done() {
    let rig = Rig::new();
    rig.assert_balanced(|device| {
        let frame = rig.bytes(0, LINE);
        let at = frame.as_ptr();
        let mut mapped = device.map(Bidirectional, frame).unwrap();
        assert_eq!((mapped.handle(), mapped.size()), (HEAP, LINE));
        rig.machine.device_write(mapped.handle(), &[1; LINE]);
        assert_eq!(mapped.cpu(|bytes| std::mem::replace(&mut bytes[0], 2)), Ok(1));
        let frame: &mut [u8] = mapped.finish();
        assert_eq!((frame.as_ptr(), frame.len(), &frame[..2]), (at, LINE, [2, 1].as_slice()));
    });
}

#[test]
fn a_bounce_buffer_is_given_back_before_its_owner_goes() {
    let rig = Rig::new();
    rig.assert_balanced(|device| {
        // The buffer shares a line with its neighbours.
        let owner = rig.drop_recorder(1, 10);
        let noted = owner.used_when_dropped;
        let mapped = device.map(FromDevice, owner).unwrap();
        assert_eq!(rig.used_bytes(), PAGE);
        rig.machine.device_write(mapped.handle(), &[9; 10]);
        drop(mapped);
        assert_eq!(*noted.lock().unwrap(), Some(0), "it was dropped when nothing was in use");
        rig.machine.evict_cache();
        assert_eq!(rig.machine.device_read(HEAP, 12), [0, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 0]);
        let mapped = device.map(FromDevice, rig.drop_recorder(1, 10)).unwrap();
        let noted = mapped.finish().used_when_dropped;
        assert_eq!(*noted.lock().unwrap(), Some(0), "dropped by the caller");
    });
}

/// The driver polls: the device writes the frame while the driver looks for it.
#[test]
fn fault_11_a_driver_in_rust_that_polls_keeps_what_the_device_wrote() {
    let rig = Rig::new();
    rig.assert_balanced(|device| {
        let mut mapped = device.map(FromDevice, rig.drop_recorder(1, 10)).unwrap();
        let handle = mapped.handle();
        let seen = mapped.cpu(|bytes| {
            let seen = bytes[0];
            rig.machine.device_write(handle, &[9; 10]);
            seen
        });
        assert_eq!(seen, Ok(0));
        assert_eq!(rig.machine.device_read(handle, 10), [9; 10]);
        // The slices of the rig bypass the cache.
        let look = |bytes: &mut [u8]| {
            rig.machine.evict_cache();
            bytes.to_vec()
        };
        assert_eq!(mapped.cpu(look), Ok(vec![9; 10]));
        let mut owner = mapped.finish();
        assert_eq!(look(owner.bytes()), [9; 10]);

        let frame = rig.bytes(LINE + 1, 10);
        let polled = device.with_mapped(FromDevice, frame, |mapping| {
            let handle = mapping.handle();
            mapping.cpu(|_| rig.machine.device_write(handle, &[8; 10]))
        });
        assert_eq!(polled, Ok(Ok(())));
        assert_eq!(look(frame), [8; 10]);
    });
}

#[test]
fn what_is_refused_comes_back() {
    let rig = Rig::without_pool();
    let device = rig.plain();
    let before = rig.machine.balance();
    // No pool has room for a bounce buffer.
    let refused = device.map(FromDevice, rig.drop_recorder(1, 10)).err().unwrap();
    assert_eq!(refused.error, MapError::NoBounce);
    let noted = refused.buffer.used_when_dropped;
    assert_eq!(*noted.lock().unwrap(), None);
    drop(refused);
    assert_eq!(*noted.lock().unwrap(), Some(0));
    assert_eq!(
        device.map(FromDevice, rig.drop_recorder(0, 0)).err().map(|refused| refused.error),
        Some(MapError::Invalid)
    );
    let mut borrowed = *b"on the host's stack";
    let result = device.with_mapped(FromDevice, &mut borrowed, |_| panic!("it is not mapped"));
    assert_eq!(result, Err::<(), _>(MapError::NotMapped));
    rig.streaming.trim();
    assert_eq!(rig.machine.balance(), before);
}

#[test]
fn what_is_forgotten_stays_the_devices() {
    let rig = Rig::new();
    let device = rig.plain();
    let forgotten = device.map(FromDevice, rig.drop_recorder(1, 10)).unwrap();
    let handle = forgotten.handle();
    std::mem::forget(forgotten);
    for _ in 0..3 {
        let mapped = device.map(FromDevice, rig.drop_recorder(LINE + 1, 10)).unwrap();
        assert_ne!(mapped.handle(), handle);
        rig.machine.device_write(handle, &[4; 10]);
        rig.machine.device_write(mapped.handle(), &[3; 10]);
        drop(mapped);
    }
    rig.machine.evict_cache();
    assert_eq!(rig.machine.device_read(HEAP, LINE), [0; LINE], "the buffer is not used any more");
    assert_eq!(rig.machine.device_read(HEAP + LINE + 1, 10), [3; 10]);
    assert_eq!(rig.used_bytes(), PAGE, "the bounce buffer that the device still has");
}

#[test]
fn a_closure_with_a_mapping_may_map_another_buffer() {
    let rig = Rig::new();
    rig.assert_balanced(|device| {
        let (request, answer) = (rig.bytes(0, 10), rig.bytes(LINE, LINE));
        request.copy_from_slice(b"0123456789");
        device
            .with_mapped(ToDevice, request, |request| {
                device.with_mapped(FromDevice, answer, |answer| {
                    let bytes = rig.machine.device_read(request.handle(), request.size());
                    rig.machine.device_write(answer.handle(), &bytes);
                })
            })
            .unwrap()
            .unwrap();
        assert_eq!(answer[..10], *request);
    });
}

#[test]
fn a_closure_that_unwinds_leaves_no_mapping() {
    let rig = Rig::new();
    rig.assert_balanced(|device| {
        let frame = rig.bytes(1, 10);
        let work = || device.with_mapped::<_, ()>(FromDevice, frame, |_| panic!("on purpose"));
        assert!(catch_unwind(AssertUnwindSafe(work)).is_err());
    });
}

#[test]
fn an_interrupt_unmaps_and_maps_a_buffer() {
    let rig = Rig::new();
    rig.assert_balanced(|device| {
        let frame = rig.bytes(0, LINE);
        let mapped = device.map(FromDevice, frame).unwrap();
        let frame = rig.machine.in_interrupt(|| {
            rig.machine.device_write(mapped.handle(), &[1; LINE]);
            let frame = mapped.finish();
            assert_eq!(frame[0], 1);
            device.with_mapped(ToDevice, frame, |_| ()).unwrap();
            frame
        });
        assert_eq!(frame[0], 1);
    });
}

#[test]
fn heap_bytes_share_no_line_and_go_back() {
    let rig = Rig::new();
    rig.assert_balanced(|device| {
        for size in [1, LINE - 1, LINE, LINE + 1, 1000] {
            let mut bytes = device.bytes(size).unwrap();
            assert_eq!(bytes.as_ptr().addr() % rig.machine.kernel.cache_line_max(), 0);
            assert_eq!(*bytes, *vec![0; size]);
            bytes.fill(0xff);
            let another = device.bytes(size).unwrap();
            assert!(bytes.as_ptr().addr().abs_diff(another.as_ptr().addr()) >= size.next_multiple_of(LINE));
        }
    });
    for largest in [128, 512] {
        rig.machine.set_largest_line(largest);
        let [bytes, another] = [1, 1].map(|size| rig.plain().bytes(size).unwrap());
        assert!(bytes.as_ptr().addr().is_multiple_of(largest) && another.as_ptr().addr().is_multiple_of(largest));
    }
    for no_power_of_two in [0, 96, usize::MAX] {
        rig.machine.set_reported_line(no_power_of_two);
        assert!(rig.plain().bytes(1).is_none(), "a line of {no_power_of_two} bytes");
    }
    rig.machine.set_largest_line(LINE);
    let device = rig.plain();
    assert!(device.bytes(0).is_none());
    assert!(device.bytes(usize::MAX).is_none());
    assert!(device.bytes(usize::MAX - LINE).is_none());
    rig.machine.in_interrupt(|| assert!(device.bytes(1).is_none()));
    rig.machine.fail_always(Service::HeapAlloc);
    assert!(device.bytes(1).is_none());
}

/// The heap of the fake kernel panics in an interrupt.
#[test]
fn heap_bytes_dropped_in_an_interrupt_are_lost_and_no_more() {
    let rig = Rig::new();
    let bytes = rig.plain().bytes(10).unwrap();
    let before = rig.machine.balance();
    rig.machine.in_interrupt(|| drop(bytes));
    assert_eq!(rig.machine.balance(), before);
}

#[test]
fn a_mapping_is_printed_with_its_handle() {
    let rig = Rig::new();
    rig.assert_balanced(|device| {
        // The buffer shares a line, so that a mapping that is left keeps a bounce buffer.
        let mapped = device.map(FromDevice, rig.bytes(1, 10)).unwrap();
        let handle = mapped.handle();
        let mapping = format!("ScopedMapping {{ handle: {handle}, size: 10, direction: FromDevice, .. }}");
        assert_eq!(format!("{mapped:?}"), format!("Mapping {{ mapping: {mapping}, .. }}"));
    });
}
