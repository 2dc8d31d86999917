//! Rings of descriptors.

#![forbid(unsafe_code)]

use crate::rig::*;
use proptest::prelude::*;
use std::collections::VecDeque;

#[test]
fn the_device_works_off_what_is_pushed() {
    let rig = Rig::new();
    rig.assert_balanced(|device| {
        let mut ring = device.ring::<Descriptor>(4).unwrap();
        let slot = ring.push(Descriptor { address: 0x4000_0000, length: 64, is_devices: false }).unwrap();
        assert_eq!(slot, 0);
        ring.write_word(slot, 3, IS_DEVICES.to_le()).unwrap();
        assert_eq!(ring.pop_if(|descriptor| !descriptor.is_devices), None);
        assert_eq!(ring.len(), 1);

        // The device sets the length that it wrote and marks the slot as processed.
        let at = ring.handle_of(slot).unwrap();
        assert_eq!(rig.machine.device_read(at + 12, 4), IS_DEVICES.to_le_bytes());
        rig.machine.device_write(at + 8, &60u32.to_le_bytes());
        rig.machine.device_write(at + 12, &0u32.to_le_bytes());

        let done = Descriptor { address: 0x4000_0000, length: 60, is_devices: false };
        assert_eq!(ring.pop_if(|descriptor| !descriptor.is_devices), Some((0, done)));
        assert!(ring.is_empty());
    });
}

/// The words of a value are read one after the other, and the device writes between two of them.
#[test]
fn a_value_that_the_device_wrote_while_it_was_read_is_read_again() {
    let rig = Rig::new();
    let mut ring = rig.plain().ring::<Descriptor>(1).unwrap();
    let slot = ring.push(Descriptor { address: 0, length: 64, is_devices: false }).unwrap();
    let length = ring.handle_of(slot).unwrap() + 8;
    let popped = ring.pop_if(|descriptor| {
        rig.machine.device_write(length, &60u32.to_le_bytes());
        !descriptor.is_devices
    });
    assert_eq!(popped, Some((0, Descriptor { address: 0, length: 60, is_devices: false })));
}

#[test]
fn a_full_ring_gives_the_value_back() {
    let rig = Rig::new();
    let mut ring = rig.plain().ring::<u32>(1).unwrap();
    assert_eq!((ring.pop(), ring.oldest(), ring.next_slot()), (None, None, Some(0)));
    assert_eq!(ring.push(1), Ok(0));
    assert!(ring.is_full());
    assert_eq!((ring.push(2), ring.next_slot()), (Err(Full(2)), None));
    assert_eq!(ring.pop(), Some((0, 1)));
    assert_eq!(ring.push(3), Ok(0));
    assert_eq!((ring.read(1), ring.write(1, 0), ring.handle_of(1)), (None, Err(OutOfRange), None));
    assert!(rig.plain().ring::<u32>(0).is_none());
}

#[test]
fn a_ring_is_printed_with_its_handle_and_its_counters() {
    let rig = Rig::new();
    rig.assert_balanced(|device| {
        let mut ring = device.ring::<Descriptor>(4).unwrap();
        ring.push(Descriptor::default()).unwrap();
        let slots = format!("CoherentBuffer {{ handle: {}, size: 64, .. }}", ring.handle());
        assert_eq!(format!("{ring:?}"), format!("Ring {{ slots: {slots}, oldest_slot: 0, used: 1 }}"));
    });
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Push(u64),
    Pop,
    PopIfOdd,
    DeviceWrites(usize, u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => any::<u64>().prop_map(Step::Push),
        1 => Just(Step::Pop),
        1 => Just(Step::PopIfOdd),
        1 => (any::<usize>(), any::<u64>()).prop_map(|(slot, value)| Step::DeviceWrites(slot, value)),
    ];
    proptest::collection::vec(step, 0..200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A model of a ring: a queue of bounded length whose slots are reused, with the last value of each slot.
    #[test]
    fn a_ring_is_a_queue(capacity in 1usize..9, steps in steps()) {
        let rig = Rig::new();
        let mut ring = rig.plain().ring::<u64>(capacity).unwrap();
        let mut queue: VecDeque<(usize, u64)> = VecDeque::new();
        let mut pushed = 0;
        for step in steps {
            match step {
                Step::Push(value) if queue.len() < capacity => {
                    prop_assert_eq!(ring.next_slot(), Some(pushed % capacity));
                    prop_assert_eq!(ring.push(value), Ok(pushed % capacity));
                    queue.push_back((pushed % capacity, value));
                    pushed += 1;
                }
                Step::Push(value) => prop_assert_eq!(ring.push(value), Err(Full(value))),
                Step::Pop => prop_assert_eq!(ring.pop(), queue.pop_front()),
                Step::PopIfOdd => {
                    let is_odd = queue.front().is_some_and(|(_, value)| value % 2 == 1);
                    let expected = if is_odd { queue.pop_front() } else { None };
                    prop_assert_eq!(ring.pop_if(|value| value % 2 == 1), expected);
                }
                Step::DeviceWrites(slot, value) => {
                    let slot = slot % capacity;
                    rig.machine.device_write(ring.handle() + slot * 8, &value.to_ne_bytes());
                    prop_assert_eq!(ring.read(slot), Some(value));
                    queue.iter_mut().filter(|(of, _)| *of == slot).for_each(|(_, old)| *old = value);
                }
            }
            prop_assert_eq!(ring.len(), queue.len());
            prop_assert_eq!(ring.is_empty(), queue.is_empty());
            prop_assert_eq!(ring.is_full(), queue.len() == capacity);
            prop_assert_eq!(ring.oldest(), queue.front().copied());
        }
    }
}
