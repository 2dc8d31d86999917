//! Texts that are linked only together with the code that uses them.
//!
//! The compiler puts all C string literals into one section, whose strings the linker can merge but not leave out. A
//! text of the additions would therefore be part of every image. A second NUL at the end makes the text a constant with
//! a section of its own.

/// Makes a C string of literals, in a section of its own.
macro_rules! apart {
    ($($text:literal),+) => {
        const {
            match core::ffi::CStr::from_bytes_until_nul(concat!($($text,)+ "\0\0").as_bytes()) {
                Ok(text) => text,
                Err(_) => panic!("the text ends with a NUL"),
            }
        }
    };
}
pub(crate) use apart;
