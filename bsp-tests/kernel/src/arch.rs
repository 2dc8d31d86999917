//! Everything that knows the processor and the board: boot code, page-table format, interrupts, timer, console, power.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "aarch64")]
pub use aarch64::*;
