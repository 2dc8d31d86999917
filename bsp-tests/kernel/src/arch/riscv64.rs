//! RISC-V in S-mode above SBI firmware, on QEMU's `virt` machine.

use core::arch::{asm, global_asm};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use dtoolkit::{Node, Property};
use page_table_multiarch::{MappingFlags, PageSize, PageTable64, riscv::Sv39MetaData};
use sbi_rt::HartMask;
use uart_16550::MmioSerialPort;

mod entry;

use crate::{boot, console};
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
/// RT-Thread's `rt_hw_mmu_map` lays no blocks here, only pages.
pub const BLOCK: Option<PageSize> = None;

const UART: usize = 0x1000_0000;
/// `timebase-frequency` of the `virt` machine.
const TIMEBASE: u64 = 10_000_000;

global_asm!(
    r#"
.section .text.boot, "ax"
.global _start
_start:
    csrw sie, zero
    li t0, 1 << 13              // FP registers on, clean
    csrs sstatus, t0
    la t0, trap_entry
    csrw stvec, t0
    la sp, __stack_top
    li tp, 0                    // the core's number
    la t0, __bss_start
    la t1, __bss_end
1:  bgeu t0, t1, 2f
    sd zero, 0(t0)
    addi t0, t0, 8
    j 1b
2:  la t0, {boot_hart}
    sd a0, 0(t0)
    mv a0, a1
    call {main}
3:  wfi
    j 3b

// The second core, with the address of the page tables in a1.
.global second_start
second_start:
    csrw sie, zero
    li t0, 1 << 13
    csrs sstatus, t0
    la t0, trap_entry
    csrw stvec, t0
    la sp, __second_stack_top
    li tp, 1
    mv a0, a1
    call {second}
4:  wfi
    j 4b

// Code may use FP registers anywhere: those that a call may change are saved too.
.option arch, +d
.balign 4
trap_entry:
    addi sp, sp, -320
    sd ra, 0(sp)
    sd t0, 8(sp)
    sd t1, 16(sp)
    sd t2, 24(sp)
    sd t3, 32(sp)
    sd t4, 40(sp)
    sd t5, 48(sp)
    sd t6, 56(sp)
    sd a0, 64(sp)
    sd a1, 72(sp)
    sd a2, 80(sp)
    sd a3, 88(sp)
    sd a4, 96(sp)
    sd a5, 104(sp)
    sd a6, 112(sp)
    sd a7, 120(sp)
    fsd ft0, 128(sp)
    fsd ft1, 136(sp)
    fsd ft2, 144(sp)
    fsd ft3, 152(sp)
    fsd ft4, 160(sp)
    fsd ft5, 168(sp)
    fsd ft6, 176(sp)
    fsd ft7, 184(sp)
    fsd ft8, 192(sp)
    fsd ft9, 200(sp)
    fsd ft10, 208(sp)
    fsd ft11, 216(sp)
    fsd fa0, 224(sp)
    fsd fa1, 232(sp)
    fsd fa2, 240(sp)
    fsd fa3, 248(sp)
    fsd fa4, 256(sp)
    fsd fa5, 264(sp)
    fsd fa6, 272(sp)
    fsd fa7, 280(sp)
    frcsr t0
    csrr t1, sepc
    csrr t2, sstatus
    sd t0, 288(sp)
    sd t1, 296(sp)
    sd t2, 304(sp)
    csrr a0, scause
    csrr a1, sepc
    csrr a2, stval
    call {trap}
    ld t0, 288(sp)
    ld t1, 296(sp)
    ld t2, 304(sp)
    fscsr t0
    csrw sepc, t1
    csrw sstatus, t2
    fld ft0, 128(sp)
    fld ft1, 136(sp)
    fld ft2, 144(sp)
    fld ft3, 152(sp)
    fld ft4, 160(sp)
    fld ft5, 168(sp)
    fld ft6, 176(sp)
    fld ft7, 184(sp)
    fld ft8, 192(sp)
    fld ft9, 200(sp)
    fld ft10, 208(sp)
    fld ft11, 216(sp)
    fld fa0, 224(sp)
    fld fa1, 232(sp)
    fld fa2, 240(sp)
    fld fa3, 248(sp)
    fld fa4, 256(sp)
    fld fa5, 264(sp)
    fld fa6, 272(sp)
    fld fa7, 280(sp)
    ld ra, 0(sp)
    ld t0, 8(sp)
    ld t1, 16(sp)
    ld t2, 24(sp)
    ld t3, 32(sp)
    ld t4, 40(sp)
    ld t5, 48(sp)
    ld t6, 56(sp)
    ld a0, 64(sp)
    ld a1, 72(sp)
    ld a2, 80(sp)
    ld a3, 88(sp)
    ld a4, 96(sp)
    ld a5, 104(sp)
    ld a6, 112(sp)
    ld a7, 120(sp)
    addi sp, sp, 320
    sret
"#,
    boot_hart = sym BOOT_HART,
    main = sym crate::main,
    second = sym second_main,
    trap = sym trap,
);

/// The hart that the firmware started; the other one is the second core.
static BOOT_HART: AtomicUsize = AtomicUsize::new(0);

// --- page tables ---------------------------------------------------------------------------------------------------

/// Turns the MMU on, on this core.
pub fn mmu_on(root: usize) {
    const SV39: usize = 8 << 60;
    // Without Svpbmt, the console's own page would fault, and the kernel could print no reason.
    let isa = boot::node("riscv").and_then(|cpu| cpu.property("riscv,isa")?.value_as::<&str>().ok());
    let isa = isa.unwrap_or_default();
    assert!(isa.split('_').any(|name| name == "svpbmt"), "no Svpbmt in {isa}: QEMU wants -cpu rv64,svpbmt=true");
    // SAFETY: the tables map the running code, its data and its stack at the addresses they have now.
    unsafe { asm!("csrw satp, {}", "sfence.vma", in(reg) SV39 | root >> 12) }
}

/// Makes earlier writes to the page tables visible to both cores' walks, and drops old entries from the TLBs.
pub fn tables_written() {
    // SAFETY: a barrier.
    unsafe { asm!("fence", "sfence.vma") }
    // `sfence.vma` affects this core only. The firmware reaches the other core even while that core masks interrupts.
    if crate::thread::second_is_up() {
        let both = HartMask::from_mask_base(1 << BOOT_HART.load(Relaxed) | 1 << second_hart(), 0);
        assert!(sbi_rt::remote_sfence_vma(both, 0, usize::MAX).is_ok(), "the firmware's remote fence");
    }
}

/// Flags of memory that code may run from.
pub fn code_flags() -> MappingFlags {
    MappingFlags::READ | MappingFlags::WRITE | MappingFlags::EXECUTE
}

// --- caches: QEMU's virt machine is coherent, and its default core has no cache-block operations -------------------

/// Writes dirty lines to memory and drops them.
pub fn cache_clean_invalidate(_va: usize, _size: usize) {
    // SAFETY: a barrier.
    unsafe { asm!("fence iorw, iorw") }
}

/// Drops lines, dirty or not.
pub fn cache_invalidate(va: usize, size: usize) {
    cache_clean_invalidate(va, size);
}

// --- cores and interrupts ------------------------------------------------------------------------------------------

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

/// Whether interrupts are masked on this core.
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

fn second_hart() -> usize {
    1 - BOOT_HART.load(Relaxed).min(1)
}

extern "C" fn second_main(root: usize) -> ! {
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

/// The timer's count.
pub fn counter() -> u64 {
    let count: u64;
    // SAFETY: only reads.
    unsafe { asm!("rdtime {}", out(reg) count) };
    count
}

extern "C" fn trap(cause: usize, epc: usize, value: usize) {
    const TIMER: usize = 1 << 63 | 5;
    if cause != TIMER {
        panic!("trap {cause:#x} on core {}: at {epc:#x}, value {value:#x}", cpu_id());
    }
    timer_next();
    crate::thread::tick();
}

// --- console -------------------------------------------------------------------------------------------------------

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
