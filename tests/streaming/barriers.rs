//! Barriers between a driver's bytes and what it does next: each call that hands a buffer over has one.

use crate::fake_kernel::*;
use crate::rig::*;
use rt_dma_pool::additions::streaming::BusMaster;
use rt_dma_pool::additions::streaming::Direction::{self, *};
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{MemoryType, Va};

/// Maps a buffer that needs no bounce buffer, syncs it and ends the mapping. Checks that each call has a barrier.
fn check_barriers(rig: &Rig, master: &BusMaster, va: Va, direction: Direction) {
    let check = |call: &str, is_needed: bool, before: usize| {
        let made = rig.machine.barrier_count() - before;
        assert!(made > 0 || !is_needed, "{call}: no barrier: {direction:?}, {:?}", master.ops);
    };
    let returns_bytes = direction != ToDevice;
    let before = rig.machine.barrier_count();
    let handle = rig.map(master, va, PAGE, direction).unwrap();
    check("map", true, before);
    let before = rig.machine.barrier_count();
    rig.sync_for_cpu(master, handle, PAGE, direction).unwrap();
    check("sync for the processor", returns_bytes, before);
    let before = rig.machine.barrier_count();
    rig.sync_for_device(master, handle, PAGE, direction).unwrap();
    check("sync for the device", true, before);
    let before = rig.machine.barrier_count();
    rig.unmap(master, handle, PAGE, direction).unwrap();
    check("unmap", returns_bytes, before);
}

#[test]
fn fault_24_the_device_sees_the_bytes_before_what_the_driver_does_next() {
    let rig = Rig::new();
    let pooled = rig.buffer(PAGE, Flags::empty());
    let uncached = rig.buffer(PAGE, Flags::NOCACHE);
    let alias = rig.machine.map_pages(&[HEAP + 16 * PAGE], MemoryType::Cached);
    let tree = rig.master(rig.machine.device(below_ranges()), NO_MASK);
    let coherent_tree = rig.master(rig.machine.device(below_ranges().coherent()), NO_MASK);
    let buffers = [rig.va(HEAP), pooled.va, uncached.va, alias];
    for master in [rig.plain(), rig.coherent(), tree, coherent_tree] {
        // The first mapping of a buffer takes the general path, later ones a short one.
        for (va, direction) in pairs(buffers, &DIRECTIONS) {
            (0..3).for_each(|_| check_barriers(&rig, &master, va, direction));
        }
    }
    [pooled, uncached].into_iter().for_each(|held| rig.machine.free(held).unwrap());
    rig.assert_errors(0);
}
