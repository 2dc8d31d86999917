//! The console: text out, bytes in.

use core::fmt::{self, Write};

use crate::arch;
use crate::context::IrqMutex;

/// The driver of the console.
pub type Port = arch::ConsolePort;

static CONSOLE: IrqMutex<Option<Port>> = IrqMutex::new(None);

/// Initializes the board's console.
pub fn init() {
    CONSOLE.with(|console| *console = Some(arch::console()));
}

/// Writes bytes without another core's bytes in between.
pub fn write(bytes: &[u8]) {
    CONSOLE.with(|console| {
        let Some(port) = console else { return };
        for &byte in bytes {
            if byte == b'\n' {
                arch::put(port, b'\r');
            }
            arch::put(port, byte);
        }
    });
}

/// Returns a byte that was typed.
pub fn read() -> Option<u8> {
    CONSOLE.with(|console| arch::get(console.as_mut()?))
}

/// A line of this kernel's own text.
pub struct Text;

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        write(text.as_bytes());
        Ok(())
    }
}

/// Prints one line.
#[macro_export]
macro_rules! line {
    ($($arg:tt)*) => {{
        use core::fmt::Write;
        let _ = writeln!($crate::console::Text, $($arg)*);
    }};
}

/// `rt_kprintf` has formatted `size` bytes of text.
#[unsafe(no_mangle)]
extern "C" fn stand_in_write(text: *const u8, size: usize) {
    crate::context::must_be_thread("rt_kprintf");
    // SAFETY: `rt_kprintf` passes its own buffer.
    write(unsafe { core::slice::from_raw_parts(text, size) });
}

/// Returns the next byte that is typed.
#[unsafe(no_mangle)]
extern "C" fn stand_in_read() -> i32 {
    loop {
        if let Some(byte) = read() {
            return byte.into();
        }
        core::hint::spin_loop();
    }
}

/// Unlocks the console of a kernel that stops, so that it can print the reason.
pub fn force_open() {
    // SAFETY: in the worst case two lines are mixed.
    unsafe { CONSOLE.force_open() };
}
