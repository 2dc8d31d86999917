//! What the debug mode takes for held is what the library holds, whatever frees a driver tries.

use crate::fake_kernel::*;
use crate::rig::*;
use proptest::prelude::*;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::Device;

/// The number of buffers that the debug mode takes for held.
fn held_by_devices(rig: &Rig) -> usize {
    rig.lines();
    rig.debug.log_holders(START, 64 * PAGE);
    let lines = rig.lines();
    let words: Vec<_> = lines.last().unwrap().split(' ').collect();
    words[words.iter().position(|word| *word == "hold").unwrap() + 1].parse().unwrap()
}

fn free(rig: &Rig, held: &Held) -> bool {
    rig.free_as(held.device, freed(held))
}

/// Two of the devices have other handles than physical addresses.
fn devices(rig: &Rig) -> [Device; 3] {
    let below = |bus| DeviceInfo::with_dma_ranges(&[bus_range(START, bus, 64 * PAGE)]);
    [DeviceInfo::plain(), below(0x8000_0000), below(0x9000_0000)].map(|info| rig.machine.device(info))
}

proptest! {
    #[test]
    fn what_the_library_does_not_free_stays_held(
        frees in prop::collection::vec((0usize..3, 0usize..3, 0usize..4, 0usize..3, 0usize..4, any::<bool>()), 60)
    ) {
        let rig = Rig::new();
        let devices = devices(&rig);
        let mut held: Vec<Held> = Vec::new();
        for (owner, caller, size, address, handle, is_nocache) in frees {
            let flags = if is_nocache { Flags::NOCACHE } else { Flags::empty() };
            if held.len() < 4 {
                let new = rig.machine.alloc(devices[owner], 5000, flags).unwrap();
                rig.record(devices[owner], &new);
                held.push(new);
            }
            let right = held[owner % held.len()];
            let pa = rig.machine.pa_of(right.va);
            let tried = Held {
                device: devices[caller],
                size: [5000, 8192, 4096, 9000][size],
                va: [right.va, right.va, right.va + PAGE][address],
                handle: [0, right.handle, pa, held[0].handle][handle],
                ..right
            };
            free(&rig, &tried);
            if rig.machine.free(tried).is_ok() {
                held.retain(|held| held.va != tried.va);
            }
            prop_assert_eq!(held_by_devices(&rig), held.len(), "{:x?}", tried);
        }
        for right in held {
            rig.lines();
            prop_assert!(free(&rig, &right));
            prop_assert_eq!(rig.lines(), NO_LINES);
            rig.machine.free(right).unwrap();
        }
    }
}

#[test]
fn fault_30_a_holder_without_a_name_is_known_by_its_address() {
    let rig = Rig::new();
    let device = rig.machine.device(DeviceInfo { name: None, ..DeviceInfo::plain() });
    let held = rig.machine.alloc(device, PAGE, Flags::empty()).unwrap();
    rig.record(device, &held);
    rig.debug.log_holders(START, 64 * PAGE);
    let begin = format!("device {:#x}: holds a buffer", device.address());
    assert!(rig.lines()[0].contains(&begin));
    rig.machine.free(held).unwrap();
}
