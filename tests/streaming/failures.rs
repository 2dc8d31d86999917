//! Services of the kernel that fail.

use crate::fake_kernel::*;
use crate::rig::*;
use rt_dma_pool::additions::streaming::{Direction::*, MapError};

/// Every service fails in turn, at each of its calls: a call that fails loses nothing, and the next try succeeds.
#[test]
fn a_mapping_that_fails_loses_nothing() {
    let services = [
        Service::HeapAlloc,
        Service::Map,
        Service::MapWrong(WrongMapping::Block),
        Service::MapWrong(WrongMapping::LastPage),
    ];
    for (service, view_limit) in pairs(services, &[64 * MIB, 0]) {
        for call in 0.. {
            let machine = Machine::new();
            machine.fail_always(Service::MapLinear);
            machine.set_view_limit(view_limit);
            let rig = Rig::on(machine);
            let device = rig.machine.plain_device();
            let master = rig.master(device, LOW_MASK);
            let before = rig.machine.balance();
            rig.machine.fail(service, call, 1);
            let mut failed = false;
            for _ in 0..2 {
                let va = rig.va(HIGH_HEAP + 1);
                rig.machine.cpu_write(va, &bytes(1, 5000));
                match rig.map(&master, va, 5000, FromDevice) {
                    Ok(handle) => {
                        rig.device_write(&master, handle, &bytes(2, 5000));
                        rig.unmap(&master, handle, 5000, FromDevice).unwrap();
                        assert_eq!(rig.machine.cpu_read(va, 5000), bytes(2, 5000));
                    }
                    Err(error) => {
                        assert!(!failed, "only one call fails");
                        assert!(matches!(error, MapError::NoBounce | MapError::NoMemory));
                        failed = true;
                    }
                }
                assert_eq!(rig.used_bytes(), 0, "{service:?} {call}");
            }
            rig.streaming().trim();
            let mut after = rig.machine.balance();
            if view_limit != 0 {
                // A view stays.
                after.mappings.clear();
            }
            assert_eq!(after, before, "{service:?} {call}");
            rig.assert_errors(0);
            if !rig.machine.repair(service) {
                assert!(!failed);
                break;
            }
            assert!(call < 100, "{service:?} is called without end");
        }
    }
}
