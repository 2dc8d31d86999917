//! RISC-V in S-mode above SBI firmware, on QEMU's `virt` machine.

use page_table_multiarch::{PageSize, PageTable64, riscv::Sv39MetaData};
use uart_16550::MmioSerialPort;

mod cores;
mod entry;
mod memory;
mod start;

pub use cores::*;
pub use memory::*;

use crate::console;
use entry::Entry;

/// Sv39 page tables whose leaves hold the memory type (extension Svpbmt).
pub type PageTable<H> = PageTable64<Sv39MetaData<memory_addr::VirtAddr>, Entry, H>;

/// Memory-mapped registers that the kernel itself uses: start, size.
pub const DEVICES: [(usize, usize); 1] = [(UART, 0x1000)];
/// The start of RAM.
pub const RAM_START: usize = 0x8000_0000;
/// The result of `rt_kmem_v2p` for an address that is not mapped (`ARCH_MAP_FAILED` of the stand-in's `mmu.h`).
pub const MAP_FAILED: usize = usize::MAX;
/// One past the last virtual address that the kernel may map.
pub const SPACE_END: usize = 1 << 38;
/// Where `rt_ioremap_*` maps: 256 MiB, from a 2 MiB boundary on, as RT-Thread's window.
pub const WINDOW: core::ops::Range<usize> = 0x20_0000_0000..0x20_1000_0000;
/// The blocks that RT-Thread's `rt_hw_mmu_map` (`libcpu/risc-v/common/mmu.c`) lays where both addresses and the length
/// allow it.
pub const BLOCK: Option<PageSize> = Some(PageSize::Size2M);

const UART: usize = 0x1000_0000;

/// The board's console. Usable before the MMU is on.
pub fn console() -> console::Port {
    // SAFETY: registers of an NS16550A, and the console's lock is their only user.
    let mut port = unsafe { MmioSerialPort::new(UART) };
    port.init();
    port
}

/// Sends one byte.
pub fn put(port: &mut console::Port, byte: u8) {
    port.send_raw(byte);
}

/// Returns the next byte that was received.
pub fn get(port: &mut console::Port) -> Option<u8> {
    port.try_receive().ok()
}

/// The driver of the console.
pub type ConsolePort = MmioSerialPort;
