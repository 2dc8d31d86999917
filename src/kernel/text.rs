//! Text that is linked only with the code that prints it.

/// A C string in a section of its own, `c"..."` otherwise.
///
/// A compiler puts all plain C strings of an object into one section, which GNU ld keeps or drops as a whole: so what is
/// not part of every image must not be among them.
macro_rules! text {
    ($section:literal, $text:literal) => {{
        const BYTES: &[u8] = core::ffi::CStr::to_bytes_with_nul($text);
        // SAFETY: read-only data in a section for such.
        #[allow(unsafe_code)]
        #[unsafe(link_section = $section)]
        static TEXT: [u8; BYTES.len()] = $crate::kernel::text::array(BYTES);
        const {
            match core::ffi::CStr::from_bytes_with_nul(&TEXT) {
                Ok(text) => text,
                Err(_) => c"",
            }
        }
    }};
}
pub(crate) use text;

/// The first `N` bytes, while there are as many.
pub const fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    match bytes.first_chunk() {
        Some(array) => *array,
        None => [0; N],
    }
}
