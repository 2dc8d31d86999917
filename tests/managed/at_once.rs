//! Several threads that manage and release at once.

use crate::fake_kernel::*;
use crate::{fill_reservation, unmanage};
use rt_dma_pool::additions::device::DeviceRecords;
use rt_dma_pool::additions::device::resource::{Arguments, ResourceKind};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const EACH: usize = 50;

#[test]
fn of_all_that_release_at_once_each_resource_is_released_by_one() {
    static COUNTS: [AtomicUsize; CORES * EACH] = [const { AtomicUsize::new(0) }; CORES * EACH];
    for _ in 0..20 {
        COUNTS.iter().for_each(|count| count.store(0, Relaxed));
        let machine = Machine::new();
        let records = DeviceRecords::new(machine.kernel);
        let device = machine.plain_device();
        on_every_core(|core| {
            let count = |_, [number, ..]: Arguments| {
                COUNTS[number].fetch_add(1, Relaxed);
            };
            for number in (core..CORES * EACH).step_by(CORES) {
                fill_reservation(records.reserve(device).unwrap(), ResourceKind::Buffer, count, number);
                if number % 7 == 0 {
                    records.release(device);
                }
                // The resource before is another core's: it may not be made yet, or be released already.
                if matches!(number % 7, 1 | 2) && unmanage(&records, device, ResourceKind::Buffer, number - 1) {
                    COUNTS[number - 1].fetch_add(1, Relaxed);
                }
            }
            records.release(device);
        });
        assert!(COUNTS.iter().all(|count| count.load(Relaxed) == 1), "{COUNTS:?}");
        assert_eq!(machine.balance().heap_bytes, 0);
    }
}
