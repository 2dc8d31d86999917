//! Values in blocks of a block pool.

#![forbid(unsafe_code)]

use crate::rig::*;
use rt_dma_pool::additions::block_pool::shape::ShapeError;

#[test]
fn boxes_come_and_go_and_the_pool_goes_last() {
    let rig = Rig::new();
    rig.assert_balanced(|device| {
        let pool = device.block_pool::<Descriptor>("descriptors", 64, 4096).unwrap();
        let mut boxes: Vec<_> = (0..100).map(|_| pool.allocate().unwrap()).collect();
        for (number, descriptor) in boxes.iter_mut().enumerate() {
            assert_eq!(descriptor.handle() % 64, 0);
            descriptor.write(Descriptor { address: number as u64, length: 1, is_devices: true });
        }
        for (number, descriptor) in boxes.iter_mut().enumerate() {
            assert_eq!(descriptor.read(), Descriptor { address: number as u64, length: 1, is_devices: true });
            let bytes = rig.machine.device_read(descriptor.handle(), 4);
            assert_eq!(bytes, (number as u32).to_le_bytes());
            rig.machine.device_write(descriptor.handle() + 12, &[0; 4]);
            assert!(!descriptor.read().is_devices);
            descriptor.write_word(2, 9).unwrap();
            assert_eq!((descriptor.read_word(2), descriptor.read().length), (Some(9), 9));
        }
        assert_eq!(pool.trim(), 0);
        boxes.truncate(1);
        assert_eq!(pool.trim(), 1, "100 blocks of 64 bytes are two pages");
    });
}

#[test]
fn a_block_used_before_is_zero_again() {
    let rig = Rig::new();
    let pool = rig.plain().block_pool::<[u64; 5]>("zero", 0, 0).unwrap();
    let mut first = pool.allocate().unwrap();
    first.write([!0; 5]);
    let handle = first.handle();
    drop(first);
    let again = pool.allocate().unwrap();
    assert_eq!((again.handle(), again.read()), (handle, [0; 5]));
}

#[test]
fn a_word_out_of_range_is_refused() {
    let rig = Rig::new();
    let pool = rig.plain().block_pool::<[u16; 3]>("words", 0, 0).unwrap();
    let mut block = pool.allocate().unwrap();
    // The block has room for a fourth value, because its size was rounded up.
    for word in [3, 4, usize::MAX / 2 + 1, usize::MAX] {
        assert_eq!(block.write_word(word, 1), Err(OutOfRange), "{word}");
        assert_eq!(block.read_word(word), None, "{word}");
    }
    assert_eq!(rig.machine.device_read(block.handle(), 8), [0; 8]);
}

#[test]
fn a_forgotten_box_keeps_its_pool() {
    let rig = Rig::new();
    let device = rig.plain();
    let pool = device.block_pool::<u32>("forgetful", 0, 0).unwrap();
    let mut forgotten = pool.allocate().unwrap();
    forgotten.write(7);
    let handle = forgotten.handle();
    std::mem::forget(forgotten);
    drop(pool);
    assert!(rig.machine.take_errors().iter().any(|line| line.contains("forgetful")));
    assert_eq!(rig.used_bytes(), PAGE);
    let others: Vec<_> = std::iter::from_fn(|| device.coherent::<u8>(PAGE)).collect();
    assert_eq!(others.len(), POOL_SIZE / PAGE - 1);
    assert_eq!(rig.machine.device_read(handle, 4), 7u32.to_ne_bytes());
}

#[test]
fn an_interrupt_gets_a_block_only_while_one_is_free() {
    let rig = Rig::new();
    rig.assert_balanced(|device| {
        let pool = device.block_pool::<[u8; 2048]>("interrupt", 0, 0).unwrap();
        rig.machine.in_interrupt(|| assert!(pool.allocate().is_none(), "it has no memory yet"));
        let first = pool.allocate().unwrap();
        let second = rig.machine.in_interrupt(|| pool.allocate().unwrap());
        rig.machine.in_interrupt(|| assert!(pool.allocate().is_none()));
        rig.machine.in_interrupt(|| drop((first, second)));
    });
}

#[test]
fn a_pool_that_is_dropped_in_an_interrupt_stays() {
    let rig = Rig::new();
    let device = rig.plain();
    let pool = device.block_pool::<u32>("dropped", 0, 0).unwrap();
    drop(pool.allocate().unwrap());
    rig.machine.in_interrupt(|| drop(pool));
    assert_eq!((rig.used_bytes(), rig.block_pools.refused_calls()), (PAGE, 1));
    rig.block_pools.list_pools();
    let lines = rig.machine.take_printed();
    assert!(lines.iter().any(|line| line.starts_with("dropped ")), "{lines:?}");
}

#[test]
fn a_block_pool_with_impossible_arguments_is_refused() {
    let rig = Rig::new();
    let device = rig.plain();
    let refused = |align, boundary| device.block_pool::<u64>("bad", align, boundary).err();
    for align in [3, 6, 24] {
        assert_eq!(refused(align, 0), Some(CreateError::Shape(ShapeError::Align)), "{align}");
    }
    assert_eq!(refused(0, 4), Some(CreateError::Shape(ShapeError::Boundary)));
    assert_eq!(rig.machine.in_interrupt(|| refused(0, 0)), Some(CreateError::Context));
    assert_eq!(rig.block_pools.refused_calls(), 5);
    rig.machine.fail_always(Service::HeapAlloc);
    assert_eq!(refused(0, 0), Some(CreateError::NoMemory));
    assert_eq!(rig.block_pools.refused_calls(), 5, "a full heap is no mistake of the driver");
}

#[test]
fn threads_that_share_a_pool_get_different_boxes() {
    let rig = Rig::new();
    rig.assert_balanced(|device| {
        let pool = device.block_pool::<u32>("shared", 0, 0).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let pool = &pool;
                scope.spawn(move || {
                    for round in 0..100 {
                        let mut held: Vec<_> = (0..10).map(|_| pool.allocate().unwrap()).collect();
                        held.iter_mut().enumerate().for_each(|(at, block)| block.write(thread * 10 + at as u32));
                        let is_own = |(at, block): (usize, &BlockBox<_, _>)| block.read() == thread * 10 + at as u32;
                        assert!(held.iter().enumerate().all(is_own), "{round}");
                    }
                });
            }
        });
    });
}
