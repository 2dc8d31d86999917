//! Text: the log, and the output of shell commands.

use core::ffi::CStr;

use crate::log::{Level, Line};

/// Writes text for people.
///
/// The console to which a method writes may use a device whose driver calls this library. So the caller of a method
/// holds no lock and no [turn](crate::mem::turn) of this library.
///
/// A value that is not the argument that its format demands is undefined behaviour, although the methods are safe. The
/// kernel of the tests formats each text, and fails if a conversion has no value.
pub trait Log {
    /// Writes a line to the log. The kernel drops the line where it must not write, for example in an interrupt.
    ///
    /// Context: any.
    fn log(&self, level: Level, line: &Line);

    /// Prints text to the shell. `format` is a `printf` format that contains only `%s`, `%lu` and `%lx`, with flags and
    /// widths, at most six of them; `values` are their arguments, as in a [`Line`]. A line of output ends only where
    /// `format` has a newline.
    ///
    /// Context: thread.
    fn print(&self, format: &'static CStr, values: &[usize]);
}
