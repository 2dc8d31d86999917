//! Errors as a driver passes them on, and the values that it prints.

#![forbid(unsafe_code)]

use crate::rig::*;
use std::collections::BTreeSet;
use std::error::Error;

/// Returns the errors of a write out of range, of a push to a full ring, and of maps of no bytes.
fn errors(rig: &Rig) -> Vec<Box<dyn Error>> {
    let device = rig.plain();
    let fails = |call: &dyn Fn() -> Result<(), Box<dyn Error>>| call().unwrap_err();
    vec![
        fails(&|| Ok(device.coherent::<u32>(1).unwrap().write(1, 0)?)),
        fails(&|| {
            Ok(device.ring::<u32>(1).map(|mut ring| ring.push(1).and_then(|_| ring.push(2))).unwrap().map(drop)?)
        }),
        fails(&|| Ok(device.map(ToDevice, rig.bytes(0, 0)).map(drop)?)),
        fails(&|| Ok(device.with_mapped(ToDevice, &[], |_| ())?)),
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
