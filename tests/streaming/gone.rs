//! Mappings of a device that is removed before it unmaps them.

use crate::fake_kernel::*;
use crate::rig::*;
use rt_dma_pool::additions::streaming::{BadMapping, BspOps, BusMaster, Direction::*, Ops};
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{MemoryType, Va};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Returns the addresses of three buffers: pool memory, heap memory that needs a bounce buffer, and heap memory at an
/// address outside the linear map.
fn buffers(rig: &Rig) -> [Va; 3] {
    let alias = rig.machine.map_pages(&[HEAP + HEAP_SIZE], MemoryType::Cached);
    [rig.buffer(PAGE, Flags::empty()).va, rig.va(HEAP + 1), alias]
}

const SIZE: usize = 4 * LINE;

fn map_each(rig: &Rig, master: &BusMaster, buffers: &[Va]) -> Vec<usize> {
    buffers.iter().map(|va| rig.map(master, *va, SIZE, Bidirectional).unwrap()).collect()
}

#[test]
fn fault_17_the_next_device_at_an_address_meets_no_mapping_of_the_last_one() {
    let rig = Rig::new();
    let (gone, other) = (rig.plain(), rig.plain());
    let buffers = buffers(&rig);
    let [_, bounced, _] = buffers;
    let before = rig.machine.balance();
    let handles = map_each(&rig, &gone, &buffers);
    let other_handles = map_each(&rig, &other, &buffers);
    assert_eq!(rig.used_bytes(), before.used_bytes + 2 * PAGE);

    // A device that has its operations already is not a new one.
    assert_eq!(rig.streaming().forget_earlier_device(gone.device, || false), 0);
    rig.sync_for_cpu(&gone, handles[1], SIZE, FromDevice).unwrap();

    // The memory has another owner by now.
    for va in buffers {
        rig.machine.cpu_write(va, &bytes(7, SIZE));
    }
    assert_eq!(rig.streaming().forget_earlier_device(gone.device, || true), 3);
    assert_eq!(rig.used_bytes(), before.used_bytes + PAGE, "its bounce buffer is free, and the other device's is not");
    for handle in &handles {
        assert_eq!(rig.sync_for_cpu(&gone, *handle, SIZE, Bidirectional), Err(BadMapping::Unknown));
        assert_eq!(rig.unmap(&gone, *handle, SIZE, Bidirectional), Err(BadMapping::Unknown));
    }
    assert_eq!(
        buffers.map(|va| rig.machine.cpu_read(va, SIZE)),
        [(); 3].map(|()| bytes(7, SIZE)),
        "they are left alone"
    );
    rig.assert_errors(2 * handles.len());

    // The new device's own mappings work, and those of the other device have not changed.
    let handles = map_each(&rig, &gone, &buffers);
    handles.iter().for_each(|handle| rig.unmap(&gone, *handle, SIZE, Bidirectional).unwrap());
    rig.device_write(&other, other_handles[1], &bytes(3, SIZE));
    other_handles.iter().for_each(|handle| rig.unmap(&other, *handle, SIZE, Bidirectional).unwrap());
    assert_eq!(rig.machine.cpu_read(bounced, SIZE), bytes(3, SIZE));
    rig.streaming().trim();
    assert_eq!(rig.machine.balance(), before);
    rig.assert_errors(0);
}

#[test]
fn fault_17_an_interrupt_that_brings_a_new_device_leaves_bounce_buffers_to_a_thread() {
    let rig = Rig::without_views();
    let gone = rig.plain();
    rig.map(&gone, rig.va(HEAP + 1), SIZE, FromDevice).unwrap();
    rig.machine.in_interrupt(|| {
        assert_eq!(rig.streaming().forget_earlier_device(gone.device, || true), 1);
    });
    assert_eq!(rig.used_bytes(), PAGE);
    rig.streaming().tidy();
    assert_eq!(rig.used_bytes(), 0);
    rig.assert_errors(0);
}

/// A device at the address may have another table by now: none of the operations that the gone device had is called.
#[test]
fn fault_17_what_operations_of_a_bsp_allocated_for_a_device_that_is_gone_stays() {
    static ALLOCATED: AtomicUsize = AtomicUsize::new(0);
    static OPS: BspOps = BspOps {
        alloc: |_, _| Some((ALLOCATED.load(Relaxed), 0x1_8000)),
        free: |_, _, _, _| panic!("another device's operation"),
        sync_out: |_, va: Va, _, _| (va == ALLOCATED.load(Relaxed)).then_some(0x1_8000),
        sync_in: |_, _, _, _, _| panic!("another device's operation"),
    };
    let rig = Rig::new();
    let gone = BusMaster { device: rig.machine.plain_device(), ops: Ops::Bsp(&OPS), mask: NO_MASK };
    let held = rig.buffer(PAGE, Flags::empty());
    ALLOCATED.store(held.va, Relaxed);
    let handle = rig.map(&gone, rig.va(HEAP), PAGE, FromDevice).unwrap();
    assert_eq!(handle, 0x1_8000);
    let used = rig.used_bytes();
    assert_eq!(rig.streaming().forget_earlier_device(gone.device, || true), 1);
    assert_eq!(rig.used_bytes(), used);
    assert_eq!(rig.unmap(&rig.plain(), handle, PAGE, FromDevice), Err(BadMapping::Unknown));
    rig.assert_errors(1);
}
