//! Text that is linked only with the code that shows it.

/// A C string, as `c"..."` is one, but in a section of its own.
///
/// The compiler puts all the string literals of a library into one section, so that whoever uses one of them has them
/// all; what is a static has its own.
macro_rules! text {
    ($literal:literal) => {{
        const TEXT: &core::ffi::CStr = $literal;
        static BYTES: [u8; TEXT.count_bytes() + 1] = $crate::text::bytes(TEXT);
        const OWN: &core::ffi::CStr = match core::ffi::CStr::from_bytes_with_nul(&BYTES) {
            Ok(own) => own,
            Err(_) => TEXT,
        };
        OWN
    }};
}

pub(crate) use text;

/// The bytes of a string of `N - 1` bytes, and the zero behind it.
pub(crate) const fn bytes<const N: usize>(text: &core::ffi::CStr) -> [u8; N] {
    let mut bytes = [0; N];
    let mut left: &[u8] = text.to_bytes();
    let mut rest: &mut [u8] = &mut bytes;
    while let ([first, others @ ..], [place, places @ ..]) = (left, rest) {
        *place = *first;
        left = others;
        rest = places;
    }
    bytes
}
