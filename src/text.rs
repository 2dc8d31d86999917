//! Texts for people: `printf` formats for the kernel, each with its values.
//!
//! `Format<(A, B, ...)>` has the types of its values. [`Format::checked`] compares the format with the kinds of these
//! types ([`Value::KIND`]) when the code is compiled: a wrong pair does not compile. An array of values would have one
//! type for all, whose kinds are known only when the code runs.

use core::ffi::CStr;
use core::marker::PhantomData;

/// The most values in a text. A longer line is printed as several texts.
const MAX_VALUES: usize = 6;

/// What a value is.
#[derive(Clone, Copy)]
pub enum ValueKind {
    /// There is no value.
    Nothing,
    /// A number, for `%lu` and `%lx`.
    Number,
    /// A C string, for `%s`.
    String,
}

/// A value of a [`Text`].
///
/// # Safety
/// If `KIND` is [`ValueKind::String`], `word` returns a null pointer, or the address of a C string that stays valid and
/// unchanged during `'a`.
#[allow(unsafe_code)]
pub unsafe trait Value<'a> {
    /// What the value is.
    const KIND: ValueKind;

    /// Returns the value as one word, which the kernel's `printf` receives.
    fn word(self) -> usize;
}

// SAFETY: the value is no string.
#[allow(unsafe_code)]
unsafe impl Value<'_> for () {
    const KIND: ValueKind = ValueKind::Nothing;

    fn word(self) -> usize {
        0
    }
}

// SAFETY: the value is no string.
#[allow(unsafe_code)]
unsafe impl Value<'_> for usize {
    const KIND: ValueKind = ValueKind::Number;

    fn word(self) -> usize {
        self
    }
}

// SAFETY: the reference is valid during `'a`.
#[allow(unsafe_code)]
unsafe impl<'a> Value<'a> for &'a CStr {
    const KIND: ValueKind = ValueKind::String;

    fn word(self) -> usize {
        self.as_ptr().expose_provenance()
    }
}

/// A `printf` format that fits values of the types in the tuple `V`, so that a wrong pair cannot reach the kernel's
/// `printf`, where it would be undefined behaviour.
pub struct Format<V>(&'static CStr, PhantomData<V>);

impl<'a, A: Value<'a>, B: Value<'a>, C: Value<'a>, D: Value<'a>, E: Value<'a>, F: Value<'a>>
    Format<(A, B, C, D, E, F)>
{
    /// Checks a format.
    ///
    /// # Panics
    /// The format does not fit the types of the values. A caller calls this function in a `const` block, as [`text!`]
    /// does, so that the panic is an error of the compiler.
    pub const fn checked(format: &'static CStr) -> Self {
        assert!(
            fits(format, &[A::KIND, B::KIND, C::KIND, D::KIND, E::KIND, F::KIND]),
            "the format does not fit the types of the values"
        );
        Format(format, PhantomData)
    }
}

/// Returns whether a format has a conversion for each value, in the order of the values, and no other. A conversion is
/// `%s`, `%lu` or `%lx`, perhaps with the flag `-` (a number also with `0`), then perhaps with a width.
const fn fits(format: &CStr, mut kinds: &[ValueKind]) -> bool {
    let mut rest = format.to_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first == b'%' {
            while let [b'-', after @ ..] = rest {
                rest = after;
            }
            let pads_with_zeros = matches!(rest, [b'0', ..]);
            while let [b'0'..=b'9', after @ ..] = rest {
                rest = after;
            }
            (rest, kinds) = match (rest, kinds) {
                ([b's', after @ ..], [ValueKind::String, others @ ..]) if !pads_with_zeros => (after, others),
                ([b'l', b'u' | b'x', after @ ..], [ValueKind::Number, others @ ..]) => (after, others),
                _ => return false,
            };
        }
    }
    // Values after a missing one would not be printed.
    while let [ValueKind::Nothing, others @ ..] = kinds {
        kinds = others;
    }
    kinds.is_empty()
}

/// A `printf` format, and values that fit it. [`text!`] makes one.
///
/// The kernel formats it, so that the library links no formatting code. The strings among the values stay valid and
/// unchanged during `'a`.
///
/// This compiles, and not with `%s` or without the number:
///
/// ```
/// # use rt_dma_pool::text::{Format, Text};
/// let text = Text::new(const { Format::checked(c"%lu calls refused") }, 2, (), (), (), (), ());
/// ```
/// ```compile_fail,E0080
/// # use rt_dma_pool::text::{Format, Text};
/// let text = Text::new(const { Format::checked(c"%s calls refused") }, 2, (), (), (), (), ());
/// ```
/// ```compile_fail,E0080
/// # use rt_dma_pool::text::{Format, Text};
/// let text = Text::new(const { Format::checked(c"%lu calls refused") }, (), (), (), (), (), ());
/// ```
/// A string must outlive the text:
///
/// ```compile_fail,E0597
/// # use rt_dma_pool::text::{Format, Text};
/// let text = {
///     let name = std::ffi::CString::from(c"decoder");
///     Text::new(const { Format::checked(c"%s") }, name.as_c_str(), (), (), (), (), ())
/// };
/// println!("{text:?}");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    format: &'static CStr,
    words: [usize; MAX_VALUES],
    strings: PhantomData<&'a CStr>,
}

impl<'a> Text<'a> {
    /// Makes a text of a format and its values; `()` stands for each value that is missing.
    #[allow(clippy::too_many_arguments)]
    pub fn new<A, B, C, D, E, F>(format: Format<(A, B, C, D, E, F)>, a: A, b: B, c: C, d: D, e: E, f: F) -> Self
    where
        A: Value<'a>,
        B: Value<'a>,
        C: Value<'a>,
        D: Value<'a>,
        E: Value<'a>,
        F: Value<'a>,
    {
        let words = [a.word(), b.word(), c.word(), d.word(), e.word(), f.word()];
        Text { format: format.0, words, strings: PhantomData }
    }

    /// Returns the format.
    pub const fn format(&self) -> &'static CStr {
        self.format
    }

    /// Returns the arguments of the format in its order, and zeros after the last.
    pub const fn words(&self) -> &[usize; MAX_VALUES] {
        &self.words
    }
}

/// Returns how many KiB these bytes are, without the rest.
pub const fn kib(bytes: usize) -> usize {
    bytes >> 10
}

/// Makes a [`Text`] of a `printf` format, which is one literal or several literals, and at most six values: numbers
/// (`usize`) and strings (`Name` or `&CStr`). A build fails if the format does not fit the values; `cargo check` does
/// not notice it.
macro_rules! text {
    ($($format:literal)+) => {
        $crate::text::text!($($format)+, (), (), (), (), (), ())
    };
    ($($format:literal)+, $a:expr) => {
        $crate::text::text!($($format)+, $a, (), (), (), (), ())
    };
    ($($format:literal)+, $a:expr, $b:expr) => {
        $crate::text::text!($($format)+, $a, $b, (), (), (), ())
    };
    ($($format:literal)+, $a:expr, $b:expr, $c:expr) => {
        $crate::text::text!($($format)+, $a, $b, $c, (), (), ())
    };
    ($($format:literal)+, $a:expr, $b:expr, $c:expr, $d:expr) => {
        $crate::text::text!($($format)+, $a, $b, $c, $d, (), ())
    };
    ($($format:literal)+, $a:expr, $b:expr, $c:expr, $d:expr, $e:expr) => {
        $crate::text::text!($($format)+, $a, $b, $c, $d, $e, ())
    };
    ($($format:literal)+, $a:expr, $b:expr, $c:expr, $d:expr, $e:expr, $f:expr) => {
        $crate::text::Text::new(
            const { $crate::text::Format::checked($crate::text::separate_cstr!($($format),+)) },
            $a,
            $b,
            $c,
            $d,
            $e,
            $f,
        )
    };
}
pub(crate) use text;

/// Makes a C string of literals. It is linked only if code that uses it is linked.
///
/// The compiler puts all C string literals into one section, whose strings the linker can merge but not leave out. A
/// text of the additions would therefore be part of every image. A second NUL at the end makes the text a constant with
/// a section of its own.
macro_rules! separate_cstr {
    ($($text:literal),+) => {
        const {
            match core::ffi::CStr::from_bytes_until_nul(concat!($($text,)+ "\0\0").as_bytes()) {
                Ok(text) => text,
                Err(_) => panic!("the text ends with a NUL"),
            }
        }
    };
}
pub(crate) use separate_cstr;

#[cfg(test)]
mod tests {
    use super::ValueKind::{Nothing, Number, String};
    use super::*;

    #[test]
    fn a_format_fits_the_kinds_of_its_conversions_alone() {
        assert!(fits(c"", &[]) && fits(c"l", &[Nothing, Nothing]));
        assert!(fits(c"%-15s [0x%lx, 0x%016lx]%9lu", &[String, Number, Number, Number]));
        assert!(fits(c"%s%lu", &[String, Number, Nothing, Nothing]));
        // Another kind, another order.
        assert!(!fits(c"%s", &[Number]) && !fits(c"%lu", &[String]) && !fits(c"%lx %s", &[String, Number]));
        // A value too few or too many.
        assert!(!fits(c"%lu", &[]) && !fits(c"%s", &[Nothing, String]) && !fits(c"%lu", &[Number, Number]));
        assert!(!fits(c"", &[Nothing, Number]));
        // Other conversions, and what is none.
        for format in
            [c"%05s", c"%u", c"%d", c"%n", c"%p", c"%c", c"%ld", c"%*lu", c"%.3lu", c"%l", c"%-", c"%5-lu", c"%", c"%%"]
        {
            assert!(!fits(format, &[Number]) && !fits(format, &[String]) && !fits(format, &[]), "{format:?}");
        }
    }

    #[test]
    fn a_text_has_its_values_in_order_and_then_zeros() {
        let name = c"decoder";
        let text = text!("%lu" " of " "%s", 7, name);
        assert_eq!((text.format(), text.words()), (c"%lu of %s", &[7, name.as_ptr() as usize, 0, 0, 0, 0]));
    }
}
