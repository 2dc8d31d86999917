//! The code for one processor and board: boot code, page-table format, interrupts, timer, console, power.

#[cfg(any(target_arch = "aarch64", target_arch = "arm"))]
mod arm_virt;

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "aarch64")]
pub use aarch64::*;
#[cfg(target_arch = "arm")]
mod arm;
#[cfg(target_arch = "arm")]
pub use arm::*;
#[cfg(target_arch = "riscv64")]
mod riscv64;
#[cfg(target_arch = "riscv64")]
pub use riscv64::*;
