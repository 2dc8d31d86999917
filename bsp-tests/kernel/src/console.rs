//! The console: text out, bytes in.

use core::fmt::{self, Write};

use crate::arch;
use crate::context::IrqMutex;

/// The driver behind the console.
pub type Port = arch::ConsolePort;

static CONSOLE: IrqMutex<Option<Port>> = IrqMutex::new(None);

/// Takes the board's console.
pub fn init() {
    CONSOLE.with(|console| *console = Some(arch::console()));
}

/// Writes bytes, unmixed with another core's.
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

/// A byte that was typed.
pub fn read() -> Option<u8> {
    CONSOLE.with(|console| arch::get(console.as_mut()?))
}

/// A line of text of this kernel's own.
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

/// The next byte that is typed.
#[unsafe(no_mangle)]
extern "C" fn stand_in_read() -> i32 {
    loop {
        if let Some(byte) = read() {
            return byte.into();
        }
        core::hint::spin_loop();
    }
}

/// Lets a dying kernel speak, whoever holds the console.
pub fn force_open() {
    // SAFETY: at worst two lines mix.
    unsafe { CONSOLE.force_open() };
}
