//! A stand-in for an RT-Thread BSP, so that the library's C drivers run on a machine without RT-Thread's sources.
//!
//! It is **not** RT-Thread, and contains no part of it. It has the few functions that `rtthread-port/` and the drivers
//! in `bsp-tests/drivers/` call, with RT-Thread's names and behaviour. It boots on QEMU's `virt` machine with real page
//! tables, two cores and a tick interrupt. It stops with a line that states the reason when a function that may sleep
//! in RT-Thread is called where sleeping is a bug.
//!
//! `ci/smoke` builds and runs it. By hand, from the repository's root:
//!
//! ```text
//! tools/build-archive aarch64-unknown-none out
//! eval "$(tools/build-archive aarch64-unknown-none --env)"
//! cd bsp-tests/kernel
//! RT_DMA_POOL_LIB_DIR=$PWD/../../out cargo build --release --target aarch64-unknown-none
//! ../smoke --kernel target/aarch64-unknown-none/release/stand-in
//! ```
//!
//! | module | contents |
//! | --- | --- |
//! | [`arch`] | the code for one processor and board |
//! | [`boot`] | the device tree and the boot arguments |
//! | [`memory`] | RAM, memblock, the heap |
//! | [`aspace`] | page tables, the linear map, `rt_ioremap_*` |
//! | [`context`] | interrupt masks, locks, and the check of the calling context |
//! | `interrupts` | interrupts of devices, on Arm |
//! | [`thread`] | the second core, timers |
//! | [`console`] | text out, bytes in |
//! | [`services`] | strings, the device tree and power for C |
//! | `c/` | the parts that are easier in C: `rt_kprintf`, the shell, board set-up, PCI configuration space |

#![no_std]

extern crate alloc;

mod arch;
mod areas;
mod aspace;
mod boot;
mod console;
mod context;
#[cfg(any(target_arch = "aarch64", target_arch = "arm"))]
mod interrupts;
mod memory;
mod services;
#[cfg(target_arch = "riscv64")]
mod table_uses;
mod thread;

use core::panic::PanicInfo;

/// Runs on the first core after the boot code. The argument is the firmware's value of the boot register.
extern "C" fn main(boot_register: usize) -> ! {
    unsafe extern "C" {
        fn stand_in_board_init();
        fn stand_in_shell() -> !;
    }

    console::init();
    boot::init(boot_register);
    let layout = memory::plan();
    memory::init(&layout);
    let root = aspace::init(&layout);

    line!("\nstand-in kernel for rt-dma-pool's tests: not RT-Thread");
    line!("[I/cpu] Reserved memory:");
    for region in layout.reserved {
        let name = region.name.map_or("<anon>", |name| name.to_str().unwrap());
        line!("[I/cpu]   {name:<16} [{:#018x}, {:#018x}]", region.start, region.end);
    }
    // SAFETY: C functions of this kernel, called once each, in boot order.
    unsafe { stand_in_board_init() };

    arch::tick_start(thread::TICK_HZ);
    context::end_boot();
    arch::irq_on();
    if arch::start_second_core(root) {
        while !thread::second_is_up() {
            core::hint::spin_loop();
        }
        line!("[I/cpu] Call cpu 1 on success");
    } else {
        line!("[W/cpu] Call cpu 1 on failed");
    }
    // SAFETY: a C function of this kernel, called once, after all set-up.
    unsafe { stand_in_shell() }
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    arch::irq_mask();
    console::force_open();
    line!("\nstand-in: FAILED: {}", info.message());
    if let Some(place) = info.location() {
        line!("stand-in: at {place}, core {}", arch::cpu_id());
    }
    arch::power_off()
}
