//! The parts of QEMU's `virt` machine that 64-bit and 32-bit Arm share: a GICv2, a PL011, PSCI firmware, and the place
//! of RAM.

use core::arch::asm;
use core::sync::atomic::{AtomicU32, Ordering};

use arm_gic::gicv2::GicV2;
use arm_gic::{IntId, InterruptGroup};
use arm_pl011_uart::{PL011Registers, Uart, UniqueMmioPointer};
use smccc::{Hvc, psci};

use super::{frequency, irq_on, mmu_on, timer_set};
use crate::console;
use crate::context::IrqMutex;

/// Memory-mapped registers that the kernel itself uses: start, size.
pub const DEVICES: [(usize, usize); 2] = [(GICD, 0x2_0000), (UART, 0x1000)];
/// The start of RAM. When QEMU loads an ELF file, the device tree is there.
pub const RAM_START: usize = 0x4000_0000;

const UART: usize = 0x0900_0000;
const GICD: usize = 0x0800_0000;
const GICC: usize = 0x0801_0000;
/// The distributor's registers GICD_ITARGETSR: one byte for each interrupt, one bit for each core.
const TARGETS: usize = 0x800;
/// The number of the first interrupt that is not private to a core.
const SPI_START: u32 = 32;
/// The virtual timer's private interrupt (Arm Base System Architecture, table of PPIs).
const TIMER: IntId = IntId::ppi(11);

// --- tick ----------------------------------------------------------------------------------------------------------

static GIC: IrqMutex<Option<GicV2<'static>>> = IrqMutex::new(None);
static TIMER_PERIOD: AtomicU32 = AtomicU32::new(0);

/// Starts the tick on this core: `crate::thread::tick` runs `hz` times a second.
pub fn tick_start(hz: u32) {
    // SAFETY: the registers are mapped as device memory (DEVICES), and only this function and `interrupt` use them.
    let mut gic = unsafe { GicV2::new(GICD as *mut _, GICC as *mut _) };
    gic.setup();
    gic.set_interrupt_priority(TIMER, 0x80);
    gic.enable_interrupt(TIMER, true).expect("the timer's interrupt");
    GIC.with(|slot| *slot = Some(gic));
    TIMER_PERIOD.store((frequency() / u64::from(hz)) as u32, Ordering::Relaxed);
    timer_next();
}

fn timer_next() {
    timer_set(TIMER_PERIOD.load(Ordering::Relaxed));
}

/// Serves an interrupt. The processor's entry code calls it.
pub extern "C" fn irq() {
    let taken = GIC.with(|gic| gic.as_mut()?.get_and_acknowledge_interrupt(InterruptGroup::Group0));
    let Some(id) = taken else { return };
    if id == TIMER {
        timer_next();
        crate::thread::tick();
    } else {
        crate::interrupts::serve(id.into());
    }
    GIC.with(|gic| gic.as_mut().unwrap().end_interrupt(id, InterruptGroup::Group0));
    crate::interrupts::after();
}

/// Enables or disables a device's interrupt. It is taken by the first core.
pub fn irq_enable(number: u32, enable: bool) {
    const FIRST_CORE: u8 = 1;
    let target = (GICD + TARGETS + number as usize) as *mut u8;
    // SAFETY: the register of this interrupt's targets, which nothing else writes, is mapped as device memory
    // (DEVICES).
    unsafe { target.write_volatile(FIRST_CORE) };
    let id = IntId::spi(number - SPI_START);
    GIC.with(|gic| gic.as_mut().unwrap().enable_interrupt(id, enable)).expect("a device's interrupt");
}

// --- cores and power -----------------------------------------------------------------------------------------------

/// The first function on the second core. Boot code calls it.
pub extern "C" fn second_main(root: usize) -> ! {
    mmu_on(root);
    irq_on();
    crate::thread::second_core()
}

/// Sleeps until an event or an interrupt.
pub fn wait() {
    // SAFETY: a hint.
    unsafe { asm!("wfe") };
}

/// Ends the machine.
pub fn power_off() -> ! {
    let _ = psci::system_off::<Hvc>();
    loop {
        wait();
    }
}

// --- console -------------------------------------------------------------------------------------------------------

/// The board's console. Usable before the MMU is on.
pub fn console() -> console::Port {
    // SAFETY: PL011 registers, and the console's lock is their only user.
    let registers = unsafe { UniqueMmioPointer::new(core::ptr::NonNull::new(UART as *mut PL011Registers).unwrap()) };
    Uart::new(registers)
}

/// Sends one byte.
pub fn put(port: &mut console::Port, byte: u8) {
    while port.is_tx_fifo_full() {}
    port.write_word(byte);
}

/// Returns the next byte that was received.
pub fn get(port: &mut console::Port) -> Option<u8> {
    port.read_word().ok().flatten()
}

/// The driver of the console.
pub type ConsolePort = Uart<'static>;
