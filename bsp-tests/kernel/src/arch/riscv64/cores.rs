//! Cores, interrupts, the timer, and the end of the machine.

use core::arch::asm;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::mmu_on;

/// `timebase-frequency` of the `virt` machine.
const TIMEBASE: u64 = 10_000_000;

/// The hart that the firmware started; the other one is the second core.
pub(super) static BOOT_HART: AtomicUsize = AtomicUsize::new(0);

const SIE: usize = 1 << 1;

/// This core's number: 0 or 1.
pub fn cpu_id() -> usize {
    let id: usize;
    // SAFETY: boot code wrote the number to the register, and nothing changes it.
    unsafe { asm!("mv {}, tp", out(reg) id, options(nomem, nostack)) };
    id
}

/// Masks interrupts on this core. Returns the argument for `irq_restore`.
pub fn irq_mask() -> usize {
    let sstatus: usize;
    // SAFETY: masking interrupts is always sound.
    unsafe { asm!("csrrci {}, sstatus, 2", out(reg) sstatus) };
    sstatus & SIE
}

/// Undoes `irq_mask`.
pub fn irq_restore(saved: usize) {
    // SAFETY: boot code installed the handler.
    unsafe { asm!("csrs sstatus, {}", in(reg) saved & SIE) };
}

/// Lets interrupts in on this core.
pub fn irq_on() {
    irq_restore(SIE);
}

/// Returns whether interrupts are masked on this core.
pub fn irqs_masked() -> bool {
    let sstatus: usize;
    // SAFETY: only reads.
    unsafe { asm!("csrr {}, sstatus", out(reg) sstatus) };
    sstatus & SIE == 0
}

/// Starts the second core, which runs [`crate::thread::second_core`] on the same page tables.
pub fn start_second_core(root: usize) -> bool {
    unsafe extern "C" {
        fn second_start();
    }
    sbi_rt::hart_start(second_hart(), second_start as *const () as usize, root).is_ok()
}

pub(super) fn second_hart() -> usize {
    1 - BOOT_HART.load(Relaxed).min(1)
}

pub(super) extern "C" fn second_main(root: usize) -> ! {
    // A board that leaves the MMU off has no tables.
    if root != 0 {
        mmu_on(root);
    }
    irq_on();
    crate::thread::second_core()
}

/// Waits for a short time.
pub fn wait() {
    core::hint::spin_loop();
}

/// Does nothing: [`wait`] returns without being woken.
pub fn wake() {}

/// Ends the machine.
pub fn power_off() -> ! {
    let _ = sbi_rt::system_reset(sbi_rt::Shutdown, sbi_rt::NoReason);
    loop {
        wait();
    }
}

static TIMER_PERIOD: AtomicUsize = AtomicUsize::new(0);

/// Starts the tick on this core: `crate::thread::tick` runs `hz` times a second.
pub fn tick_start(hz: u32) {
    TIMER_PERIOD.store((TIMEBASE / u64::from(hz)) as usize, Relaxed);
    timer_next();
    // SAFETY: boot code installed the handler.
    unsafe { asm!("csrs sie, {}", in(reg) 1usize << 5) };
}

fn timer_next() {
    let _ = sbi_rt::set_timer(counter() + TIMER_PERIOD.load(Relaxed) as u64);
}

/// Counts of the timer in a second.
pub fn frequency() -> u64 {
    TIMEBASE
}

/// Returns the timer's count.
pub fn counter() -> u64 {
    let count: u64;
    // SAFETY: only reads.
    unsafe { asm!("rdtime {}", out(reg) count) };
    count
}

pub(super) extern "C" fn trap(cause: usize, epc: usize, value: usize) {
    const TIMER: usize = 1 << 63 | 5;
    if cause != TIMER {
        panic!("trap {cause:#x} on core {}: at {epc:#x}, value {value:#x}", cpu_id());
    }
    timer_next();
    crate::thread::tick();
}
