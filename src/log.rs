//! Lines in the log, and names in them.

use core::ffi::{CStr, c_char};

/// How much a line in the log matters (`LOG_E`, `LOG_W`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub enum Level {
    /// A call was refused.
    Error = 0,
    /// It works, but not as well as it could.
    Warning = 1,
}

/// A C string that the kernel owns, such as a pool's or a device's name; null where there is none. Nobody here reads
/// it: it goes back to the kernel, whose `printf` says what it thinks of a null one (`(null)` or `(NULL)`).
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Name(pub *const c_char);

impl Name {
    /// No name.
    pub const NONE: Name = Name(core::ptr::null());

    /// A name of this library's own.
    pub const fn of(text: &'static CStr) -> Name {
        Name(text.as_ptr())
    }

    /// The name as a word of text (see [`Line::values`]).
    #[inline(always)]
    pub fn word(self) -> usize {
        self.0.expose_provenance()
    }
}

/// A line in the log: whom it concerns, and a `printf` format of `%s`, `%lu` and `%lx` with a word for each.
///
/// The kernel formats it, so that the library links no formatting code of its own.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// Whom it concerns: a pool, a device. What the line begins with.
    pub name: Name,
    /// The address of the device that it concerns, or 0. Where there is no name, the line begins with the address.
    pub device: usize,
    /// What follows the name and a colon.
    pub format: &'static CStr,
    /// A number for each `%l…`, a [name](Name::word) for each `%s`, in the order of the format; four at most.
    pub values: &'a [usize],
}

impl<'a> Line<'a> {
    /// A line about `name`.
    #[inline(always)]
    pub fn about(name: Name, format: &'static CStr, values: &'a [usize]) -> Self {
        Line { name, device: 0, format, values }
    }
}
