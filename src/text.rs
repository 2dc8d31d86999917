//! Text that is linked only with the code that says it.
//!
//! C string literals all go to one section, where a linker can merge them, and so none of them can be left out. What a
//! core without the additions does not say is kept apart: a second NUL at the end makes a constant of its own of it.

/// A C string from a literal, in a section of its own.
macro_rules! apart {
    ($text:literal) => {
        const {
            match core::ffi::CStr::from_bytes_until_nul(concat!($text, "\0\0").as_bytes()) {
                Ok(text) => text,
                Err(_) => panic!("it ends with a NUL"),
            }
        }
    };
}
pub(crate) use apart;
