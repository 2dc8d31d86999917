//! Text: the log, and the output of shell commands.

use crate::log::{Level, Line};
use crate::text::Text;

/// Writes text for people.
///
/// The console to which a method writes may use a device whose driver calls this library. So the caller of a method
/// holds no lock and no [turn](crate::mem::turn) of this library.
pub trait Log {
    /// Writes a line to the log. The kernel drops the line where it must not write, for example in an interrupt.
    ///
    /// Context: any.
    fn log(&self, level: Level, line: &Line);

    /// Prints text to the shell. A line of output ends only where the text has a newline.
    ///
    /// Context: thread.
    fn print(&self, text: Text);
}
