//! Random buffers, devices and calls.

use crate::fake_kernel::*;
use crate::rig::*;
use crate::world::{World, steps};
use proptest::prelude::*;
use rt_dma_pool::additions::streaming::Direction::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]
    #[test]
    fn each_side_sees_what_the_other_wrote(
        uncached_pools in any::<bool>(),
        view_limit in prop::sample::select(vec![0, 64 * MIB]),
        has_linear_pools in any::<bool>(),
        steps in steps(),
    ) {
        let mut world = World::new(uncached_pools, view_limit, has_linear_pools);
        // A pool's view is mapped at its first use, and stays.
        for master in world.masters.clone() {
            for direction in [FromDevice, Bidirectional] {
                let va = world.rig.va(HEAP + 200 * PAGE + 1);
                if let Ok(handle) = world.rig.map(&master, va, 100, direction) {
                    world.rig.unmap(&master, handle, 100, direction).unwrap();
                }
            }
        }
        world.rig.streaming().trim();
        let before = world.rig.machine.balance();
        for (slot, step) in steps {
            world.step(slot, step);
        }
        for slot in 0..world.slots.len() {
            world.sync_for_device(slot, true);
            world.unmap(slot, slot % 2 == 0);
            world.processor_reads(slot);
        }
        world.rig.machine.evict_cache();
        (0..world.slots.len()).for_each(|slot| world.processor_reads(slot));
        world.rig.streaming().trim();
        prop_assert_eq!(world.rig.machine.balance(), before);
        world.rig.assert_errors(0);
    }
}
