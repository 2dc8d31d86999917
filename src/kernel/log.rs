//! Text: the log, and the output of shell commands.

use crate::log::{Level, Line};
use crate::text::Text;

/// Writes text for people.
///
/// The console to which a method writes may use a device whose driver calls this library. So the caller of a method
/// holds no lock and no [turn](crate::mem::turn) of this library. It may be a reader of the pools' names: an uninstall
/// waits for readers only a bounded time.
pub trait Log {
    /// Writes a line to the log. Where the caller may not sleep, the kernel writes nothing.
    ///
    /// Context: any.
    fn log(&self, level: Level, line: &Line);

    /// Prints text to the shell. A line of output ends only where the text has a newline.
    ///
    /// Context: thread.
    fn print(&self, text: Text);
}
