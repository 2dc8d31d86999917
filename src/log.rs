//! Lines in the log, and the names in them.

use core::ffi::{CStr, c_char};
use core::marker::PhantomData;

use crate::text::{Text, Value, ValueKind};

/// The severity of a line in the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub enum Level {
    /// A call was refused (`LOG_E`).
    Error = 0,
    /// A call succeeded, but not as well as it could (`LOG_W`).
    Warning = 1,
    /// A call succeeded that users want to know of (`LOG_I`).
    Info = 2,
}

/// The name of a pool, a device or a node: a null pointer, or a C string that stays valid and unchanged during `'a`.
///
/// The library does not interpret the text. It passes the pointer to the kernel's `printf`, which decides how a null
/// pointer is printed (`(null)` or `(NULL)`).
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Name<'a>(*const c_char, PhantomData<&'a CStr>);

impl<'a> Name<'a> {
    /// No name: a null pointer.
    pub const NONE: Name<'static> = Name(core::ptr::null(), PhantomData);

    /// Makes a name of a text.
    pub const fn of(text: &'a CStr) -> Self {
        Name(text.as_ptr(), PhantomData)
    }

    /// Makes a name of a pointer from C.
    ///
    /// # Safety
    /// `text` is null, or points to a C string that stays valid and unchanged during `'a`.
    #[allow(unsafe_code)]
    pub const unsafe fn from_ptr(text: *const c_char) -> Self {
        Name(text, PhantomData)
    }

    /// Returns the pointer to the C string, or null.
    pub const fn as_ptr(self) -> *const c_char {
        self.0
    }

    /// Returns byte `index` of the string. The read is volatile. Otherwise the compiler would replace the loops below
    /// by calls of `strlen` and `strcmp`, which an image need not have.
    ///
    /// # Safety
    /// The name is not [`Name::NONE`], and none of the bytes before `index` is zero.
    #[allow(unsafe_code)]
    unsafe fn byte(self, index: usize) -> c_char {
        // SAFETY: the caller guarantees that the byte belongs to the string.
        unsafe { self.0.add(index).read_volatile() }
    }

    /// Returns the size of the string with its final zero, in bytes; 0 for [`Name::NONE`].
    #[allow(unsafe_code)]
    pub fn size(self) -> usize {
        if self.0.is_null() {
            return 0;
        }
        let mut length = 0;
        // SAFETY: the loop ends at the final zero.
        while unsafe { self.byte(length) } != 0 {
            length += 1;
        }
        length + 1
    }

    /// Returns whether both names are the same text, or both are [`Name::NONE`].
    #[allow(unsafe_code)]
    pub fn is_same_text(self, other: Name) -> bool {
        if self.0.is_null() || other.0.is_null() {
            return self.0 == other.0;
        }
        let mut index = 0;
        loop {
            // SAFETY: both strings have the same bytes before `index`, and none of these is zero.
            let (byte, other_byte) = unsafe { (self.byte(index), other.byte(index)) };
            if byte != other_byte {
                return false;
            }
            if byte == 0 {
                return true;
            }
            index += 1;
        }
    }
}

// SAFETY: every thread may read the string during `'a`, as with a `&'a CStr`.
#[allow(unsafe_code)]
unsafe impl Send for Name<'_> {}

// SAFETY: the pointer is null, or points to a C string that stays valid and unchanged during `'a` (`Name::from_ptr`).
#[allow(unsafe_code)]
unsafe impl<'a> Value<'a> for Name<'a> {
    const KIND: ValueKind = ValueKind::String;

    fn word(self) -> usize {
        self.0.expose_provenance()
    }
}

/// A line in the log.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The pool or the device that the line is about. The line begins with this name and a colon.
    pub name: Name<'a>,
    /// The address of the device that the line is about, or 0. If there is no name, the line begins with the address.
    pub device: usize,
    /// The rest of the line.
    pub text: Text<'a>,
}

impl<'a> Line<'a> {
    /// Makes a line about `name`.
    pub fn about(name: Name<'a>, text: Text<'a>) -> Self {
        Line { name, device: 0, text }
    }
}
