//! The errors that a driver gets: their texts, how it passes them on, and the lines in the log.

#![forbid(unsafe_code)]

use crate::rig::*;
use rt_dma_pool::additions::block_pool::shape::ShapeError;
use rt_dma_pool::log::Level;
use std::error::Error;

#[test]
fn each_error_has_its_text() {
    let errors: [(&dyn Error, &str); 19] = [
        (&OutOfRange, "the memory has no such bytes"),
        (&Full(0), "every slot of the ring is in use"),
        (&CreateError::NoDevice, "no device"),
        (&CreateError::Shape(ShapeError::Size), "bad size"),
        (&CreateError::Shape(ShapeError::Align), "bad alignment"),
        (&CreateError::Shape(ShapeError::Boundary), "bad boundary"),
        (&CreateError::NoMemory, "out of memory"),
        (&CreateError::Context, "needs a thread"),
        (&MapError::Invalid, "not a buffer, or no direction"),
        (&MapError::NotMapped, "nothing is mapped there"),
        (&MapError::NoBounce, "no bounce buffer within reach"),
        (&MapError::NoMemory, "out of memory"),
        (&MapError::NoOperations, "the device's operations cannot be chosen now"),
        (&BadMapping::Unknown, "not mapped (any more)"),
        (&BadMapping::WrongSize, "wrong size"),
        (&BadMapping::PastEnd, "the range ends after the mapping"),
        (&BadMapping::WrongDirection, "wrong direction"),
        (&BadMapping::Ambiguous, "mapped more than once, and never with this size and direction"),
        (&BadMapping::NoDirection, "no direction"),
    ];
    for (error, text) in errors {
        assert_eq!(error.to_string(), text, "{error:?}");
    }
}

/// Passes an error on by `?`, as a driver does, and returns its text.
fn passed_on<T>(result: Result<T, impl Error + 'static>) -> String {
    let driver = || -> Result<(), Box<dyn Error>> {
        drop(result?);
        Ok(())
    };
    driver().unwrap_err().to_string()
}

#[test]
fn a_driver_passes_an_error_on_and_the_log_has_a_line_for_a_wrong_call() {
    let rig = Rig::new();
    let device = rig.device(DeviceInfo::plain().named(c"eth0"));
    let mut buffer = device.coherent::<u32>(1).unwrap();
    let mut ring = device.ring::<u32>(1).unwrap();
    ring.push(1).unwrap();
    assert_eq!(passed_on(buffer.write(1, 0)), "the memory has no such bytes");
    assert_eq!(passed_on(ring.push(2)), "every slot of the ring is in use");
    assert_eq!(rig.machine.take_errors(), NO_LINES, "a driver may ask for these");

    let no_buffer = "not a buffer, or no direction";
    let (empty, lent) = (rig.bytes(0, 0), rig.bytes(LINE, 0));
    let addresses = [empty.as_ptr(), lent.as_ptr()];
    assert_eq!(passed_on(device.map(ToDevice, empty)), no_buffer, "the reason, of a map that returns the buffer");
    assert_eq!(passed_on(device.with_mapped(ToDevice, lent, |_| ())), no_buffer);
    let lines = addresses.map(|address| format!("eth0: map of {address:p} (0 bytes): {no_buffer}"));
    assert_eq!(rig.machine.take_errors(), lines);

    assert_eq!(passed_on(device.block_pool::<u64>("frames", 3, 0)), "bad alignment");
    assert_eq!(rig.machine.take_errors(), ["frames: blocks of 8 bytes, align 3, boundary 0: bad alignment"]);
    rig.machine.fail_always(Service::HeapAlloc);
    assert_eq!(passed_on(device.block_pool::<u64>("frames", 0, 0)), "out of memory");
    let line = "frames: blocks of 8 bytes, align 0, boundary 0: out of memory";
    assert_eq!(rig.machine.take_log(Level::Warning), [line]);
    assert_eq!(rig.machine.take_errors(), NO_LINES, "the driver is not wrong");
}
