//! Errors as a driver passes them on, and the values that it prints.

#![forbid(unsafe_code)]

use crate::rig::*;
use std::collections::BTreeSet;
use std::error::Error;

/// Returns the errors of a write out of range, of a push to a full ring, and of maps of no bytes.
fn errors(rig: &Rig) -> [Box<dyn Error>; 4] {
    let device = rig.plain();
    let mut buffer = device.coherent::<u32>(1).unwrap();
    let mut ring = device.ring::<u32>(1).unwrap();
    ring.push(1).unwrap();
    [
        buffer.write(1, 0).unwrap_err().into(),
        ring.push(2).unwrap_err().into(),
        device.map(ToDevice, rig.bytes(0, 0)).err().unwrap().into(),
        device.with_mapped(ToDevice, &[], |_| ()).unwrap_err().into(),
    ]
}

#[test]
fn a_driver_passes_every_error_on() {
    let rig = Rig::new();
    let texts: Vec<_> = errors(&rig).iter().map(|error| error.to_string()).collect();
    assert_eq!(texts[2..], ["not a buffer, or no direction"; 2], "the reason of a map, with the buffer and without");
    let own: BTreeSet<_> = texts.iter().collect();
    assert!(own.len() == 3 && own.iter().all(|text| !text.is_empty()), "{own:?}");
    rig.machine.take_errors();
}

#[test]
fn a_value_is_printed_with_its_handle() {
    let rig = Rig::new();
    rig.assert_balanced(|device| {
        let ring = device.ring::<Descriptor>(4).unwrap();
        let slots = format!("CoherentBuffer {{ handle: {}, size: 64, .. }}", ring.handle());
        assert_eq!(format!("{ring:?}"), format!("Ring {{ slots: {slots}, oldest_slot: 0, used: 0 }}"));
        let mapped = device.map(FromDevice, rig.bytes(0, LINE)).unwrap();
        let mapping =
            format!("ScopedMapping {{ handle: {}, size: {LINE}, direction: FromDevice, .. }}", mapped.handle());
        assert_eq!(format!("{mapped:?}"), format!("Mapping {{ mapping: {mapping}, .. }}"));
    });
}
