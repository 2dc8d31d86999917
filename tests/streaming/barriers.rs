//! Barriers between a driver's bytes and what it does next: each call that hands a buffer over has one.

use crate::fake_kernel::*;
use crate::rig::*;
use rt_dma_pool::additions::streaming::BusMaster;
use rt_dma_pool::additions::streaming::Direction::{self, *};
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{MemoryType, Va};

/// Maps a buffer that needs no bounce buffer, syncs it and ends the mapping. Checks that each call has a barrier.
fn hands_over(rig: &Rig, master: &BusMaster, va: Va, way: Direction) {
    let barriers = |what: &str, is_needed: bool, before: usize| {
        let made = rig.machine.barrier_count() - before;
        assert!(made >= is_needed as usize, "{what}: {made} barriers: {way:?}, {:?}", master.ops);
    };
    let returns_bytes = way != ToDevice;
    let before = rig.machine.barrier_count();
    let handle = rig.map(master, va, PAGE, way).unwrap();
    barriers("map", true, before);
    let before = rig.machine.barrier_count();
    rig.for_cpu(master, handle, PAGE, way).unwrap();
    barriers("sync for the processor", returns_bytes, before);
    let before = rig.machine.barrier_count();
    rig.for_device(master, handle, PAGE, way).unwrap();
    barriers("sync for the device", true, before);
    let before = rig.machine.barrier_count();
    rig.unmap(master, handle, PAGE, way).unwrap();
    barriers("unmap", returns_bytes, before);
}

#[test]
fn fault_24_the_device_sees_the_bytes_before_what_the_driver_does_next() {
    let rig = Rig::new();
    let pooled = rig.buffer(PAGE, Flags::empty());
    let uncached = rig.buffer(PAGE, Flags::NOCACHE);
    let alias = rig.machine.map_pages(&[HEAP + 16 * PAGE], MemoryType::Cached);
    let tree = rig.master(rig.machine.device(behind_ranges()), ALL);
    let coherent_tree = rig.master(rig.machine.device(behind_ranges().coherent()), ALL);
    let buffers = [rig.va(HEAP), pooled.va, uncached.va, alias];
    for master in [rig.plain(), rig.coherent(), tree, coherent_tree] {
        // The first mapping of a buffer takes the general path, later ones a short one.
        for (va, way) in buffers.into_iter().flat_map(|va| [ToDevice, FromDevice, Bidirectional].map(|way| (va, way))) {
            (0..3).for_each(|_| hands_over(&rig, &master, va, way));
        }
    }
    [pooled, uncached].into_iter().for_each(|held| rig.machine.free(held).unwrap());
    rig.assert_errors(0);
}
